"""The server: keeps up with what is typed, and publishes what is wrong with it."""

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
"""Seconds without a keystroke after which a file is looked at; what is pasted or repeated by a held
key arrives faster."""
_SLOW: Final = 0.1
"""Seconds from which on looking at a file is worth waiting for a longer pause."""
_GARBAGE: Final = 20_000
"""Objects made between two collections."""


class _Protocol(LanguageServerProtocol):
    @lsp_method(lsp.INITIALIZE)
    def lsp_initialize(
        self, params: lsp.InitializeParams
    ) -> Generator[Any, Any, lsp.InitializeResult]:
        """Speak UTF-16, which every client knows, whatever else this one would like better."""
        if params.capabilities.general is not None:
            params.capabilities.general.position_encodings = None
        result: lsp.InitializeResult = yield from super().lsp_initialize(params)
        return result


class Server(LanguageServer):
    """Answers from `files`, which it keeps as the editor has them."""

    def __init__(self) -> None:
        # Whole texts: they are small, and there is no state to get out of step.
        super().__init__(
            "dagdsl",
            __version__,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Full,
            protocol_cls=_Protocol,
        )
        self.files = Workspace()
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._took: dict[str, float] = {}

    def changed(self, uri: str, text: str, version: int | None) -> None:
        """A file has been opened or edited."""
        name = name_of(uri)
        self.files.set(name, text)
        self._schedule(name, uri, version)
        self.reread(name)

    def closed(self, uri: str) -> None:
        """A file is no longer in the editor."""
        name = name_of(uri)
        if name in self._waiting:
            self._waiting.pop(name).cancel()
        self.files.close(name)
        self._publish([], uri, None)
        self.reread(name)

    def reread(self, name: str) -> None:
        """A file is not what it was: neither are those that import it."""
        for other in self.files.refresh_importers(name):
            self._schedule(other, uri_of(other), None)

    def _schedule(self, name: str, uri: str, version: int | None) -> None:
        if name in self._waiting:
            self._waiting[name].cancel()
        took = self._took.get(name, 0.0)
        pause = took if took > _SLOW else _PAUSE
        loop = asyncio.get_running_loop()
        self._waiting[name] = loop.call_later(pause, self._check, name, uri, version)

    def _check(self, name: str, uri: str, version: int | None) -> None:
        del self._waiting[name]
        index = self.files.index(name)
        if index is not None:
            start = time.perf_counter()
            self._publish(problems(index), uri, version)
            self._took[name] = time.perf_counter() - start

    def _publish(self, found: list[lsp.Diagnostic], uri: str, version: int | None) -> None:
        self.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri, found, version=version)
        )


def _is_accident(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], JsonRpcInvalidParams))


def tune_collector() -> None:
    """Look for garbage less often: an answer is made from many objects, few of them garbage."""
    gc.collect()
    gc.freeze()  # what is there now stays
    gc.set_threshold(_GARBAGE, 10, 50)


def serve() -> None:
    """Speak with an editor over stdin and stdout until it says goodbye."""
    # That a rename is refused is an answer, no accident: it needs no traceback in the log.
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_accident)
    server = Server()
    for method, handler, options in FEATURES:
        server.feature(method, options)(handler)
    tune_collector()
    # pygls closes its streams in the end, and whatever prints must not get in between.
    stdin = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with stdin, stdout, redirect_stdout(sys.stderr):
        server.start_io(stdin, stdout)
