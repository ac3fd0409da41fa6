"""How long a text may be that somebody sends, in a body of the API or in a form.

A name, code or reference is one line. A reason or a finding is prose, and so is all that lies in a
member of prose. Addresses and the names that providers of single sign-on give people lie between.
What is on record is told however long it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException

LINE: Final = 200
ADDRESS: Final = 2000
PROSE: Final = 4000
_OF_ADDRESS: Final = ("url", "issuer", "subject")
_OF_PROSE: Final = (
    "about", "address", "after", "answer", "answers", "basis", "cause", "comment", "conclusion",
    "condition", "evidence", "hypothesis", "left", "particulars", "reason", "record", "remark",
    "resample_because", "statement", "temperature_record",
    "code", "new", "old", "password", "state", "step_up", "ticket",  # secrets, as they were made
)  # fmt: skip
_LONGEST: Final[Mapping[str, int]] = dict.fromkeys(_OF_ADDRESS, ADDRESS) | dict.fromkeys(
    _OF_PROSE, PROSE
)


class Longer(NamedTuple):
    """A text that is too long: where it stands, and how long it is and may be."""

    place: tuple[str | int, ...]
    length: int
    limit: int

    def __str__(self) -> str:
        """What is wrong with it, for whoever sent it."""
        return f"it has {self.length:,} characters, and may have {self.limit:,} at most"


class TooLong(HTTPException):
    """A body in which texts are too long; nothing was done with it."""

    def __init__(self, found: tuple[Longer, ...]) -> None:
        """Of each text."""
        super().__init__(422)
        self.found = found


def longest(name: str) -> int:
    """How long the text of a member may be."""
    return _LONGEST.get(name, LINE)


def longer_texts(content: Any) -> Iterator[Longer]:
    """Each text of a body that is too long, by the name of the member that it is in."""
    waiting: list[tuple[tuple[str | int, ...], int, Any]] = [((), 0, content)]
    while waiting:
        place, limit, item = waiting.pop()
        if isinstance(item, dict):
            names = [(name, max(limit, longest(name))) for name in item if isinstance(name, str)]
            long = (name for name, _ in names if len(name) > LINE)
            yield from (Longer((*place, name[:LINE]), len(name), LINE) for name in long)
            waiting += [((*place, name), own, item[name]) for name, own in names]
        elif isinstance(item, list | tuple):
            waiting += [((*place, index), limit, one) for index, one in enumerate(item)]
        elif isinstance(item, str) and len(item) > (limit or LINE):
            yield Longer(place, len(item), limit or LINE)


def tell_lengths(schema: dict[str, Any], limit: int = 0) -> None:
    """Say in a JSON schema how long its texts may be."""
    is_text = schema.get("type") == "string" and schema.get("format") in {None, "password"}
    if is_text and not schema.keys() & {"enum", "const"}:
        schema["maxLength"] = min(limit or LINE, schema.get("maxLength", PROSE))
    for name, one in schema.get("properties", {}).items():
        tell_lengths(one, max(limit, longest(name)))
    for within in ("items", "additionalProperties"):
        if isinstance(schema.get(within), dict):
            tell_lengths(schema[within], limit)
    for one in schema.get("anyOf", ()):
        tell_lengths(one, limit)
