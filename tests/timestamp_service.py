"""Services on this machine, with a root of their own: timestamps, revocation lists, OCSP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

from batchqc.documents.pki_dev import dev_services

ANY_TIME = datetime(2020, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class TimestampService:
    """Where it is, and the root that vouches for it."""

    url: str
    root: Path


@contextmanager
def timestamp_service(
    folder: Path,
    *,
    site_list: Path | None = None,
    tsa_days: int = 40 * 365,
    tells_revocation: bool = True,
    clock: Callable[[], datetime] | None = None,
) -> Iterator[TimestampService]:
    """The services, while the block lasts."""
    with dev_services(
        folder, port=0, now=ANY_TIME, site_list=site_list, tsa_days=tsa_days, clock=clock
    ) as found:
        if not tells_revocation:
            found._server.set_app(_stamps_only(found._server.get_app()))
        thread = Thread(target=found.serve_forever)
        thread.start()
        try:
            yield TimestampService(found.url, found.root)
        finally:
            found.stop()
            thread.join()


def _stamps_only(application: Any) -> Any:
    """The same service, whose revocation list and OCSP do not answer."""

    def answer(environ: Any, start_response: Any) -> Any:
        if "/tsa/" in environ["PATH_INFO"]:
            return application(environ, start_response)
        start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"closed"]

    return answer
