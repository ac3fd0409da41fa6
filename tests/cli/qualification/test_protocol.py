"""The protocol fails closed: what nobody does, what breaks, and what is missing is no pass."""

from pathlib import Path

import pytest

from batchqc.cli.qualification import cases, place, software, vectors
from batchqc.cli.qualification.backups import Backups
from batchqc.cli.qualification.lots import Lots
from batchqc.cli.qualification.protocol import (
    Check,
    Outcome,
    Result,
    counted,
    data_of,
    held,
    is_first_of,
    not_tested,
    perform,
    protocol,
    sections,
)
from batchqc.cli.qualification.report import because, is_qualified, trace
from batchqc.cli.qualification.rights import Rights
from batchqc.cli.qualification.scratch import Scratch
from batchqc.cli.qualification.sealed import Sealed
from batchqc.cli.qualification.signing import Signing
from batchqc.cli.qualification.trail import Trail
from batchqc.core import acceptance
from batchqc.core.quantities import Interval
from batchqc.core.rounding import passing_interval
from batchqc.settings import requirements, shipped_cases

CHECKS = protocol()
GOOD = Result(CHECKS[0], held(True, "well"))
NAMED = {
    "IQ-SW": software.doings,
    "IQ-IN": lambda: place.doings(None) | Scratch(None, "").doings(),  # type: ignore[arg-type]
    "OQ-GV": vectors.doings,
    "OQ-LO": lambda: Lots(None).doings(),  # type: ignore[arg-type]
    "OQ-PE": lambda: Rights(None).doings(),  # type: ignore[arg-type]
    "OQ-SG": lambda: Signing(None).doings(),  # type: ignore[arg-type]
    "OQ-AU": lambda: Trail(None).doings(),  # type: ignore[arg-type]
    "OQ-CE": lambda: Sealed(None).doings(),  # type: ignore[arg-type]
    "OQ-BA": lambda: Backups(None).doings(),  # type: ignore[arg-type]
    "OQ-ST": lambda: cases.doings(CHECKS),
}


def done(name: str) -> Result:
    (check,) = (one for one in CHECKS if one.id == name)
    (result,) = perform([check], vectors.doings())
    return result


@pytest.mark.parametrize("section", sections())
def test_every_check_of_a_section_is_done_by_it_and_nothing_else_is(section: str):
    assert set(NAMED[section]()) == {one.id for one in CHECKS if one.section == section}


@pytest.mark.requirement("1.81")
def test_every_check_proves_requirements_that_exist():
    known = requirements()
    assert all(one.requirements for one in CHECKS)
    assert {name for one in CHECKS for name in one.requirements} <= known.keys()
    assert {one.section for one in CHECKS} == set(sections())


def test_every_case_is_computed_by_one_check():
    names = [path.stem for path in shipped_cases().glob("*.json")]
    assert len(names) > 40
    for name in names:
        assert sum(is_first_of(name, one, CHECKS) for one in CHECKS) == 1, name


@pytest.mark.requirement("12")
@pytest.mark.parametrize("name", [one.id for one in CHECKS if one.section == "OQ-GV"])
def test_the_golden_vectors_hold(name: str):
    assert done(name).finding.outcome is Outcome.PASS


@pytest.mark.requirement("1.80")
def test_a_limit_that_takes_its_own_value_in_is_found(monkeypatch: pytest.MonkeyPatch):
    def closed(*arguments: object) -> Interval:
        one = passing_interval(*arguments)  # type: ignore[arg-type]
        return Interval(one.low, one.high, low_closed=True, high_closed=True)

    monkeypatch.setattr(acceptance, "passing_interval", closed)
    assert done("OQ-GV-04").finding.outcome is Outcome.FAIL
    assert "90.0 against > 90: expected FAIL, observed PASS" in done("OQ-GV-04").finding.observed


def test_a_check_that_nobody_does_or_that_breaks_has_failed():
    def breaks() -> None:
        raise RuntimeError("no such column")

    check = Check("IQ-XX-01", "IQ-XX", "A check", ("1.80",), "Nothing.", "Something.")
    (nobody,) = perform([check], {})
    (broken,) = perform([check], {"IQ-XX-01": breaks})  # type: ignore[dict-item]
    assert (nobody.finding.outcome, broken.finding.outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert "no such column" in broken.finding.observed


def test_nothing_compared_is_no_pass():
    assert counted([]).outcome is Outcome.FAIL
    assert counted([("a", "1", "2")]).outcome is Outcome.FAIL
    assert counted([("a", "1", "1")]).outcome is Outcome.PASS


@pytest.mark.parametrize("other", [held(False, "badly"), not_tested("no wheel")])
def test_one_check_that_failed_or_was_not_done_leaves_the_whole_unqualified(other):
    results = [GOOD, Result(CHECKS[1], other)]
    assert not is_qualified(results)
    assert CHECKS[1].id in because(results)
    outcomes = {one["outcome"] for one in trace(results) if CHECKS[1].id in one["checks"]}
    assert outcomes == {other.outcome.value}
    assert is_qualified([GOOD])
    assert not is_qualified([])


def test_evidence_is_known_by_its_hash():
    changed = Result(CHECKS[0], held(True, "well", {"mode": "0644"}))
    other = Result(CHECKS[0], held(True, "well", {"mode": "0666"}))
    assert changed.evidence_sha256 != other.evidence_sha256


def test_the_vectors_are_not_fewer_than_they_were():
    found = data_of("vectors")
    tables = ("usp", "ph-eur", "astm", "absolute", "censored", "no-numbers")
    assert [len(found[one]["rows"]) for one in tables] >= [20, 3, 7, 12, 12, 14]
    assert Path(shipped_cases()).is_dir()
