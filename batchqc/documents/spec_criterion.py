"""One ``[criteria.name]`` table of a specification file, and every problem in it."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from batchqc.core.donors import ELIGIBLE, INELIGIBLE, TISSUE_SOURCES
from batchqc.core.identifiers import code_problem
from batchqc.core.quantities import Interval, parse_amount, unit_problem
from batchqc.core.rounding import Rounding
from batchqc.core.specifications import (
    Aggregate,
    Category,
    Criterion,
    DonorFact,
    Limit,
    Limits,
    Measured,
    ReplicatePlan,
    ReportOnly,
    Words,
)
from batchqc.core.vocabularies import Vocabulary
from batchqc.documents.spec_keys import Keys

_MEASURED_KEYS: Final = (
    "test", "analyte", "method", "unit", "replicates", "plausible", "window", "planned_days",
    "vocabulary",
)  # fmt: skip
_KEYS: Final = (
    "title", "category", "accept", "rounding", "required", "note", "donor", *_MEASURED_KEYS,
)  # fmt: skip
_LIMIT: Final = re.compile(r"(<=|>=|<|>|≤|≥)\s*(\S+)")
_WINDOW: Final = re.compile(r"([1-9][0-9]{0,4}) (min|h|d)")
_UNITS_OF_TIME: Final = {"min": "minutes", "h": "hours", "d": "days"}
_DONOR_WORDS: Final = {
    DonorFact.TISSUE_SOURCE: TISSUE_SOURCES,
    DonorFact.ELIGIBILITY: (ELIGIBLE, INELIGIBLE),
}


class CriterionReader:
    """Reads one ``[criteria.name]`` table."""

    def __init__(
        self,
        keys: Keys,
        name: str,
        table: Mapping[str, Any],
        vocabularies: Mapping[str, Vocabulary],
    ) -> None:
        self.keys, self.name, self.table, self.vocabularies = keys, name, table, vocabularies
        self.path = ("criteria", name)

    def read(self, rounding: Rounding) -> Criterion:
        """The criterion; where a problem was remembered it is not to be used."""
        keys, path, table = self.keys, self.path, self.table
        keys.refuse_unknown(path, table, _KEYS)
        if "rounding" in table:
            rounding = keys.choice(path, table, "rounding", Rounding) or rounding
        subject = self._donor_fact() if "donor" in table else self._measured()
        accept = self._accept(subject)
        criterion = Criterion(
            id=self.name,
            title=keys.text(path, table, "title"),
            category=keys.choice(path, table, "category", Category) or Category.SAFETY,
            subject=subject,
            accept=accept,
            rounding=rounding,
            required=self._flag("required", default=True),
            note=keys.text(path, table, "note", default=""),
        )
        passing = criterion.passing
        if isinstance(passing, Interval) and passing.is_empty:
            self._problem("accept", f'"{accept.text}" is impossible: no value can pass')
        return criterion

    def _donor_fact(self) -> DonorFact:
        for key in _MEASURED_KEYS:
            if key in self.table:
                self._problem(key, "a donor criterion is not measured: remove this key")
        return (
            self.keys.choice(self.path, self.table, "donor", DonorFact) or DonorFact.TISSUE_SOURCE
        )

    def _measured(self) -> Measured:
        unit = self.keys.text(self.path, self.table, "unit", default="")
        if unit_problem(unit):
            self._problem("unit", unit_problem(unit) or "")
        plausible = self._plausible()
        return Measured(
            test=self._code("test"),
            analyte=self._code("analyte"),
            method=self._code("method"),
            unit=unit,
            replicates=self._replicates(),
            plausible=plausible,
            window=self._window(),
            planned_days=self._planned_days(),
        )

    def _accept(self, subject: Measured | DonorFact) -> Limits | Words | ReportOnly:
        accept = self.table.get("accept")
        if isinstance(subject, DonorFact):
            return self._words(accept, None, _DONOR_WORDS[subject])
        if accept == ReportOnly().text:
            return ReportOnly()
        if "vocabulary" in self.table:
            name = self.keys.text(self.path, self.table, "vocabulary")
            vocabulary = self.vocabularies.get(name)
            if vocabulary is None:
                listed = ", ".join(self.vocabularies) or "none"
                self._problem(
                    "vocabulary", f'"{name}" is not in [vocabularies]; there are: {listed}'
                )
                return Words(())
            if subject.unit:
                self._problem("unit", "a criterion with a vocabulary has no unit: remove this key")
            return self._words(accept, vocabulary, [term.name for term in vocabulary.terms])
        limits = parse_limits(accept) if isinstance(accept, str) else None
        if limits is None:
            expected = '"> 90", ">= 95", "20 to 80", "> 5 and <= 10", "for information"'
            self._problem("accept", f"expected limits as text, such as {expected}")
            return ReportOnly()
        if not subject.unit:
            self._problem("unit", 'expected a unit, such as unit = "%" (1 where there is none)')
        return limits

    def _words(self, accept: object, vocabulary: Vocabulary | None, known: Sequence[str]) -> Words:
        words = [accept] if isinstance(accept, str) else accept
        if not isinstance(words, list) or not words or not all(isinstance(x, str) for x in words):
            self._problem("accept", f"expected one or more of: {', '.join(known)}")
            return Words((), vocabulary)
        for word in words:
            if word not in known:
                self._problem("accept", f'"{word}" is not one of: {", ".join(known)}')
        if set(words) >= set(known):
            self._problem("accept", "every word is accepted: nothing could fail")
        return Words(tuple(words), vocabulary)

    def _code(self, key: str) -> str:
        code = self.keys.text(self.path, self.table, key)
        if code and code_problem(code):
            self._problem(key, code_problem(code) or "")
        return code

    def _flag(self, key: str, *, default: bool) -> bool:
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            self._problem(key, "expected true or false")
            return default
        return value

    def _replicates(self) -> ReplicatePlan:
        plan = self.table.get("replicates", {"n": 1})
        path = (*self.path, "replicates")
        if not isinstance(plan, dict):
            self.keys.problem(path, 'expected a table, such as { n = 3, aggregate = "mean" }')
            return ReplicatePlan()
        self.keys.refuse_unknown(path, plan, ("n", "aggregate"))
        n = plan.get("n")
        if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= 1000:
            self.keys.problem(path, "expected n = a whole number from 1 to 1000")
            n = 1
        if n == 1 and "aggregate" not in plan:
            return ReplicatePlan()
        words = "vocabulary" in self.table
        aggregate = self.keys.choice(path, plan, "aggregate", Aggregate) or Aggregate.EACH
        if (n > 1 and aggregate is Aggregate.SINGLE) or (words and aggregate is not Aggregate.EACH):
            self.keys.problem(path, 'expected aggregate = "each"' + ("" if words else ' or "mean"'))
        return ReplicatePlan(n, aggregate)

    def _plausible(self) -> Interval | None:
        if "plausible" not in self.table:
            return None
        text = self.table["plausible"]
        limits = parse_limits(text) if isinstance(text, str) and " to " in text else None
        if limits is None:
            self._problem("plausible", 'expected a range as text, such as "1 to 100"')
            return None
        low, high = (Interval.exactly(one.number) for one in limits.limits)
        span = Interval(low.low, high.high, low_closed=True, high_closed=True)
        if span.is_empty:
            self._problem("plausible", f'"{text}" is impossible: it ends before it begins')
        return span

    def _window(self) -> timedelta | None:
        if "window" not in self.table:
            return None
        text = self.table["window"]
        found = _WINDOW.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            self._problem("window", 'expected a time as text, such as "30 min", "2 h" or "1 d"')
            return None
        return timedelta(**{_UNITS_OF_TIME[found[2]]: int(found[1])})

    def _planned_days(self) -> int | None:
        days = self.table.get("planned_days")
        if days is None or (
            isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= 365
        ):
            return days
        self._problem("planned_days", "expected a whole number of days from 1 to 365")
        return None

    def _problem(self, key: str, message: str) -> None:
        self.keys.problem((*self.path, key), message)


def parse_limits(text: str) -> Limits | None:
    """Read ``> 90``, ``20 to 80`` (ends included) or ``> 5 and <= 10``; ``None`` for others."""
    ends = text.split(" to ")
    if len(ends) == 2:
        found = [_limit(">=", ends[0]), _limit("<=", ends[1])]
    else:
        matches = [_LIMIT.fullmatch(part.strip()) for part in text.split(" and ")]
        found = [_limit(match[1], match[2]) if match else None for match in matches]
    limits = tuple(one for one in found if one is not None)
    if len(limits) != len(found) or len(limits) > 2:
        return None
    if len(limits) == 2 and limits[0].operator[0] == limits[1].operator[0]:
        return None
    return Limits(text.strip(), limits)


def _limit(operator: str, text: str) -> Limit | None:
    amount = parse_amount(text.strip())
    if amount is None or amount.is_censored:
        return None
    return Limit({"≤": "<=", "≥": ">="}.get(operator, operator), amount.number)
