"""Method files: what is read, and everything wrong at once."""

from datetime import date
from decimal import Decimal

import pytest

from batchqc.core.acceptance import Words
from batchqc.documents.method_file import read_method
from tests.plates import method_file

GOOD = """schema = "batchqc/method/1"
id = "SOP-QC-040"
version = 4
title = "Endotoxin, kinetic chromogenic"
effective = 2025-01-01

[vocabularies.call]
version = 1
positive = ["pos"]
negative = []

[validity.recovery]
result_type = "control"
analyte = "endotoxin"
aliquot = "PPC"
unit = "%"
accept = "50 to 200"

[validity.curve]
result_type = "standard"
analyte = "r"
unit = "1"
accept = ">= 0.98"
required = false

[validity.positive]
result_type = "control"
analyte = "call"
vocabulary = "call"
accept = "positive"

[validity.replicates]
analyte = "endotoxin"
max_cv = "25"
"""


def test_a_method_is_read_whole():
    found = read_method(GOOD.encode(), file="m.toml")
    assert found.problems == ()
    method = found.method
    assert method is not None
    assert (method.reference, method.effective) == ("SOP-QC-040 v4", date(2025, 1, 1))
    recovery, curve, positive, replicates = method.validity
    assert (recovery.aliquot, recovery.unit, recovery.acceptance) == ("PPC", "%", "50 to 200 %")
    assert (curve.required, curve.result_type) == (False, "standard")
    assert isinstance(positive.accept, Words)
    assert (replicates.max_cv, replicates.accept) == (Decimal(25), None)


def test_a_version_is_stated_as_files_state_it():
    text = GOOD.replace("version = 4", 'version = "2.1"')
    method = read_method(text.encode(), file="m.toml").method
    assert method is not None
    assert method.version == "2.1"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("batchqc/method/1", "batchqc/method/2", "expected schema"),
        ('id = "SOP-QC-040"', 'id = "SOP 40"', "id:"),
        ("version = 4", "version = 0", "expected what files state"),
        ("version = 4", "version = true", "expected what files state"),
        ("version = 4", "version = 1.5", "expected what files state"),
        ("effective = 2025-01-01", 'effective = "soon"', "expected a date"),
        ('"50 to 200"', '"200 to 50"', "impossible"),
        ('"50 to 200"', '"good"', "expected limits"),
        ('"50 to 200"', "50.5", "expected limits"),
        ('unit = "%"\n', "", "expected a unit"),
        ('unit = "%"', 'unit = "furlong"', "unit:"),
        ('result_type = "standard"', 'result_type = "reportable"', "expected one of"),
        ('result_type = "standard"\n', "", "result_type"),
        ('accept = "positive"', 'accept = "maybe"', "is not one of"),
        ('vocabulary = "call"', 'vocabulary = "other"', "not in [vocabularies]"),
        ('max_cv = "25"', 'max_cv = "-1"', "above 0"),
        ('max_cv = "25"', "max_cv = 25", "above 0"),
        ('max_cv = "25"', 'max_cv = "25"\naccept = "> 1"', "remove this key"),
        ('analyte = "r"', 'analyte = ""', "analyte"),
        ("required = false", 'required = "no"', "true or false"),
        ('aliquot = "PPC"', 'aliqout = "PPC"', "unknown key"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, said: str):
    assert old in GOOD
    found = read_method(GOOD.replace(old, new).encode(), file="m.toml")
    assert found.method is None
    assert any(said in str(problem) for problem in found.problems), found.problems


def test_all_problems_come_at_once_and_no_bytes_crash_it():
    twice = GOOD.replace('"50 to 200"', '"x"').replace("version = 4", "version = -1")
    assert len(read_method(twice.encode(), file="m.toml").problems) == 2
    for data in (b"", b"\xff", b"[validity]\nx = 1", b'validity = "x"', b"a = 1e999999999999"):
        assert read_method(data, file="m.toml").method is None


ANALYSIS = method_file().decode()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('model = "4PL"', 'model = "6PL"', "analysis.model: expected one of"),
        ("decimals = 1", 'decimals = "1"', "analysis.decimals: expected a whole number from 0"),
        ("decimals = 1", "", "analysis.decimals: expected a whole number from 0"),
        ('assigned = "100"', 'assigned = "0"', "analysis.assigned: expected a number above 0"),
        ('assigned = "100"', "assigned = 100", "analysis.assigned: expected a number above 0"),
        ('reference = "RS-01"', 'reference = "a;b"', "analysis.reference: expected one line"),
        ('doses = ["1", ', 'doses = ["3", ', "analysis.doses: expected at least two different"),
        ('doses = ["1", ', 'doses = ["-1", ', "analysis.doses: expected a number of 0 or more"),
        ("replicates = 3", "replicates = 0", "analysis.replicates: expected a whole number"),
        ('"ratio of span" =', '"ratio of spin" =', "analysis.bounds.ratio of spin: no measure"),
        ('"0.8 to 1.25"', '"1.25 to 0.8"', "expected a range"),
        ('"0.8 to 1.25"', '"<0.8 to 1.25"', "expected a range"),
        ('"r squared" = ">= 0.98"', '"r squared" = "good"', "expected limits as text"),
        ('"r squared" = ">= 0.98"', '"p" = ">= 0.98"', "analysis.suitability.p: 4PL computes: "),
        ("replicates = 3", "replicates = 3\nruns = 3", "analysis.combination: say how"),
        ("replicates = 3", 'replicates = 3\nruns = 3\ncombination = "one run"',
         'analysis.combination: "one run" is not for 3 runs'),
        ("replicates = 3", 'replicates = 3\nconfidence = "0.5"', "analysis.confidence: expected"),
        ("replicates = 3", 'replicates = 3\ntolerance = "0.1"', "analysis.tolerance: expected"),
        ("replicates = 3", 'replicates = 3\nlink = "logit"', "has none: remove this key"),
        ("replicates = 3", 'replicates = 3\nquantitation = ["1", "2"]', "only a standard curve"),
        ("replicates = 3", "replicates = 3\nper_million_cells = true", "of a standard curve"),
        ("replicates = 3", 'replicates = 3\ncolour = "red"', "analysis.colour: unknown key"),
        ('parallelism = "equivalence"', 'parallelism = "F test"', 'a limit to "non-parallelism p"'),
        ('parallelism = "equivalence"', "", "analysis.parallelism: expected one of"),
        ('model = "4PL"', 'model = "quantal"\nweights = "1/fitted"', "has equal weights"),
        ('model = "4PL"', 'model = "standard curve"', "a standard curve has none"),
        ('unit = "%"\ndecimals', 'unit = "smoots"\ndecimals', "analysis.unit: "),
        ('analyte = "inhibition"', 'analyte = "µ!"', "analysis.analyte: "),
    ],
)  # fmt: skip
def test_whatever_is_wrong_in_an_analysis_is_told_with_its_line(old: str, new: str, problem: str):
    assert old in ANALYSIS
    reading = read_method(ANALYSIS.replace(old, new, 1).encode(), file="m.toml")
    assert reading.method is None
    assert any(problem in str(one) for one in reading.problems), reading.problems
    assert all(one.line for one in reading.problems)


@pytest.mark.parametrize(
    ("limit", "is_one"),
    [(">= 0.05", True), ("0.05 to 1", True), ("<= 0.05", False), ("<= 1", False), (">= 0", False)],
)
def test_an_f_test_that_no_curves_could_fail_is_none(limit: str, is_one: bool):
    text = ANALYSIS.replace('parallelism = "equivalence"', 'parallelism = "F test"', 1)
    shown = f'"r squared" = ">= 0.98"\n"non-parallelism p" = "{limit}"'
    text = text.replace('"r squared" = ">= 0.98"', shown, 1)
    reading = read_method(text.encode(), file="m.toml")
    assert (reading.method is not None) is is_one, reading.problems
    assert is_one or any("from below and above 0" in str(one) for one in reading.problems)
    stored = read_method(text.encode(), file="m.toml", is_stored=True)  # it judged runs as it is
    assert stored.method is not None, stored.problems
    without = text.replace(f'"non-parallelism p" = "{limit}"', "")
    assert read_method(without.encode(), file="m.toml", is_stored=True).method is None


def test_a_stored_method_is_read_by_the_rules_of_its_day():
    text = ANALYSIS.replace('"0.8 to 1.25"', '"<0.8 to 1.25"').encode()
    assert read_method(text, file="m.toml").method is None
    assert read_method(text, file="m.toml", is_stored=True).method is not None


def test_an_analysis_is_a_table_with_limits():
    for text in ('analysis = "4PL"\n', "[analysis]\nsuitability = 1\nbounds = 1\n"):
        head = ANALYSIS[: ANALYSIS.index("[analysis]")]
        assert read_method((head + text).encode(), file="m.toml").method is None
