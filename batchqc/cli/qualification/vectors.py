"""Golden vectors: published answers, through the functions by which every lot is judged."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, Final

from batchqc.cli.qualification.protocol import Doing, Finding, counted, data_of
from batchqc.core import rounding as rules
from batchqc.core.acceptance import Limit, Limits
from batchqc.core.donation_ids import IdKind, donation_id, european_code
from batchqc.core.quantities import parse_amount
from batchqc.core.rounding import Rounding
from batchqc.core.verdicts import compare

_RULES: Final = {
    "OQ-GV-01": ("usp", Rounding.USP),
    "OQ-GV-02": ("ph-eur", Rounding.PH_EUR),
    "OQ-GV-03": ("astm", Rounding.ASTM),
    "OQ-GV-04": ("absolute", Rounding.ABSOLUTE),
    "OQ-GV-05": ("censored", Rounding.ABSOLUTE),
}


def doings() -> dict[str, Doing]:
    """The checks of this section, by id."""
    vectors = data_of("vectors")
    rows: dict[str, Doing] = {
        name: partial(_compared, vectors[table], rule) for name, (table, rule) in _RULES.items()
    }
    return rows | {
        "OQ-GV-06": partial(_no_numbers, vectors["no-numbers"]),
        "OQ-GV-07": partial(_identifiers, vectors["din"], vectors["sec"]),
    }


def _compared(table: Mapping[str, Any], rule: Rounding) -> Finding:
    lines = []
    for accept, text, as_rounded, verdict in table["rows"]:
        operator, limit = accept.split()
        passing = Limits(accept, (Limit(operator, Decimal(limit)),)).passing(rule)
        amount = parse_amount(text)
        got = compare(passing, [amount.possible]).value if amount else "no number"
        lines.append((f"{text} against {accept}", verdict, got))
        if as_rounded:
            number = rules.rounded(Fraction(text), Decimal(limit), rule)
            lines.append((f"{text} rounded for {accept}", as_rounded, str(number)))
    return counted(lines, source=table["source"])


def _no_numbers(table: Mapping[str, Any]) -> Finding:
    read = [(text, parse_amount(text)) for text in table["rows"]]
    return counted(
        [(f'"{text}"', "refused", "refused" if one is None else "read") for text, one in read],
        source=table["source"],
    )


def _identifiers(din: Mapping[str, Any], sec: Mapping[str, Any]) -> Finding:
    lines = [
        (text, expected, "refused" if isinstance(donation_id(IdKind.DIN, text), tuple) else "taken")
        for expected, texts in (("taken", din["checked"]), ("refused", din["wrong"]))
        for text in texts
    ]
    found = {name: str(part) for name, part in asdict(european_code(sec["code"])).items()}
    lines += [
        (f"{name} of {sec['code']}", wanted, found[name]) for name, wanted in sec["parts"].items()
    ]
    return counted(lines, source=f"{din['source']}; {sec['source']}")
