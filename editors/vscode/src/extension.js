// Starts `dagdsl lsp` for `.dg` files and connects the editor to it.

const { existsSync } = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

/** @type {LanguageClient | undefined} */
let client;

/** The command to run: the setting, else the workspace's `.venv`, else the PATH. */
function command() {
  const set = vscode.workspace.getConfiguration("dagdsl").get("path");
  if (set) return set;
  const inside = process.platform === "win32" ? ["Scripts", "dagdsl.exe"] : ["bin", "dagdsl"];
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    const found = path.join(folder.uri.fsPath, ".venv", ...inside);
    if (existsSync(found)) return found;
  }
  return "dagdsl";
}

async function start() {
  const run = { command: command(), args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient("dagdsl", "dagdsl", run, {
    documentSelector: [{ language: "dg" }],
    // A change of an imported file on disk affects the files that import it.
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.dg") },
  });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    vscode.window.showErrorMessage(
      `dagdsl: \`${run.command} lsp\` did not start (${error.message ?? error}). ` +
        "Install it with `pip install 'dagdsl[lsp]'`, or set `dagdsl.path`.",
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart() {
  await stop();
  await start();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("dagdsl.restart", restart),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("dagdsl.path")) restart();
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
