"""What a criterion accepts, as written in its table, and every problem in it."""

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import Final

from batchqc.core.acceptance import (
    Acceptance,
    Band,
    Bands,
    Limit,
    Limits,
    Relative,
    ReportOnly,
    Words,
)
from batchqc.core.donors import ELIGIBLE, INELIGIBLE, TISSUE_SOURCES
from batchqc.core.quantities import Interval, decimal_text, parse_amount
from batchqc.core.rounding import Rounding
from batchqc.core.subjects import DonorFact
from batchqc.core.units import ONE, Unit, parse_unit
from batchqc.core.vocabularies import Vocabulary
from batchqc.documents.spec_keys import CriterionKeys

K_OVER_M: Final = "K/M"
_LIMIT: Final = re.compile(r"(<=|>=|<|>|≤|≥)\s*(\S+)")
_RELATIVE: Final = re.compile(r"(<=|>=|<|>|≤|≥)\s*(?:([0-9.]+)\s*\*\s*)?control")
_PLAIN: Final = {"≤": "<=", "≥": ">="}
_DONOR_WORDS: Final = {
    DonorFact.TISSUE_SOURCE: TISSUE_SOURCES,
    DonorFact.ELIGIBILITY: (ELIGIBLE, INELIGIBLE),
}
_PER_DOSE: Final = ("k", "dose", "weight", "concentration")


def read_words(keys: CriterionKeys, vocabularies: Mapping[str, Vocabulary]) -> Words:
    """Accepted words of a vocabulary."""
    name = keys.text("vocabulary")
    vocabulary = vocabularies.get(name)
    if vocabulary is None:
        listed = ", ".join(vocabularies) or "none"
        keys.problem("vocabulary", f'"{name}" is not in [vocabularies]; there are: {listed}')
        return Words(())
    if "unit" in keys.table:
        keys.problem("unit", "a criterion with a vocabulary has no unit: remove this key")
    return _words(keys, vocabulary, [term.name for term in vocabulary.terms])


def read_donor_words(keys: CriterionKeys, fact: DonorFact) -> Words:
    """Accepted facts about a donor."""
    return _words(keys, None, _DONOR_WORDS[fact])


def read_numbers(keys: CriterionKeys, unit: str, *, rounding: Rounding) -> tuple[Acceptance, str]:
    """Limits, classes, a control, or nothing; and how a limit was derived."""
    if not unit and keys.table.get("accept") != ReportOnly().text:
        keys.problem("unit", 'expected a unit, such as unit = "%" (1 where there is none)')
    if "bands" in keys.table:
        return _bands(keys, rounding), ""
    if "per_dose" in keys.table:
        return _per_dose(keys, unit)
    accept = keys.table.get("accept")
    if accept == ReportOnly().text:
        return ReportOnly(), ""
    found = _RELATIVE.fullmatch(accept) if isinstance(accept, str) else None
    if found:
        amount = parse_amount(found[2] or "1")
        if amount is not None and amount.number > 0:
            return Relative(found[0], _PLAIN.get(found[1], found[1]), amount.number), ""
    limits = parse_limits(accept) if isinstance(accept, str) else None
    if limits is None:
        expected = '"> 90", ">= 95", "20 to 80", "> 5 and <= 10", "< control", "for information"'
        keys.problem("accept", f"expected limits as text, such as {expected}")
        return ReportOnly(), ""
    return limits, ""


def read_limits(keys: CriterionKeys, key: str, rounding: Rounding) -> Limits | None:
    """Limits beside the acceptance, such as ``alert``; absent is ``None``."""
    if key not in keys.table:
        return None
    text = keys.table[key]
    limits = parse_limits(text) if isinstance(text, str) else None
    if limits is None:
        keys.problem(key, 'expected limits as text, such as "> 92" or "92 to 99"')
    elif limits.passing(rounding).is_empty:
        keys.problem(key, f'"{limits.text}" is impossible: no value lies inside')
    return limits


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


def parse_quantity(text: str) -> tuple[Fraction, Unit] | None:
    """An exact number and its unit, such as ``70 kg``; ``None`` for others."""
    number, _, unit = text.partition(" ")
    amount, measured = parse_amount(number), parse_unit(unit)
    if amount is None or amount.is_censored or measured is None:
        return None
    return Fraction(amount.number), measured


def _limit(operator: str, text: str) -> Limit | None:
    amount = parse_amount(text.strip())
    if amount is None or amount.is_censored:
        return None
    return Limit(_PLAIN.get(operator, operator), amount.number)


def _words(keys: CriterionKeys, vocabulary: Vocabulary | None, known: Sequence[str]) -> Words:
    accept = keys.table.get("accept")
    words = [accept] if isinstance(accept, str) else accept
    if not isinstance(words, list) or not words or not all(isinstance(x, str) for x in words):
        keys.problem("accept", f"expected one or more of: {', '.join(known)}")
        return Words((), vocabulary)
    for word in words:
        if word not in known:
            keys.problem("accept", f'"{word}" is not one of: {", ".join(known)}')
    if set(words) >= set(known):
        keys.problem("accept", "every word is accepted: nothing could fail")
    return Words(tuple(words), vocabulary)


def _bands(keys: CriterionKeys, rounding: Rounding) -> Acceptance:
    bands: list[Band] = []
    if "per_dose" in keys.table:
        keys.problem("per_dose", "a limit per dose and classes exclude each other: remove one")
    for name, text in keys.subtable("bands").items():
        if name == ReportOnly().text:
            keys.problem("bands", f'"{name}" is no name of a class')
        limits = parse_limits(text) if isinstance(text, str) else None
        if limits is None or limits.passing(rounding).is_empty:
            keys.problem("bands", f'"{name}": expected limits as text, such as "30 to 37"')
            continue
        for other in bands:
            both = other.limits.passing(rounding).intersection(limits.passing(rounding))
            if not both.is_empty:
                keys.problem("bands", f'"{name}" and "{other.name}" overlap: {both}')
        bands.append(Band(name, limits))
    if keys.table.get("accept") == ReportOnly().text:
        return Bands(tuple(bands))
    return Bands(tuple(bands), _words(keys, None, [one.name for one in bands]).terms)


def _per_dose(keys: CriterionKeys, unit: str) -> tuple[Acceptance, str]:
    """An endotoxin limit K/M (USP <85>): K per kg and hour, M the largest dose of any one hour."""
    table = keys.subtable("per_dose", known=_PER_DOSE)
    parts = {key: parse_quantity(text) for key, text in table.items() if isinstance(text, str)}
    read = {key: part for key, part in parts.items() if part is not None and part[0] > 0}
    if len(read) < len(table) or not {"k", "dose"} <= set(read):
        keys.problem(
            "per_dose",
            "expected k and dose, and weight or concentration where they are needed, such as"
            ' { k = "5 EU/kg/h", dose = "2 mL/h", weight = "70 kg" }; dose is that of the'
            " busiest hour",
        )
        return ReportOnly(), ""
    number, measured = Fraction(1), ONE
    for key, (amount, own) in read.items():
        number = number / (amount * own.scale) if key == "dose" else number * amount * own.scale
        measured = measured.per(own) if key == "dose" else measured.times(own)
    target = parse_unit(unit) or ONE
    if not measured.measures_like(target):
        keys.problem(
            "per_dose", f"K/M is in {measured.base}, not in {unit}: is weight or concentration due?"
        )
        return ReportOnly(), ""
    largest = number / target.scale
    basis = ", ".join(f"{key} {table[key]}" for key in _PER_DOSE if key in table)
    return _below(keys, largest), f"K/M = {decimal_text(largest, places=6)} {unit}: {basis}"


def _below(keys: CriterionKeys, largest: Fraction) -> Acceptance:
    """The limit as accepted: K/M cut to six significant figures, or a stricter number."""
    accept = keys.table.get("accept")
    operator, _, text = accept.partition(" ") if isinstance(accept, str) else ("", "", "")
    if text == K_OVER_M and operator in {"<", "<="}:
        cut = _cut(largest)
        return Limits(f"{operator} {cut}", (Limit(operator, cut),))
    limits = parse_limits(accept) if isinstance(accept, str) else None
    upper = limits.passing(Rounding.ABSOLUTE).high if limits else None
    if limits is None or upper is None:
        keys.problem("accept", 'expected an upper limit: "<= K/M", or a stricter number')
    elif upper > largest:
        shown = decimal_text(largest, places=6)
        keys.problem("accept", f'"{limits.text}" is above K/M = {shown}: lower it')
    return limits or ReportOnly()


def _cut(number: Fraction) -> Decimal:
    """A positive number cut to six significant figures, never above it."""
    down = Context(prec=6, rounding=ROUND_FLOOR)
    cut = down.divide(Decimal(number.numerator), Decimal(number.denominator))
    return Decimal(decimal_text(Fraction(cut)))


def plausible_range(keys: CriterionKeys) -> Interval | None:
    """The range outside which no value is read."""
    if "plausible" not in keys.table:
        return None
    text = keys.table["plausible"]
    limits = parse_limits(text) if isinstance(text, str) and " to " in text else None
    if limits is None:
        keys.problem("plausible", 'expected a range as text, such as "1 to 100"')
        return None
    span = limits.passing(Rounding.ABSOLUTE)
    if span.is_empty:
        keys.problem("plausible", f'"{text}" is impossible: it ends before it begins')
    return span
