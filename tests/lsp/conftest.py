"""A server process for each module of tests, and an editor with an empty folder for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from tests.cli.run import command, environment
from tests.lsp.editor import Editor


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest_lsp.fixture(  # type: ignore[untyped-decorator]
    config=ClientServerConfig(server_command=command("lsp"), server_env=environment()),
    scope="module",
)
async def client(lsp_client: LanguageClient, folder: Path) -> AsyncIterator[None]:
    capabilities = client_capabilities("visual-studio-code")
    # Offer UTF-8 first, as Helix and Neovim do: the server must choose UTF-16.
    utf8, utf16 = lsp.PositionEncodingKind.Utf8, lsp.PositionEncodingKind.Utf16
    capabilities.general = lsp.GeneralClientCapabilities(position_encodings=[utf8, utf16])
    await lsp_client.initialize_session(
        lsp.InitializeParams(
            capabilities, workspace_folders=[lsp.WorkspaceFolder(folder.as_uri(), "workspace")]
        )
    )
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def editor(client: LanguageClient, folder: Path) -> Iterator[Editor]:
    # A folder of its own: a late message of an earlier test must not match a file of this one.
    own = folder / uuid4().hex
    own.mkdir()
    editor = Editor(client, own)
    yield editor
    editor.close()
    rmtree(own)
