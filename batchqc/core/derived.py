"""Results that are computed from other results, with every conversion shown.

- Each input is one number, or the set of numbers that its text leaves open.
- Inputs are brought to base units by exact scales, computed, and brought to the unit of the result.
- An input without a result, or a formula that is not defined for it, makes no result.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from batchqc.core.arithmetic import times
from batchqc.core.criteria import Criterion
from batchqc.core.quantities import Interval, decimal_text
from batchqc.core.results import NoResult, NoResultBecause, ReportableResult, possible_text
from batchqc.core.subjects import Derived, Input
from batchqc.core.units import Unit, parse_unit

_LARGEST: Final = Fraction(10**50)
_SMALLEST: Final = Fraction(1, 10**50)

Results = Mapping[str, ReportableResult | NoResult]


def derived_result(
    criterion: Criterion, subject: Derived, units: Mapping[str, str], results: Results
) -> ReportableResult | NoResult:
    """The result of a formula.

    Args:
        criterion: the one that is derived.
        subject: its formula and inputs.
        units: the unit of every criterion, by id.
        results: what is known of other criteria, by id.
    """
    read = {one.name: _read(one, units, results) for one in subject.inputs}
    known = {name: found for name, found in read.items() if isinstance(found, _Known)}
    missing = [found for found in read.values() if isinstance(found, str)]
    if missing:
        return NoResult(
            _because(subject, results),
            f"{criterion.title} cannot be computed: {'; '.join(missing)}",
        )
    target = parse_unit(subject.unit)
    value = subject.formula.value(
        {name: times(one.number, Interval.exactly(one.unit.scale)) for name, one in known.items()}
    )
    how = "; ".join(
        [
            subject.formula.text,
            *(f"{name} = {one.text} {one.unit.text}" for name, one in known.items()),
            *_factors([one.unit for one in known.values()], target),
        ]
    )
    if value is None or target is None:
        return NoResult(NoResultBecause.INPUTS, f"{how}: not defined")
    result = times(value, Interval.exactly(target.scale**-1))
    if any(end and not _SMALLEST < abs(end) < _LARGEST for end in (result.low, result.high)):
        return NoResult(NoResultBecause.INPUTS, f"{how}: too large or too small to be told")
    is_early = any(one.is_early for one in known.values())
    return ReportableResult((result,), possible_text(result), how, is_early=is_early)


class _Known(NamedTuple):
    """An input as read."""

    number: Interval
    unit: Unit
    text: str
    is_early: bool = False


def _read(one: Input, units: Mapping[str, str], results: Results) -> _Known | str:
    """An input, or why it is not known."""
    unit = parse_unit(one.unit or units.get(one.criterion, ""))
    if unit is None:
        return f"{one.name} has no unit that can be computed with"
    if one.constant is not None:
        return _Known(one.constant.possible, unit, one.constant.text)
    result = results.get(one.criterion)
    if result is None:
        return f"{one.criterion} depends on what is computed from it"
    if isinstance(result, NoResult):
        return f"{one.criterion}: {result.why}"
    if result.number is None:
        return f"{one.criterion} is not one number ({result.text})"
    return _Known(result.number, unit, result.text, result.is_early)


def _because(subject: Derived, results: Results) -> NoResultBecause:
    """Whether nothing at all was measured of what is needed, or of one of it."""
    needed = [results.get(one.criterion) for one in subject.inputs if one.criterion]
    why = [one.because if isinstance(one, NoResult) else None for one in needed]
    if all(one is NoResultBecause.MISSING for one in why):
        return NoResultBecause.MISSING
    is_lacking = {NoResultBecause.MISSING, NoResultBecause.LACKING}.intersection(why)
    return NoResultBecause.LACKING if is_lacking else NoResultBecause.INPUTS


def _factors(units: list[Unit], target: Unit | None) -> list[str]:
    """What one of each unit is in base units, where units are brought together."""
    own = list(dict.fromkeys(units))
    shown = [target] if len(own) == 1 else [*own, target]
    return [
        f"1 {one.text} = {decimal_text(one.scale)} {one.base}"
        for one in dict.fromkeys(shown)
        if one is not None and one.scale != 1
    ]
