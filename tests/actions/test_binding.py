"""Which specifications judge a lot: of its market, of its product, at each stage."""

import pytest

from batchqc.actions.approval import approve_specification
from batchqc.actions.binding import bind
from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.registers import register_product
from batchqc.actions.specifications import the_version
from batchqc.core.permissions import Permission
from batchqc.core.verdicts import Outcome
from batchqc.errors import Conflict, InvalidInput
from batchqc.records.specifications import approval_of
from tests.actions.versions import (
    FOR_EU,
    LOOSER,
    NAME,
    STAGED,
    TODAY,
    approve,
    impact_of,
    lot_of_stages,
    refused,
    register,
    version,
    withdraw,
)
from tests.cast import TAKEN_AT
from tests.records.full_house import POST_THAW, THAWED_FROM
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PRODUCT,
    QA1,
    QA2,
    House,
    adopt,
    draft_in_review,
    good,
    see_impact,
    signing,
    table,
)


def test_a_market_has_its_own_specification_and_others_use_the_common_one(house: House):
    draft_in_review(house, version(2, "2020-01-01", FOR_EU, LOOSER), "eu.toml")
    with pytest.raises(InvalidInput) as early:
        register(house, "MSC-26-0034", MADE_ON, "EU")
    assert early.value.reasons == ('no specification of UC-MSC is for market "EU"',)
    approve(house, 2, see_impact(house, NAME, 2))
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
        key = {"product": PRODUCT, "market": "EU"}
        assert "release" not in bind(session, manufactured_on=TODAY, **key)
        assert "release" in bind(session, manufactured_on=MADE_ON, **key)


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
    house.hand_to_qa("MSC-26-0037")
    case = house.study("MSC-26-0037")
    closed = [gate.name for gate in case.gates if not gate.is_open]
    assert closed == [
        "Other stages", "QC review", "Investigations",
    ]  # fmt: skip
    (reason,) = case.facts.beside
    assert reason.startswith("FAIL: 79.0 % does not meet > 80 %; UC-MSC-THAW v1")
    viability = next(v for v in case.verdicts if v.criterion.id == "viability")
    assert viability.outcome is Outcome.PASS


def test_a_stage_is_judged_by_the_version_of_the_lots_market(house: House):
    """The market's own where it has one, the common one for every other lot."""
    eu = STAGED.replace(b"version = 1", b'version = 2\nmarket = "EU"').replace(b"> 80", b"> 85")
    adopt(house, version(2, "2020-01-01", FOR_EU))
    adopt(house, STAGED)
    adopt(house, eu)
    lot_of_stages(house, "post-thaw")
    lot_of_stages(house, "post-thaw", lot="MSC-26-0043", market="EU")
    bound = [
        [one.specification.reference for one in house.study(lot).beside]
        for lot in ("MSC-26-0042", "MSC-26-0043")
    ]
    assert bound == [["UC-MSC-STAGE v1"], ["UC-MSC-STAGE v2"]]
    assert house.study("MSC-26-0043").facts.specification_problem == ""


def test_products_are_kept_apart(house: House):
    """Another product's versions judge none of this one's lots, and impact counts none of them."""
    other = ('product   = "UC-MSC"', 'product   = "BM-MSC"')
    name = ('id        = "UC-MSC-REL"', 'id        = "BM-MSC-REL"')
    with house.acting(QA2, Permission.REGISTER_PRODUCT) as tx:
        register_product(tx, code="BM-MSC", name="Marrow MSC", form="Suspension", storage="cold")
    adopt(house, version(1, "2020-01-01", other, name, LOOSER))
    adopt(house, STAGED.replace(b"UC-MSC", b"BM-MSC"))
    register(house, "MSC-26-0044", THAWED_FROM)
    register(house, "MSC-26-0045", THAWED_FROM, product="BM-MSC")
    bound = {
        lot: [one.reference for one in house.study(lot).binding.versions]
        for lot in ("MSC-26-0044", "MSC-26-0045")
    }
    assert bound == {
        "MSC-26-0044": ["UC-MSC-REL v1"],
        "MSC-26-0045": ["BM-MSC-REL v1", "BM-MSC-STAGE v1"],
    }
    assert impact_of(house, version(2, "2099-01-01")).lots == 2
    assert impact_of(house, version(2, "2099-01-01", other, name)).lots == 1
    strict = version(3, "2020-06-01", other, name)
    draft_in_review(house, strict, "strict.toml")
    told = refused("BQC-SPC-013", house, "approve", 3, specification="BM-MSC-REL",
                   impact=see_impact(house, "BM-MSC-REL", 3))  # fmt: skip
    assert told.reasons == (f"MSC-26-0045 of {THAWED_FROM}",)
