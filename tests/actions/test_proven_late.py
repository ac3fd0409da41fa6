"""Certificates that are sealed, or stamped, long after they were decided are no forgeries."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from batchqc.actions.certificate_verification import verify_file
from batchqc.actions.certificates import Press
from batchqc.actions.doctor import Installation, examine_installation
from batchqc.actions.witnessing import stamp_newest
from batchqc.documents.bundle.verify_bundle import main
from batchqc.documents.bundle_kit import read_anchors
from batchqc.documents.certificate_check import check_all
from batchqc.documents.pki import PkiFiles
from batchqc.documents.sealing import Level
from batchqc.documents.timestamps import Service
from batchqc.documents.verifier.case import Question
from batchqc.settings import bundled
from tests.actions.test_certificate_proofs import NUMBER, asked, checkpoint, issue, prove, said
from tests.actions.test_exports import export, exporter
from tests.documents.test_certificate_check import failures
from tests.records.house import Clock, House
from tests.timestamp_service import TimestampService, timestamp_service

LATER = timedelta(days=40)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[TimestampService]:
    folder = tmp_path_factory.mktemp("tsa")
    with timestamp_service(folder, clock=lambda: clock.at) as found:
        yield found


@pytest.fixture
def stamping(service: TimestampService, clock: Clock) -> tuple[TimestampService, Clock]:
    """The service, and the clock by which it stamps."""
    return service, clock


def of(service: TimestampService) -> Service:
    return Service(service.url, service.root)


@pytest.mark.requirement("5.10")
def test_a_timestamp_service_that_came_later_makes_no_certificate_of_before_a_forgery(
    house: House, press: Press, pki: PkiFiles, service: TimestampService, clock: Clock
):
    house.ready()
    house.release()
    issued = issue(house, press)
    before = prove(house, press)
    house.now.at += LATER
    clock.at = house.now.at
    checkpoint(house, press)
    assert stamp_newest(house.engine, house.archive, of(service), clock=house.now)
    root = service.root.read_bytes()
    for proof in (before, prove(house, press)):
        question = asked(house, press, pki, proof, number=NUMBER, tsa_roots=root)
        assert failures(check_all(issued, question)) == {}
    assert str(clock.at)[:10] in said(check_all(issued, question), "log")


@pytest.mark.requirement("1.32", "5.10")
def test_doctor_tells_that_nobody_gave_the_root_by_which_timestamps_are_verified(
    house: House, press: Press, service: TimestampService, clock: Clock
):
    """As on a machine on which a backup was restored: nothing was verified, and all was well."""
    house.ready()
    house.release()
    clock.at = house.now.at
    issue(
        house, replace(press, sealing=replace(press.sealing, level=Level.B_T, service=of(service)))
    )
    question = Question(press.sealing.root.certificate.read_bytes(), house.now.at)
    what = Installation(house.engine, house.archive, bundled("migrations"), question, is_trial=True)
    for roots, told in ((b"", 1), (service.root.read_bytes(), 0)):
        given = replace(what, question=replace(question, tsa_roots=roots))
        found = [one.what for one in examine_installation(given).findings]
        assert len([one for one in found if "no timestamp was verified" in one]) == told


@pytest.mark.requirement("5.10")
def test_what_is_stamped_late_while_there_was_a_service_is_told(
    house: House, press: Press, pki: PkiFiles, service: TimestampService, clock: Clock
):
    """Nothing was stamped for weeks, though it could have been: somebody must explain it."""
    house.ready()
    for later in (timedelta(0), LATER):
        clock.at = house.now.at = house.now.at + later
        checkpoint(house, press)
        assert stamp_newest(house.engine, house.archive, of(service), clock=house.now)
        if not later:
            house.release()
            issued = issue(house, press)
    root = service.root.read_bytes()
    question = asked(house, press, pki, prove(house, press), tsa_roots=root)
    assert list(failures(check_all(issued, question))) == ["time"]


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("level", [Level.B_B, Level.B_T])
def test_a_certificate_that_waited_for_its_seal_is_genuine_at_its_site(
    house: House, press: Press, pki: PkiFiles, service: TimestampService, clock: Clock, level: Level
):
    house.ready()
    house.release()
    house.now.at += LATER
    clock.at = house.now.at
    sealing = replace(press.sealing, level=level, service=of(service))
    issued = issue(house, replace(press, sealing=sealing))
    question = asked(house, press, pki, prove(house, press), tsa_roots=service.root.read_bytes())
    assert list(failures(check_all(issued, question))) == ["time"]  # to who has no records
    for proofs in (question.proofs, ()):
        with house.reading() as session:
            found = verify_file(session, issued, replace(question, proofs=proofs))
        assert found.is_genuine, failures(found.report)
        assert found.here.counts == "counts"


@pytest.mark.requirement("5.10", "10.04")
def test_a_bundle_holds_that_has_a_certificate_that_waited_for_its_seal(
    house: House,
    press: Press,
    pki: PkiFiles,
    service: TimestampService,
    clock: Clock,
    tmp_path: Path,
):
    house.ready()
    house.release()
    house.now.at += LATER
    clock.at = house.now.at
    sealing = replace(press.sealing, level=Level.B_T, service=of(service))
    issue(house, replace(press, sealing=sealing))
    anchors = read_anchors(pki.root_pem.parent, service.root)
    who = replace(exporter(house, press, pki), anchors=lambda: anchors)
    with ZipFile(BytesIO(b"".join(export(house, who).chunks()))) as file:
        file.extractall(tmp_path)
    given = ("--root", pki.root_pem, "--tsa-root", service.root)
    assert main([str(tmp_path / "batchqc-bundle"), *map(str, given)]) == 0


@pytest.mark.requirement("5.10", "10.04")
def test_a_bundle_with_a_certificate_that_is_dated_before_what_the_log_had_is_refused(
    house: House, press: Press, pki: PkiFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Issued by a clock that was set back, with all that the log holds in its order."""
    house.ready()
    house.release()
    house.now.at += LATER
    checkpoint(house, press)
    house.now.at -= LATER
    issue(house, press)
    house.now.at += LATER
    checkpoint(house, press)
    chunks = export(house, exporter(house, press, pki)).chunks()
    with ZipFile(BytesIO(b"".join(chunks))) as file:
        file.extractall(tmp_path)
    assert main([str(tmp_path / "batchqc-bundle"), "--root", str(pki.root_pem)]) == 1
    (why,) = [one for one in capsys.readouterr().out.splitlines() if NUMBER in one]
    assert "stands behind a checkpoint that was signed on 2026-07-" in why
    assert why.endswith("it was dated back")


@pytest.mark.requirement("5.10", "10.04")
def test_a_bundle_tells_how_long_a_checkpoint_went_unstamped(
    house: House,
    press: Press,
    pki: PkiFiles,
    stamping: tuple[TimestampService, Clock],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    """Until then its date is the site's word: an auditor asks why."""
    service, clock = stamping
    house.ready()
    house.release()
    issue(house, press)
    anchors = read_anchors(pki.root_pem.parent, service.root)
    who = replace(exporter(house, press, pki), anchors=lambda: anchors)
    given = [f"--root={pki.root_pem}", f"--tsa-root={service.root}"]
    for later, told in ((timedelta(hours=1), 0), (LATER, 1)):
        checkpoint(house, press)
        clock.at = house.now.at = house.now.at + later
        assert stamp_newest(house.engine, house.archive, of(service), clock=house.now)
        chunks = export(house, who).chunks()
        folder = tmp_path / str(told)
        with ZipFile(BytesIO(b"".join(chunks))) as file:
            file.extractall(folder)
        assert main([str(folder / "batchqc-bundle"), *given]) == 0
        notes = [one for one in capsys.readouterr().out.splitlines() if "the site's word" in one]
        assert len(notes) == told, notes
        assert not told or "until it was stamped, 40 days later" in notes[0]
