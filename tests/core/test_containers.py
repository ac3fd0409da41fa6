"""Containers: which status follows which, what is left, and what may leave."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from batchqc.core.containers import (
    BY_HAND,
    LEFT,
    NEXT,
    ContainerStatus,
    LotLabel,
    inventory_of,
    leaving_problems,
    move_problem,
    shipping_problems,
)

# Written by hand from what happens to a vial; not derived from the table in the code.
MOVES = {
    "in storage": "quarantined thawed broken shipped destroyed tested",
    "quarantined": "storage broken destroyed tested",
    "thawed": "administered broken destroyed tested",
    "broken": "destroyed",
    "shipped": "thawed broken administered returned destroyed",
    "administered": "",
    "returned": "quarantined broken destroyed",
    "destroyed": "",
    "used for testing": "",
}
SHORT = {"storage": "in storage", "tested": "used for testing"}
TODAY = date(2026, 6, 1)
LABEL = LotLabel("L-1", "released", (), TODAY)


@pytest.mark.requirement("2.42")
def test_every_status_leads_where_it_may_and_nowhere_else():
    assert set(MOVES) == {one.value for one in ContainerStatus}
    for now in ContainerStatus:
        may = {SHORT.get(one, one) for one in MOVES[now].split()}
        for to in ContainerStatus:
            assert (move_problem("V-1", now, to) is None) == (to.value in may), (now, to)


def test_nothing_leads_back_from_what_was_given_or_destroyed():
    for one in (ContainerStatus.ADMINISTERED, ContainerStatus.DESTROYED):
        assert not NEXT[one]
        said = move_problem("V-1", one, ContainerStatus.IN_STORAGE)
        assert said == f"V-1 is {one}, not to become in storage; nothing leads on from there"
    said = move_problem("V-1", ContainerStatus.BROKEN, ContainerStatus.SHIPPED)
    assert said == "V-1 is broken, not to become shipped; it can become: destroyed"
    assert ContainerStatus.SHIPPED not in BY_HAND


def test_a_lot_is_depleted_when_nothing_of_it_is_left_at_the_site():
    assert not inventory_of([]).is_depleted
    assert inventory_of([ContainerStatus.SHIPPED, ContainerStatus.DESTROYED]).is_depleted
    for one in LEFT:
        assert not inventory_of([ContainerStatus.SHIPPED, one]).is_depleted
    found = inventory_of([ContainerStatus.THAWED] * 2 + [ContainerStatus.IN_STORAGE])
    assert list(found.counts.items()) == [
        (ContainerStatus.IN_STORAGE, 1), (ContainerStatus.THAWED, 2),
    ]  # fmt: skip


def shipping(label: LotLabel, site: str = "CH") -> list[str]:
    return list(shipping_problems(label, site=site, today=TODAY))


@pytest.mark.requirement("2.42")
@pytest.mark.parametrize("disposition", ["quarantine", "rejected", "recalled", "destroyed", ""])
def test_a_container_of_a_lot_that_is_not_released_does_not_leave(disposition: str):
    label = LotLabel("L-1", disposition, ("look-back", "QA"), TODAY - timedelta(days=1))
    assert shipping(label) == [
        f"lot L-1 is {disposition}, not released",
        "lot L-1 is on hold: look-back",
        "lot L-1 is on hold: QA",
        "lot L-1 expired on 2026-05-31",
    ]


def test_a_released_lot_leaves_to_its_last_day_and_a_conditional_one_to_listed_sites():
    assert shipping(LABEL) == []
    for sites, goes in ((None, False), (frozenset(), False), (frozenset({"CH"}), True)):
        label = LotLabel("L-1", "conditionally released", (), TODAY, sites)
        assert (shipping(label) == []) is goes
    assert shipping(LotLabel("L-1", "conditionally released", (), TODAY, frozenset({"ZH"}))) == [
        "lot L-1 is conditionally released, and CH is not on its list of sites"
    ]


@pytest.mark.requirement("2.25")
def test_a_conditional_lot_leaves_until_the_day_on_which_a_result_is_due():
    label = LotLabel("L-1", "conditionally released", (), TODAY, frozenset({"CH"}))
    assert shipping(replace(label, due=(("sterility", TODAY),))) == []
    yesterday = TODAY - timedelta(days=1)
    assert shipping(replace(label, due=(("gram", TODAY), ("sterility", yesterday)))) == [
        "lot L-1 is conditionally released, and sterility was due on 2026-05-31: decide anew"
    ]


@pytest.mark.requirement("2.20")
def test_a_certified_lot_leaves_after_its_transfer_to_stock():
    assert shipping(replace(LABEL, waits_for_transfer=True)) == [
        "lot L-1 is certified, and not transferred to saleable stock yet"
    ]


def test_a_container_leaves_from_storage_before_its_own_expiry():
    def leaving(status: ContainerStatus, expires_on: date) -> list[str]:
        return list(leaving_problems("V-1", status, expires_on=expires_on, today=TODAY))

    assert leaving(ContainerStatus.IN_STORAGE, TODAY) == []
    assert len(leaving(ContainerStatus.QUARANTINED, TODAY - timedelta(days=1))) == 2


@pytest.mark.requirement("2.20")
@pytest.mark.parametrize("lacks", [True, False])
def test_nothing_leaves_without_the_certification_that_is_asked_for_now(*, lacks: bool):
    label = LotLabel("L", "released", (), date(2030, 1, 1), lacks_certification=lacks)
    found = [*shipping_problems(label, site="S", today=date(2026, 1, 1))]
    assert [one[:36] for one in found] == ["lot L is released without the certif"] * lacks


@pytest.mark.requirement("2.24")
def test_doses_supplied_by_exception_leave_and_those_of_a_rejected_lot_do_not():
    assert shipping(replace(LABEL, disposition="supplied by exception")) == []
    assert shipping(replace(LABEL, disposition="rejected")) == ["lot L-1 is rejected, not released"]
    kept = LotLabel("L-1", "supplied by exception", ("late failure",), TODAY - timedelta(days=1))
    assert shipping(kept) == [
        "lot L-1 is on hold: late failure",
        "lot L-1 expired on 2026-05-31",
    ]
