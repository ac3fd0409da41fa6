"""Formulas of derived results: a small language that is read here and never by ``eval``.

    viable / total          abs(observed - expected) / expected          log2(harvested / seeded)

Numbers, names, ``+ - * /``, brackets and the functions ``abs min max sqrt log2 log10 ln``. A number
in a formula has no unit. A formula knows the unit of what it computes, and refuses to add cells to
millilitres or to take the logarithm of a mass. It computes sets of numbers (``arithmetic``): a
censored input leaves open what it leaves open.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Final, Protocol

from batchqc.core.arithmetic import (
    absolute,
    divided,
    extreme,
    geometric_mean,
    logarithm,
    negative,
    plus,
    times,
)
from batchqc.core.quantities import Interval, parse_amount
from batchqc.core.units import ONE, Unit

LONGEST_FORMULA: Final = 500
DEEPEST: Final = 20
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>[-+*/(),]))\s*"
)


class FormulaProblem(Exception):
    """Why a formula cannot be read, or has no unit."""


class Term(Protocol):
    """A part of a formula."""

    def unit(self, units: Mapping[str, Unit]) -> Unit:
        """What it measures, or ``FormulaProblem``."""

    def value(self, values: Mapping[str, Interval]) -> Interval | None:
        """Every number that it may be; ``None`` where it is not defined for some input."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as written, its names in order of appearance, and what it computes."""

    text: str
    names: tuple[str, ...]
    term: Term

    def unit(self, units: Mapping[str, Unit]) -> Unit:
        """The unit of the result, from the units of the names.

        Raises:
            FormulaProblem: where the formula adds, compares or takes functions of unlike things.
        """
        return self.term.unit(units)

    def value(self, values: Mapping[str, Interval]) -> Interval | None:
        """Every number that the result may be, from those that the names may be, in base units."""
        return self.term.value(values)

    @property
    def has_factor_100(self) -> bool:
        """Whether something is multiplied by 100, as people do to have percent."""
        return _has_factor_100(self.term)


def parse_formula(text: str) -> Formula:
    """Read a formula of at most 500 characters.

    Raises:
        FormulaProblem: naming what was found and what was expected.
    """
    if len(text) > LONGEST_FORMULA:
        raise FormulaProblem(f"the formula is longer than {LONGEST_FORMULA} characters")
    reader = _Reader(text)
    term = reader.sum(0)
    reader.end()
    return Formula(text, tuple(dict.fromkeys(reader.names)), term)


@dataclass(frozen=True, slots=True)
class _Number:
    amount: Interval

    def unit(self, _: Mapping[str, Unit]) -> Unit:
        return ONE

    def value(self, _: Mapping[str, Interval]) -> Interval | None:
        return self.amount


@dataclass(frozen=True, slots=True)
class _Name:
    name: str

    def unit(self, units: Mapping[str, Unit]) -> Unit:
        return units[self.name]

    def value(self, values: Mapping[str, Interval]) -> Interval | None:
        return values[self.name]


@dataclass(frozen=True, slots=True)
class _Call:
    """A function or an operator with the terms it is applied to."""

    function: str
    terms: tuple[Term, ...]

    def unit(self, units: Mapping[str, Unit]) -> Unit:
        found = [term.unit(units) for term in self.terms]
        first = found[0]
        if self.function in {"*", "/"}:
            return first.times(found[1]) if self.function == "*" else first.per(found[1])
        if self.function in {"log2", "log10", "ln"}:
            if first.dimensions:
                raise FormulaProblem(f"{self.function} of {first.text}: divide by a unit first")
            return ONE
        if self.function == "sqrt":
            return _root_of(first)
        for other, term in zip(found, self.terms, strict=True):
            if isinstance(term, _Number) and any(one.scale != 1 for one in found):
                what = f'"{self.function}" of a number and {_scaled(found).text}'
                raise FormulaProblem(f'{what}: give the number a unit, as an input such as "100 %"')
            if not other.measures_like(first):
                what = f'"{self.function}" of {first.text} and {other.text}'
                raise FormulaProblem(f"{what}: they do not measure the same")
        return Unit(first.text, Fraction(1), first.dimensions)

    def value(self, values: Mapping[str, Interval]) -> Interval | None:
        found = [term.value(values) for term in self.terms]
        known = [one for one in found if one is not None]
        return _FUNCTIONS[self.function](known) if len(known) == len(found) else None


_FUNCTIONS: Final[Mapping[str, Callable[[Sequence[Interval]], Interval | None]]] = {
    "+": lambda x: plus(x[0], x[1]),
    "-": lambda x: plus(x[0], negative(x[-1])) if len(x) > 1 else negative(x[0]),
    "*": lambda x: times(x[0], x[1]),
    "/": lambda x: divided(x[0], x[1]),
    "abs": lambda x: absolute(x[0]),
    "min": lambda x: extreme(x, largest=False),
    "max": lambda x: extreme(x, largest=True),
    "sqrt": lambda x: geometric_mean([x[0], Interval.exactly(Fraction(1))]),
    "log2": lambda x: logarithm(x[0], base=2),
    "log10": lambda x: logarithm(x[0], base=10),
    "ln": lambda x: logarithm(x[0], base=None),
}
_OF_ONE: Final = {"abs", "sqrt", "log2", "log10", "ln"}
_OF_MANY: Final = {"min", "max"}


class _Reader:
    """Recursive descent: a sum of products of factors."""

    def __init__(self, text: str) -> None:
        self.names: list[str] = []
        self.tokens: list[re.Match[str]] = []
        place = 0
        while place < len(text):
            token = _TOKEN.match(text, place)
            if token is None:
                raise FormulaProblem(f'"{text[place:].strip()[:10]}" cannot be read')
            self.tokens.append(token)
            place = token.end()
        self.at = 0

    def sum(self, depth: int) -> Term:
        return self._chain(depth, "+-", self._product)

    def end(self) -> None:
        if self._sign() is not None or self.at < len(self.tokens):
            raise FormulaProblem(f'"{self._found()}" stands where the formula should end')

    def _product(self, depth: int) -> Term:
        return self._chain(depth, "*/", self._factor)

    def _chain(self, depth: int, signs: str, part: Callable[[int], Term]) -> Term:
        parts, operators = [part(depth)], []
        while (sign := self._sign()) is not None and sign in signs:
            self.at += 1
            operators.append(sign)
            parts.append(part(depth))
        pairs = zip(operators, parts[1:], strict=True)
        return reduce(lambda left, pair: _Call(pair[0], (left, pair[1])), pairs, parts[0])

    def _factor(self, depth: int) -> Term:
        if depth > DEEPEST:
            raise FormulaProblem(f"more than {DEEPEST} brackets in each other")
        if self._sign() == "-":
            self.at += 1
            return _Call("-", (self._factor(depth + 1),))
        if self._sign() == "(":
            self.at += 1
            inside = self.sum(depth + 1)
            self._expect(")")
            return inside
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        if token is None or token["sign"]:
            raise FormulaProblem(f'"{self._found()}" stands where a number or a name should')
        self.at += 1
        return self._number(token["number"]) if token["number"] else self._named(token, depth)

    def _number(self, text: str) -> Term:
        amount = parse_amount(text)
        if amount is None:
            raise FormulaProblem(f'"{text}" is too long or too large')
        return _Number(amount.possible)

    def _named(self, token: re.Match[str], depth: int) -> Term:
        name = token["name"]
        if self._sign() != "(":
            self.names.append(name)
            return _Name(name)
        known = _OF_ONE | _OF_MANY
        if name not in known:
            raise FormulaProblem(f'"{name}" is no function; known are: {", ".join(sorted(known))}')
        self.at += 1
        terms = [self.sum(depth + 1)]
        while name in _OF_MANY and self._sign() == ",":
            self.at += 1
            terms.append(self.sum(depth + 1))
        self._expect(")")
        return _Call(name, tuple(terms))

    def _expect(self, sign: str) -> None:
        if self._sign() != sign:
            raise FormulaProblem(f'"{self._found()}" stands where "{sign}" should')
        self.at += 1

    def _sign(self) -> str | None:
        return self.tokens[self.at]["sign"] if self.at < len(self.tokens) else None

    def _found(self) -> str:
        return self.tokens[self.at][0].strip() if self.at < len(self.tokens) else "the end"


def _has_factor_100(term: Term) -> bool:
    if not isinstance(term, _Call):
        return False
    hundred = _Number(Interval.exactly(Fraction(100)))
    own = term.function == "*" and hundred in term.terms
    return own or any(_has_factor_100(part) for part in term.terms)


def _scaled(units: Sequence[Unit]) -> Unit:
    return next(one for one in units if one.scale != 1)


def _root_of(unit: Unit) -> Unit:
    if any(power % 2 for _, power in unit.dimensions):
        raise FormulaProblem(f"sqrt of {unit.text}: it is no square")
    halved = tuple((name, power // 2) for name, power in unit.dimensions)
    return Unit(f"sqrt({unit.text})", Fraction(1), halved)
