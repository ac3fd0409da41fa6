"""Profile files: what is wrong with one is told at once, with its line and key."""

import pytest

from batchqc.core.profiles import Layout, Marks
from batchqc.documents.profile_file import read_profile

GOOD = """schema = "batchqc/profile/1"
id = "SITE-COUNTER"
version = 2
title = "A counter"
sources = ["an export"]

[file]
layout = "table"
delimiter = ";"
decimal = ","
thousands = "."

[header]
holds = ["Sample", "Viability"]
rows = 2
after = ["Results"]
skip = ["Mean"]

[columns]
sample_id = "Sample"
replicate = { fixed = "1" }
measured_at = { column = "Time", formats = ["%d.%m.%Y %H:%M"] }
analyst = { asked = true }
run_id = { label = "Run", after = "#" }

[[results]]
column = "Viability"
test = "VIAB"
analyte = "viability"
unit = "%"
"""


def told(text: str) -> list[str]:
    return [str(one) for one in read_profile(text.encode(), file="p.toml").problems]


def test_a_profile_says_what_its_file_says():
    profile = read_profile(GOOD.encode(), file="p.toml").profile
    assert profile is not None
    assert (profile.reference, profile.layout) == ("SITE-COUNTER v2", Layout.TABLE)
    assert profile.marks == Marks(",", ".")
    assert (profile.header.rows, profile.header.after, profile.asked) == (
        2,
        ("Results",),
        ("analyst",),
    )
    assert profile.columns["run_id"].after == "#"
    assert [one.name for one in profile.results] == ["Viability"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('schema = "batchqc/profile/1"', 'schema = "x"', "line 1: schema: expected schema"),
        ('id = "SITE-COUNTER"', 'id = "MAR1"', "line 2: id:"),
        ("version = 2", "version = 0", "line 3: version: expected a whole number"),
        ("version = 2", "version = true", "line 3: version: expected a whole number"),
        ('layout = "table"', 'layout = "grid"', "line 8: file.layout: expected one of"),
        ('layout = "table"', 'layout = "long"', 'header: layout "long" is a contract: remove it'),
        ('layout = "table"', 'layout = "page"', "layout page has no header row"),
        ('decimal = ","', 'encoding = "utf-7"', "file.encoding: expected one of"),
        ('thousands = "."', 'thousands = ","', "is the decimal mark too"),
        ('thousands = "."', 'thousand = "."', "file.thousand: unknown key"),
        ('holds = ["Sample", "Viability"]', "", "expected either row = 6 or holds"),
        ("rows = 2", "rows = 2\nrow = 3", "expected either row = 6 or holds"),
        ("rows = 2", "rows = 9", "header.rows: expected a whole number from 1 to 3"),
        ("rows = 2", "until = 3", "header.until: expected text"),
        ('skip = ["Mean"]', 'skip = "Mean"', "header.skip: expected a list of texts"),
        ('sample_id = "Sample"', "", "does not say where sample_id comes from"),
        ('sample_id = "Sample"', "sample_id = 5", "expected the header of a column"),
        ('sample_id = "Sample"', 'sample = "Sample"', "columns.sample: unknown key"),
        (
            '{ fixed = "1" }',
            '{ fixed = "1", asked = true }',
            "one of column, label, fixed",
        ),
        ('{ fixed = "1" }', "{ asked = false }", "one of column, label, fixed"),
        ('{ fixed = "1" }', '{ fixed = "1", formats = ["%d"] }', "only a time"),
        ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M %Z", "has %Z, which is not read"),
        ("%d.%m.%Y %H:%M", "%d.%m.%Y %T", "has %T, which is not read"),
        ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M %p", "%I and %p belong together"),
        ("%d.%m.%Y %H:%M", "%d.%m.%Y %I:%M", "%I and %p belong together"),
        ("%d.%m.%Y %H:%M", "%d.%m.%Y", "does not say year, month, day, hour and minute"),
        ("%d.%m.%Y %H:%M", "%d.%m %H:%M", "does not say year, month, day, hour and minute"),
        ("%d.%m.%Y %H:%M", "%d.%m.%Y %y %H:%M", "does not say year, month, day"),
        ('{ fixed = "1" }', '{ fixed = "1", offset = "Zone" }', "offset: belongs to formats"),
        ('{ fixed = "1" }', '{ fixed = "" }', "replicate.fixed: expected text"),
        ("[[results]]", "[results]", "results: expected tables [[results]]"),
        ('test = "VIAB"', 'test = "V B"', "line 28: results.1.test"),
        ('unit = "%"', 'unit = "EU"', "line 30: results.1.unit"),
        ('unit = "%"', 'result_type = "best"', "line 30: results.1.result_type: expected one of"),
        ('unit = "%"', 'units = "%"', "line 30: results.1.units: unknown key"),
        ("[file]", "file = 3\n[other]", "file: expected a table [file]"),
    ],
)
def test_what_is_wrong_is_told_where_it_is(old: str, new: str, said: str):
    assert old in GOOD
    found = told(GOOD.replace(old, new, 1))
    assert any(said in one for one in found), found


def test_two_columns_of_one_analyte_and_no_column_at_all_are_told():
    result = GOOD[GOOD.index("[[results]]") :]
    assert any("two columns of results measure the same" in one for one in told(GOOD + result))
    assert any("at least one table" in one for one in told(GOOD.replace(result, "")))


@pytest.mark.parametrize("data", [b"\xff", b"x = ", b"id = 3\n" * 2, b"#" * 5_000_001])
def test_what_is_no_toml_is_refused(data: bytes):
    reading = read_profile(data, file="p.toml")
    assert reading.profile is None
    assert len(reading.problems) == 1
