"""The heat map of a product: attributes by lots, how far each is from its centre, and signals.

Where lots are too many for a field of their own, neighbours share one: it shows the worst of
them, so that no signal and no extreme is lost.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from batchqc.documents.plots.axes import number
from batchqc.documents.plots.furniture import WIDTH, Key, heading, keys, notes
from batchqc.documents.plots.scene import (
    GREY,
    INK,
    WHITE,
    Area,
    Item,
    Pen,
    Picture,
    Table,
    Text,
    box,
    finite,
    fitted,
    told_apart,
    width_of,
)

#: With more lots than this, neighbours share a field.
_FIELDS: Final = 90
_HIGH: Final = ((3.0, "#c46a3c", "▲"), (2.0, "#f0c8ad", "△"))
_LOW: Final = ((3.0, "#5a93bf", "▼"), (2.0, "#bcd5e8", "▽"))


@dataclass(frozen=True, slots=True)
class Cell:
    """One attribute of one lot.

    Args:
        z: distance from the centre of its chart, in sigma; None where there are no lines yet.
        rules: that signal there.
        shown: the result as reported; empty without one.
        censored: whether it is only known to lie beyond a limit.
        href: where it is told in full.
    """

    z: float | None = None
    rules: Sequence[str] = ()
    shown: str = ""
    censored: bool = False
    href: str = ""

    @property
    def rank(self) -> tuple[bool, float]:
        """How much it needs to be seen."""
        return bool(self.rules), abs(self.z) if self.z is not None else -1.0


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A product.

    Args:
        product: its name.
        lots: ids, in the order of manufacture.
        attributes: names, in the order of the specification.
        cells: by number of the lot from 0 and name of the attribute; none without a result.
        lot_pages: where each lot is told in full, by its id.
        notes: limitations, in words.
    """

    product: str
    lots: Sequence[str]
    attributes: Sequence[str]
    cells: Mapping[tuple[int, str], Cell]
    lot_pages: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        finite([cell.z for cell in self.cells.values()], f"{self.product}: distances")

    @property
    def signals(self) -> list[tuple[str, str, Cell]]:
        """Lot, attribute and cell of all that signals, in the order of lots."""
        found = sorted(
            (place for place, cell in self.cells.items() if cell.rules),
            key=lambda place: (place[0], list(self.attributes).index(place[1])),
        )
        return [(self.lots[n], name, self.cells[n, name]) for n, name in found]


def heat_map(found: HeatMap) -> Picture:
    """The picture of the product."""
    title = f"{found.product}: lots and attributes"
    each = max(math.ceil(len(found.lots) / _FIELDS), 1)
    fields = [range(n, min(n + each, len(found.lots))) for n in range(0, len(found.lots), each)]
    left = min(max((width_of(one) for one in found.attributes), default=0) + 24, 260)
    wide = min((WIDTH - left - 20) / max(len(fields), 1), 46.0)
    tall, top = 22.0, 44.0
    items: list[Item] = heading(title)
    for row, name in enumerate(found.attributes):
        y = top + tall * row
        items.append(Text(left - 8, y + 15, fitted(name, left - 20), anchor="end"))
        for column, lots in enumerate(fields):
            items += _field(found, name, lots, box(left + wide * column, y, wide, tall))
    bottom = top + tall * len(found.attributes)
    names, bottom = _names(found, fields, left=left, wide=wide, top=bottom)
    below, bottom = keys(_KEYS, bottom)
    shared = f"Each field shows the worst of {each} neighbouring lots." if each > 1 else ""
    said, bottom = notes([one for one in (shared, *found.notes) if one], bottom)
    items += [*names, *below, *said]
    if not found.lots or not found.attributes:
        items.append(Text(20, 40, "no lots", 14, colour=GREY))
    words = _words(found, title, shared)
    return Picture(title, words, WIDTH, bottom + 6, items, _table(found))


_KEYS = (
    Key("▲ 3 sigma and more above", colour=_HIGH[0][1]),
    Key("△ 2 to 3 above", colour=_HIGH[1][1]),
    Key("within 2 sigma", colour=WHITE),
    Key("▽ 2 to 3 below", colour=_LOW[1][1]),
    Key("▼ 3 and more below", colour=_LOW[0][1]),
    Key("! a rule signals: a thick outline", colour=WHITE),
    Key("~ censored", colour=WHITE),
    Key("· no limit lines", colour=WHITE),
    Key("– no result", colour=WHITE),
)


def _field(
    found: HeatMap, name: str, lots: range, corners: Sequence[tuple[float, float]]
) -> list[Item]:
    there = [(found.cells[n, name], n) for n in lots if (n, name) in found.cells]
    lot, cell = lots[0], None
    if there:
        cell, lot = max(there, key=lambda one: one[0].rank)
    fill, glyph = _look(cell)
    signals = sum(bool(one.rules) for one, _ in there)
    said = f"{found.lots[lot]}, {name}: {_told(cell)}"
    if len(lots) > 1:
        said += f" (worst of {len(lots)} lots, {signals} with signals)"
    href = cell.href if cell else ""
    (x, y), (right, _) = corners[0], corners[1]
    size = min(11.0, max((right - x) / 1.35, 4.0))
    ringed = box(x + 1, y + 1, right - x - 2, corners[2][1] - y - 2)
    return [
        Area(corners, fill, Pen(GREY, 0.4), said, href),
        *([Area(ringed, None, Pen(INK, 2.0))] if cell and cell.rules else []),
        Text((x + right) / 2, y + 15, glyph[: 2 if right - x < 16 else 3], size, "middle"),
    ]


def _look(cell: Cell | None) -> tuple[str, str]:
    """Colour and sign of a field; a signal comes first, so that a narrow one shows it."""
    if cell is None:
        return WHITE, "–"
    mark = "!" if cell.rules else ""
    if cell.z is None:
        return WHITE, mark + ("~" if cell.censored else "·")
    for least, colour, glyph in _HIGH if cell.z > 0 else _LOW:
        if abs(cell.z) >= least:
            return colour, mark + glyph + ("~" if cell.censored else "")
    return WHITE, mark + ("~" if cell.censored else "")


def _told(cell: Cell | None) -> str:
    if cell is None:
        return "no result"
    parts = [
        cell.shown,
        "no limit lines" if cell.z is None else f"{number(cell.z)} sigma from the centre",
        "censored" if cell.censored else "",
        f"signals {', '.join(cell.rules)}" if cell.rules else "",
    ]
    return ", ".join(part for part in parts if part)


def _names(
    found: HeatMap, fields: Sequence[range], *, left: float, wide: float, top: float
) -> tuple[list[Item], float]:
    """Lot ids below their fields, of as many as have room."""
    every = max(math.ceil(13 / wide), 1)
    names = told_apart([found.lots[lots[0]] for lots in fields])
    room = max((width_of(name, 10) for name in names), default=0)
    items: list[Item] = [
        Text(left + wide * (n + 0.5) + 4, top + 6, name, 10, "end", colour=GREY, turned=True)
        for n, name in enumerate(names)
        if n % every == 0
    ]
    return items, top + room + 14


def _words(found: HeatMap, title: str, shared: str) -> str:
    signals = found.signals
    told = "; ".join(f"{lot}, {name}: {', '.join(cell.rules)}" for lot, name, cell in signals[:20])
    more = f"; and {len(signals) - 20} more in the table" if len(signals) > 20 else ""
    said = [
        f"{title}, n = {len(found.lots)} lots of {len(found.attributes)} attributes",
        f"{len(found.cells)} results, each with its distance from the centre of its chart in sigma",
        shared.rstrip("."),
        f"Signals: {told}{more}" if signals else "No signals",
        *(note.rstrip(".") for note in found.notes),
    ]
    return ". ".join(one for one in said if one) + "."


def _table(found: HeatMap) -> Table:
    rows = [
        (lot, *(_short(found.cells.get((n, name))) for name in found.attributes))
        for n, lot in enumerate(found.lots)
    ]
    links = {n: found.lot_pages[lot] for n, lot in enumerate(found.lots) if lot in found.lot_pages}
    marked = frozenset(n for (n, _), cell in found.cells.items() if cell.rules)
    return Table(("Lot", *found.attributes), rows, links, marked)


def _short(cell: Cell | None) -> str:
    if cell is None:
        return ""
    distance = "" if cell.z is None else f" ({cell.z:+.2f} sigma)"
    return f"{cell.shown}{distance}{' ! ' + ', '.join(cell.rules) if cell.rules else ''}".strip()
