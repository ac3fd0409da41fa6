"""Where typed results, versions of runs and validity of runs meet: nothing that failed passes."""

import pytest

from batchqc.actions.dispositions import reject_lot
from batchqc.actions.entries import is_shown
from batchqc.actions.run_validity import count_runs
from batchqc.actions.uploads import preview_upload, the_upload
from batchqc.core.permissions import Permission
from batchqc.core.verdicts import Outcome, Verdict
from tests.actions.test_methods import (
    METHOD_FILE,
    OTHER,
    SECOND,
    adopt_method,
    another_lot,
    endotoxin,
    rechecked,
    recovery,
    row,
    send,
)
from tests.actions.test_superseding import only, received
from tests.actions.test_tracing import trace
from tests.actions.typing_results import VIAB, enter, verify
from tests.actions.versions import impact_of, version
from tests.records.house import BEN, LOT, QA1, REV, House, results, signing, table
from tests.records.tampering import tamper

WHY = "The wrong cell was exported"
SPREAD = (
    METHOD_FILE.split(b"[validity")[0]
    .replace(b'id = "SOP-QC-040"', b'id = "SOP-QC-014"')
    .replace(b"version = 4", b"version = 3")
    + b'[validity.spread]\nanalyte = "viability"\nmax_cv = "10"\n'
)
REMOVED = (
    "DELETE FROM superseding WHERE older_id IN (SELECT assay_run.id FROM assay_run JOIN lot"
    " ON lot.id = lot_id WHERE lot.lot = 'MSC-26-0077')"
)


def reject(house: House, lot: str = LOT) -> None:
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=lot, credentials=signing(QA1))


def verdict(house: House, name: str) -> Verdict:
    return next(one for one in house.study().verdicts if one.criterion.id == name)


def test_a_failing_run_is_not_superseded_because_an_invalid_one_stands_beside_it(house: House):
    adopt_method(house)
    assert house.upload(results(endotoxin=None)).accepted
    send(house, row("endotoxin"), recovery("10"))
    send(house, row("endotoxin", value="900", **SECOND), recovery("100", **SECOND))
    assert verdict(house, "endotoxin").outcome is Outcome.FAIL
    mended = table([row("endotoxin", value="<0.05", **SECOND), recovery("100", **SECOND)])
    assert house.upload(mended, supersedes=WHY).accepted
    found = verdict(house, "endotoxin")
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "a version of the run does not meet" in found.sentence


def test_a_superseded_control_keeps_no_other_lot_of_the_run_valid(house: House):
    adopt_method(house)
    another_lot(house)
    send(house, row("endotoxin"), recovery("104"), row("endotoxin", OTHER))
    assert endotoxin(house, OTHER).outcome is Outcome.PASS
    newer = table([row("endotoxin"), recovery("10")])
    assert house.upload(newer, supersedes="The control was that of another plate").accepted
    other = endotoxin(house, OTHER)
    assert other.outcome is Outcome.CANNOT_JUDGE
    assert "the part of the run that is of another lot is superseded" in other.sentence


def test_what_two_people_typed_differently_replaces_no_invalid_run(house: House):
    adopt_method(house, SPREAD)
    rows = [row("viability", value="60"), row("viability", value="80", replicate="2")]
    assert house.upload(results(viability=None)).accepted
    send(house, *rows)
    entered = enter(house, VIAB, values=("95", "95"))
    assert entered.accepted
    verify(house, entered.number, "59", "61", unit="%")
    found = verdict(house, "viability")
    assert (found.outcome, found.blocks, found.missing) == (Outcome.CANNOT_JUDGE, True, False)
    assert "is invalid by" in found.sentence


def test_what_waits_for_its_second_entry_is_not_superseded(house: House):
    assert house.upload(results(viability=None)).accepted
    assert enter(house, VIAB, values=("81.77",)).accepted
    newer = only("viability", run_id="VCB-9", value="95")
    report = house.upload(newer, by=BEN, supersedes=WHY)
    (problem,) = report.reading.problems
    assert (problem.code, "waits for its second entry" in problem.message) == ("E407", True)
    assert verdict(house, "viability").outcome is Outcome.CANNOT_JUDGE


def test_no_door_tells_what_was_typed_before_it_is_verified(house: House):
    adopt_method(house, SPREAD)
    assert house.upload(results(viability=None)).accepted
    wrong = enter(house, VIAB, values=("81.77", "61.23"), unit="mL")
    assert not wrong.accepted
    assert enter(house, VIAB, values=("81.77", "61.23")).accepted
    with house.reading() as session:
        (runs,) = count_runs(session, house.archive)
        refused = the_upload(session, wrong.number)
        assert b"81.77" in house.archive.get(refused.sha256)
        assert not is_shown(session, refused, REV)
        assert is_shown(session, refused, refused.uploaded_by)
        newer = received(only("viability", run_id="VCB-9", value="85"), WHY)
        seen = preview_upload(session, house.archive, file=newer, now=house.now())
    told = [str(one) for one in runs.not_valid]
    told += [one.verdict.sentence for one in seen.outlook]
    told += [one.message for one in seen.reading.problems]
    told += [one.sentence for one in house.study().verdicts]
    assert runs.not_valid
    assert not [one for one in told if "81.77" in one or "61.23" in one]


def test_impact_sets_invalid_runs_aside_where_another_run_is_superseded(house: House):
    adopt_method(house)
    assert house.upload(results(endotoxin=None)).accepted
    send(house, row("endotoxin", value="0.30"), recovery("10"))
    send(house, row("endotoxin", value="0.30", **SECOND), recovery("100", **SECOND))
    draft = version(2, "2025-05-20", ('accept   = "<= 1"', 'accept   = "<= 0.1"'))

    def flips() -> list[tuple[Outcome, Outcome]]:
        return [(one.impact.before, one.impact.after) for one in impact_of(house, draft).changed]

    before = flips()
    assert before
    assert house.upload(only("viability", value="95"), supersedes=WHY).accepted
    assert verdict(house, "endotoxin").outcome is Outcome.PASS
    assert flips() == before


def test_what_is_answered_of_a_typed_result_is_what_the_lot_says(house: House):
    assert house.upload(results(viability=None)).accepted
    report = enter(house, VIAB, values=("95",))
    (answered,) = report.outlook
    assert answered.verdict.outcome is Outcome.CANNOT_JUDGE
    assert answered.verdict.sentence == verdict(house, "viability").sentence


def test_rows_without_a_run_supersede_nothing_in_a_preview_either(house: House):
    assert house.upload(results(viability={"run_id": ""})).accepted
    flow = [row(name) for name in ("CD90", "CD105", "negative_panel")]
    data = table([row("viability", run_id="", value="97"), row("CD73", value="98.0"), *flow])
    with house.reading() as session:
        file = received(data, WHY)
        seen = preview_upload(session, house.archive, file=file, now=house.now())
    assert house.upload(data, supersedes=WHY).accepted
    (told,) = [one.verdict for one in seen.outlook if one.verdict.criterion.id == "viability"]
    assert told.outcome is verdict(house, "viability").outcome is Outcome.CANNOT_JUDGE


def test_rows_without_a_run_id_are_valid_or_not_in_each_file(house: House):
    adopt_method(house)
    assert house.upload(results(endotoxin=None)).accepted
    unnamed = {"run_id": ""}
    send(house, row("endotoxin", value="0.30", **unnamed), recovery("10", **unnamed))
    assert verdict(house, "endotoxin").outcome is Outcome.CANNOT_JUDGE
    later = unnamed | {"measured_at": "2025-05-20T13:00:00-05:00"}
    send(house, row("endotoxin", value="0.20", **later), recovery("100", **later))
    found = verdict(house, "endotoxin")
    assert (found.outcome, [one.text for one in found.measurements]) == (Outcome.PASS, ["0.20"])
    assert "not counted: run ENDO (no run_id) (ENDO) of U-2026-000002" in found.sentence
    draft = version(2, "2025-05-20", ('accept   = "<= 1"', 'accept   = "<= 0.1"'))
    (flip,) = [one.impact for one in impact_of(house, draft).changed]
    assert (flip.before, flip.after) == (Outcome.PASS, Outcome.FAIL)
    send(house, row("endotoxin", value="0.20", aliquot="A2", **later), recovery("99", **later))
    assert verdict(house, "endotoxin").outcome is Outcome.CANNOT_JUDGE  # nobody may choose


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize("of_both", [False, True])
def test_a_superseding_of_another_lot_of_the_run_that_was_removed_is_missed(
    house: House, of_both: bool
):
    adopt_method(house)
    another_lot(house)
    send(house, row("endotoxin"), recovery("104", OTHER), row("endotoxin", OTHER))
    rows = [recovery("10", OTHER), row("endotoxin", OTHER)]
    newer = table([*rows, *([row("endotoxin")] if of_both else [])])
    assert house.upload(newer, supersedes=WHY).accepted
    assert verdict(house, "endotoxin").outcome is Outcome.CANNOT_JUDGE
    assert house.study().facts.damaged == ()
    tamper(house.engine, REMOVED)
    for lot in (LOT, OTHER):
        damaged = house.study(lot).facts.damaged
        gone = f"superseding:U-2026-000001/{OTHER}/ENDO/ENDO-250520-01 is missing"
        assert any(one.startswith(gone) for one in damaged)


def test_what_happens_to_other_runs_of_another_lot_is_no_damage(house: House):
    adopt_method(house)
    another_lot(house)
    send(house, row("endotoxin"), recovery("104"), row("endotoxin", OTHER))
    send(house, row("viability", OTHER, run_id="VCB-1"))
    newer = table([row("viability", OTHER, run_id="VCB-1", value="95")])
    assert house.upload(newer, supersedes=WHY).accepted
    reject(house, OTHER)
    assert house.study().facts.damaged == ()


def test_an_entry_that_did_not_match_may_be_typed_anew_under_its_run(house: House):
    adopt_method(house, SPREAD)
    assert house.upload(results(viability=None)).accepted
    first = enter(house, VIAB, values=("60", "95"))
    verify(house, first.number, "94", "95", unit="%")
    again = enter(house, VIAB, values=("94", "95"))
    assert again.accepted
    verify(house, again.number, "94", "95", unit="%")
    assert "another content" not in verdict(house, "viability").sentence


def test_recheck_agrees_where_a_part_of_a_run_was_superseded(house: House):
    adopt_method(house)
    another_lot(house)
    send(house, row("endotoxin"), recovery("104"), row("endotoxin", OTHER))
    newer = table([row("endotoxin"), recovery("10")])
    assert house.upload(newer, supersedes=WHY).accepted
    reject(house, OTHER)
    again = table([row("endotoxin"), recovery("105")])
    refused = house.upload(again, supersedes=WHY)
    assert {one.code for one in refused.reading.problems} == {"E409"}
    reject(house)
    assert rechecked(house).differences == ()


def test_a_cell_that_counts_for_nothing_says_why(house: House):
    adopt_method(house)
    assert house.upload(results(endotoxin=None, mycoplasma=None)).accepted
    send(house, row("endotoxin", value="900"), recovery("10"))
    send(house, row("endotoxin", **SECOND), recovery("100", **SECOND))
    assert "the run is not valid" in trace(house, "U-2026-000002", 2).not_used
    entered = enter(house)
    assert "second entry waits" in trace(house, entered.number, 2).not_used
    verify(house, entered.number, "Positive")
    assert "second entry does not match" in trace(house, entered.number, 2).not_used
