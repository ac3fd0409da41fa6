"""The auditor's bundle: on record before it leaves; the same question has one answer."""

import json
import zipfile
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.certificates import Press, issue_certificate
from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.export_plan import Asked
from batchqc.actions.exports import EXPORTED, Export, Exporter, export_bundle
from batchqc.actions.lots import NewLot, NewSample, register_lot, the_lot
from batchqc.core.permissions import Permission
from batchqc.core.spreadsheets import unguarded
from batchqc.documents.bundle.verify_bundle import main
from batchqc.documents.bundle_kit import read_anchors
from batchqc.documents.pki import PkiFiles
from batchqc.errors import Conflict, IntegrityFailure, NotFound, NotPermitted, SigningUnavailable
from batchqc.records.audit_search import entries_after
from batchqc.records.holds import HoldEnd
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.state import counts, grown
from tests.actions.test_after_decision import late
from tests.actions.test_certificates import NUMBER, issue
from tests.actions.test_checkpoints import lost
from tests.actions.test_disposals import LATE, approve, ask, set_rule
from tests.actions.test_letting_go import go, hold
from tests.actions.versions import STAGED, lot_of_stages
from tests.cast import MADE_ON, TAKEN_AT
from tests.records.house import (
    ANA,
    AUD,
    DONOR,
    EXPIRES_ON,
    LOT,
    PRODUCT,
    QA1,
    House,
    adopt,
    good,
    table,
)
from tests.records.tampering import tamper

SECOND, SECOND_NUMBER = "MSC-26-0050", "COA-2026-000002"
THIRD_NUMBER = "COA-2026-000003"
_OF_CERTIFICATE = ("certificate_issue", "certificate_term", "certificate_text")


@pytest.fixture
def issued(house: House, press: Press) -> House:
    """A house whose lot is released, its certificate issued."""
    house.ready()
    house.release()
    issue(house, press)
    return house


def another(house: House, press: Press) -> None:
    """A second lot with its certificate, a day later."""
    released_alone(house)
    actor = house.actor(QA1, Permission.ISSUE_CERTIFICATE)
    issue_certificate(
        house.engine, house.archive, press, number=SECOND_NUMBER, actor=actor, clock=house.now
    )


def released_alone(house: House) -> None:
    """A second lot whose certificate is not sealed yet."""
    sample = NewSample(f"{SECOND}-S01", "release", "cryovial", TAKEN_AT.isoformat())
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot(SECOND, PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,), (sample,)))
    house.ready(SECOND)
    house.release(SECOND)


def exporter(house: House, press: Press, pki: PkiFiles, by: str = AUD) -> Exporter:
    return Exporter(
        house.actor(by, Permission.EXPORT_RECORDS),
        house.now,
        lambda: read_anchors(pki.root_pem.parent, None),
        press.log_key,
    )


def export(house: House, exporter: Exporter, **asked: object) -> Export:
    return export_bundle(house.engine, house.archive, exporter, Asked(**asked))  # type: ignore[arg-type]


def opened(found: Export) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(b"".join(found.chunks()))) as file:
        return {one.partition("/")[2]: file.read(one) for one in file.namelist()}


def listed(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files["data/lots.jsonl"].splitlines()]


def exports_of(house: House) -> Sequence[str]:
    with house.reading() as session:
        return [one.text for _, one in entries_after(session, 0, limit=999, what=EXPORTED)]


@pytest.mark.requirement("1.02")
def test_an_export_is_on_record_before_its_first_byte_and_holds_what_the_record_says(
    issued: House, press: Press, pki: PkiFiles
):  # fmt: skip
    before = counts(issued.engine)
    found = export(issued, exporter(issued, press, pki), lots=(LOT.lower(),))
    (entry,) = exports_of(issued)
    assert grown(issued.engine, before) == {"audit_entry": 1, "audit_link": 1}
    body = json.loads(entry)
    assert (body["who"], body["role"], body["subjects"]) == (AUD, "auditor", [])
    files = opened(found)
    assert json.loads(files["data/export.json"]) == body["after"]
    assert body["after"]["counts"] == {"lots": 1, "certificates": 1, "issued": 1, "uploads": 1}
    assert len(listed(files)) == 1
    folder = f"data/lots/{LOT}"
    assert {one for one in files if one.startswith(folder)} == {
        f"{folder}/{name}"
        for name in (
            "audit.tsv",
            *(f"{NUMBER}.{end}" for end in ("pdf", "json", "csv", "tlog-proof")),
        )
    }
    rows = files[f"{folder}/{NUMBER}.csv"].decode("utf-8-sig").splitlines()
    content = json.loads(files[f"{folder}/{NUMBER}.json"])
    assert len(rows) == 1 + len(content["lines"])
    assert unguarded(rows[1]).startswith(content["lines"][0]["criterion"])
    assert issued.verify().problems == ()


def test_the_same_question_at_the_same_checkpoint_has_the_same_bytes_for_ever(
    issued: House, press: Press, pki: PkiFiles
):  # fmt: skip
    who = exporter(issued, press, pki)
    first = export(issued, who, product=PRODUCT)
    data = b"".join(first.chunks())
    another(issued, press)
    hold(issued)
    with issued.acting(QA1, Permission.HOLD_LOT) as tx:
        lot = the_lot(tx.session, LOT)
        withdraw_certificate(tx, lot, reason="Label was wrong", about=lot.key)
    assert isinstance(go(issued), HoldEnd)  # another certificate is reserved
    assert issued.upload(late("97")).accepted
    size = first.plan.checkpoint.size
    again = export(issued, who, product=PRODUCT, checkpoint=size)
    assert again.plan.later == 1
    assert b"".join(again.chunks()) == data
    with transaction(issued.engine, SYSTEM, issued.now()) as tx:
        sign_checkpoint(tx, press.log_key())
    newest = export(issued, who, product=PRODUCT)
    files = opened(newest)
    assert newest.plan.later == 0
    told = {one["lot"]: one for one in listed(files)}
    stood = ("number", "status", "withdrawn", "superseded_by")
    assert [[one[name] for name in stood] for one in told[LOT]["certificates"]] == [
        [NUMBER, "issued", "Label was wrong", THIRD_NUMBER],
        [THIRD_NUMBER, "pending", "", ""],
    ]
    assert [one["withdrawn"] for one in told[SECOND]["certificates"]] == [""]
    assert [len(one["uploads"]) for one in told.values()] == [2, 1]
    page = files["index.html"].decode()
    assert "Label was wrong" in page
    assert page.count('class="mark good">issued') == 1


def test_a_certificate_that_was_withdrawn_before_it_was_sealed_is_void(
    issued: House, press: Press, pki: PkiFiles
):  # fmt: skip
    released_alone(issued)
    with issued.acting(QA1, Permission.HOLD_LOT) as tx:
        lot = the_lot(tx.session, SECOND)
        withdraw_certificate(tx, lot, reason="Label was wrong", about=lot.key)
    with transaction(issued.engine, SYSTEM, issued.now()) as tx:
        sign_checkpoint(tx, press.log_key())
    files = opened(export(issued, exporter(issued, press, pki), lots=(SECOND,)))
    ((void,),) = (one["certificates"] for one in listed(files))
    assert (void["status"], void["withdrawn"]) == ("void", "Label was wrong")
    assert not [one for one in files if one.endswith(".pdf")]


def test_a_lot_goes_with_the_specifications_of_its_other_stages(
    house: House, press: Press, pki: PkiFiles
):  # fmt: skip
    staged = "MSC-26-0042"
    adopt(house, STAGED.replace(b'"post-thaw"', b'"in process"'))
    lot_of_stages(house, "in process")
    of_stage = {"sample_id": f"{staged}-S02", "lot_id": staged, "run_id": "VCB-9"}
    assert house.upload(table([good("viability") | of_stage])).accepted
    house.ready(staged)
    house.release(staged)
    issue(house, press)
    files = opened(export(house, exporter(house, press, pki)))
    ((one, other),) = (line["specifications"] for line in listed(files))
    assert {one["reference"].split()[0], other["reference"].split()[0]} == {
        "UC-MSC-REL", "UC-MSC-STAGE"
    }  # fmt: skip
    assert {f"data/{one['file']}", f"data/{other['file']}"} <= files.keys()


def test_nothing_is_exported_where_the_log_does_not_extend_what_was_signed(
    issued: House, press: Press, pki: PkiFiles
):  # fmt: skip
    tamper(issued.engine, "UPDATE log_subtree SET sha256 = 'ab' || substr(sha256, 3)")
    with pytest.raises(IntegrityFailure) as refused:
        export(issued, exporter(issued, press, pki))
    assert refused.value.code == "BQC-LOG-007"
    assert exports_of(issued) == []


def test_filters_hold_together_and_what_is_not_there_is_told_at_once(
    issued: House, press: Press, pki: PkiFiles
):  # fmt: skip
    another(issued, press)
    who = exporter(issued, press, pki, QA1)
    assert [one["lot"] for one in listed(opened(export(issued, who)))] == [LOT, SECOND]
    files = opened(export(issued, who, lots=(SECOND,)))
    assert [one["lot"] for one in listed(files)] == [SECOND]
    trail = files[f"data/lots/{SECOND}/audit.tsv"].decode()
    assert (SECOND in trail, LOT in trail) == (
        True,
        False,
    )  # though they have their donor in common
    day = issued.now.at.date()
    assert len(listed(opened(export(issued, who, since=day, until=day)))) == 2
    before = counts(issued.engine)
    with pytest.raises(NotFound) as unknown:
        export(issued, who, product="X", lots=("A-1", LOT, "A-2"))
    assert unknown.value.reasons == (
        "there is no lot A-1", "there is no lot A-2", "there is no product X"
    )  # fmt: skip
    for asked in ({"since": date(2027, 1, 1)}, {"until": date(2020, 1, 1)}):
        with pytest.raises(NotFound, match="no certificate fits"):
            export(issued, who, **asked)
    with pytest.raises(NotFound) as none:
        export(issued, who, checkpoint=1)
    assert none.value.code == "BQC-LOG-013"
    assert grown(issued.engine, before) == {}


def test_nothing_leaves_and_nothing_is_on_record_where_it_could_not_be_whole(
    issued: House, press: Press, pki: PkiFiles, tmp_path: Path
):  # fmt: skip
    before = counts(issued.engine)
    with pytest.raises(NotPermitted):
        exporter(issued, press, pki, ANA)
    who = exporter(issued, press, pki)
    unkeyed = Exporter(who.actor, who.clock, who.anchors, lost)
    with pytest.raises(SigningUnavailable):
        export(issued, unkeyed)
    unrooted = Exporter(who.actor, who.clock, lambda: read_anchors(tmp_path, None), who.log_key)
    with pytest.raises(NotFound) as missing:
        export(issued, unrooted)
    assert missing.value.code == "BQC-EXP-003"
    reader = issued.actor(AUD, Permission.READ)
    with pytest.raises(NotPermitted):
        export(issued, Exporter(reader, who.clock, who.anchors, who.log_key))
    assert grown(issued.engine, before) == {}


def test_a_damaged_file_cuts_the_bundle_short_so_that_it_opens_nowhere(
    issued: House, press: Press, pki: PkiFiles, tmp_path: Path
):  # fmt: skip
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file() and path.read_bytes().startswith(b"%PDF"):
            path.chmod(0o600)
            path.write_bytes(path.read_bytes().replace(b"QARelease", b"QARelaese"))
    got: list[bytes] = []
    chunks = export(issued, exporter(issued, press, pki)).chunks()
    with pytest.raises(IntegrityFailure):
        got.extend(chunks)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(BytesIO(b"".join(got)))


@pytest.mark.requirement("1.09")
@pytest.mark.parametrize("put_in", [False, True])
def test_a_lot_whose_certificate_was_removed_is_not_left_out_without_a_word(
    issued: House, press: Press, pki: PkiFiles, *, put_in: bool
):
    another(issued, press)
    ours = "certificate_id = (SELECT max(id) FROM certificate)"
    attack = [f"DELETE FROM {one} WHERE {ours}" for one in _OF_CERTIFICATE]  # noqa: S608
    attack.append("DELETE FROM certificate WHERE number = 2")
    if put_in:  # so that there are as many as before
        attack[-1:] = ["UPDATE certificate SET number = 3 WHERE number = 2"]
    tamper(issued.engine, *attack)
    with pytest.raises(IntegrityFailure) as refused:
        export(issued, exporter(issued, press, pki), product=PRODUCT)
    assert refused.value.code == "BQC-EXP-008"
    told = f"certificate:{SECOND_NUMBER} is missing; an audit entry speaks of it"
    assert refused.value.reasons == (told,)
    assert exports_of(issued) == []


@pytest.mark.requirement("1.68", "10.03")
def test_raw_data_that_two_people_disposed_of_is_told_by_the_entry_that_is_in_the_bundle(
    issued: House, press: Press, pki: PkiFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    set_rule(issued)
    issued.now.at = LATE
    (sha256,) = approve(issued, ask(issued))
    who = exporter(issued, press, pki, QA1)
    with pytest.raises(Conflict) as early:
        export(issued, who)
    assert early.value.code == "BQC-EXP-009"
    assert early.value.reasons == ("results.csv of U-2026-000001",)
    assert exports_of(issued) == []
    with transaction(issued.engine, SYSTEM, issued.now()) as tx:
        sign_checkpoint(tx, press.log_key())
    data = b"".join(export(issued, who).chunks())
    with zipfile.ZipFile(BytesIO(data)) as file:
        file.extractall(tmp_path)
    bundle = tmp_path / "batchqc-bundle"
    assert not (bundle / "data" / "uploads").exists()
    assert "disposed of by two people" in (bundle / "index.html").read_text()
    anchors = ("--root", pki.root_pem, "--log-key", bundle / "data" / "trust" / "log.vkey")
    assert main([str(bundle), *map(str, anchors)]) == 0, capsys.readouterr().out
    trail = bundle / "data" / "lots" / LOT / "audit.tsv"
    told = trail.read_text()
    assert sha256 in told
    trail.write_text("".join(one for one in told.splitlines(True) if sha256 not in one))
    assert main([str(bundle), *map(str, anchors)]) == 1
    said = "results.csv: the file is not the one that was received or approved"
    assert said in capsys.readouterr().out
