"""Files that no specification can be, or that would not judge as they seem to."""

import pytest

from batchqc.core.verdicts import Outcome
from batchqc.documents.spec_file import read_specification
from tests.documents.language import (
    computed,
    group,
    outcomes,
    specification,
    table,
    told,
    verdicts,
)

PASS, FAIL, CANNOT = "PASS", "FAIL", "CANNOT_JUDGE"
INFORMATION = "for information"


class TestWhatIsRefused:
    """Files that say two things, or nothing, are refused where they do."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                table("a", "low", "EU/mL", bands='{ low = "< 1000", high = ">= 1000" }',
                      per_dose='{ k = "5 EU/kg/h", dose = "2 mL/h", weight = "70 kg" }'),
                "exclude each other",
            ),
            (
                table("a") + table("b") + group("g", 'any_of = ["a", "b"]', "required = false"),
                "any lot would pass",
            ),
            (table("a", INFORMATION) + table("b", required="false"), "any lot would pass"),
            (
                table("a", "low", bands='{ low = "< 10", high = ">= 10" }',
                      replicates='{ n = 3, aggregate = "mean", individual = "4 to 6" }'),
                "individual stands beside numeric limits",
            ),
            (
                table("a", replicates='{ n = 3, aggregate = "mean", individual = "10 to 5" }'),
                "limits of each replicate",
            ),
            (table("v") + computed("d", "100 * a", 'a = "v"', "> 1", "%"), "remove the factor 100"),
            (table("v") + computed("d", "100 - a", 'a = "v"', "> 1", "%"), "number a unit"),
            (table("v") + computed("d", "max(a, 5)", 'a = "v"', "> 1", "%"), "number a unit"),
            (table("v") + computed("d", "a", 'a = "v"', INFORMATION, ""), "has a unit"),
            (
                table("v") + computed("d", "a", 'a = "v"', "> 1", "%", 'of = ["zzz"]'),
                "a derived result is not measured",
            ),
            (table("a", INFORMATION, "", vocabulary='"none"'), "not in [vocabularies]"),
            (table("a", INFORMATION, bands='{ "for information" = "< 1" }'), "no name of a class"),
            ('[vocabularies.w]\nversion = 1\n"for information" = []\n"b" = []\n' + table("a"),
             "no word of a vocabulary"),
            (
                '[vocabularies.w]\nversion = 1\n"n\u00e9" = []\n"ne\u0301" = []\n' + table("a"),
                "means both",
            ),
            (
                table("a", "no growth", "", vocabulary='"growth"', rounding='"usp"'),
                "nothing is rounded",
            ),
            (table("a", plausible='"1 to 50"'), "no plausible value can pass"),
            (table("a", window='"30 min"', planned_days=14), "before the 14 planned days"),
            (table("a", alert='"> 90 and < 91"', rounding='"usp"'), "is impossible"),
            *((table("a", "<= 5", unit), "per what")
              for unit in ("{EU}", "(EU)", "1.EU", "EU/1", "10*3.EU", "EU{x}")),
            (table("a", "<= 5", "cells0"), "no unit known"),
            (table("a", "<= 5", ".".join(["10*99"] * 9)), "no unit known"),
            (table("a", "<= 5", "g." * 40 + "g"), "no unit known"),
        ],
    )  # fmt: skip
    def test_it_is_told(self, text: str, said: str):
        found = told(text)
        assert any(said in one for one in found), found

    @pytest.mark.parametrize("line", ["version = " + "9" * 5000, "x = 1e99999999999999999999"])
    def test_a_number_beyond_all_bounds_is_no_specification(self, line: str):
        reading = read_specification(line.encode(), file="x.toml")
        assert reading.specification is None

    def test_a_percentage_is_taken_from_a_whole_with_its_unit(self):
        text = table("dead", INFORMATION) + computed(
            "alive", "whole - dead", 'dead = "dead", whole = "100 %"', "> 90", "%"
        )
        assert outcomes(text, {"dead": "80"})["alive"] == FAIL
        assert outcomes(text, {"dead": "9"})["alive"] == PASS

    def test_a_guard_band_is_part_of_the_decision_rule(self):
        assert "guard bands" in specification(table("a", guard='"1"')).decision_rule
        assert "simple acceptance" in specification(table("a")).decision_rule

    @pytest.mark.parametrize("formula", ["a*a*a*a*a", "*".join(["a"] * 150), "1/(a*a*a)"])
    def test_a_result_beyond_all_bounds_is_not_judged(self, formula: str):
        text = table("a", INFORMATION, "1")
        text += computed("d", formula, 'a = "a"', "> 1", "1", 'rounding = "usp"')
        found = verdicts(text, {"a": "1E30"})["d"]
        assert found.outcome is Outcome.CANNOT_JUDGE
        assert "too large or too small" in found.sentence

    def test_a_long_text_is_read_in_no_time(self):
        note = 'note = """\n[' + " " * 200_000 + '\n"""'
        assert told(table("a") + note) == []
