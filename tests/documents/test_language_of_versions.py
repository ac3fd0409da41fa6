"""Versions of a run in what is computed, grouped, compared with a control, or for information."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from batchqc.core.judging import judge
from tests.documents.language import computed, group, results, specification, table

if TYPE_CHECKING:
    from batchqc.core.assays import Measurement

RATIO = (
    table("a", "for information", "1", test='"A"')
    + table("b", "for information", "1", test='"B"')
    + computed("c", "a / b", 'a = "a", b = "b"', "> 2", "1")
)
GROUP = table("a", "> 2", "1") + table("b", "> 2", "1") + group("c", 'any_of = ["a", "b"]')
CONTROL = table("a", "< 0.5 * control", "1", control='"PC"')


def outcomes(text: str, *versions: dict[str, str]) -> dict[str, str]:
    """The verdicts over versions of a run, each of which says some results, ``a@PC`` a control."""
    one = specification(text)
    found: list[Measurement] = []
    for number, values in enumerate(versions, 1):
        newer = f"U-2026-{number + 1:06d}" if number < len(versions) else ""
        for key, value in values.items():
            name, control, aliquot = key.partition("@")
            (criterion,) = (each for each in one.criteria if each.id == name)
            changes = {"result_type": "control", "aliquot": aliquot} if control else {}
            rows = results(criterion, value, upload=f"U-2026-{number:06d}", **changes)
            found += [replace(row, superseded_by=newer) for row in rows]
    return {
        verdict.criterion.id: verdict.outcome.value if verdict.outcome else "for information"
        for verdict in judge(one, found, [])
    }


@pytest.mark.parametrize(
    ("versions", "outcome"),
    [
        (({"a": "9", "b": "3"}, {"a": "8", "b": "3"}), "PASS"),
        (({"a": "3", "b": "3"}, {"a": "9", "b": "3"}), "CANNOT_JUDGE"),
        (({"a": "9", "b": "9"}, {"a": "9", "b": "3"}), "CANNOT_JUDGE"),
        # neither version fails as it is, one's a with the other's b does
        (({"a": "9", "b": "3"}, {"a": "27", "b": "9"}), "CANNOT_JUDGE"),
        (({"a": "9", "b": "3"}, {"a": "9"}), "CANNOT_JUDGE"),
    ],
)
def test_what_is_computed_is_looked_at_in_every_combination_of_versions(
    versions: tuple[dict[str, str], ...], outcome: str
):
    assert outcomes(RATIO, *versions)["c"] == outcome


def test_what_is_computed_from_a_contested_result_has_no_result():
    text = RATIO.replace("for information", "> 2", 1)
    found = outcomes(text, {"a": "1", "b": "0.1"}, {"a": "9", "b": "0.1"})
    assert (found["a"], found["c"]) == ("CANNOT_JUDGE", "CANNOT_JUDGE")


@pytest.mark.parametrize(
    ("versions", "outcome"),
    [
        (({"a": "1", "b": "1"}, {"a": "3", "b": "3"}), "CANNOT_JUDGE"),
        (({"a": "1", "b": "3"}, {"a": "3", "b": "3"}), "PASS"),
        (({"a": "3", "b": "1"}, {"a": "1", "b": "3"}), "CANNOT_JUDGE"),
    ],
)
def test_a_group_counts_members_that_no_version_fails(
    versions: tuple[dict[str, str], ...], outcome: str
):
    assert outcomes(GROUP, *versions)["c"] == outcome


@pytest.mark.parametrize(
    ("versions", "outcome"),
    [
        (({"a": "4", "a@PC": "10"}, {"a": "4", "a@PC": "11"}), "PASS"),
        (({"a": "4", "a@PC": "5"}, {"a": "4", "a@PC": "10"}), "CANNOT_JUDGE"),
        (({"a": "4", "a@PC": "10"}, {"a": "4"}), "CANNOT_JUDGE"),
        (({"a": "4", "a@PC": "10", "a@NC": "1"}, {"a": "4", "a@PC": "11"}), "PASS"),
    ],
)
def test_a_control_is_part_of_its_version(versions: tuple[dict[str, str], ...], outcome: str):
    assert outcomes(CONTROL, *versions)["a"] == outcome
