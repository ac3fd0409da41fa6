"""What a criterion speaks about, as written in its table, and every problem in it."""

import re
from datetime import timedelta
from typing import Final

from batchqc.core.acceptance import AtLeast
from batchqc.core.formulas import Formula, FormulaProblem, parse_formula
from batchqc.core.quantities import parse_amount
from batchqc.core.rounding import Rounding
from batchqc.core.subjects import Aggregate, Derived, Group, Input, Measured, ReplicatePlan
from batchqc.core.units import unit_problem
from batchqc.documents.spec_accept import parse_limits, plausible_range
from batchqc.documents.spec_keys import CriterionKeys

MEASURED_KEYS: Final = (
    "test", "analyte", "method", "unit", "replicates", "plausible", "window", "planned_days",
    "vocabulary", "control", "bands", "per_dose",
)  # fmt: skip
DERIVED_KEYS: Final = ("formula", "inputs", "unit", "bands")
GROUP_KEYS: Final = ("any_of", "all_of", "at_least", "of")
_WINDOW: Final = re.compile(r"([1-9][0-9]{0,4}) (min|h|d)")
_UNITS_OF_TIME: Final = {"min": "minutes", "h": "hours", "d": "days"}
_PLAN: Final = ("n", "aggregate", "max_cv", "max_range", "individual")


def read_measured(keys: CriterionKeys) -> Measured:
    """Test, analyte, method, unit and how replicates become one result."""
    return Measured(
        test=keys.code("test"),
        analyte=keys.code("analyte"),
        method=keys.code("method"),
        unit=keys.unit(),
        replicates=_replicates(keys),
        plausible=plausible_range(keys),
        window=_window(keys),
        planned_days=keys.whole("planned_days", most=365, what="of days"),
        control=keys.text("control", default=""),
    )


def read_derived(keys: CriterionKeys) -> Derived:
    """A formula, and what each of its names stands for."""
    unit = keys.unit()
    inputs = tuple(_input(keys, *item) for item in keys.subtable("inputs").items())
    formula = Formula("", (), parse_formula("0").term)
    text = keys.text("formula")
    if text:
        try:
            formula = parse_formula(text)
        except FormulaProblem as problem:
            keys.problem("formula", str(problem))
            return Derived(formula, inputs, unit)
        unknown = sorted(set(formula.names) - {one.name for one in inputs})
        if unknown:
            keys.problem("inputs", f"the formula uses {', '.join(unknown)}: say what it stands for")
        unused = [one.name for one in inputs if one.name not in formula.names]
        if unused:
            keys.problem("inputs", f"the formula does not use {', '.join(unused)}: remove it")
        if not any(one.criterion for one in inputs):
            keys.problem("inputs", "no criterion is computed with: nothing is judged")
    return Derived(formula, inputs, unit)


def read_group(keys: CriterionKeys) -> tuple[Group, AtLeast]:
    """Members, and how many of them shall pass."""
    ways = [key for key in ("any_of", "all_of", "at_least") if key in keys.table]
    if len(ways) > 1:
        keys.problem(ways[1], f'"{ways[0]}" stands there already: remove one')
    key = "of" if ways[0] == "at_least" else ways[0]
    if key != "of" and "of" in keys.table:
        keys.problem("of", 'belongs to "at_least": remove this key')
    members = keys.keys.texts(keys.path, keys.table, key)
    if not members:
        keys.problem(key, "an empty group can neither pass nor fail: list criteria by their name")
    if len(set(members)) < len(members):
        keys.problem(key, "a criterion is listed twice")
    count = {"any_of": 1, "all_of": len(members)}.get(ways[0])
    if count is None:
        count = keys.whole("at_least", most=max(len(members), 1), what="of members") or 1
    return Group(members), AtLeast(count, len(members))


def _input(keys: CriterionKeys, name: str, value: object) -> Input:
    """``name = "criterion"`` or ``name = "70 kg"``."""
    if not isinstance(value, str) or not value.strip():
        keys.problem("inputs", f'{name}: expected a criterion, or a quantity such as "70 kg"')
        return Input(name)
    number, _, unit = value.partition(" ")
    amount = parse_amount(number)
    if amount is None or not unit:
        return Input(name, criterion=value)
    if unit_problem(unit):
        keys.problem("inputs", f"{name}: {unit_problem(unit)}")
    return Input(name, constant=amount, unit=unit)


def _replicates(keys: CriterionKeys) -> ReplicatePlan:
    plan = keys.subtable("replicates", known=_PLAN)
    if not plan:
        return ReplicatePlan()
    n = plan.get("n")
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= 1000:
        keys.problem("replicates", "expected n = a whole number from 1 to 1000")
        n = 1
    if n == 1 and set(plan) <= {"n"}:
        return ReplicatePlan()
    words = "vocabulary" in keys.table
    path = (*keys.path, "replicates")
    aggregate = keys.keys.choice(path, plan, "aggregate", Aggregate) or Aggregate.EACH
    if (n > 1 and aggregate is Aggregate.SINGLE) or (words and aggregate is not Aggregate.EACH):
        keys.problem("replicates", 'expected aggregate = "each"' + ("" if words else ' or "mean"'))
    extras = [key for key in ("max_cv", "max_range", "individual") if key in plan]
    if extras and (words or n == 1):
        keys.problem("replicates", f"{', '.join(extras)}: only for two or more numbers")
    text = plan.get("individual")
    individual = parse_limits(text) if isinstance(text, str) else None
    is_empty = individual is not None and individual.passing(Rounding.ABSOLUTE).is_empty
    if text is not None and (individual is None or is_empty):
        keys.problem("replicates", 'expected limits of each replicate, such as individual = "> 85"')
    return ReplicatePlan(
        n, aggregate, keys.positive("max_cv", plan), keys.positive("max_range", plan), individual
    )


def _window(keys: CriterionKeys) -> timedelta | None:
    if "window" not in keys.table:
        return None
    text = keys.table["window"]
    found = _WINDOW.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        keys.problem("window", 'expected a time as text, such as "30 min", "2 h" or "1 d"')
        return None
    return timedelta(**{_UNITS_OF_TIME[found[2]]: int(found[1])})
