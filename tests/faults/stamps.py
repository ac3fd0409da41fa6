"""A timestamp service that goes away, hangs or answers something else, and then is as before."""

import contextlib
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import httpx

from batchqc.clock import now
from tests.timestamp_service import timestamp_service

_REPLY: Final = "application/timestamp-reply"
_Answer: TypeAlias = tuple[int, bytes]


class Stamps:
    """A real service, and what stands before it: that passes on what it is asked, or does not."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._nonsense = ""
        self._earlier = b""
        self._passes = threading.Event()
        self._passes.set()
        self._waiting = threading.Semaphore(0)
        self._ends = ExitStack()
        folder = Path(self._ends.enter_context(tempfile.TemporaryDirectory(prefix="bq-stamps-")))
        self._own = self._ends.enter_context(
            timestamp_service(folder / "own", clock=lambda: now() + self._ahead)
        )
        self._stranger = self._ends.enter_context(timestamp_service(folder / "stranger"))
        self.root = self._own.root
        self._port = 0
        self.come_back()
        self.url = f"http://127.0.0.1:{self._port}/tsa"

    def go_down(self) -> None:
        """Nobody listens any more."""
        self._front.shutdown()
        self._thread.join()
        self._front.server_close()

    def come_back(self) -> None:
        """Listen, where it was before."""
        self._front = _Front(("127.0.0.1", self._port), self.answer)
        self._port = self._front.server_port
        self._thread = threading.Thread(target=self._front.serve_forever, args=(0.01,))
        self._thread.start()

    def hang(self) -> None:
        """Take what is asked, and answer nothing."""
        while self._waiting.acquire(blocking=False):
            pass
        self._passes.clear()

    def wait_for_somebody(self, seconds: float) -> bool:
        """Until somebody waits for an answer while it hangs; whether somebody does."""
        return self._waiting.acquire(timeout=seconds)

    def go_on(self) -> None:
        """Answer again as it should; whoever waited gets nothing."""
        self._nonsense = ""
        self._ahead = timedelta()
        self._passes.set()

    def talk_nonsense(self, which: str) -> None:
        """Answer one of ``NONSENSE``."""
        self._nonsense = which
        self._ahead = timedelta(days=-400) if which == "another time" else timedelta()

    def close(self) -> None:
        """End all of it."""
        self.go_on()
        self.go_down()
        self._ends.close()

    def answer(self, request: bytes) -> _Answer | None:
        """What is answered to a request; nothing where it hung."""
        if not self._passes.is_set():
            self._waiting.release()
            self._passes.wait()
            return None
        return NONSENSE.get(self._nonsense, Stamps._stamped)(self, request)

    def _stamped(self, request: bytes) -> _Answer:
        told = self._asked(self._own.url, request)
        self._earlier = told[1]
        return told

    def _by_a_stranger(self, request: bytes) -> _Answer:
        return self._asked(self._stranger.url, request)

    def _at_another_time(self, request: bytes) -> _Answer:
        return self._asked(self._own.url, request)

    def _to_another(self, _: bytes) -> _Answer:
        return 200, self._earlier

    def _cut_off(self, request: bytes) -> _Answer:
        status, told = self._asked(self._own.url, request)
        return status, told[: len(told) // 2]

    def _asked(self, url: str, request: bytes) -> _Answer:
        headers = {"Content-Type": "application/timestamp-query", "Accept": _REPLY}
        told = httpx.post(url, content=request, headers=headers)
        return told.status_code, told.content


NONSENSE: Final[Mapping[str, Callable[[Stamps, bytes], _Answer]]] = MappingProxyType(
    {
        "a failure": lambda *_: (500, b"out of order"),
        "a page": lambda *_: (200, b"<html>Please sign in.</html>"),
        "nothing": lambda *_: (200, b""),
        "half of it": Stamps._cut_off,
        "the answer to another": Stamps._to_another,
        "another time": Stamps._at_another_time,
        "a stranger's": Stamps._by_a_stranger,
    }
)
"""What it may answer instead."""


class _Front(ThreadingHTTPServer):
    daemon_threads = False  # each is waited for

    def __init__(self, place: tuple[str, int], answer: Callable[[bytes], _Answer | None]) -> None:
        self.answer = answer
        super().__init__(place, _Asked)


class _Asked(BaseHTTPRequestHandler):
    server: _Front

    def do_POST(self) -> None:
        """Answer, or end the connection."""
        told = self.server.answer(self.rfile.read(int(self.headers["Content-Length"])))
        if told is None:
            return
        status, body = told
        with contextlib.suppress(ConnectionError):  # who asked may have been killed
            self.send_response(status)
            self.send_header("Content-Type", _REPLY)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
