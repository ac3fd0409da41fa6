"""Elements of HL7 FHIR R5 (5.0.0), and their JSON: numbers keep the digits of their text."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from batchqc.core.quantities import parse_amount
from batchqc.core.ucum import SYSTEM, ucum_code

MEDIA_TYPE: Final = "application/fhir+json"
#: Profiles and extensions of the guide "Pharmaceutical Quality (Industry)", 1.0.0.
PQ: Final = "http://hl7.org/fhir/uv/pharm-quality/StructureDefinition"
#: What neither FHIR nor the guide has a name for.
OWN: Final = "urn:batchqc:fhir"

Element = dict[str, Any]
_DECIMAL: Final = re.compile(
    r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,9})?", re.ASCII
)


class Number(str):
    """The text of a number: in JSON it stands without quotation marks, digit for digit."""

    __slots__ = ()


def fhir_json(resource: Element) -> bytes:
    """A resource as JSON in UTF-8; an element that says nothing is left out, as FHIR demands."""
    return f"{_text(_said(resource), indent='')}\n".encode()


def number(text: str) -> Number | None:
    """The number, or ``None`` for text that is no decimal of FHIR (at most 18 and 17 digits)."""
    return Number(text) if _DECIMAL.fullmatch(text) else None


def quantity(text: str, unit: str) -> Element | None:
    """A result with its qualifier as a Quantity; ``None`` where it is not one number.

    A unit without a code of UCUM stands as text only.
    """
    amount = parse_amount(text)
    if amount is None:
        return None
    value = number(re.sub(r"^(<=|>=|<|>|≤|≥)? ?\+?", "", text))
    if value is None:
        return None
    comparator = amount.qualifier if amount.is_censored else None
    return {"value": value, "comparator": comparator, **measured_in(unit)}


def measured_in(unit: str) -> Element:
    """The parts of a Quantity that say its unit."""
    code = ucum_code(unit)
    return {"unit": unit, "system": SYSTEM if code else None, "code": code}


def concept(text: str, *codings: tuple[str, str]) -> Element:
    """A CodeableConcept of text, and codes with their systems."""
    coded = [{"system": system, "code": code} for system, code in codings]
    return {"coding": coded, "text": text}


def identifier(kind: str, value: str) -> Element:
    """An identifier in the series that batchqc calls ``kind``."""
    return {"system": f"urn:batchqc:{kind}", "value": value}


def extension(url: str, **value: object) -> Element:
    """An extension with its one value."""
    return {"url": url, **value}


def _said(value: object) -> object:
    """``value`` without what says nothing."""
    if isinstance(value, Mapping):
        parts = {name: _said(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part not in (None, "", [], {})}
    if isinstance(value, list):
        return [_said(part) for part in value]
    return value


def _text(value: object, *, indent: str) -> str:
    deeper = indent + "  "
    match value:
        case Number():
            return str(value)
        case dict():
            parts = [
                f"{json.dumps(name)}: {_text(part, indent=deeper)}" for name, part in value.items()
            ]
            return _block("{}", parts, indent=indent)
        case list():
            return _block("[]", [_text(part, indent=deeper) for part in value], indent=indent)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _block(brackets: str, parts: list[str], *, indent: str) -> str:
    inner = f",\n{indent}  ".join(parts)
    return f"{brackets[0]}\n{indent}  {inner}\n{indent}{brackets[1]}"
