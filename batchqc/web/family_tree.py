"""Where each node of a trace stands in its picture: from the donors at the left to the doses.

A node stands right of all that it comes from. Doses, shipments and recipients that are many of one
kind and of the same origin are drawn as one; the table beside the picture names each.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Final
from urllib.parse import quote

from batchqc.actions.genealogy import Trace, TracedNode
from batchqc.core.genealogy import NodeKind, id_of, kind_of
from batchqc.web.rendering import day

_MANY: Final = 4
_MOST: Final = 200
_WIDE, _HIGH, _ACROSS, _DOWN = 180, 70, 220, 80
_FITS: Final = 24  # letters in a box
_DAY: Final = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_BUNDLED: Final = (
    NodeKind.CONTAINER, NodeKind.RETAIN_SAMPLE, NodeKind.SHIPMENT, NodeKind.RECIPIENT,
)  # fmt: skip
_OFF: Final = ("rejected", "recalled", "destroyed", "ineligible", "broken")
_HELD: Final = ("on hold", "quarantined", "look-back", "exception", "expired")
_GOOD: Final = ("released", "available", "eligible")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box of the picture: what it is, where, and where it leads to."""

    key: str
    kind: str
    name: str
    stands: str
    look: str
    href: str
    x: int
    y: int

    @property
    def said(self) -> tuple[str, str]:
        """How it stands, on two lines; what does not fit stands in the table."""
        first, _, rest = _DAY.sub(lambda found: day(found[0]), self.stands).partition(", ")
        return shorten(first, _FITS, placeholder=" …"), shorten(rest, _FITS, placeholder=" …")


@dataclass(frozen=True, slots=True)
class Line:
    """A line from what something was made of to what was made of it; dashed where ``is_off``."""

    path: str
    is_off: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a trace, in pixels; ``too_many`` boxes are not drawn."""

    boxes: tuple[Drawn, ...]
    lines: tuple[Line, ...]
    width: int
    height: int
    too_many: int = 0


def picture_of(found: Trace) -> Picture:
    """Draw a trace."""
    drawn_as = _bundled(found)
    members: dict[str, list[TracedNode]] = {}
    for one in found.nodes:
        members.setdefault(drawn_as[one.key], []).append(one)
    if len(members) > _MOST:
        return Picture((), (), 0, 0, len(members))
    parents: dict[str, set[str]] = {key: set() for key in members}
    for edge in found.edges:
        child, parent = drawn_as[edge.child], drawn_as[edge.parent]
        if child != parent:
            parents[child].add(parent)
    for child, own in parents.items():
        made_of = {one for one in own if not one.startswith(f"{NodeKind.DONOR}:")}
        parents[child] = made_of or own  # the donor of a bank is left of the bank already
    places = _placed(parents)
    boxes = {key: _box(key, some, places[key], found.start) for key, some in members.items()}
    lines = tuple(
        _line(boxes[parent], boxes[child])
        for child, own in parents.items()
        for parent in sorted(own)
    )
    width = max(one.x for one in boxes.values()) + _WIDE + 4
    height = max(one.y for one in boxes.values()) + _HIGH + 4
    return Picture(tuple(boxes.values()), lines, width, height)


def link_of(key: str) -> str:
    """The page of a node."""
    kind, name = kind_of(key), quote(id_of(key))
    pages = {NodeKind.LOT: "/lots/", NodeKind.CELL_BANK: "/banks/", NodeKind.DONOR: "/donors/"}
    return f"{pages[kind]}{name}" if kind in pages else f"/genealogy/{kind}:{name}"


def look_of(stands: str) -> str:
    """How the status of a node looks: off, held, good or plain; the word stands beside it."""
    words = stands.casefold()
    if words.startswith(_OFF):
        return "off"
    if any(one in words for one in _HELD):
        return "held"
    return "good" if words.startswith(_GOOD) else "plain"


def _bundled(found: Trace) -> dict[str, str]:
    """As which box each node is drawn: its own, or one for many of the same origin."""
    parents: dict[str, set[str]] = {}
    for edge in found.edges:
        parents.setdefault(edge.child, set()).add(edge.parent)
    drawn = {one.key: one.key for one in found.nodes}
    for kind in _BUNDLED:
        same: dict[frozenset[str], list[str]] = {}
        for one in found.nodes:
            if one.kind is kind and one.key != found.start:
                origin = frozenset(drawn[parent] for parent in parents.get(one.key, ()))
                same.setdefault(origin, []).append(one.key)
        for origin, keys in same.items():
            if len(keys) > _MANY:
                name = f"{kind}*{'+'.join(sorted(origin))}"
                drawn |= dict.fromkeys(keys, name)
    return drawn


def _placed(parents: Mapping[str, set[str]]) -> dict[str, tuple[int, int]]:
    """Column and row of each box; a box is right of its parents, and beside them if it can be."""
    columns: dict[str, int] = {}
    waiting = dict(parents)
    while ready := [one for one, own in waiting.items() if all(up in columns for up in own)]:
        for one in ready:
            columns[one] = max((columns[up] + 1 for up in waiting.pop(one)), default=0)
    columns |= dict.fromkeys(waiting, 0)  # a trace has no circle; drawn all the same
    rows: dict[str, float] = {}
    for column in range(max(columns.values()) + 1):
        wanted = {
            one: _middle([rows[up] for up in parents[one]])
            for one, at in columns.items()
            if at == column
        }
        nextfree = 0.0
        for one in sorted(wanted, key=lambda key: (wanted[key], key)):
            rows[one] = max(nextfree, wanted[one])
            nextfree = rows[one] + 1
    return {one: (2 + columns[one] * _ACROSS, 2 + round(rows[one] * _DOWN)) for one in parents}


def _middle(rows: Sequence[float]) -> float:
    return sum(rows) / len(rows) if rows else 0.0


def _box(key: str, some: Sequence[TracedNode], at: tuple[int, int], start: str) -> Drawn:
    first = some[0]
    kind = str(first.kind).replace("_", " ")
    if key == first.key:
        look = f"{look_of(first.status)}{' start' if key == start else ''}"
        return Drawn(key, kind, first.id, first.status, look, link_of(key), *at)
    counted = Counter(one.status.partition(",")[0] or kind for one in some)
    stands = ", ".join(f"{count} {word}" for word, count in counted.items())
    origin = key.partition("*")[2].split("+")[0]
    href = f"{link_of(origin)}/doses" if origin.startswith("lot:") else link_of(first.key)
    return Drawn(key, f"{kind}s", f"{len(some)} {kind}s", stands, "plain", href, *at)


def _line(parent: Drawn, child: Drawn) -> Line:
    x1, y1 = parent.x + _WIDE, parent.y + _HIGH // 2
    x2, y2 = child.x, child.y + _HIGH // 2
    half = (x1 + x2) // 2
    path = f"M{x1} {y1}C{half} {y1} {half} {y2} {x2} {y2}"
    return Line(path, "off" in child.look.split())
