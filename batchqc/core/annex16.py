"""What is checked before a qualified person certifies a lot (requirements 2.20, 2.21).

Each point is answered with yes, and by whom or with which record it is ensured. A point that is not
answered so forbids the check to be signed; nothing here overrides a failed specification (2.22).
"""

import re
from collections.abc import Mapping
from typing import Final

#: The points, in words of our own; a site's procedure names who ensures each.
POINTS: Final[Mapping[str, str]] = {
    "authorisation": "the manufacturing and the product authorisation cover the lot",
    "gmp": "manufacture and testing followed GMP at every site named",
    "supply chain": "the supply chain of the starting material is documented",
    "starting materials": "starting and packaging materials were released for use",
    "process": "processes and methods are validated, in their state now",
    "records": "batch and laboratory records are complete and signed by those responsible",
    "deviations": "deviations and planned changes are evaluated, and closed or justified",
    "checks": "all required in-process and final checks are done and pass",
    "stability": "stability data support the shelf life",
    "audits": "the sites concerned are audited as planned, without open objection",
    "product review": "complaints, recalls and reviews of the product say nothing against it",
    "labels": "labels and accompanying documents are right",
}


_DENIED: Final = frozenset({"no", "not", "none", "never", "n/a", "n.a"})
#: What an answer begins with, behind marks: n/a, n.a. and n. a. are one word.
_WORD: Final = re.compile(r"[\W_]*(n[/.]\s?a(?![^\W_])|[^\W_]+(?:-[^\W_]+)*)", re.IGNORECASE)
#: What stands between the initials or the first name of a person and the family name.
_BETWEEN: Final = re.compile(r"\.?\s+")


def checklist_problems(answers: Mapping[str, str]) -> tuple[str, ...]:
    """Every point without an answer that says by whom or how it is ensured; and unknown ones."""
    missing = [
        f'"{name}" is not answered: {what}'
        for name, what in POINTS.items()
        if not any(letter.isalnum() for letter in answers.get(name, ""))
    ]
    denied = [
        f'"{name}" {said}: {POINTS[name]}'
        for name, answer in answers.items()
        if name in POINTS and (said := _denial(answer))
    ]
    return (*missing, *denied, *(f'"{name}" is no point' for name in answers if name not in POINTS))


def _denial(answer: str) -> str:
    """What is said of an answer that is a no, or that may be one; else ""."""
    first = _WORD.match(answer)
    word = "".join(first[1].split()).casefold() if first else ""
    is_na = "".join(filter(str.isalnum, answer)).casefold() == "na"
    if not (is_na or word in _DENIED or word.startswith("not-")):
        return ""
    between = _BETWEEN.match(answer, first.end()) if first else None
    if between and answer[between.end() : between.end() + 1].isupper():
        return 'begins as a no does; write a name with the family name first, as "Smith, N.A."'
    return "is answered with no"
