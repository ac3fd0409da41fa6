"""A new process, method, site or specification is another phase: nothing is held over into it."""

from dataclasses import replace
from itertools import product

import pytest

from batchqc.core.trend_phases import TrendLot
from batchqc.errors import InvalidInput
from batchqc.statistics.lot_charts import trend_of
from batchqc.statistics.trend_limits import RULES
from tests.statistics.test_lot_charts import FIRST, OF, VIABILITY, froze, look, series

CHANGES = {
    "process": lambda one: one,  # QA begins it by a signed reason
    "method": lambda one: replace(one, observed=replace(one.observed, methods=("SOP-1 v2",))),
    "site": lambda one: replace(one, site="COB"),
    "specification": lambda one: replace(one, definition="d2", acceptance="> 85 %"),
}
LATER = ("80", "95.0", "95.4", "70")


def changed(kind: str) -> tuple[list[TrendLot], list[TrendLot], dict[str, str]]:
    """Eight lots, four after a change, and the phases that QA began."""
    before = series(*FIRST)
    after = [CHANGES[kind](one) for one in series(*LATER, first=9)]
    return before, after, {"L-09": "New medium"} if kind == "process" else {}


@pytest.mark.requirement("9.04")
@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_starts_a_phase_to_which_limits_of_the_one_before_do_not_apply(kind: str):
    before, after, starts = changed(kind)
    own = froze(1, before)
    found = trend_of(OF, VIABILITY, [*before, *after], starts=starts, sets=[own])
    first, second = found.phases
    assert [one.lot for one in second.lots] == ["L-09", "L-10", "L-11", "L-12"]
    assert (second.because != "", first.because) == (True, "")
    judged = found.lots[8:]
    assert {one.lower for one in judged} == {None}
    assert [one.by for one in judged] == ["", "", "self-starting", "self-starting"]
    assert judged[0].signals == ()  # far off the limits of the phase before, and not held to them
    alone = look(after)
    assert [one.score for one in judged] == [one.score for one in alone.lots]
    assert [one.robust for one in judged] == [one.robust for one in alone.lots]
    unchanged = look([*before, *series(*LATER, first=9)], own)
    assert len(unchanged.phases) == 1
    assert [one.rule for one in unchanged.lots[8].signals] == ["Nelson 1"]


def test_frozen_lines_stay_as_they_are_whatever_lots_follow():
    before = series(*FIRST)
    own = froze(1, before)
    few = look([*before, *series("95.5", first=9)], own)
    many = look([*before, *series("95.5", "60", "61", "62", "63", first=9)], own)
    for one, other in product(few.lots[8:], many.lots[8:]):
        assert (one.lower, one.centre, one.upper) == (other.lower, other.centre, other.upper)
    assert (few.lots[8].score, few.lots[8].signals) == (many.lots[8].score, many.lots[8].signals)


@pytest.mark.requirement("9.04")
def test_each_rule_can_be_chosen_alone_and_tells_its_own_false_alarms():
    lots = series(*FIRST, "60", *(["97.5"] * 9))
    told = {}
    for name in RULES:
        own = froze(1, lots[:8], rules=[name])
        assert own.lines.rules == (name,)
        told[name] = own.run_length.value
        rules = {one.rule for one in look(lots, own).signals}
        assert len(rules) <= 1
        assert (len(rules) == 1) == (
            name in {"1", "2", "we1", "we4", "6", "we3", "5", "we2", "8"}
        ), name
    assert told["1"] == told["we1"] == pytest.approx(370.4, abs=0.1)
    assert told["5"] == told["we2"]
    assert told["we4"] < told["2"]
    both = froze(1, lots[:8])
    assert both.lines.rules == ("1", "2", "3", "5")
    assert both.run_length.value < min(told[one] for one in both.lines.rules)
    with pytest.raises(InvalidInput, match="no such rule: 9"):
        froze(1, lots[:8], rules=["1", "9"])
