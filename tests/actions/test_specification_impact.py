"""What a version would do to every past lot."""

import json

import pytest

from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.impact import impact_content, impact_rows, keep_impact
from batchqc.core.permissions import Permission
from batchqc.core.verdicts import Outcome
from batchqc.errors import InvalidInput
from batchqc.settings import bundled
from tests.actions.state import counts, grown
from tests.actions.versions import (
    FOR_EU,
    LOOSER,
    NAME,
    STAGED,
    impact_of,
    lot_of_stages,
    refused,
    register,
    version,
)
from tests.records.house import (
    ANA,
    DON,
    DONOR,
    GOOD,
    LOT,
    MADE_ON,
    QA2,
    SPEC,
    House,
    adopt,
    draft_in_review,
    good,
    results,
    see_impact,
    signing,
    table,
)


@pytest.mark.requirement("2.41")
def test_impact_finds_exactly_the_flips_that_were_planted(house: House):
    """120 lots, of which 37 have a viability between the limits; nothing else would change."""
    lots = [f"MSC-26-{1000 + n}" for n in range(120)]
    planted = set(lots[::3][:37])
    rows = []
    for lot in lots:
        register(house, lot, MADE_ON)
        for analyte in GOOD:
            cells = good(analyte) | {"lot_id": lot, "sample_id": f"{lot}-S01"}
            rows.append(cells | {"value": "85.0"} if (analyte, lot in planted) ==
                        ("viability", True) else cells)  # fmt: skip
    assert house.upload(table(rows)).accepted
    before = counts(house.engine)
    found = impact_of(house, version(2, "2026-06-10", LOOSER))
    assert {one.lot for one in found.flips} == planted
    assert len(found.changed) == 37
    assert (found.lots, found.results) == (121, 120 * len(GOOD))
    assert found.by_criterion == [("viability", "FAIL", "PASS", 37)]
    assert found.by_donor == [(DONOR, 37)]
    assert {(one.impact.before, one.impact.after) for one in found.flips} == {
        (Outcome.FAIL, Outcome.PASS)
    }
    assert grown(house.engine, before) == {}
    same = impact_of(house, version(2, "2026-06-10"))
    assert (same.changed, same.lots) == ([], 121)
    assert impact_of(house, version(2, "2026-06-10"), since="2025-12-01").lots == 0
    assert impact_of(house, version(2, "2026-06-10"), until="2025-12-01").lots == 121


def test_impact_looks_at_the_lots_that_a_draft_would_judge(house: House):
    """Those of its market, or of every market but those with their own; and of its stage."""
    adopt(house, version(2, "2020-01-01", FOR_EU, ('accept   = "> 90"', 'accept   = "> 80"')))
    register(house, "MSC-26-0061", MADE_ON, "EU")
    register(house, "MSC-26-0062", MADE_ON)
    for lot in ("MSC-26-0061", "MSC-26-0062"):
        assert house.upload(results(lot=lot, viability="85.0"), name=f"{lot}.csv").accepted
    loose, strict = ("3", LOOSER), ("4", ('accept   = "> 90"', 'accept   = "> 86"'))
    common = impact_of(house, version(int(loose[0]), "2099-01-01", loose[1]))
    assert ([one.lot for one in common.flips], common.lots) == (["MSC-26-0062"], 2)
    market = impact_of(house, version(int(strict[0]), "2099-01-01", FOR_EU, strict[1]))
    assert ([one.lot for one in market.flips], market.lots) == (["MSC-26-0061"], 1)
    adopt(house, STAGED)
    lot_of_stages(house, "post-thaw")
    thawed = {"sample_id": "MSC-26-0042-S02", "lot_id": "MSC-26-0042", "run_id": "VCB-9"}
    assert house.upload(table([good("viability") | thawed | {"value": "85.0"}])).accepted
    later = STAGED.replace(b"version = 1", b"version = 2").replace(b'"> 80"', b'"> 90"')
    staged = impact_of(house, later)
    assert [one.lot for one in staged.flips] == ["MSC-26-0042"]
    assert staged.flips[0].version == "UC-MSC-STAGE v1"
    assert (staged.lots, staged.results) == (1, 1)


@pytest.mark.parametrize("what", ["eligibility", "lot"])
def test_a_report_is_out_of_date_when_what_it_hangs_on_has_grown(house: House, what: str):
    draft_in_review(house, version(2, "2026-06-10", LOOSER), "v2.toml")
    seen = see_impact(house, NAME, 2)
    if what == "lot":
        register(house, "MSC-26-0063", MADE_ON)
    else:
        with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
            determine_eligibility(
                tx,
                house.archive,
                NewDetermination(DONOR, "Seroconversion", eligible=False),
                credentials=signing(DON),
            )
    refused("BQC-SPC-016", house, "approve", 2, impact=seen)


def test_a_period_is_of_dates_as_corrected(house: House):
    house.ready()
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        number = request_correction(
            tx, subject=f"lot:{LOT}", field="manufactured_on", after="2025-05-01",
            reason="Misread label",
        ).natural_key  # fmt: skip
    strict = version(2, "2099-01-01", ('accept   = "> 90"', 'accept   = "> 99"'))
    before = impact_of(house, strict, since=MADE_ON.isoformat(), until=MADE_ON.isoformat())
    assert [one.manufactured_on for one in before.flips] == [MADE_ON.isoformat()]
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        decide_correction(tx, house.archive, number=number, approve=True, credentials=signing(QA2))
    assert impact_of(house, strict, since="2025-05-02").lots == 0
    after = impact_of(house, strict, until="2025-05-01")
    assert [one.manufactured_on for one in after.flips] == ["2025-05-01"]


def test_a_report_over_a_part_or_of_another_file_is_not_kept(house: House):
    draft_in_review(house, version(2, "2026-06-10", LOOSER), "v2.toml")
    for part in (
        impact_of(house, version(2, "2026-06-10", LOOSER), since="2030-01-01"),
        impact_of(house, version(2, "2026-06-10")),
    ):
        with (
            pytest.raises(InvalidInput) as refusal,
            house.acting(SPEC, Permission.REPORT_IMPACT) as tx,
        ):
            keep_impact(tx, house.archive, fonts=bundled("reports") / "fonts", impact=part)
        assert refusal.value.code == "BQC-SPC-017"


def test_a_report_names_lots_with_disposition_donor_and_reason(house: House):
    house.ready()
    house.release()
    name, number = draft_in_review(
        house, version(2, "2026-06-10", (LOOSER[0], 'accept   = "> 95"')), "v2.toml"
    )
    found = impact_of(house, version(2, "2026-06-10", (LOOSER[0], 'accept   = "> 95"')))
    content = impact_content(found)
    assert content["changed"] == [
        {
            "lot": LOT, "manufactured_on": MADE_ON.isoformat(), "disposition": "released",
            "judged_by": "UC-MSC-REL v1", "donors": [DONOR], "before": "PASS", "after": "FAIL",
            "criteria": [["viability", "93.40", "PASS", "FAIL"]],
        }
    ]  # fmt: skip
    shown = dict(impact_rows(found))["Lots"]
    assert shown[1][-1] == "viability 93.40: PASS to FAIL"
    seen = see_impact(house, name, number)
    kept = json.loads(house.archive.get(seen))
    assert {key: kept[key] for key in content} == content
    assert house.verify().problems == ()
