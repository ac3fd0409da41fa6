"""The table ``[analysis]`` of a method file: how the wells of a run become one measurement."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from batchqc.core.identifiers import code_problem, line_problem
from batchqc.core.potency import (
    FACTS,
    MEASURES,
    Bounds,
    Combination,
    Model,
    Parallelism,
    PotencyAnalysis,
    Suitability,
    Weights,
)
from batchqc.core.quantities import parse_amount
from batchqc.core.rounding import Rounding
from batchqc.core.units import unit_problem
from batchqc.documents.spec_accept import parse_limits
from batchqc.documents.spec_keys import Keys

Choice = TypeVar("Choice", bound=StrEnum)

_PATH: Final = ("analysis",)
_KEYS: Final = (
    "model", "readout", "readout_unit", "analyte", "unit", "decimals", "reference", "assigned",
    "doses", "replicates", "suitability", "parallelism", "bounds", "weights", "transformation",
    "link", "confidence", "runs", "combination", "quantitation", "per_million_cells", "tolerance",
)  # fmt: skip
_TRANSFORMATIONS: Final = ("identity", "log10", "ln", "sqrt")
_LINKS: Final = ("probit", "logit", "cloglog", "loglog", "cauchit")
_CURVES: Final = (Model.FOUR, Model.FIVE, Model.STANDARD_CURVE)
_MOST: Final = 100


def read_analysis(keys: Keys, content: Mapping[str, Any]) -> PotencyAnalysis | None:
    """The analysis that a method file declares; ``None`` where it has none, or with problems."""
    table = content.get("analysis")
    if table is None:
        return None
    if not isinstance(table, dict):
        keys.problem(_PATH, "expected a table [analysis]")
        return None
    before = len(keys.problems)
    found = _Table(keys, table).read()
    return found if len(keys.problems) == before else None


class _Table:
    """Reads the keys of one table."""

    def __init__(self, keys: Keys, table: Mapping[str, Any]) -> None:
        self.keys, self.table = keys, table
        keys.refuse_unknown(_PATH, table, _KEYS)
        self.model = keys.choice(_PATH, table, "model", Model) or Model.FOUR
        self.is_curve = self.model is Model.STANDARD_CURVE

    def read(self) -> PotencyAnalysis:
        """All of it; problems are remembered by the keys."""
        parallelism, bounds = self._parallelism()
        runs, combination = self._runs()
        return PotencyAnalysis(
            model=self.model,
            readout=self._code("readout"),
            readout_unit=self._unit("readout_unit"),
            analyte=self._code("analyte"),
            unit=self._unit("unit"),
            decimals=self._whole("decimals", least=0, most=12, default=None),
            reference=self._name("reference"),
            assigned=Decimal(1) if self.is_curve else self._number("assigned"),
            doses=self._doses(),
            replicates=self._whole("replicates", least=1, most=_MOST, default=None),
            suitability=self._suitability(),
            parallelism=parallelism,
            bounds=bounds,
            weights=self._weights(),
            transformation=self._one_of("transformation", _TRANSFORMATIONS, self._transforms),
            link=self._one_of("link", _LINKS, self.model is Model.QUANTAL),
            confidence=self._confidence(),
            runs=runs,
            combination=combination,
            quantitation=self._quantitation(),
            per_million_cells=self._per_million_cells(),
            tolerance=self._tolerance(),
        )

    @property
    def _transforms(self) -> bool:
        return self.model not in {Model.QUANTAL, Model.STANDARD_CURVE}

    def _problem(self, key: str, said: str) -> None:
        self.keys.problem((*_PATH, key), said)

    def _code(self, key: str) -> str:
        code = self.keys.text(_PATH, self.table, key)
        if code and code_problem(code):
            self._problem(key, code_problem(code) or "")
        return code

    def _name(self, key: str) -> str:
        name = self.keys.text(_PATH, self.table, key)
        if name and (line_problem("it", name) or set(name) & set(";=")):
            self._problem(key, 'expected one line without ";" and "=", as the wells name it')
        return name

    def _unit(self, key: str) -> str:
        unit = self.keys.text(_PATH, self.table, key)
        if unit and unit_problem(unit):
            self._problem(key, unit_problem(unit) or "")
        return unit

    def _whole(self, key: str, *, least: int, most: int, default: int | None) -> int:
        value = self.table.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self._problem(key, f"expected a whole number from {least} to {most}")
        return least

    def _number(self, key: str, text: object = None, *, least: str = "above 0") -> Decimal:
        """A number above 0 as text, or of 0 and more where ``least`` says so."""
        value = self.table.get(key) if text is None else text
        amount = parse_amount(value) if isinstance(value, str) else None
        if amount is not None and not amount.is_censored:
            number = amount.number
            if number > 0 or (number == 0 and least != "above 0"):
                return number
        self._problem(key, f'expected a number {least} as text, such as "0.5"')
        return Decimal(1)

    def _one_of(self, key: str, words: tuple[str, ...], applies: bool) -> str:  # noqa: FBT001 - a fact
        value = self.table.get(key, words[0])
        if key in self.table and not applies:
            self._problem(key, f"the model {self.model} has none: remove this key")
        if value not in words:
            self._problem(key, f"expected one of {', '.join(words)}")
        return str(value)

    def _weights(self) -> Weights:
        if "weights" not in self.table:
            return Weights.EQUAL
        found = self.keys.choice(_PATH, self.table, "weights", Weights) or Weights.EQUAL
        if self.model not in _CURVES and found is not Weights.EQUAL:
            self._problem("weights", f"the model {self.model} has equal weights")
        return found

    def _doses(self) -> tuple[Decimal, ...]:
        texts = self.keys.texts(_PATH, self.table, "doses")
        zero = "of 0 or more" if self.model in _CURVES else "above 0"
        doses = tuple(self._number("doses", text, least=zero) for text in texts)
        if len(doses) < 2 or len(doses) > _MOST or len(set(doses)) < len(doses):
            self._problem("doses", 'expected at least two different doses, such as ["1", "3"]')
        return doses

    def _confidence(self) -> Decimal:
        value = self._number("confidence", self.table.get("confidence", "0.95"))
        if not Decimal("0.8") <= value < 1:
            self._problem("confidence", 'expected from "0.80" to below "1"')
        return value

    def _tolerance(self) -> Decimal:
        value = self._number("tolerance", self.table.get("tolerance", "1E-6"))
        if value > Decimal("0.01"):
            self._problem("tolerance", 'expected at most "0.01", relative')
        return value

    def _runs(self) -> tuple[int, Combination]:
        runs = self._whole("runs", least=1, most=12, default=1)
        if "combination" not in self.table:
            if runs > 1:
                self._problem("combination", "say how the runs are combined")
            return runs, Combination.ONE_RUN
        found = self.keys.choice(_PATH, self.table, "combination", Combination)
        if found is not None and (found is Combination.ONE_RUN) != (runs == 1):
            self._problem("combination", f'"{found}" is not for {runs} runs')
        return runs, found or Combination.ONE_RUN

    def _parallelism(self) -> tuple[Parallelism | None, tuple[Bounds, ...]]:
        if self.is_curve:
            for key in ("parallelism", "bounds", "assigned"):
                if key in self.table:
                    self._problem(key, "a standard curve has none: remove this key")
            return None, ()
        found = self.keys.choice(_PATH, self.table, "parallelism", Parallelism)
        bounds = tuple(self._bounds())
        if found is Parallelism.EQUIVALENCE and not bounds:
            known = ", ".join(MEASURES.get(self.model, ())) or "none; use the F test"
            self._problem("bounds", f"an equivalence needs bounds of: {known}")
        if found is Parallelism.F_TEST and not self._can_fail("non-parallelism p"):
            said = 'the F test needs a limit to "non-parallelism p", from below and above 0'
            self._problem("suitability", said)
        return found, bounds

    def _can_fail(self, name: str) -> bool:
        """Whether a probability has a limit from below and above 0; a stored file, one at all."""
        wanted = self.table.get("suitability", {})
        text = wanted.get(name) if isinstance(wanted, dict) else None
        limits = parse_limits(text) if isinstance(text, str) else None
        low = limits.passing(Rounding.ABSOLUTE).low if limits else None
        return text is not None if self.keys.is_stored else (low is not None and low > 0)

    def _bounds(self) -> list[Bounds]:
        table, found = self.table.get("bounds", {}), []
        if not isinstance(table, dict):
            self._problem("bounds", 'expected a table, such as "ratio of slope" = "0.8 to 1.25"')
            return []
        for name, text in table.items():
            path = (*_PATH, "bounds", name)
            if name not in MEASURES.get(self.model, ()):
                self.keys.problem(path, f"no measure of {self.model}")
            ends = text.split(" to ") if isinstance(text, str) else []
            read = [amount for one in ends if (amount := parse_amount(one.strip()))]
            numbers = [one.number for one in read if self.keys.is_stored or not one.is_censored]
            if len(numbers) != 2 or not numbers[0] < numbers[1]:
                self.keys.problem(path, 'expected a range, such as "0.8 to 1.25"')
            else:
                found.append(Bounds(name, *numbers))
        return found

    def _suitability(self) -> tuple[Suitability, ...]:
        table, found = self.table.get("suitability", {}), []
        if not isinstance(table, dict) or not table:
            self._problem("suitability", "expected limits; a run without any is never suitable")
            return ()
        for name, text in table.items():
            path = (*_PATH, "suitability", name)
            if name not in FACTS[self.model]:
                self.keys.problem(path, f"{self.model} computes: {', '.join(FACTS[self.model])}")
            limits = parse_limits(text) if isinstance(text, str) else None
            if limits is None or limits.passing(Rounding.ABSOLUTE).is_empty:
                self.keys.problem(path, 'expected limits as text, such as ">= 0.95"')
            else:
                found.append(Suitability(name, limits))
        return tuple(found)

    def _quantitation(self) -> tuple[Decimal, Decimal] | None:
        if not self.is_curve:
            if "quantitation" in self.table:
                self._problem("quantitation", "only a standard curve has it: remove this key")
            return None
        texts = self.keys.texts(_PATH, self.table, "quantitation")
        ends = tuple(self._number("quantitation", text) for text in texts)
        if len(ends) != 2 or not ends[0] < ends[1]:
            self._problem("quantitation", 'expected lowest and highest, such as ["16", "1000"]')
            return None
        return ends[0], ends[1]

    def _per_million_cells(self) -> bool:
        value = self.table.get("per_million_cells", False)
        if not isinstance(value, bool) or (value and not self.is_curve):
            self._problem("per_million_cells", "true or false, of a standard curve")
            return False
        return value
