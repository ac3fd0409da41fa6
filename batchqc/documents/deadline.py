"""An end for what is sent and answered: a connection is cut, however little comes all the time.

What bounds one read alone never ends with a service that sends a byte now and then.
"""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Timer
from typing import Any


@contextmanager
def deadline(seconds: float) -> Iterator[Callable[[socket.socket], None]]:
    """What is given each connection that is to be cut when the time is over.

    TLS takes a socket over, so that who cuts has one of their own.
    """
    held: list[socket.socket] = []
    over = Event()

    def cut() -> None:
        over.set()
        for one in tuple(held):
            with suppress(OSError):  # it has ended by itself
                one.shutdown(socket.SHUT_RDWR)

    def hold(connection: socket.socket) -> None:
        held.append(connection.dup())
        if over.is_set():
            cut()

    timer = Timer(seconds, cut)
    timer.start()
    try:
        yield hold
    finally:
        timer.cancel()
        for one in held:
            one.close()


def each_connection(
    hold: Callable[[socket.socket], None],
) -> Callable[[str, Mapping[str, Any]], None]:
    """The ``trace`` of a request of httpx2 that has each connection held as soon as it stands."""

    def keep(step: str, told: Mapping[str, Any]) -> None:
        if step == "connection.connect_tcp.complete":
            hold(told["return_value"].get_extra_info("socket"))

    return keep
