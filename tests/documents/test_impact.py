"""Impact: both versions judge the same evidence, and each distinct evidence is judged once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core import impact as module
from batchqc.core.donors import Donor
from batchqc.core.entries import HIDDEN, SecondEntry
from batchqc.core.impact import Comparison, Evidence, Standing, grouped, overall, standing_of
from batchqc.core.judging import judge
from batchqc.core.specifications import Specification
from batchqc.core.verdicts import Outcome
from tests.documents.language import DONOR, group, specification, table
from tests.documents.test_language_total import WHOLE

START, READ = "2026-01-01T08:00:00+00:00", "2026-01-15T08:00:00+00:00"
DONORS = (DONOR,)


def row(analyte: str, value: str, **more: Any) -> Evidence:
    facts = {
        "run": 1,
        "result_type": "reportable",
        "aliquot": "",
        "unit": "%",
        "started": START,
        "second": "",
    }
    facts |= {"measured": READ, "method": "SOP-1"} | more
    return Evidence(lot=1, test="T", analyte=analyte, value=value, **facts)


def as_judged(one: Specification, evidence: list[Evidence]) -> dict[str, Standing]:
    """The standings by the rules alone, without any memory."""
    measurements = [
        type(x)(**{name: getattr(x, name) for name in x.__slots__} | {"stage": one.stage})
        for x in (each.measurement for each in evidence)
    ]
    verdicts = judge(one, measurements, DONORS)
    return {v.criterion.id: standing_of(v, counted=bool(v.counted_in)) for v in verdicts}


@pytest.mark.parametrize(
    ("value", "before", "after"),
    [
        ("95", Outcome.PASS, Outcome.PASS),
        ("85", Outcome.PASS, Outcome.FAIL),
        ("75", Outcome.FAIL, Outcome.FAIL),
        (">85", Outcome.PASS, Outcome.CANNOT_JUDGE),
        ("good", Outcome.CANNOT_JUDGE, Outcome.CANNOT_JUDGE),
    ],
)
def test_a_lot_flips_where_its_verdict_would_change(value: str, before: Outcome, after: Outcome):
    comparison = Comparison(specification(table("a", "> 80")), specification(table("a")))
    found = comparison.impact(grouped([row("a", value)]), DONORS)
    if before is after:
        assert found is None
        return
    assert found is not None
    assert (found.before, found.after, found.flips) == (before, after, True)
    (change,) = found.changes
    assert (change.criterion, change.results) == ("a", (value,))
    assert (change.before, change.after) == (
        Standing(before, before != "PASS"),
        Standing(after, True),
    )


def test_a_criterion_may_change_where_the_lot_does_not_flip():
    old = specification(table("a") + table("b", "> 80"))
    new = specification(table("a") + table("b", "> 90"))
    found = Comparison(old, new).impact(grouped([row("a", "50"), row("b", "85")]), DONORS)
    assert found is not None
    assert not found.flips
    assert [change.criterion for change in found.changes] == ["b"]


def test_a_member_that_fails_in_a_group_that_passes_flips_no_lot():
    members = group("g", 'any_of = ["a", "b"]')
    old = specification(table("a", "> 80") + table("b") + members)
    new = specification(table("a", "> 90") + table("b") + members)
    found = Comparison(old, new).impact(grouped([row("a", "85"), row("b", "95")]), DONORS)
    assert found is not None
    assert (found.before, found.after, found.flips) == (Outcome.PASS, Outcome.PASS, False)
    assert (found.changes[0].criterion, found.changes[0].after) == (
        "a", Standing(Outcome.FAIL, blocks=False)
    )  # fmt: skip


def test_a_criterion_that_a_version_does_not_have_is_a_change():
    old, new = specification(table("a")), specification(table("a") + table("b"))
    found = Comparison(old, new).impact(grouped([row("a", "95")]), DONORS)
    assert found is not None
    (change,) = found.changes
    assert (change.before, change.after) == (None, Standing(Outcome.CANNOT_JUDGE, blocks=True))
    assert found.after is Outcome.CANNOT_JUDGE


def test_a_group_that_says_the_same_changes_with_its_members():
    members = group("g", 'any_of = ["a", "b"]')
    old = specification(table("a", "> 80") + table("b", "> 80") + members)
    new = specification(table("a", "> 90") + table("b", "> 90") + members)
    found = Comparison(old, new).impact(grouped([row("a", "85"), row("b", "85")]), DONORS)
    assert found is not None
    assert (found.before, found.after) == (Outcome.PASS, Outcome.FAIL)
    assert [change.criterion for change in found.changes] == ["a", "b", "g"]


def test_what_counts_in_a_group_only_from_now_on_blocks_no_more():
    both = table("a") + table("b")
    comparison = Comparison(
        specification(both), specification(both + group("g", 'any_of = ["a", "b"]'))
    )
    found = comparison.impact(grouped([row("a", "85"), row("b", "95")]), DONORS)
    assert found is not None
    assert (found.before, found.after) == (Outcome.FAIL, Outcome.PASS)
    assert [change.criterion for change in found.changes] == ["a", "g"]


@pytest.mark.requirement("1.31")
def test_a_value_that_waits_for_its_second_entry_is_not_told_by_an_impact():
    old, new = specification(table("a")), specification(table("a") + table("b"))
    waits = row("b", "95", second=SecondEntry.WAITS)
    found = Comparison(old, new).impact(grouped([row("a", "95"), waits]), DONORS)
    assert found is not None
    assert [change.results for change in found.changes] == [(HIDDEN,)]


def test_the_donor_counts_and_is_remembered_apart():
    text = table("a") + '[criteria.d]\ntitle = "d"\ncategory = "donor"\ndonor = "eligibility"\n'
    new = specification(text + 'accept = "eligible"\n')
    comparison = Comparison(specification(table("a")), new)
    other = (Donor("D-2", "skin", "ineligible"),)
    for _ in range(2):
        fine = comparison.impact(grouped([row("a", "95")]), DONORS)
        failed = comparison.impact(grouped([row("a", "95")]), other)
        assert fine is not None
        assert failed is not None
        assert (fine.flips, failed.after) == (False, Outcome.FAIL)


def test_the_verdict_over_a_lot_is_its_worst_that_blocks():
    passed, failed = Standing(Outcome.PASS, blocks=False), Standing(Outcome.FAIL, blocks=True)
    unknown = Standing(Outcome.CANNOT_JUDGE, blocks=True)
    in_group = Standing(Outcome.FAIL, blocks=False)
    assert overall([]) is Outcome.PASS
    assert overall([passed, in_group]) is Outcome.PASS
    assert overall([passed, unknown]) is Outcome.CANNOT_JUDGE
    assert overall([unknown, failed]) is Outcome.FAIL


VALUES = st.sampled_from(
    ["95", "85", "<95", "negative", "growth", "x", "51", "30", "28", ">1", "0"]
)
ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from("abcdefmrC"),
        VALUES,
        run=st.integers(1, 2),
        unit=st.sampled_from(["%", "1", "Ct", ""]),
        result_type=st.sampled_from(["reportable", "control"]),
        aliquot=st.sampled_from(["", "PC"]),
        started=st.sampled_from([START, "", READ]),
    ),
    max_size=9,
)
OLD = specification(WHOLE + table("w", "> 1", window='"20 d"', planned_days=14))
NEW = specification(WHOLE.replace("> 90", "> 80") + table("w", "> 1", window='"1 d"'))


@given(st.lists(ROWS, min_size=1, max_size=4))
def test_what_is_remembered_is_what_the_rules_say(lots: list[list[Evidence]]):
    """The short way over many lots and the long way over each give the same."""
    comparison = Comparison(OLD, NEW)
    for evidence in lots:
        rows = [*evidence, *(row("w", one.value, started=one.started) for one in evidence[:1])]
        before, after = as_judged(OLD, rows), as_judged(NEW, rows)
        found = comparison.impact(grouped(rows), DONORS)
        if found is None:
            assert before == after
            continue
        assert (found.before, found.after) == (overall(before.values()), overall(after.values()))
        told = {one.criterion: (one.before, one.after) for one in found.changes}
        expected = {name: (before.get(name), after.get(name)) for name in before | after}
        assert told == {name: both for name, both in expected.items() if both[0] != both[1]}


def test_one_result_two_results_and_two_runs_are_remembered_apart():
    """What looks alike at its first row is judged by all its rows, and by the runs they are of."""
    two = table("a", replicates='{ n = 2, aggregate = "mean" }')
    comparison = Comparison(specification(table("a")), specification(two))
    one_row, second = row("a", "95"), row("a", "96")
    stood = []
    for rows in ([one_row], [one_row, second], [one_row, second._replace(run=2)]):
        found = comparison.impact(grouped(rows), DONORS)
        stood.append(None if found is None else (found.before, found.after))
    passed, unknown = Outcome.PASS, Outcome.CANNOT_JUDGE
    assert stood == [(passed, unknown), (unknown, passed), None]


@pytest.mark.parametrize(
    "other",
    [{"second": SecondEntry.WAITS}, {"result_type": "control"}, {"unit": "1"}, {"method": "SOP-2"}],
)
def test_the_same_text_that_is_no_result_is_remembered_apart(other: dict[str, str]):
    """One that waits for its second entry, or of a control: it is judged for what it is."""
    comparison = Comparison(specification(table("a", "> 80")), specification(table("a")))
    assert comparison.impact(grouped([row("a", "85")]), DONORS) is not None
    assert comparison.impact(grouped([row("a", "85", **other)]), DONORS) is None


@pytest.mark.parametrize("analyte", ["cd7", "CD7"])
@pytest.mark.parametrize(("text", "after"), [("100", Outcome.PASS), ("10", Outcome.FAIL)])
def test_a_control_counts_in_an_impact_whatever_case_its_analyte_is_written_in(
    analyte: str, text: str, after: Outcome
):
    """As it counts in the verdict of the lot; a result in another case does not."""
    more = {"analyte": f'"{analyte}"', "control": '"PC"'}
    old = specification(table("a", "< 0.1 * control", **more))
    new = specification(table("a", "< 0.9 * control", **more))
    result = row(analyte, "40")
    for written in ("cd7", "CD7", "Cd7"):
        beside = row(written, text, result_type="control", aliquot="PC")
        found = Comparison(old, new).impact(grouped([beside, result]), DONORS)
        expected = (Outcome.FAIL, after) if after is Outcome.PASS else None
        assert (found and (found.before, found.after)) == expected
        if found:
            assert found.changes[0].results in {("40", text), (text, "40")}
        assert as_judged(new, [result, beside])["a"].outcome is after
    swapped = row(analyte.swapcase(), "40")
    beside = row(analyte, text, result_type="control", aliquot="PC")
    assert as_judged(new, [swapped, beside])["a"].outcome is Outcome.CANNOT_JUDGE
    assert Comparison(old, new).impact(grouped([swapped, beside]), DONORS) is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_REMEMBERED", 3)
    comparison = Comparison(specification(table("a", "> 80")), specification(table("a")))
    flips = [
        comparison.impact(grouped([row("a", f"{n}.5")]), DONORS) is not None for n in range(75, 95)
    ]
    assert flips == [80 <= n < 90 for n in range(75, 95)]
