"""What the registers of the laboratory say against a measurement, and what they do not look at."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from batchqc.core.laboratory import Done, Doubt, Laboratory, Register, Rule, Span
from batchqc.core.methods import Method

DAY = date(2026, 3, 21)
DONE = Done("VCB-001", "jdoe", "SOP-1", "3", DAY)
FINE = Laboratory(
    rules=dict.fromkeys(Register, Rule.FLAG),
    instruments={"vcb-001": [Span(date(2026, 1, 1), DAY)]},
    training={("jdoe", "SOP-1"): [Span(DAY, date(2027, 1, 1))]},
    methods=(Method("SOP-1", "3", "T", date(2026, 1, 1), (), ""),),
    contractors=frozenset({"extlab"}),
)


def said(laboratory: Laboratory = FINE, **changes: object) -> list[tuple[Doubt, str]]:
    return list(laboratory.doubts(replace(DONE, **changes)))  # type: ignore[arg-type]


def only(*registers: Register) -> Laboratory:
    return replace(FINE, rules=dict.fromkeys(registers, Rule.REFUSE))


@pytest.mark.requirement("1.08")
@pytest.mark.parametrize(
    ("changes", "doubt", "words"),
    [
        ({"instrument": ""}, Doubt.UNKNOWN_INSTRUMENT, "no instrument is stated"),
        ({"instrument": "VCB-2"}, Doubt.UNKNOWN_INSTRUMENT, "was not in the register on 2026-03"),
        ({"day": DAY + timedelta(days=1)}, Doubt.OVERDUE, "was due on 2026-03-21; it measured on"),
        ({"analyst": "ana"}, Doubt.NOT_TRAINED, "ana was not trained for SOP-1 on 2026-03-21"),
        ({"version": "4"}, Doubt.METHOD, "4"),
        ({"method": "SOP-2"}, Doubt.METHOD, "no version of SOP-2 is approved"),
    ],
)
def test_each_register_says_what_it_misses(changes: dict[str, object], doubt: Doubt, words: str):
    found = dict(said(**changes))
    assert words in found[doubt]


def test_what_every_register_knows_has_no_doubt():
    assert said() == []


def test_training_that_has_expired_is_told_with_its_last_day():
    later = date(2027, 1, 2)
    assert FINE.untrained("jdoe", "SOP-1", later, what="the measurement") == (
        "the training of jdoe for SOP-1 expired on 2027-01-01; the measurement is of 2027-01-02"
    )


def test_a_method_whose_document_is_damaged_is_doubted():
    damaged = replace(FINE.methods[0], damage="its file is damaged")
    assert said(replace(FINE, methods=(damaged,))) == [(Doubt.METHOD, "its file is damaged")]


def test_a_contract_laboratory_answers_for_its_own_staff_and_instruments():
    foreign = {"analyst": "extlab", "instrument": "THEIRS", "version": "9"}
    assert doubts(said(**foreign)) == [Doubt.METHOD]


@pytest.mark.parametrize(
    ("register", "doubt"),
    [
        (Register.INSTRUMENTS, Doubt.UNKNOWN_INSTRUMENT),
        (Register.TRAINING, Doubt.NOT_TRAINED),
        (Register.METHODS, Doubt.METHOD),
    ],
)
def test_a_register_that_is_off_is_not_looked_at(register: Register, doubt: Doubt):
    wrong = {"instrument": "THEIRS", "analyst": "nobody", "version": "9"}
    assert doubts(said(only(register), **wrong)) == [doubt]
    assert said(only(), **wrong) == []


def doubts(found: Iterable[tuple[Doubt, str]]) -> list[Doubt]:
    return [doubt for doubt, _ in found]
