"""The server: tracks edits and publishes diagnostics."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import time
from collections.abc import Generator
from contextlib import redirect_stdout
from typing import Any, Final

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from dagdsl import __version__
from dagdsl.lsp.features import FEATURES
from dagdsl.lsp.positions import name_of, uri_of
from dagdsl.lsp.problems import problems
from dagdsl.lsp.workspace import Workspace

_PAUSE: Final = 0.02
"""Seconds without an edit after which a file is analysed. The repeats of a held key arrive faster,
so they are not analysed one by one."""
_SLOW: Final = 0.1
"""Seconds of analysis beyond which the pause grows to the duration of the last analysis."""
_GC_THRESHOLD: Final = 20_000
"""Allocations between two collections of the youngest generation."""


class _Protocol(LanguageServerProtocol):
    @lsp_method(lsp.INITIALIZE)
    def lsp_initialize(
        self, params: lsp.InitializeParams
    ) -> Generator[Any, Any, lsp.InitializeResult]:
        """Offer only UTF-16 positions, which every client must support."""
        if params.capabilities.general is not None:
            params.capabilities.general.position_encodings = None
        result: lsp.InitializeResult = yield from super().lsp_initialize(params)
        return result


class Server(LanguageServer):
    """Answers requests from `files`, the files as the editor sees them."""

    def __init__(self) -> None:
        # Full synchronisation: files are small, and no incremental state can get out of step.
        super().__init__(
            "dagdsl",
            __version__,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Full,
            protocol_cls=_Protocol,
        )
        self.files = Workspace()
        self._pending: dict[str, asyncio.TimerHandle] = {}
        self._seconds: dict[str, float] = {}  # of the last analysis of each file

    def changed(self, uri: str, text: str, version: int | None) -> None:
        """Take in a file that was opened or edited."""
        name = name_of(uri)
        self.files.set(name, text)
        self._schedule(name, uri, version)
        self.recheck_importers(name)

    def closed(self, uri: str) -> None:
        """Forget a file that the editor has closed."""
        name = name_of(uri)
        if name in self._pending:
            self._pending.pop(name).cancel()
        self.files.close(name)
        self._publish([], uri, None)
        self.recheck_importers(name)

    def recheck_importers(self, name: str) -> None:
        """Analyse the open files that import a file that has changed."""
        for other in self.files.refresh_importers(name):
            self._schedule(other, uri_of(other), None)

    def _schedule(self, name: str, uri: str, version: int | None) -> None:
        if name in self._pending:
            self._pending[name].cancel()
        seconds = self._seconds.get(name, 0.0)
        pause = seconds if seconds > _SLOW else _PAUSE
        loop = asyncio.get_running_loop()
        self._pending[name] = loop.call_later(pause, self._check, name, uri, version)

    def _check(self, name: str, uri: str, version: int | None) -> None:
        del self._pending[name]
        index = self.files.index(name)
        if index is not None:
            start = time.perf_counter()
            self._publish(problems(index), uri, version)
            self._seconds[name] = time.perf_counter() - start

    def _publish(self, found: list[lsp.Diagnostic], uri: str, version: int | None) -> None:
        self.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri, found, version=version)
        )


def _is_unexpected(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], JsonRpcInvalidParams))


def tune_collector() -> None:
    """Collect garbage less often: analysis allocates many objects, few of them garbage."""
    gc.collect()
    gc.freeze()  # what is allocated by now lives as long as the process
    gc.set_threshold(_GC_THRESHOLD, 10, 50)


def serve() -> None:
    """Serve an editor over stdin and stdout until it disconnects."""
    # A refused rename is an answer, not a failure: do not log a traceback.
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_unexpected)
    server = Server()
    for method, handler, options in FEATURES:
        server.feature(method, options)(handler)
    tune_collector()
    # pygls closes its streams at the end, and prints must not corrupt the protocol stream.
    stdin = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with stdin, stdout, redirect_stdout(sys.stderr):
        server.start_io(stdin, stdout)
