"""Certificates that prove themselves over time: their level, and renewals of it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from batchqc.actions.certificate_renewals import (
    due_certificates,
    newest_document,
    renew_certificate,
)
from batchqc.actions.certificates import Press, document_of, issue_certificate
from batchqc.actions.verification import verify_audit_trail
from batchqc.core.permissions import Permission
from batchqc.documents.pades import load_seal
from batchqc.documents.pki import PkiFiles, SealKind
from batchqc.documents.pki_life import (
    certificates_in,
    next_list,
    next_seal,
    open_root,
    put_list_in_place,
    put_seal_in_place,
)
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level
from batchqc.documents.timestamps import Service
from batchqc.errors import Conflict, IntegrityFailure, SigningUnavailable
from batchqc.records.audit import AuditEntry
from batchqc.records.certificate_renewals import CertificateRenewal
from batchqc.records.decisions import CertificateIssue
from tests.actions.state import counts, grown
from tests.cast import NOW
from tests.records.house import QA1, Clock, House
from tests.records.tampering import tamper
from tests.timestamp_service import TimestampService, timestamp_service

NUMBER = "COA-2026-000001"


@dataclass(frozen=True)
class Services:
    """Two timestamp services, the first of which ends in 2027, and the time that they tell."""

    first: TimestampService
    second: TimestampService
    both: Path
    clock: Clock


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder, clock = tmp_path_factory.mktemp("services"), Clock()

    def serving(name: str, days: int) -> AbstractContextManager[TimestampService]:
        return timestamp_service(folder / name, tsa_days=days, clock=lambda: clock.at)

    with serving("first", 2557) as first, serving("second", 40 * 365) as second:
        both = folder / "both.pem"
        both.write_bytes(first.root.read_bytes() + second.root.read_bytes())
        yield Services(first, second, both, clock)


Pressing = Callable[[Level, TimestampService], Press]


@pytest.fixture
def pressing(press: Press, services: Services, house: House) -> Pressing:
    """What makes certificates of a level, while the services' time is the house's."""
    house.ready()
    house.release()
    services.clock.at = house.now.at

    def at(level: Level, service: TimestampService) -> Press:
        by = Service(service.url, services.both)
        return replace(press, sealing=replace(press.sealing, level=level, service=by))

    return at


def issue(house: House, press: Press) -> bytes:
    actor = house.actor(QA1, Permission.ISSUE_CERTIFICATE)
    return issue_certificate(
        house.engine, house.archive, press, number=NUMBER, actor=actor, clock=house.now
    )


def renew(house: House, press: Press) -> datetime:
    return renew_certificate(
        house.engine, house.archive, press.sealing, number=NUMBER, clock=house.now
    )


def due(house: House, *, at: datetime, within: int = 180) -> list[tuple[str, int]]:
    with house.reading() as session:
        found = due_certificates(session, house.archive, at=at, within=within)
        return [(one.number, one.days) for one in found]


def newest(house: House) -> bytes:
    with house.reading() as session:
        return newest_document(session, house.archive, number=NUMBER)


@pytest.mark.requirement("5.10")
def test_the_level_that_was_reached_is_on_record(
    house: House, pressing: Pressing, services: Services
):
    pdf = issue(house, pressing(Level.B_LTA, services.second))
    assert b"/DSS" in pdf
    assert b"ArchiveTimestamp1" in pdf
    with house.reading() as session:
        (row,) = session.scalars(select(CertificateIssue))
        assert (row.level, row.provable_until[:4]) == ("B-LTA", "2049")
        entries = session.scalars(select(AuditEntry))
        (entry,) = [one for one in entries if '"certificate issued"' in one.text]
        assert '"level":"PAdES B-LTA"' in entry.text
    assert house.verify().problems == ()


@pytest.mark.parametrize("level", [Level.B_T, Level.B_LTA])
def test_a_certificate_that_does_not_reach_its_level_stays_pending(
    house: House, pressing: Pressing, services: Services, level: Level
):
    press = pressing(level, services.second)
    before = counts(house.engine)
    down = Service("http://127.0.0.1:9/tsa", services.both)
    untrusted = Service(services.first.url, services.second.root)
    for service, code in ((down, "BQC-CRT-016"), (untrusted, "BQC-CRT-017")):
        failing = replace(press, sealing=replace(press.sealing, service=service))
        with pytest.raises(SigningUnavailable) as refusal:
            issue(house, failing)
        assert refusal.value.code == code
        assert "certificate resume" in refusal.value.hint
    assert grown(house.engine, before) == {}
    with house.reading() as session, pytest.raises(Conflict, match="is pending"):
        document_of(session, house.archive, number=NUMBER)
    assert issue(house, press).startswith(b"%PDF")


def test_a_certificate_is_renewed_by_another_service_before_the_first_one_ends(
    house: House, pressing: Pressing, services: Services
):
    issued = issue(house, pressing(Level.B_LTA, services.first))
    end = datetime.fromisoformat("2027-01-01T00:00:00Z")
    assert due(house, at=end - timedelta(days=181)) == []
    assert due(house, at=end - timedelta(days=30)) == [(NUMBER, 30)]
    assert due(house, at=end + timedelta(days=2)) == [(NUMBER, -2)]
    assert newest(house) == issued
    house.now.at = services.clock.at = end - timedelta(days=30)
    until = renew(house, pressing(Level.B_LTA, services.second))
    assert until.year == 2049
    assert due(house, at=house.now.at) == []
    longer = newest(house)
    assert longer.startswith(issued)
    assert len(longer) > len(issued)
    with house.reading() as session:
        assert document_of(session, house.archive, number=NUMBER) == issued
        (row,) = session.scalars(select(CertificateRenewal))
        assert (row.natural_key, row.renewed_by, row.size) == (f"{NUMBER}/1", "system", len(longer))
        assert verify_audit_trail(session, house.archive).problems == ()


def test_a_certificate_of_before_is_renewed_too(
    house: House, pressing: Pressing, services: Services
):
    issued = issue(house, pressing(Level.B_B, services.second))
    press = pressing(Level.B_B, services.second)
    renew(house, press)
    renew(house, press)
    assert newest(house).startswith(issued)
    assert newest(house).count(b"/SubFilter /ETSI.RFC3161") == 2


def test_what_fails_while_a_certificate_is_renewed_changes_nothing(
    house: House, pressing: Pressing, services: Services
):
    issue(house, pressing(Level.B_LTA, services.first))
    before = counts(house.engine)
    for service in (
        TimestampService("http://127.0.0.1:9/tsa", services.both), services.first,
    ):  # fmt: skip
        services.clock.at = house.now.at = datetime.fromisoformat("2027-06-01T00:00:00Z")
        with pytest.raises(SigningUnavailable):  # the first one has expired by then
            renew(house, pressing(Level.B_LTA, service))
    assert grown(house.engine, before) == {}


def test_of_two_who_renew_at_once_one_counts(house: House, pressing: Pressing, services: Services):
    press = pressing(Level.B_LTA, services.second)
    issue(house, press)
    looks = [0]

    def overtaken() -> datetime:
        """The second look at the time is after the document was read: somebody else is faster."""
        looks[0] += 1
        if looks[0] == 2:
            renew(house, press)
        return house.now()

    with pytest.raises(Conflict) as refusal:
        renew_certificate(
            house.engine, house.archive, press.sealing, number=NUMBER, clock=overtaken
        )
    assert refusal.value.code == "BQC-CRT-034"
    with house.reading() as session:
        assert len(session.scalars(select(CertificateRenewal)).all()) == 1


def test_a_renewal_of_something_else_is_never_handed_out(
    house: House, pressing: Pressing, services: Services
):
    issue(house, pressing(Level.B_B, services.second))
    with house.acting(QA1, Permission.ISSUE_CERTIFICATE) as tx:
        (row,) = tx.session.scalars(select(CertificateIssue))
        other = CertificateRenewal(
            certificate=row.certificate, number=1, document_sha=house.archive.put(b"other"), size=5,
            provable_until="2059-01-01T00:00:00.000000Z", renewed_by=QA1, renewed_at=tx.now,
        )  # fmt: skip
        tx.add(other)
        tx.audit("certificate renewed", rows=[other])
    with pytest.raises(IntegrityFailure) as refusal:
        newest(house)
    assert refusal.value.code == "BQC-CRT-035"


def test_a_renewal_that_somebody_changed_is_never_handed_out(
    house: House, pressing: Pressing, services: Services
):
    """Whoever owns the database names another file, which begins as the certificate does."""
    press = pressing(Level.B_LTA, services.second)
    issued = issue(house, press)
    renew(house, press)
    other = house.archive.put(issued + b"and a page that nobody sealed")
    tamper(house.engine, f"UPDATE certificate_renewal SET document_sha = '{other}'")  # noqa: S608 - a hash of ours
    with pytest.raises(IntegrityFailure) as refusal:
        newest(house)
    assert refusal.value.code == "BQC-CRT-035"
    with pytest.raises(IntegrityFailure):
        renew(house, press)


def test_a_pending_certificate_is_not_renewed(house: House, pressing: Pressing, services: Services):
    with pytest.raises(Conflict, match="is pending"):
        renew(house, pressing(Level.B_LTA, services.second))
    assert due(house, at=house.now.at, within=100_000) == []


# The life of the seal ------------------------------------------------------------------------


@pytest.fixture
def own_keys(pki: PkiFiles, press: Press, tmp_path: Path) -> tuple[Press, PkiFiles]:
    """Keys that a test may change."""
    folder = shutil.copytree(pki.root_pem.parent, tmp_path / "keys")
    files = PkiFiles(*(folder / name for name in ("root.p12", "seal.p12", "root.pem", "root.crl")))
    sealing = replace(press.sealing, root=RootFiles(files.root_pem, files.root_crl))

    def seal_key():
        return load_seal(files.seal_p12, "seal on the server")

    return replace(press, seal_key=seal_key, sealing=sealing), files


def test_nothing_is_issued_with_a_revoked_seal_and_the_new_one_takes_it_up(
    house: House, own_keys: tuple[Press, PkiFiles]
):
    house.ready()
    house.release()
    press, files = own_keys
    root = open_root(files.root_p12, "root in the safe", press.sealing.root)
    old = certificates_in(files.seal_p12, "seal on the server")
    later = house.now.at + timedelta(days=40)
    put_list_in_place(press.sealing.root, next_list(root, old, now=later))
    house.now.at = later + timedelta(minutes=1)
    before = counts(house.engine)
    with pytest.raises(SigningUnavailable) as refusal:
        issue(house, press)
    assert refusal.value.code == "BQC-CRT-014"
    assert grown(house.engine, before) == {}
    next_seal(
        root, files.seal_p12, passphrase="seal on the server", like=old[0], kind=SealKind.P256,
        now=later,
    )  # fmt: skip
    put_seal_in_place(files.seal_p12, old[0])
    assert issue(house, press).startswith(b"%PDF")  # although it was decided before the new one


def test_nothing_is_issued_with_an_expired_seal_or_without_a_list_that_holds(
    house: House, own_keys: tuple[Press, PkiFiles]
):
    house.ready()
    house.release()
    press, files = own_keys
    good = files.root_crl.read_bytes()
    for data in (b"", good[:-9], good[:-9] + bytes(9)):
        files.root_crl.write_bytes(data)
        with pytest.raises(SigningUnavailable) as refusal:
            issue(house, press)
        assert refusal.value.code == "BQC-CRT-018"
    files.root_crl.write_bytes(good)
    today = house.now.at
    house.now.at = NOW + timedelta(days=3660)
    with pytest.raises(SigningUnavailable) as refusal:
        issue(house, press)
    assert refusal.value.code == "BQC-CRT-013"
    house.now.at = today
    assert issue(house, press).startswith(b"%PDF")
