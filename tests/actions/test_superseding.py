"""The same run in another file: refused, or a version that supersedes and has to be reviewed."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from batchqc.actions.dispositions import Decision
from batchqc.actions.impact import assess_impact
from batchqc.actions.received import ReceivedFile
from batchqc.actions.recheck import recheck
from batchqc.actions.specifications import content_of, the_version
from batchqc.actions.uploads import UploadReport, preview_upload
from batchqc.core.acceptance import Limit, Limits
from batchqc.errors import Conflict, InvalidInput, ReleaseBlocked
from batchqc.records.decisions import Certificate
from batchqc.records.transaction import reading
from batchqc.records.uploads import Superseding, upload_by
from tests.actions.state import counts, grown
from tests.records.house import (
    ANA,
    BEN,
    LOT,
    SPECIFICATION,
    House,
    but_reviews,
    good,
    results,
    table,
)  # fmt: skip
from tests.records.tampering import tamper

WHY = "Wrong cell was exported"
RUN = "VCB-250520-01"


def received(data: bytes, supersedes: str | None = None) -> ReceivedFile:
    return ReceivedFile("results.csv", len(data), data, "tests", supersedes=supersedes)


def superseding(house: House, data: bytes, why: str | None = WHY, *, by: str = ANA) -> UploadReport:
    return house.upload(data, by=by, supersedes=why)


def only(*analytes: str, **cells: str) -> bytes:
    """A file with the good results of some analytes, and changes in every row."""
    own = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    return table([own | good(analyte) | cells for analyte in analytes])


def codes(report: UploadReport) -> list[tuple[str, int, str]]:
    return [(one.code, one.row, one.column) for one in report.reading.problems]


def outcome(house: House, criterion: str = "viability") -> str:
    found = {one.criterion.id: one.outcome for one in house.study().verdicts}
    return str(found[criterion])


@pytest.mark.requirement("2.07")
def test_a_run_on_record_with_other_content_is_refused_at_its_rows(house: House):
    assert house.upload(results(viability="89.1")).accepted
    before = counts(house.engine)
    report = house.upload(only("viability"))
    assert codes(report) == [("E407", 2, "run_id")]
    (problem,) = report.reading.problems
    assert problem.text == RUN
    assert problem.message == (
        f"run {RUN} (VIAB) of U-2026-000001 is on record; row 6 there, viability:"
        ' value is "89.1" there and "93.40" here'
    )
    assert "assay_run" not in grown(house.engine, before)
    assert outcome(house) == "FAIL"


def test_every_difference_is_told_at_once(house: House):
    house.upload(only("CD73", "CD90", "CD105"))
    changed = table(
        [
            {"lot_id": LOT, "sample_id": f"{LOT}-S01"} | row
            for row in (
                good("CD73") | {"analyst": BEN, "comment": "again", "value": "97.9"},
                good("CD90"),
                good("negative_panel"),
            )
        ]
    )
    said = [
        (one.row, one.message.split("record; ")[1])
        for one in house.upload(changed).reading.problems
    ]
    assert said == [
        (2, ('row 2 there, CD73: value is "97.90" there and "97.9" here; analyst is "ana" there and'
            ' "ben" here; comment is "" there and "again" here')),
        (2, "not in this file: row 4 (CD105 99.1)"),
        (3, "row 3 there, CD90: the same"),
        (4, "negative_panel of this row is not in it"),
    ]  # fmt: skip


def test_the_same_run_again_in_another_file_is_refused_too(house: House):
    house.upload(only("viability"))
    report = house.upload(only("viability").replace(b"\r\n", b"\n"))
    assert codes(report) == [("E407", 2, "run_id")]
    assert "viability: the same" in report.reading.problems[0].message


def test_run_ids_are_compared_without_case(house: House):
    house.upload(only("viability"))
    assert codes(house.upload(only("viability", value="95", run_id=RUN.lower())))[0][0] == "E407"


def test_a_run_id_under_another_test_or_lot_is_no_conflict(house: House):
    house.upload(only("viability"))
    assert house.upload(only("endotoxin", run_id=RUN)).accepted


def test_rows_without_a_run_id_are_two_results(house: House):
    house.upload(only("viability", run_id=""))
    report = house.upload(only("viability", run_id="", value="95"))
    assert report.accepted
    assert "two results, no authorised retest" in house.study().verdicts[4].sentence
    refused = superseding(house, only("viability", run_id="", value="96"))
    assert codes(refused) == [("E407", 0, "")]
    assert "no run of it is on record" in refused.reading.problems[0].message


def test_a_file_with_other_errors_is_not_said_to_supersede_nothing(house: House):
    report = superseding(house, only("viability", value="much"))
    assert "E407" not in {one.code for one in report.reading.problems}


@pytest.mark.parametrize("reason", ["", "  ", "xxxx", "two\nlines"])
def test_who_supersedes_says_why(house: House, reason: str):
    house.upload(only("viability"))
    before = counts(house.engine)
    with pytest.raises(InvalidInput, match="BQC-SIG-004"):
        superseding(house, only("viability", value="95"), reason)
    with house.reading() as session, pytest.raises(InvalidInput, match="BQC-SIG-004"):
        preview_upload(
            session, house.archive, file=received(only("viability"), reason), now=house.now()
        )
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("1.31")
def test_both_versions_are_kept_and_the_new_one_is_reviewed_again(house: House):
    house.ready()
    report = superseding(house, only("viability", value="95.1"), by=BEN)
    assert report.accepted
    assert report.reading.supersedes == (f"run {RUN} (VIAB) of U-2026-000001 for lot {LOT}",)
    with house.reading() as session:
        (row,) = session.scalars(select(Superseding)).all()
        assert (row.superseded_by, row.reason) == (BEN, WHY)
        assert row.older.upload.natural_key == "U-2026-000001"
        assert row.newer.upload.natural_key == "U-2026-000002"
        upload = upload_by(session, "U-2026-000002")
        assert upload is not None
        assert upload.supersedes == WHY
    case = house.study()
    assert sorted(one.text for one in case.measurements if one.analyte == "viability") == [
        "93.40", "95.1",
    ]  # fmt: skip
    assert outcome(house) == "PASS"
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    (reason,) = but_reviews(blocked.value.reasons)
    assert reason.startswith(f"Review: run {RUN} (VIAB) of U-2026-000002 has not been reviewed")
    assert isinstance(house.review(), list)
    assert isinstance(house.release(), Decision)
    assert house.verify().problems == ()
    with house.reading() as session:
        assert recheck(session, house.archive).differences == ()
        certificate = session.scalars(select(Certificate)).one()
        content = json.loads(house.archive.get(certificate.content_sha))
    line = next(one for one in content["lines"] if one["criterion"] == "viability")
    assert [one["text"] for one in line["provenance"]] == ["95.1"]
    note = f"run {RUN} (VIAB) of U-2026-000001 is superseded by run {RUN} (VIAB) of U-2026-000002"
    assert f"{note}: {WHY}." in [content["notes"][number - 1] for number in line["notes"]]


@pytest.mark.requirement("3.06")
@pytest.mark.parametrize(
    "texts", [["89", "93"], ["89", "88", "93"], ["93", "89", "94"], ["89", "93", "94", "95"]]
)
def test_a_fail_stays_whatever_supersedes_it(house: House, texts: list[str]):
    house.upload(results(viability=texts[0]))
    for text in texts[1:]:
        assert superseding(house, only("viability", value=text)).accepted
    house.review()
    assert outcome(house) == "CANNOT_JUDGE"
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    reason, *others = but_reviews(blocked.value.reasons)
    assert {one.split(":")[0] for one in others} == {"Investigations"}
    assert "no signed conclusion says which counts" in reason
    assert all(
        f"{text} in run {RUN} (VIAB) of U-2026-00000{n}" in reason
        for n, text in enumerate(texts, 1)
    )


def test_half_of_a_run_supersedes_the_whole_and_nothing_is_gone(house: House):
    house.upload(results())
    assert superseding(house, only("CD73", "CD90")).accepted
    house.review()
    found = {one.criterion.id: str(one.outcome) for one in house.study().verdicts}
    assert {found["cd73"], found["cd90"]} == {"PASS"}
    assert {found["cd105"], found["negative-panel"]} == {"CANNOT_JUDGE"}
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert len(but_reviews(blocked.value.reasons)) == 2


def test_a_file_that_supersedes_may_hold_other_runs_too(house: House):
    house.upload(results(viability="92", endotoxin=None))
    report = superseding(house, only("viability", "endotoxin"))
    assert report.accepted
    assert len(report.reading.supersedes) == 1
    found = house.study()
    assert {str(one.outcome) for one in found.verdicts} == {"PASS"}
    assert len(found.supersedings) == 1


def test_the_newest_version_is_superseded_next(house: House):
    for text in ("92", "93", "94"):
        superseding(house, only("viability", value=text), None if text == "92" else WHY)
    with house.reading() as session:
        pairs = [
            (one.older.upload.number, one.newer.upload.number)
            for one in session.scalars(select(Superseding).order_by(Superseding.id))
        ]
    assert pairs == [(1, 2), (2, 3)]
    refused = house.upload(only("viability", value="95"))
    assert "of U-2026-000003 is on record" in refused.reading.problems[0].message


def test_a_preview_tells_what_the_upload_does(house: House):
    house.upload(results(viability="92"))
    before = counts(house.engine)
    for why in (None, WHY):
        file = received(only("viability"), why)
        with house.reading() as session:
            preview = preview_upload(session, house.archive, file=file, now=house.now())
        assert grown(house.engine, before) == {}
        done = superseding(house, only("viability"), why)
        assert (preview.accepted, preview.reading.problems) == (
            done.accepted,
            done.reading.problems,
        )
        assert preview.reading.supersedes == done.reading.supersedes
        before = counts(house.engine)


def test_the_same_bytes_are_answered_with_the_first_upload_even_when_superseded(house: House):
    first = only("viability")
    house.upload(first)
    superseding(house, only("viability", value="95"))
    before = counts(house.engine)
    again = house.upload(first)
    assert (again.number, again.accepted, again.answered_before) == ("U-2026-000001", True, True)
    with house.reading() as session:
        seen = preview_upload(session, house.archive, file=received(first, None), now=house.now())
    assert (seen.accepted, seen.answered_before) == (True, True)
    with pytest.raises(Conflict) as refused:
        superseding(house, first, WHY)
    assert refused.value.code == "BQC-UPL-005"
    assert grown(house.engine, before) == {}


def test_nothing_supersedes_what_a_final_decision_rests_on_but_what_came_after_it(house: House):
    house.ready()
    house.release()
    report = superseding(house, only("viability", value="95"))
    assert not report.accepted
    (refused,) = [one for one in report.reading.problems if one.code == "E409"]
    assert (refused.row, refused.column) == (2, "run_id")
    assert "signed correction" in refused.hint
    assert house.upload(only("viability", value="95", run_id="LATER-1")).accepted
    assert superseding(house, only("viability", value="96", run_id="LATER-1")).accepted
    assert house.verify().problems == ()
    with house.reading() as session:
        assert recheck(session, house.archive).differences == ()


def test_impact_judges_versions_as_the_lot_is_judged(house: House):
    house.upload(results(viability="89"))
    superseding(house, only("viability", value="93"))
    with house.reading() as session:
        bound = content_of(house.archive, the_version(session, *SPECIFICATION))
        draft = replace(
            bound,
            version=2,
            criteria=tuple(
                replace(one, title="Viability, thawed") if one.id == "viability" else one
                for one in bound.criteria
            ),
        )
        impact = assess_impact(session, house.archive, draft=draft)
        assert impact.changed == []
        lower = tuple(
            replace(one, accept=Limits("> 80", (Limit(">", Decimal(80)),)))
            if one.id == "viability"
            else one
            for one in bound.criteria
        )
        (changed,) = assess_impact(
            session, house.archive, draft=replace(bound, version=2, criteria=lower)
        ).changed
    (change,) = changed.impact.changes
    assert change.before is not None
    assert change.after is not None
    assert (str(change.before.outcome), str(change.after.outcome)) == ("CANNOT_JUDGE", "PASS")


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM superseding", "is missing; an audit entry speaks of it"),
        ("UPDATE superseding SET reason = 'None of your business'", "is not as its audit entry"),
    ],
)
def test_whoever_changes_what_superseded_a_run_is_noticed(house: House, statement: str, said: str):
    house.ready()
    superseding(house, only("viability", value="95.1"))
    house.review()
    tamper(house.engine, statement)
    (damage,) = house.study().facts.damaged
    assert damage.startswith(f"superseding:U-2026-000001/{LOT}/VIAB/{RUN} {said}")
    assert house.verify().problems != ()


def test_a_recheck_names_a_decision_over_other_versions_than_on_record(house: House):
    house.ready()
    superseding(house, only("viability", value="95.1"))
    house.review()
    assert isinstance(house.release(), Decision)
    tamper(house.engine, "DELETE FROM superseding")
    with reading(house.engine) as session:
        said = {one.said for one in recheck(session, house.archive).differences}
    assert "it names other versions of runs than are on record" in said
    assert any("computed CANNOT_JUDGE" in one for one in said)
