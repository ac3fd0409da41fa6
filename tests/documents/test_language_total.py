"""Evaluation is total and monotone, whatever the results and however many the criteria."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.judging import judge
from batchqc.core.verdicts import Outcome
from tests.documents.language import (
    DONOR,
    computed,
    group,
    outcomes,
    results,
    specification,
    table,
    verdicts,
)

PASS, FAIL, CANNOT = "PASS", "FAIL", "CANNOT_JUDGE"
INFORMATION = "for information"
CLASSES = '{ strong = "< 29", positive = "30 to 37", poor = "38 to 40" }'
VIABILITY = (
    table("viable", INFORMATION, "cells/mL")
    + table("total", INFORMATION, "cells/mL")
    + computed("viability", "viable / total", 'viable = "viable", total = "total"', "> 90", "%")
)


def test_ten_thousand_criteria_are_read_and_judged():
    text = "".join(table(f"c{n}") for n in range(9_990))
    text += group("g", 'any_of = ["c1", "c2"]')
    text += computed("d0", "a", 'a = "c3"', "> 1", "%")
    text += "".join(computed(f"d{n}", "a", f'a = "d{n - 1}"', "> 1", "%") for n in range(1, 9))
    one = specification(text)
    assert len(one.criteria) == 10_000
    found = {v.criterion.id: v for v in judge(one, results(one.criteria[3], "91"), [DONOR])}
    assert found["d8"].outcome is Outcome.PASS
    assert sum(verdict.missing for verdict in found.values()) == 9_990


WHOLE = (
    table("a") + table("b", "50 to 60", guard='"1"', alert='"52 to 58"')
    + table("c", "< 0.5 * control", "1", control='"PC"')
    + table("d", unit="Ct", bands=CLASSES).replace('"> 90"', '["strong"]')
    + table("e", "no growth", "", vocabulary='"growth"', interim='["a"]')
    + table("f", INFORMATION)
    + table("m", ">= 95", replicates='{ n = 2, aggregate = "geometric mean", max_cv = "20" }')
    + table("r", "<= 0.05", rounding='"ph-eur"')
    + computed(
        "x", "log2(a / f) + abs(b - a) / m", 'a = "a", b = "b", f = "f", m = "m"', "> 1", "1"
    )
    + group("g", 'at_least = 2\nof = ["a", "b", "x"]')
)  # fmt: skip
NUMBERS = st.decimals(-200, 200, places=2).map(str)
TEXTS = st.one_of(
    NUMBERS, st.tuples(st.sampled_from(["<", ">", "<=", ">="]), NUMBERS).map("".join),
    st.sampled_from(["negative", "growth", "n/a", "", "1E30", "0"]), st.text(max_size=5),
)  # fmt: skip


@pytest.mark.requirement("4.20")
@given(st.dictionaries(st.sampled_from("abcdefmr"), st.lists(TEXTS, min_size=1, max_size=2)), TEXTS)
def test_evaluation_is_total(values: dict[str, list[str]], control: str):
    """Any result against any criterion gives a verdict with its derivation, never an exception."""
    found = verdicts(
        WHOLE, {key: tuple(texts) for key, texts in values.items()} | {"c@PC": control}
    )
    assert len(found) == 10
    for verdict in found.values():
        assert verdict.sentence
        assert verdict.derivation.acceptance
        assert (verdict.outcome is None) is (verdict.criterion.id == "f")
        if verdict.outcome is Outcome.PASS:
            assert verdict.derivation.result


@pytest.mark.requirement("4.20")
@given(st.decimals(0, 100, places=2), st.decimals(0, 100, places=2))
def test_more_viable_cells_never_turn_a_pass_into_a_fail(one: object, other: object):
    low, high = sorted(str(x) for x in (one, other))
    low, high = sorted((low, high), key=float)
    for text, inputs in ((table("a"), "a"), (VIABILITY, "viable")):
        name = "a" if inputs == "a" else "viability"
        rest: dict[str, tuple[str, ...] | str] = {} if inputs == "a" else {"total": "100"}
        order = [FAIL, PASS]
        worse = outcomes(text, {inputs: low} | rest)[name]
        better = outcomes(text, {inputs: high} | rest)[name]
        assert order.index(worse) <= order.index(better)
