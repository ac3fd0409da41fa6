"""The lot on its control charts, frozen with its decision, on both databases."""

import pytest

from batchqc.actions import certificate_trends
from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.core.certificate_parts import TrendPart
from batchqc.records.trends import limit_sets_of
from tests.actions.correcting import decide, request
from tests.actions.test_trends import OF, approve, look, make, propose
from tests.records.house import LOT, PRODUCT, House

BEFORE = -8
NUMBER = "COA-2026-000001"
NAMES = [f"TRD-26-{number:03d}" for number in range(BEFORE, 0)]


def frozen(house: House) -> dict[str, TrendPart]:
    """The charts of the certificate of the lot, which is made ready and released, by criterion."""
    house.ready()
    return charts(house)


def charts(house: House) -> dict[str, TrendPart]:
    """The same of a lot that is ready."""
    house.release()
    with house.reading() as session:
        content = content_of_certificate(house.archive, the_certificate(session, NUMBER))
    return {one["criterion"]: one for one in content["trends"]}


def values(part: TrendPart) -> list[str]:
    return [one["qualifier"] + one["value"] for one in part["points"]]


def test_viability_and_potency_are_charted_and_nothing_else(house: House):
    found = frozen(house)
    assert list(found) == ["viability", "pbmc-inhibition", "ido"]
    for part in found.values():
        (point,) = part["points"]
        assert (point["lot"], point["manufactured_on"]) == (LOT, "2025-05-19")
        assert part["limits"] is None
        assert part["said"] == "No control limits are approved for this series."
    assert values(found["viability"]) == ["93.40"]


@pytest.mark.requirement("9.04")
def test_the_lot_is_the_last_of_its_series_with_the_limits_that_were_approved(house: House):
    make(house, first=BEFORE)
    number = propose(house)  # the lot is there, and has no result yet
    approve(house, number)
    make(house, ["60", "61"], first=0)  # the same day with a later id, and a day later: not of it
    part = frozen(house)["viability"]
    assert [one["lot"] for one in part["points"]] == [*NAMES, LOT]
    assert values(part) == ["97", "97", "96", "98", "98", "98", "97", "89", "93.40"]
    limits = part["limits"]
    assert limits
    assert part["said"] == ""
    with house.reading() as session:
        ((row, _),) = limit_sets_of(session, PRODUCT)
        assert (limits["limit_set"], limits["sha256"]) == (number, row.content_sha)
    own = look(house).by_lot[LOT]
    assert own.by == f"limit set {number}"
    lines = [float(limits[name]) for name in ("lower", "centre", "upper")]
    assert lines == [own.lower, own.centre, own.upper]
    assert limits["n"] == 8


def test_a_proposal_gives_no_limits_nor_does_a_set_that_knew_the_lot(house: House):
    make(house, first=BEFORE)
    house.ready()
    propose(house, until=NAMES[-1])
    approve(house, propose(house))  # the second was made with the lot itself
    part = charts(house)["viability"]
    assert part["limits"] is None
    assert part["said"] == "No approved control limits hold for this lot."
    assert look(house).by_lot[LOT].by == "self-starting"


def test_what_is_frozen_is_what_the_page_of_the_trend_says_of_that_phase(house: House):
    make(house, ("97", "96"), first=BEFORE)
    part = frozen(house)["viability"]
    trend = look(house)
    phase = next(one for one in trend.phases if one.has(LOT))
    assert [one["lot"] for one in part["points"]] == [one.lot for one in phase.lots]


def test_of_a_longer_series_than_is_read_it_is_not_said_that_no_limits_hold(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    make(house, first=BEFORE)
    approve(house, propose(house))
    house.ready()
    monkeypatch.setattr(certificate_trends, "FAR", 4)
    part = charts(house)["viability"]
    assert look(house).by_lot[LOT].by == "limit set 1"  # as the page of the trend says
    assert (len(part["points"]), part["limits"]) == (4, None)
    assert part["said"] == (
        "The series is longer than is looked at here: see its page for control limits."
    )


def test_a_lot_whose_date_was_corrected_stands_where_the_page_of_the_trend_has_it(house: House):
    make(house, ("97", "96"), first=1)  # made after the lot, as they were registered
    decide(house, request(house, "lot:TRD-26-001", "manufactured_on", "2025-05-18"))
    part = frozen(house)["viability"]
    assert [one.lot.lot for one in look(house).lots] == ["TRD-26-001", LOT, "TRD-26-002"]
    assert [one["lot"] for one in part["points"]] == ["TRD-26-001", LOT]


def test_a_series_that_cannot_be_read_is_told_and_stops_no_decision(house: House):
    make(house, first=BEFORE)
    approve(house, propose(house, until=NAMES[-1]))
    house.ready()
    with house.reading() as session:
        ((row, _),) = limit_sets_of(session, OF.product)
        path = house.archive.path_of(row.content_sha)
    path.chmod(0o600)
    path.write_bytes(b"{}")
    decided = charts(house)["viability"]
    assert decided["points"] == []
    assert decided["said"].startswith("The series cannot be looked at: ")
