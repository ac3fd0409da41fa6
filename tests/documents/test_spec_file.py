"""Specification files: what QA writes, and every mistake by its line."""

import re

import pytest

from batchqc.core.acceptance import ReportOnly, Words
from batchqc.core.rounding import Rounding
from batchqc.core.specifications import Stage
from batchqc.core.subjects import Aggregate, DonorFact, Measured
from batchqc.documents.spec_file import read_specification
from batchqc.documents.spec_toml import LARGEST_FILE
from batchqc.settings import bundled

SHIPPED = (bundled("specs") / "uc-msc" / "uc-msc-release-v1.toml").read_bytes()
HEAD = """schema = "batchqc/specification/1"
id = "X-REL"
version = 1
product = "X"
stage = "release"
title = "Release"
effective = 2026-01-15
rounding = "absolute"
"""
VIABILITY = """[criteria.viability]
title = "Viability"
category = "quantity"
test = "VIAB"
analyte = "viability"
method = "SOP-1"
unit = "%"
accept = "> 90"
"""


def problems(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    reading = read_specification(data, file="x.toml")
    assert (reading.specification is None) == bool(reading.problems)
    return [str(problem) for problem in reading.problems]


@pytest.mark.requirement("3.01")
def test_the_shipped_specification_says_what_the_demonstration_needs():
    reading = read_specification(SHIPPED, file="shipped.toml")
    found = reading.specification
    assert found is not None, reading.problems
    assert (found.reference, found.stage, found.rounding) == (
        "UC-MSC-REL v1", Stage.RELEASE, Rounding.ABSOLUTE,
    )  # fmt: skip
    limits = {one.id: one.acceptance for one in found.criteria}
    assert limits == {
        "cd73": ">= 95 %", "cd90": ">= 95 %", "cd105": ">= 95 %", "negative-panel": "<= 2 %",
        "viability": "> 90 %", "pbmc-inhibition": ">= 20 %", "ido": ">= 10.0 µmol/L",
        "endotoxin": "<= 1 EU/mL", "sterility": "no growth", "mycoplasma": "not detected",
        "donor-source": "umbilical cord or Wharton's jelly", "donor-eligibility": "eligible",
    }  # fmt: skip
    by_id = {one.id: one for one in found.criteria}
    assert by_id["pbmc-inhibition"].rounding is Rounding.USP
    assert by_id["viability"].rounding is Rounding.ABSOLUTE
    assert by_id["donor-source"].subject is DonorFact.TISSUE_SOURCE
    sterility = by_id["sterility"]
    assert isinstance(sterility.accept, Words)
    assert isinstance(sterility.subject, Measured)
    assert sterility.subject.planned_days == 14


def test_limits_keep_the_digits_of_their_text():
    reading = read_specification((HEAD + VIABILITY.replace("> 90", ">= 98.0")).encode(), file="x")
    assert reading.specification is not None
    (one,) = reading.specification.criteria
    assert str(one.accept.limits[0].number) == "98.0"  # type: ignore[union-attr]


def test_replicates_information_and_rounding_are_read():
    text = HEAD + VIABILITY + 'rounding = "usp"\nreplicates = { n = 3, aggregate = "mean" }\n'
    text += VIABILITY.replace("viability", "other").replace(
        'accept = "> 90"', 'accept = "for information"'
    )
    reading = read_specification(text.encode(), file="x")
    assert reading.specification is not None, reading.problems
    first, second = reading.specification.criteria
    assert isinstance(first.subject, Measured)
    assert (first.subject.replicates.n, first.subject.replicates.aggregate) == (3, Aggregate.MEAN)
    assert first.rounding is Rounding.USP
    assert isinstance(second.accept, ReportOnly)


def test_a_stored_version_is_read_whatever_number_is_refused_of_new_files():
    text = (HEAD + VIABILITY).replace("version = 1", "version = 20260115", 1)
    assert problems(text)
    stored = read_specification(text.encode(), file="x.toml", is_stored=True).specification
    assert stored is not None
    assert stored.version == 20260115


@pytest.mark.requirement("3.02")
@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (('unit = "%"\n', ""), None, "unit"),
        (('unit = "%"', 'unit = "EU"'), 15, "per what"),
        (('accept = "> 90"', 'accept = "10 to 5"'), 16, "accept"),
        (('accept = "> 90"', 'accept = "> 90 and < 80"'), 16, "accept"),
        (('accept = "> 90"', 'accept = "about 90"'), 16, "accept"),
        (('accept = "> 90"', "accept = 90.5"), 16, "accept"),
        (('accept = "> 90"', 'accept = ">90,0"'), 16, "accept"),
        (('accept = "> 90"\n', ""), None, "accept"),
        (('title = "Viability"', 'titel = "Viability"'), 10, "unknown key"),
        (('category = "quantity"', 'category = "vibes"'), 11, "expected one of"),
        (('test = "VIAB"', "test = 5"), 12, "test"),
        (('method = "SOP-1"\n', ""), None, "method"),
        (('rounding = "absolute"', 'rounding = "banker"'), 8, "expected one of"),
        (('stage = "release"', 'stage = "phase 2"'), 5, "expected one of"),
        (("version = 1", 'version = "one"'), 3, "whole number"),
        (("version = 1", "version = true"), 3, "whole number"),
        (("version = 1", "version = 0"), 3, "whole number"),
        (("version = 1", "version = 1000001"), 3, "whole number from 1 to 1000000"),
        (("version = 1", "version = 99999999999999999999"), 3, "whole number"),
        (('product = "X"', 'product = "X\\u0000"'), 4, "expected text"),
        (("effective = 2026-01-15", 'effective = "soon"'), 7, "expected a date"),
        (("effective = 2026-01-15", "effective = 2026-01-15T10:00:00"), 7, "expected a date"),
        (('id = "X-REL"', 'id = "SEP2"'), 2, "id"),
        (('schema = "batchqc/specification/1"', 'schema = "other/9"'), 1, "expected schema"),
        (('accept = "> 90"', 'accept = "> 90"\nplausible = "1 - 100"'), 17, "plausible"),
        (('accept = "> 90"', 'accept = "> 90"\nreplicates = { n = 0 }'), 17, "replicates"),
        (('accept = "> 90"', 'accept = "> 90"\nreplicates = { n = 3 }'), 17, "expected one of"),
        (('accept = "> 90"', 'accept = "> 90"\nrequired = false'), None, "any lot would pass"),
        (('unit = "%"\naccept = "> 90"', 'vocabulary = "none"\naccept = "x"'), 15, "vocabulary"),
    ],
)
def test_each_mistake_is_named_with_its_line_and_what_was_expected(
    change: tuple[str, str], line: int | None, said: str
):
    found = problems((HEAD + VIABILITY).replace(*change, 1))
    assert any(said in one for one in found), found
    if line is not None:
        assert any(f"x.toml, line {line}:" in one for one in found), found
    assert all(re.match(r"x\.toml(, line \d+)?: ", one) for one in found)


@pytest.mark.requirement("3.02")
def test_every_mistake_is_told_at_once_in_the_order_of_the_lines():
    text = HEAD.replace("version = 1", "version = 0").replace("release", "never", 1)
    text += VIABILITY.replace('unit = "%"\n', "").replace("> 90", "50 to 40") + 'colour = "red"\n'
    text += VIABILITY.replace("criteria.viability", "criteria.again")
    found = problems(text)
    told = "\n".join(found)
    for said in ("version", "stage", "unit", "accept", "colour", "measures the same as"):
        assert said in told
    lines = [int(number) for number in re.findall(r"line (\d+):", told)]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "expected schema"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a = ", "not valid TOML"),
        ((HEAD + VIABILITY + VIABILITY).encode(), "not valid TOML"),
        ((HEAD).encode(), "at least one table"),
        ((HEAD + "criteria = 5\n").encode(), "expected tables"),
        ((HEAD + 'a = "' + "[" * 10 + '"\n' + VIABILITY).encode(), "unknown key"),
        (b"x = " + b"[" * 5000, "not valid TOML"),
        (b"#" * (LARGEST_FILE + 1), "larger than"),
        (b"x" * 50_000_000, "larger than"),
        (
            (HEAD + '[vocabularies.g]\nversion = 1\n"a" = ["b"]\n"b" = []\n' + VIABILITY).encode(),
            "means both",
        ),
        ((HEAD + '[vocabularies.g]\nversion = 1\n"a" = []\n' + VIABILITY).encode(), "two words"),
        ((HEAD + '[vocabularies.g]\n"a" = []\n"b" = 5\n' + VIABILITY).encode(), "whole number"),
    ],
)
def test_a_file_that_is_no_specification_is_refused(text: bytes, said: str):
    assert any(said in one for one in problems(text))


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('donor = "eligibility"', "not measured: remove this key"),
        ('vocabulary = "g"', "has no unit"),
        ('window = "soon"', "expected a time as text"),
        ("planned_days = 1000", "from 1 to 365"),
        ("planned_days = true", "from 1 to 365"),
        ('required = "yes"', "expected true or false"),
        ("replicates = 3", "expected a table"),
        ('replicates = { n = 3, aggregate = "single" }', 'expected aggregate = "each"'),
        ('replicates = { n = 3, aggregate = "mean", x = 1 }', "unknown key"),
        ('plausible = "100 to 1"', "ends before it begins"),
    ],
)
def test_keys_that_do_not_fit_together_are_told(added: str, said: str):
    words = '[vocabularies.g]\nversion = 1\n"yes" = []\n"no" = []\n'
    found = problems(HEAD + words + VIABILITY + added + "\n")
    assert any(said in one for one in found), found


@pytest.mark.parametrize(
    ("accept", "said"),
    [
        ('"maybe"', "is not one of: yes, no"),
        ('["yes", "no"]', "nothing could fail"),
        ("[]", "expected one or more of"),
        ("5", "expected one or more of"),
    ],
)
def test_words_that_cannot_decide_are_told(accept: str, said: str):
    words = '[vocabularies.g]\nversion = 1\n"yes" = []\n"no" = []\n'
    text = VIABILITY.replace('unit = "%"', 'vocabulary = "g"').replace('"> 90"', accept)
    assert any(said in one for one in problems(HEAD + words + text))
    fine = VIABILITY.replace('unit = "%"', 'vocabulary = "g"').replace('"> 90"', '"yes"')
    fine += 'window = "30 min"\nreplicates = { n = 2, aggregate = "each" }\n'
    assert problems(HEAD + words + fine) == []
    mean = fine.replace('"each"', '"mean"')
    assert any('expected aggregate = "each"' in one for one in problems(HEAD + words + mean))


@pytest.mark.parametrize("accept", ["> 5 and <= 10", "20 to 80", "≥ 5", "<= -1.50", "> 1E6"])
def test_limits_are_written_as_people_write_them(accept: str):
    assert problems(HEAD + VIABILITY.replace("> 90", accept)) == []


@pytest.mark.parametrize("accept", ["> 5 and > 6", "> 5 and < 7 and < 8", "5", "> <5", "> 5 %"])
def test_limits_that_can_be_read_in_two_ways_are_refused(accept: str):
    assert problems(HEAD + VIABILITY.replace("> 90", accept))
