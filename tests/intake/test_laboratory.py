"""Rows against the registers of the laboratory: refused, told, or not looked at."""

from dataclasses import replace
from datetime import date

import pytest

from batchqc.core.laboratory import Laboratory, Register, Rule, Span, span_on
from batchqc.core.methods import Method
from batchqc.intake.contract import Reading, read_bytes
from tests.cast import register
from tests.intake.files import UPLOAD, file, found

DAY = date(2026, 3, 21)
FINE = Laboratory(
    rules=dict.fromkeys(Register, Rule.REFUSE),
    instruments={"vcb-001": [Span(date(2026, 1, 1), DAY)]},
    training={("jdoe", "SOP-QC-014"): [Span(DAY, date(2027, 1, 1))]},
    methods=(Method("SOP-QC-014", "3", "T", date(2026, 1, 1), (), ""),),
    contractors=frozenset({"extlab"}),
)
ALL = (Register.INSTRUMENTS, Register.TRAINING, Register.METHODS)


def reading(laboratory: Laboratory, **cells: str) -> Reading:
    world = replace(register(None), laboratory=laboratory)
    return read_bytes(file(cells), lambda _: world, upload=UPLOAD)


@pytest.mark.requirement("1.08")
def test_what_the_registers_know_is_taken():
    assert reading(FINE).problems == ()
    assert reading(FINE, instrument_id="vcb-001", method_id="").accepted


CASES = [
    ({"instrument_id": "VCB-002"}, "701", "instrument_id"),
    ({"instrument_id": ""}, "701", "instrument_id"),
    ({"measured_at": "2026-03-22T10:00:00-05:00"}, "702", "instrument_id"),
    ({"measured_at": "2026-03-20T10:00:00-05:00"}, "703", "analyst"),
    ({"analyst": "asmith"}, "703", "analyst"),
    ({"method_id": "SOP-QC-014 v4"}, "704", "method_id"),
    ({"measured_at": "2025-12-31T10:00:00-06:00"}, "704", "method_id"),
]


@pytest.mark.requirement("1.08")
@pytest.mark.requirement("11.03")
@pytest.mark.parametrize(("cells", "code", "column"), CASES)
def test_what_a_register_says_no_to_is_refused_flagged_or_not_looked_at(
    cells: dict[str, str], code: str, column: str
):
    refused = reading(FINE, **cells)
    assert not refused.accepted
    assert (f"E{code}", 2, column) in found(refused.problems)
    flagged = reading(replace(FINE, rules=dict.fromkeys(Register, Rule.FLAG)), **cells)
    assert flagged.accepted
    assert (f"W{code}", 2, column) in found(flagged.problems)
    assert all(one.message and one.hint for one in (*refused.problems, *flagged.problems))
    assert reading(replace(FINE, rules={}), **cells).problems == ()
    assert reading(replace(FINE, rules=dict.fromkeys(Register, Rule.OFF)), **cells).accepted


def test_every_register_has_its_own_rule_and_everything_is_told_at_once():
    wrong = {"instrument_id": "X-1", "analyst": "asmith", "method_id": "SOP-QC-014 v9"}
    codes = {Register.INSTRUMENTS: "E701", Register.TRAINING: "E703", Register.METHODS: "E704"}
    for one in ALL:
        problems = reading(replace(FINE, rules={one: Rule.REFUSE}), **wrong).problems
        assert [problem.code for problem in problems] == [codes[one]]
    assert {one.code for one in reading(FINE, **wrong).problems} == set(codes.values())


def test_a_control_row_is_held_against_the_registers_too():
    assert not reading(FINE, result_type="control", instrument_id="X-1").accepted


def test_a_method_without_an_approved_version_is_refused():
    (problem,) = reading(replace(FINE, methods=())).problems
    assert problem.message == "no version of SOP-QC-014 is approved"


def test_a_method_whose_document_is_damaged_is_not_in_force():
    (fine,) = FINE.methods
    (problem,) = reading(replace(FINE, methods=(replace(fine, damage="damaged"),))).problems
    assert (problem.code, problem.message) == ("E704", "damaged")


def test_an_expired_training_is_no_training():
    late = {("jdoe", "SOP-QC-014"): [Span(date(2025, 1, 1), date(2026, 3, 20))]}
    (problem,) = reading(replace(FINE, training=late)).problems
    assert problem.code == "E703"
    assert "expired on 2026-03-20" in problem.message


def test_the_staff_of_a_contract_laboratory_stands_in_no_register_of_the_site():
    assert reading(FINE, analyst="extlab", instrument_id="THEIRS-1").problems == ()
    assert not reading(FINE, analyst="extlab", method_id="SOP-QC-014 v9").accepted


def test_the_newest_row_that_had_begun_counts():
    first = Span(date(2026, 1, 1), date(2026, 6, 30))
    second = Span(date(2026, 7, 10), date(2027, 1, 1))
    rows = [first, second]
    assert span_on(rows, date(2026, 7, 5)) == first  # overdue: the second came too late
    assert span_on(rows, date(2026, 7, 10)) == second
    assert span_on(rows, date(2025, 12, 31)) is None
    corrected = [*rows, Span(date(2026, 1, 1), date(2026, 3, 1))]
    assert span_on(corrected, date(2026, 7, 20)) == corrected[-1]
