"""Cell banks, recipients, and what the genealogy says of a lot."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from batchqc.core.cell_banks import (
    BankKind,
    BankStatus,
    Parent,
    bank_problems,
    donors_of,
    donors_problem,
    parents_problems,
)
from batchqc.core.gates import Against
from batchqc.core.genealogy_gate import NO_BANK, Descent, Grown, against_descent
from batchqc.core.laboratory import Rule
from batchqc.core.look_backs import SOURCES
from batchqc.core.quantities import Interval
from batchqc.core.recipients import pseudonym_problem

DAY = date(2025, 3, 1)
DONATION = Parent("donation:G-1", "donation", date(2025, 1, 1), donors=frozenset({"D-1"}))
OTHER = replace(DONATION, node="donation:G-2", donors=frozenset({"D-2"}))
MASTER = Parent("cell_bank:M-1", "MCB", date(2025, 2, 1), date(2027, 1, 1), donors=DONATION.donors)


def told(kind: BankKind, *parents: Parent, made_on: date = DAY, is_pool: bool = False) -> list[str]:
    return list(bank_problems(kind, made_on, parents, is_pool=is_pool))


@pytest.mark.requirement("6.12")
def test_a_master_bank_is_of_donations_and_a_working_bank_of_a_master_bank():
    assert told(BankKind.MASTER, DONATION) == []
    assert told(BankKind.WORKING, MASTER) == []
    assert told(BankKind.INTERMEDIATE, MASTER) == []
    assert told(BankKind.WORKING, DONATION) == [
        "donation:G-1 is a donation; a bank of kind WCB is made of: MCB"
    ]


@pytest.mark.requirement("8.10")
def test_donors_are_mixed_only_in_a_bank_that_is_declared_a_pool():
    assert told(BankKind.MASTER, DONATION, OTHER) == [
        "it mixes donors (D-1, D-2) and is not declared a pool"
    ]
    assert told(BankKind.MASTER, DONATION, OTHER, is_pool=True) == []
    assert told(BankKind.MASTER, DONATION, is_pool=True) == [
        "a pool is made of two parents or more, or of one that is of several donors"
    ]
    assert donors_of([DONATION, OTHER]) == {"D-1", "D-2"}
    assert donors_of([]) == frozenset()


def test_dates_that_cannot_be_are_told_all_at_once():
    early = date(2024, 12, 31)
    assert list(parents_problems(early, [DONATION, MASTER])) == [
        "it was made on 2024-12-31, before donation:G-1, which is of 2025-01-01",
        "it was made on 2024-12-31, before cell_bank:M-1, which is of 2025-02-01",
    ]
    late = replace(MASTER, status=BankStatus.QUARANTINED)
    assert list(parents_problems(date(2027, 1, 2), [late])) == [
        "it was made on 2027-01-02; cell_bank:M-1 expired on 2027-01-01",
        "cell_bank:M-1 is quarantined",
    ]
    assert list(parents_problems(date(2027, 1, 1), [MASTER])) == []
    assert list(parents_problems(MASTER.made_on, [MASTER])) == []


def test_a_donor_of_another_lot_is_told_with_both_lists():
    assert donors_problem(["D-1"], ["D-1"]) is None
    assert donors_problem(["D-3", "D-1"], ["D-2", "D-1"]) == (
        "it names the donors D-1, D-3; its banks are of D-1, D-2"
    )


LOT = Descent(DAY, frozenset({"D-1"}))
OF_BANK = replace(LOT, parents=(MASTER,), has_bank=True, evidence=("cell_bank:M-1",))


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (Rule.OFF, Against()),
        (Rule.FLAG, Against(remarks=(NO_BANK,))),
        (Rule.REFUSE, Against(stops=(NO_BANK,))),
    ],
)
def test_a_lot_without_a_bank_is_what_the_rule_says(rule: Rule, found: Against):
    assert against_descent(LOT, rule) == found
    assert against_descent(OF_BANK, rule) == Against(evidence=("cell_bank:M-1",))


@pytest.mark.parametrize("rule", list(Rule))
def test_what_contradicts_stops_a_lot_under_every_rule(rule: Rule):
    wrong = replace(
        OF_BANK, made_on=date(2025, 1, 31), donors=frozenset({"D-9"}), doubted=("look-back",)
    )
    assert against_descent(wrong, rule).stops == (
        "it was made on 2025-01-31, before cell_bank:M-1, which is of 2025-02-01",
        "it names the donors D-9; its banks are of D-1",
        "look-back",
    )


@pytest.mark.requirement("6.09")
def test_doublings_above_the_declared_maximum_are_remarked_on():
    def said(level: Interval | None, maximum: str) -> tuple[str, ...]:
        grown = replace(OF_BANK, grown=(Grown("lot:L-1", level, maximum),))
        found = against_descent(grown, Rule.REFUSE)
        assert found.stops == ()
        return found.remarks

    level = Interval.exactly(Fraction(21))
    assert said(level, "21") == said(level, "") == ()
    assert said(level, "20") == (
        "cumulative doublings of lot:L-1: 21, above the declared maximum 20",
    )
    (unknown,) = said(None, "20")
    assert unknown.endswith("not known, which cannot be compared with the declared maximum 20")


@pytest.mark.requirement("10.07")
@pytest.mark.parametrize("text", ["CH01-001", "ch01-S-012", "CH01-A1-7", "CH01-12345"])
def test_pseudonyms_of_a_site_are_taken(text: str):
    assert pseudonym_problem(text, site="CH01") is None


@pytest.mark.requirement("10.07")
@pytest.mark.parametrize(
    "text",
    [
        "CH01-SMITH-01", "CH01-Jane", "CH01-JS-19800517", "CH01-1980-05-17", "CH01-17-5-80",
        "CH01-170580", "CH01-JS", "CH01-", "CH01", "ZH02-001", "Jane Smith", "CH01-001 ", "",
        "CH01-0\u0661", "CH01-a b1", "CH01-" + "1" * 11,
    ],
)  # fmt: skip
def test_what_looks_like_a_name_or_a_birth_date_is_refused(text: str):
    assert pseudonym_problem(text, site="CH01") is not None


def test_a_look_back_begins_from_a_source_of_cells():
    assert "lot" not in SOURCES
    assert {"donor", "donation", "donation_pool", "cell_bank"} == SOURCES
