"""Units: what they are spelled like, and what they measure.

- A result's unit is compared with the criterion's by spelling, after one alias table, and never
  converted (design, decided once, 5). Only a derived expression converts, by exact scales.
- Codes are those of UCUM (``10*6/mL``, ``pg/(10*6.{cells})``), with the words that laboratories
  write beside them (``cells``, ``EU``, ``Ct``).
- What is counted has a dimension of its own, in braces or not: ``cells/mL`` is not ``EU/mL``, and
  an endotoxin unit never turns into a mass. ``%{ref}`` is not ``%``.
- A bare amount of endotoxin says nothing about a dose and is refused.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Self

_ALIASES: Final = str.maketrans({"\N{GREEK SMALL LETTER MU}": "\N{MICRO SIGN}"})
_PREFIXES: Final = {
    "k": 3, "d": -1, "c": -2, "m": -3, "\N{MICRO SIGN}": -6, "n": -9, "p": -12, "f": -15,
}  # fmt: skip
_METRIC: Final[Mapping[str, tuple[Fraction, Mapping[str, int]]]] = {
    "g": (Fraction(1), {"g": 1}),
    "L": (Fraction(1000), {"cm": 3}),
    "l": (Fraction(1000), {"cm": 3}),
    "m": (Fraction(100), {"cm": 1}),
    "mol": (Fraction(1), {"mol": 1}),
    "M": (Fraction(1, 1000), {"mol": 1, "cm": -3}),
    "s": (Fraction(1), {"s": 1}),
    "Da": (Fraction(1), {"Da": 1}),
    "V": (Fraction(1), {"V": 1}),
    "Osm": (Fraction(1), {"Osm": 1}),
    "U": (Fraction(1), {"U": 1}),
}
_PLAIN: Final[Mapping[str, tuple[Fraction, Mapping[str, int]]]] = {
    "1": (Fraction(1), {}),
    "ratio": (Fraction(1), {}),
    "%": (Fraction(1, 100), {}),
    "[ppth]": (Fraction(1, 1000), {}),
    "[ppm]": (Fraction(1, 10**6), {}),
    "min": (Fraction(60), {"s": 1}),
    "h": (Fraction(3600), {"s": 1}),
    "d": (Fraction(86400), {"s": 1}),
    "Cel": (Fraction(1), {"Cel": 1}),
    "[pH]": (Fraction(1), {"pH": 1}),
    "pH": (Fraction(1), {"pH": 1}),
    "EU": (Fraction(1), {"EU": 1}),
    "IU": (Fraction(1), {"IU": 1}),
    "[iU]": (Fraction(1), {"IU": 1}),
    "cells": (Fraction(1), {"cells": 1}),
    "CFU": (Fraction(1), {"CFU": 1}),
    "[CFU]": (Fraction(1), {"CFU": 1}),
    "copies": (Fraction(1), {"copies": 1}),
    "Ct": (Fraction(1), {"Ct": 1}),
    "dose": (Fraction(1), {"dose": 1}),
    "bag": (Fraction(1), {"bag": 1}),
    "vial": (Fraction(1), {"vial": 1}),
    "cryotube": (Fraction(1), {"cryotube": 1}),
    "unit": (Fraction(1), {"unit": 1}),
}
LONGEST_UNIT: Final = 60
LARGEST_SCALE: Final = 10**40
_ENDOTOXIN: Final = {"EU", "IU", "[IU]", "[EU]"}
_TOKEN: Final = re.compile(
    r"10\*(?P<power>-?[0-9]{1,2})"
    r"|(?P<atom>\[[A-Za-z]+\]|[A-Za-z%\N{MICRO SIGN}]+|1)(?P<exponent>-?[0-9]|)"
    r"(?P<note>\{[^{}]+\})?"
    r"|(?P<counted>\{[^{}]+\})"
    r"|(?P<sign>[/.()])"
)


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit measures: ``scale`` to the base units of its ``dimensions`` (name and power).

    Bases are g, cm, s and mol (so that 1 mL is 1 cm3); what is counted is its own base.
    """

    text: str
    scale: Fraction
    dimensions: tuple[tuple[str, int], ...]

    @property
    def base(self) -> str:
        """The base units as text, such as ``g/cm3``; 1 for a plain number."""
        parts = [(name, abs(power), power < 0) for name, power in self.dimensions]
        shown = [(f"{name}{power if power > 1 else ''}", below) for name, power, below in parts]
        above = ".".join(text for text, below in shown if not below)
        return "/".join([above or "1", *(text for text, below in shown if below)])

    def times(self, other: Self) -> Self:
        """The unit of a product."""
        return self._combined(other, 1)

    def per(self, other: Self) -> Self:
        """The unit of a quotient."""
        return self._combined(other, -1)

    def measures_like(self, other: Self) -> bool:
        """Whether both measure the same, so that one can be turned into the other."""
        return self.dimensions == other.dimensions

    def _combined(self, other: Self, sign: int) -> Self:
        powers = Counter(dict(self.dimensions))
        for name, power in other.dimensions:
            powers[name] += sign * power
        text = f"{self.text}{'.' if sign == 1 else '/'}{_grouped(other.text)}"
        return type(self)(text, self.scale * other.scale**sign, _sorted(powers.items()))


ONE: Final = Unit("1", Fraction(1), ())


def canonical_unit(unit: str) -> str:
    """The unit by its one approved spelling: both micro signs and ``u`` before g, L, m, M, mol."""
    plain = unit.strip().translate(_ALIASES)
    return re.sub(r"\bu(?=(?:g|L|l|m|M|mol)\b)", "\N{MICRO SIGN}", plain)


def parse_unit(text: str) -> Unit | None:
    """What a unit measures, or ``None`` for text that is no unit known here."""
    reader = _Reader(canonical_unit(text) if len(text) <= LONGEST_UNIT else "")
    found = reader.product()
    if found is None or not reader.is_at_end:
        return None
    scale, powers = found
    if not Fraction(1, LARGEST_SCALE) <= scale <= LARGEST_SCALE:
        return None
    return Unit(text, scale, _sorted(powers.items()))


def unit_problem(text: str) -> str | None:
    """Why ``text`` cannot be judged against, or ``None``."""
    unit = parse_unit(text)
    if canonical_unit(text).upper() in _ENDOTOXIN or (unit is not None and _is_bare(unit)):
        return f'"{text}" is an amount of endotoxin without "per what": write EU/mL or EU/{{dose}}'
    if unit is None:
        return (
            f'"{text}" is no unit known here: write a UCUM code; what is counted in braces, {{x}}'
        )
    return None


def _is_bare(unit: Unit) -> bool:
    """Whether it counts endotoxin and says per nothing."""
    counts = any(name in {"EU", "IU"} and power > 0 for name, power in unit.dimensions)
    return counts and all(power > 0 for _, power in unit.dimensions)


class _Reader:
    """Reads products and quotients from left to right, as UCUM does."""

    def __init__(self, text: str) -> None:
        self.tokens: list[re.Match[str]] = []
        place = 0
        while place < len(text):
            token = _TOKEN.match(text, place)
            if token is None:
                self.tokens = []
                break
            self.tokens.append(token)
            place = token.end()
        self.at = 0

    @property
    def is_at_end(self) -> bool:
        return self.at == len(self.tokens)

    def product(self) -> tuple[Fraction, Counter[str]] | None:
        scale, powers, sign = Fraction(1), Counter[str](), 1
        while True:
            factor = self._factor()
            if factor is None:
                return None
            scale *= factor[0] ** sign
            for name, power in factor[1].items():
                powers[name] += sign * power
            match self._sign():
                case "/":
                    sign = -1
                case ".":
                    sign = 1
                case _:
                    return scale, powers
            self.at += 1

    def _sign(self) -> str | None:
        return None if self.is_at_end else self.tokens[self.at]["sign"]

    def _factor(self) -> tuple[Fraction, Counter[str]] | None:
        if self.is_at_end:
            return None
        token = self.tokens[self.at]
        self.at += 1
        if token["sign"] == "(":
            inner = self.product() if self.at < 20 else None
            closed = self._sign() == ")"
            self.at += 1
            return inner if closed else None
        if token["sign"]:
            return None
        if token["power"]:
            return Fraction(10) ** int(token["power"]), Counter()
        if token["counted"]:
            return Fraction(1), Counter({token["counted"][1:-1]: 1})
        return _atom(token)


def _atom(token: re.Match[str]) -> tuple[Fraction, Counter[str]] | None:
    found = _known(token["atom"])
    exponent = int(token["exponent"] or 1)
    if found is None or not exponent or (token["atom"] == "1" and token["exponent"]):
        return None
    powers = Counter({name: power * exponent for name, power in found[1].items()})
    if token["note"]:
        powers[token["note"][1:-1]] += 1
    return found[0] ** exponent, powers


def _known(atom: str) -> tuple[Fraction, Mapping[str, int]] | None:
    if found := _PLAIN.get(atom) or _METRIC.get(atom):
        return found
    base = _METRIC.get(atom[1:])
    if base is None or atom[0] not in _PREFIXES:
        return None
    return base[0] * Fraction(10) ** _PREFIXES[atom[0]], base[1]


def _sorted(powers: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((name, power) for name, power in powers if power))


def _grouped(text: str) -> str:
    return f"({text})" if re.search(r"[./]", text) else text
