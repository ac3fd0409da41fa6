"""Units as UCUM codes, for what leaves batchqc as FHIR; nothing is converted.

What laboratories write as words (``cells``, ``EU``, ``Ct``) becomes a code of UCUM or an
annotation. A unit of endotoxin is ``[iU]``: ``[EU]`` of UCUM is the Ehrlich unit. A unit that has
no code is left without one; it is never guessed.
"""

import re
from typing import Final

from batchqc.core.units import canonical_unit, unit_problem

SYSTEM: Final = "http://unitsofmeasure.org"

_CODES: Final = {
    "EU": "[iU]", "IU": "[iU]", "CFU": "[CFU]", "pH": "[pH]", "ratio": "1", "Osm": "osm",
    "mOsm": "mosm", "Da": "u", "kDa": "ku",
    **{word: f"{{{word}}}" for word in (
        "cells", "copies", "Ct", "dose", "bag", "vial", "cryotube", "unit",
    )},
    **{f"{prefix}M": f"({code}mol/L)" for prefix, code in (
        ("", ""), ("m", "m"), ("\N{MICRO SIGN}", "u"), ("n", "n"), ("p", "p"), ("f", "f"),
    )},
}  # fmt: skip
_PART: Final = re.compile(r"\{[^{}]*\}|\[[A-Za-z]+\]|10\*-?[0-9]+|[A-Za-z\N{MICRO SIGN}%]+")
_CODE: Final = re.compile(r"(?:[!-z|~]|\{[!-z|~]+\}(?!\{))+")


def ucum_code(unit: str) -> str | None:
    """The UCUM code of a unit as a specification has it; ``None`` where there is none."""
    if unit_problem(unit) is not None:
        return None
    code = _PART.sub(lambda part: _coded(part[0]), canonical_unit(unit))
    if re.fullmatch(r"\([^()]*\)", code):
        code = code[1:-1]
    return code if _CODE.fullmatch(code) else None


def _coded(part: str) -> str:
    return _CODES.get(part) or part.replace("\N{MICRO SIGN}", "u")
