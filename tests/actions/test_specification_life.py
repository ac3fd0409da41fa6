"""The life of a specification, from its draft to its end, and what it would do to past lots."""

import json
from datetime import date
from pathlib import Path

import pytest

from batchqc.actions.approval import approve_specification
from batchqc.actions.binding import bind
from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.impact import Impact, assess_impact, impact_content, impact_rows, keep_impact
from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.registers import determine_eligibility
from batchqc.actions.specification_folder import compare_folder
from batchqc.actions.specifications import (
    import_specification,
    state_of,
    submit_specification,
    the_version,
    withdraw_specification,
)
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.core.verdicts import Outcome
from batchqc.documents.spec_file import read_specification
from batchqc.errors import BatchqcError, Conflict, InvalidInput
from batchqc.records.specifications import approval_of
from batchqc.settings import bundled
from tests.actions.state import counts, grown
from tests.cast import TAKEN_AT
from tests.records.full_house import POST_THAW, THAWED_FROM
from tests.records.house import (
    ANA,
    DON,
    DONOR,
    EXPIRES_ON,
    GOOD,
    LOT,
    MADE_ON,
    PRODUCT,
    QA1,
    QA2,
    SPEC,
    SPECIFICATION_FILE,
    House,
    adopt,
    draft_in_review,
    good,
    results,
    see_impact,
    signing,
    table,
)
from tests.records.tampering import tamper

NAME = "UC-MSC-REL"
SHIPPED = (bundled("specs") / SPECIFICATION_FILE).read_bytes()
TODAY = date(2026, 6, 1)


def version(number: int, effective: str, *changes: tuple[str, str]) -> bytes:
    text = SHIPPED.decode().replace("version   = 1", f"version   = {number}", 1)
    text = text.replace("effective = 2020-01-01", f"effective = {effective}", 1)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


LOOSER = ('accept   = "> 90"', 'accept   = "> 80"')
FOR_EU = ('product   = "UC-MSC"', 'product   = "UC-MSC"\nmarket = "EU"')


def state(house: House, number: int, today: date = TODAY, name: str = NAME) -> str:
    with house.reading() as session:
        return state_of(session, the_version(session, name, number), today)


def approve(house: House, number: int, impact: str, *, by: str = QA1) -> None:
    with house.acting(by, Permission.APPROVE_SPECIFICATION) as tx:
        signed = approve_specification(
            tx, house.archive, specification=NAME, version=number, impact=impact,
            credentials=signing(by),
        )  # fmt: skip
        assert not isinstance(signed, Refusal)


def withdraw(house: House, number: int, from_day: date, *, name: str = NAME) -> None:
    with house.acting(QA1, Permission.APPROVE_SPECIFICATION) as tx:
        signed = withdraw_specification(
            tx, specification=name, version=number, from_day=from_day, credentials=signing(QA1)
        )
        assert not isinstance(signed, Refusal)


def register(house: House, lot: str, made_on: date, market: str = "") -> str:
    sample = NewSample(f"{lot}-S01", "release", "cryovial", TAKEN_AT.isoformat())
    samples = (sample,) if made_on == MADE_ON else ()
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        new = NewLot(lot, PRODUCT, made_on, EXPIRES_ON, (DONOR,), samples, market)
        return register_lot(tx, new).specification_version.reference


def impact_of(house: House, data: bytes, since: str = "", until: str = "") -> Impact:
    draft = read_specification(data, file="draft.toml").specification
    assert draft is not None
    with house.reading() as session:
        return assess_impact(session, house.archive, draft=draft, since=since, until=until)


@pytest.mark.requirement("2.03")
def test_a_version_goes_from_draft_to_its_end(house: House):
    data = version(2, "2026-06-10", LOOSER)
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        import_specification(tx, house.archive, data=data, file="v2.toml")
    assert state(house, 2) == "draft"
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        submit_specification(tx, house.archive, specification=NAME, version=2)
    assert state(house, 2) == "in review"
    approve(house, 2, see_impact(house, NAME, 2))
    assert (state(house, 1), state(house, 2)) == ("effective", "approved")
    later = date(2026, 6, 10)
    assert (state(house, 1, later), state(house, 2, later)) == ("superseded", "effective")
    withdraw(house, 2, date(2026, 7, 1))
    end = date(2026, 7, 1)
    assert (state(house, 2, later), state(house, 2, end)) == ("effective", "withdrawn")
    assert house.verify().problems == ()


@pytest.mark.requirement("2.03")
def test_the_approver_signs_the_bytes_the_boundaries_and_the_impact(house: House):
    name, number = draft_in_review(house, version(2, "2026-06-10", LOOSER), "v2.toml")
    seen = see_impact(house, name, number)
    approve(house, 2, seen)
    with house.reading() as session:
        row = the_version(session, NAME, 2)
        approval = approval_of(session, row)
        assert approval is not None
        assert approval.signature.record_sha256 == approval.content_sha
        content = json.loads(house.archive.get(approval.content_sha))
    assert content["sha256"] == row.sha256
    assert content["impact"]["sha256"] == seen
    turns = {one["criterion"]: one["turns"] for one in content["boundary"]}
    assert turns["viability"] == [["from below", "80", "81"]]


def refused(code: str, house: House, action: str, number: int, **more: str) -> BatchqcError:
    """The refusal of an action, which changes nothing."""
    before = counts(house.engine)
    with pytest.raises(BatchqcError) as found:
        _act(house, action, number, more)
    assert found.value.code == code
    assert grown(house.engine, before) == {}
    return found.value


def _act(house: House, action: str, number: int, more: dict[str, str]) -> None:
    if action == "submit":
        with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
            submit_specification(tx, house.archive, specification=NAME, version=number)
    elif action == "approve":
        approve(house, number, more["impact"])
    else:
        withdraw(house, number, date.fromisoformat(more["day"]))


def test_a_step_out_of_its_order_is_refused(house: House):
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        import_specification(
            tx, house.archive, data=version(2, "2026-06-10", LOOSER), file="v2.toml"
        )
    refused("BQC-SPC-011", house, "approve", 2, impact="")
    refused("BQC-SPC-014", house, "withdraw", 2, day="2026-06-20")
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        submit_specification(tx, house.archive, specification=NAME, version=2)
    refused("BQC-SPC-012", house, "submit", 2)
    refused("BQC-SPC-015", house, "approve", 2, impact="")
    first = see_impact(house, NAME, 2)
    refused("BQC-SPC-015", house, "approve", 2, impact="0" * 64)
    assert house.upload(results()).accepted
    told = refused("BQC-SPC-016", house, "approve", 2, impact=first)
    assert "is out of date" in told.message
    again = see_impact(house, NAME, 2)
    refused("BQC-SPC-015", house, "approve", 2, impact=first)
    approve(house, 2, again)
    refused("BQC-SPC-014", house, "withdraw", 2, day="2026-05-01")
    withdraw(house, 2, date(2026, 6, 20))
    told = refused("BQC-SPC-014", house, "withdraw", 2, day="2026-06-20")
    assert "withdrawn already" in told.message


def test_a_draft_with_open_findings_is_not_submitted(house: House):
    doubtful = version(2, "2026-06-10", (LOOSER[0], 'accept = "> 90"\nrounding = "usp"'))
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        import_specification(tx, house.archive, data=doubtful, file="v2.toml")
    told = refused("BQC-SPC-010", house, "submit", 2)
    assert any("viability: dead-band" in reason for reason in told.reasons)
    accepted = doubtful.replace(b"version   = 2", b"version   = 3").replace(
        b'rounding = "usp"\n',
        b'rounding = "usp"\nacknowledge = { dead-band = "as registered in 2019" }\n', 1,
    )  # fmt: skip
    assert draft_in_review(house, accepted, "v3.toml") == (NAME, 3)


def test_two_versions_of_one_key_on_one_date_are_refused(house: House):
    adopt(house, version(2, "2026-06-10"))
    draft_in_review(house, version(3, "2026-06-10", LOOSER), "v3.toml")
    refused("BQC-SPC-005", house, "approve", 3, impact=see_impact(house, NAME, 3))
    adopt(house, version(4, "2026-06-10", FOR_EU))  # another market is another key


@pytest.mark.requirement("2.41")
def test_a_past_date_that_would_take_lots_from_another_version_is_refused(house: House):
    register(house, "MSC-26-0031", MADE_ON)
    draft_in_review(house, version(2, MADE_ON.isoformat(), LOOSER), "v2.toml")
    told = refused("BQC-SPC-013", house, "approve", 2, impact=see_impact(house, NAME, 2))
    assert told.reasons == (
        f"{LOT} of {MADE_ON}",
        f"MSC-26-0031 of {MADE_ON}",
    )
    assert house.study().facts.specification_problem == ""


def test_a_withdrawn_version_judges_no_later_lot_and_keeps_the_earlier(house: House):
    adopt(house, version(2, "2026-05-01", LOOSER))
    assert register(house, "MSC-26-0032", date(2026, 5, 20)) == "UC-MSC-REL v2"
    withdraw(house, 2, TODAY)
    with house.reading() as session:
        key = {"product": PRODUCT, "stage": "release", "market": ""}
        assert bind(session, manufactured_on=TODAY, **key) is None
        found = bind(session, manufactured_on=date(2026, 5, 31), **key)
        assert found is not None
        assert found.version.version == 2
    with pytest.raises(Conflict) as refusal:
        register(house, "MSC-26-0033", TODAY)
    assert refusal.value.code == "BQC-SPC-007"
    assert house.study("MSC-26-0032").facts.specification_problem == ""


def test_a_market_has_its_own_specification_and_others_use_the_common_one(house: House):
    adopt(house, version(2, "2020-01-01", FOR_EU, LOOSER))
    assert register(house, "MSC-26-0034", MADE_ON, "EU") == "UC-MSC-REL v2"
    assert register(house, "MSC-26-0038", MADE_ON, " eu ") == "UC-MSC-REL v2"
    with pytest.raises(InvalidInput) as refusal:
        register(house, "MSC-26-0035", MADE_ON, "US")
    assert refusal.value.reasons == (
        'no specification of UC-MSC is for market "US"; there are: EU',
    )
    assert register(house, "MSC-26-0036", MADE_ON) == "UC-MSC-REL v1"
    for lot, market in (("MSC-26-0034", "EU"), ("MSC-26-0038", "EU"), ("MSC-26-0036", "")):
        case = house.study(lot)
        assert case.facts.specification_problem == ""
        assert ("for EU" in case.row.bound_because, case.row.market) == (bool(market), market)
    assert house.verify().problems == ()


def test_a_market_whose_own_version_has_ended_does_not_fall_back(house: House):
    adopt(house, version(2, "2020-01-01", FOR_EU, ('accept   = "> 90"', 'accept   = "> 95"')))
    withdraw(house, 2, TODAY)
    with house.reading() as session:
        key = {"product": PRODUCT, "stage": "release", "market": "EU"}
        assert bind(session, manufactured_on=TODAY, **key) is None
        assert bind(session, manufactured_on=MADE_ON, **key) is not None


def test_a_version_is_not_withdrawn_from_a_day_of_lots_that_it_judges(house: House):
    register(house, "MSC-26-0041", TODAY)
    told = refused("BQC-SPC-014", house, "withdraw", 1, day=TODAY.isoformat())
    assert f"MSC-26-0041 of {TODAY}" in told.message
    withdraw(house, 1, date(2026, 6, 2))


STAGED = POST_THAW.replace(b"UC-MSC-THAW", b"UC-MSC-STAGE")


def lot_of_stages(house: House, *stages: str, lot: str = "MSC-26-0042") -> None:
    samples = tuple(
        NewSample(f"{lot}-S0{n}", stage, "cryovial", TAKEN_AT.isoformat())
        for n, stage in enumerate(("release", *stages), start=1)
    )
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot(lot, PRODUCT, THAWED_FROM, EXPIRES_ON, (DONOR,), samples))


@pytest.mark.requirement("2.22")
@pytest.mark.parametrize("stage", ["donor", "cell bank", "in process"])
def test_what_is_due_before_release_blocks_where_it_is_missing(house: House, stage: str):
    adopt(house, STAGED.replace(b'"post-thaw"', f'"{stage}"'.encode()))
    lot_of_stages(house, stage)
    house.ready("MSC-26-0042")
    case = house.study("MSC-26-0042")
    assert [gate.name for gate in case.gates if not gate.is_open] == ["Other stages"]
    assert "no result for Viability, post-thaw" in case.facts.beside[0]
    of_stage = {"sample_id": "MSC-26-0042-S02", "lot_id": "MSC-26-0042", "run_id": "VCB-9"}
    assert house.upload(table([good("viability") | of_stage | {"value": ">79"}])).accepted
    assert isinstance(house.review("MSC-26-0042"), list)
    (reason,) = house.study("MSC-26-0042").facts.beside
    assert reason.startswith("CANNOT JUDGE: >79 %")


@pytest.mark.parametrize("stage", ["post-thaw", "stability", "in process"])
def test_a_result_of_a_stage_that_nothing_judges_is_not_taken(house: House, stage: str):
    lot_of_stages(house, stage)
    row = {"sample_id": "MSC-26-0042-S02", "lot_id": "MSC-26-0042", "value": "Growth"}
    report = house.upload(table([good("growth_14d") | row]))
    assert not report.accepted
    assert [problem.code for problem in report.reading.problems] == ["E404"]
    assert f"judges results of stage {stage}" in report.reading.problems[0].message


def test_a_specification_of_another_stage_does_not_reach_back(house: House):
    draft = STAGED.replace(b"2025-05-20", b"2020-01-01")
    name, number = draft_in_review(house, draft, "thaw.toml")
    seen = see_impact(house, name, number)
    with (
        pytest.raises(Conflict) as refusal,
        house.acting(QA1, Permission.APPROVE_SPECIFICATION) as tx,
    ):
        approve_specification(
            tx, house.archive, specification=name, version=number, impact=seen,
            credentials=signing(QA1),
        )  # fmt: skip
    assert refusal.value.code == "BQC-SPC-013"
    assert refusal.value.reasons == (f"{LOT} of {MADE_ON}",)


def test_a_version_of_another_stage_counts_only_as_it_was_approved(house: House):
    name, number = adopt(house, STAGED)
    lot_of_stages(house, "post-thaw")
    assert house.study("MSC-26-0042").facts.specification_problem == ""
    with house.reading() as session:
        approval = approval_of(session, the_version(session, name, number))
        assert approval is not None
        path = house.archive._path(approval.content_sha)
    path.unlink()
    assert "cannot be read" in house.study("MSC-26-0042").facts.specification_problem


THAWED = {"sample_id": "MSC-26-0037-S02", "lot_id": "MSC-26-0037"}


@pytest.mark.requirement("2.22")
def test_a_lot_is_judged_at_each_stage_and_the_right_specification_decides(house: House):
    adopt(house, POST_THAW)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        samples = tuple(
            NewSample(f"MSC-26-0037-S0{n}", stage, "cryovial", TAKEN_AT.isoformat())
            for n, stage in ((1, "release"), (2, "post-thaw"))
        )
        new = NewLot("MSC-26-0037", PRODUCT, THAWED_FROM, EXPIRES_ON, (DONOR,), samples)
        register_lot(tx, new)
    house.ready("MSC-26-0037")
    case = house.study("MSC-26-0037")
    assert case.is_ready  # what is not measured after thawing is not due
    assert [one.specification.id for one in case.beside] == ["UC-MSC-THAW"]
    not_planned = house.upload(table([good("CD73") | THAWED]))
    (problem,) = not_planned.reading.problems
    assert (problem.code, "UC-MSC-THAW v1" in problem.hint) == ("E404", True)
    thawed = good("viability") | THAWED | {"run_id": "VCB-THAW"}
    assert house.upload(table([thawed | {"value": "79.0"}])).accepted
    assert isinstance(house.review("MSC-26-0037"), list)
    case = house.study("MSC-26-0037")
    assert [gate.name for gate in case.gates if not gate.is_open] == ["Other stages"]
    (reason,) = case.facts.beside
    assert reason.startswith("FAIL: 79.0 % does not meet > 80 %; UC-MSC-THAW v1")
    viability = next(v for v in case.verdicts if v.criterion.id == "viability")
    assert viability.outcome is Outcome.PASS


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
                tx, donor=DONOR, eligible=False, basis="Seroconversion", credentials=signing(DON)
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
        decide_correction(tx, number=number, approve=True, credentials=signing(QA2))
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


def test_an_approval_that_speaks_of_other_bytes_closes_the_gate(house: House):
    """Its content lost, changed, or that of another version."""
    with house.reading() as session:
        row = the_version(session, NAME, 1)
        approval = approval_of(session, row)
        assert approval is not None
        path = house.archive._path(approval.content_sha)
    content = path.read_bytes()
    path.unlink()
    assert "UC-MSC-REL v1 cannot be read" in house.study().facts.specification_problem
    path.write_bytes(content.replace(b"above 90", b"above 80"))
    assert "UC-MSC-REL v1 cannot be read" in house.study().facts.specification_problem
    path.write_bytes(content)
    assert house.study().facts.specification_problem == ""
    tamper(house.engine, "UPDATE specification_approval SET content_sha = 'other'")
    assert "signed over other bytes" in house.study().facts.specification_problem


def test_an_approval_from_before_binds_the_bytes_alone(house: House):
    tamper(house.engine, "UPDATE specification_approval SET content_sha = ''")
    assert "signed over other bytes" in house.study().facts.specification_problem
    tamper(
        house.engine,
        "UPDATE signature SET record_sha256 = (SELECT sha256 FROM specification_version)"
        " WHERE meaning = 'approved'",
    )
    assert house.study().facts.specification_problem == ""


def test_the_folder_of_a_site_is_compared_line_by_line(house: House, tmp_path: Path):
    def compared() -> dict[str, str]:
        with house.reading() as session:
            return dict(compare_folder(session, house.archive, tmp_path))

    assert compared() == {}
    (tmp_path / "same.toml").write_bytes(SHIPPED)
    (tmp_path / "edited.toml").write_bytes(SHIPPED.replace(b'"> 90"', b'"> 80"'))
    (tmp_path / "longer.toml").write_bytes(SHIPPED + b"# more\n")
    (tmp_path / "new.toml").write_bytes(version(7, "2030-01-01"))
    (tmp_path / "wrong.toml").write_bytes(b"x = 1")
    line = SHIPPED.decode().splitlines().index('accept   = "> 90"') + 1
    assert compared() == {
        "edited.toml": f"line {line} differs from UC-MSC-REL v1",
        "longer.toml": f"line {len(SHIPPED.splitlines()) + 1} differs from UC-MSC-REL v1",
        "new.toml": "UC-MSC-REL v7 is not imported",
        "same.toml": "the same",
        "wrong.toml": "not a specification; see batchqc spec lint",
    }
    with house.reading() as session:
        assert compare_folder(session, house.archive, None) == []


def test_who_imported_may_not_approve(house: House):
    draft_in_review(house, version(2, "2026-06-10"), "v2.toml")
    seen = see_impact(house, NAME, 2)
    tamper(house.engine, "UPDATE specification_version SET author = 'qa2' WHERE version = 2")
    with pytest.raises(Conflict) as refusal:
        approve(house, 2, seen, by=QA2)
    assert refusal.value.code == "BQC-SPC-004"
