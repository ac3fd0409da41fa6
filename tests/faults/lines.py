"""A line to a database that can be cut, at any moment or just as a commit passes."""

import contextlib
import socket
import struct
import threading
from typing import Final

_COMMIT: Final = b"COMMIT"
_PIECE: Final = 65536


class Line:
    """Passes bytes on to a port of this machine until it is cut; ``target`` may change."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._cuts_at_commit = 0
        self._is_closed = False
        self._passing: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def cut(self) -> None:
        """Reset every connection."""
        with self._lock:
            cut, self._open = self._open, set()
        for one in cut:
            _reset(one)

    def cut_at_commit(self, *, before: bool) -> None:
        """Reset the connection of the next commit, before the server hears of it, or after."""
        self._cuts_at_commit = -1 if before else 1

    def close(self) -> None:
        """Take no more connections, and leave none behind."""
        self._is_closed = True
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes who accepts; closing alone does not
        self._accepting.join()
        self._listening.close()
        self.cut()
        for one in self._passing:
            one.join()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                far.settimeout(None)
            except OSError:
                _reset(near)
                continue
            with self._lock:
                self._open |= {near, far}
            self._passing = [one for one in self._passing if one.is_alive()]
            for ends in ((near, far, True), (far, near, False)):
                self._passing.append(threading.Thread(target=self._pass, args=ends, daemon=True))
                self._passing[-1].start()

    def _pass(self, one: socket.socket, other: socket.socket, is_out: bool) -> None:
        try:
            while piece := one.recv(_PIECE):
                when = self._cuts_at_commit if is_out and _COMMIT in piece else 0
                if when >= 0:
                    other.sendall(piece)
                if when:
                    self._cuts_at_commit = 0
                    break
        except OSError:
            pass
        for end in (one, other):
            with self._lock:
                self._open.discard(end)
            _reset(end)


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
