"""A house with certificates: one in force, then superseded by another one, which is pending."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from batchqc.actions.certificates import issue_certificate
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.decisions import certificate_by
from tests.actions.test_letting_go import go, settled
from tests.records.house import QA1, House
from tests.web.conftest import Served, Server

FIRST, SECOND = "COA-2026-000001", "COA-2026-000002"


@contextmanager
def with_root(server: Server) -> Iterator[None]:
    """The server hands out the root of its seal."""
    state = server.application.state
    before = state.door
    trust = {"trust": server.seal.root_pem.parent}
    state.door = replace(before, settings=before.settings.model_copy(update=trust))
    try:
        yield
    finally:
        state.door = before


def released(served: Served, server: Server) -> bytes:
    """Release the lot and seal its certificate: the document."""
    assert not isinstance(served.house.release(), Refusal)
    return sealed(served.house, server, FIRST)


def sealed(house: House, server: Server, number: str) -> bytes:
    """Seal a certificate: the document. Aside, since sealing runs a loop, as the browser does."""
    issuing = partial(
        issue_certificate,
        house.engine,
        house.archive,
        server.application.state.door.press,
        number=number,
        actor=house.actor(QA1, Permission.ISSUE_CERTIFICATE),
        clock=house.now,
    )
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(issuing).result()


def superseded(house: House) -> None:
    """A late failure withdraws the certificate; what settles it reserves another one."""
    settled(house)
    assert not isinstance(go(house), Refusal)


def content_hash(house: House, number: str) -> str:
    """SHA-256 of the content of a certificate."""
    with house.reading() as session:
        row = certificate_by(session, number)
        assert row is not None
        return row.content_sha
