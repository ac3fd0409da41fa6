"""The donor variability chart: results within lots within donors, with the mean of each level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from batchqc.documents.plots.axes import Axis, Frame, axis_of, number, tick_room
from batchqc.documents.plots.furniture import WIDTH, Key, heading, keys, notes
from batchqc.documents.plots.scene import (
    BLUE,
    GREY,
    INK,
    PALE,
    RED,
    Item,
    Line,
    Marks,
    Pen,
    Picture,
    Table,
    Text,
    finite,
    fitted,
    told_apart,
)

_NAMED = 40


@dataclass(frozen=True, slots=True)
class Variability:
    """Results by donor and lot.

    Args:
        attribute: what was measured.
        unit: of the results.
        donors: results of each lot of each donor.
        notes: limitations, in words.
    """

    attribute: str
    unit: str
    donors: Mapping[str, Mapping[str, Sequence[float]]]
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for donor, lots in self.donors.items():
            for lot, values in lots.items():
                finite(values, f"{self.attribute}, donor {donor}, lot {lot}")


@dataclass(frozen=True, slots=True)
class _Lot:
    place: int
    donor: str
    name: str
    values: Sequence[float]


def variability_chart(data: Variability, *, height: float = 300) -> Picture:
    """The picture: a point for each result, a line for the mean of each lot, donor and of all."""
    lots = [
        _Lot(0, donor, name, values)
        for donor, found in data.donors.items()
        for name, values in found.items()
        if values
    ]
    lots = [_Lot(n, one.donor, one.name, one.values) for n, one in enumerate(lots, 1)]
    axis = axis_of(chain.from_iterable(one.values for one in lots))
    left = tick_room(axis)
    frame = Frame(Axis(0.4, max(len(lots), 1) + 0.6), axis, left, 44, WIDTH - left - 140, height)
    unit = f" ({data.unit})" if data.unit else ""
    title = f"{data.attribute}{unit}: results by donor and lot"
    below, bottom = keys(_KEYS, frame.bottom + 120)
    said, bottom = notes(data.notes, bottom)
    items = [
        *heading(title),
        *frame.furniture("", data.attribute + unit, ticks=False),
        *_donors(frame, lots),
        *_lots(frame, lots),
        *_overall(frame, lots),
        *below,
        *said,
    ]
    return Picture(title, _words(title, data, lots), WIDTH, bottom + 6, items, _table(lots))


_KEYS = (
    Key("result", shape="circle", filled=False),
    Key("mean of the lot", pen=Pen(INK, 1.6)),
    Key("mean of the donor, of its lots", pen=Pen(RED, 1.6, (7, 3))),
    Key("mean of the donors", pen=Pen(BLUE, 1.4, (2, 3))),
)


def _mean(values: Sequence[float]) -> float:
    """Of numbers of any size: none of the steps leaves what a float holds."""
    return sum(value / len(values) for value in values)


def _of_donors(lots: Sequence[_Lot]) -> dict[str, tuple[list[_Lot], float]]:
    """Lots of each donor, and the mean of the means of its lots."""
    found: dict[str, list[_Lot]] = {}
    for lot in lots:
        found.setdefault(lot.donor, []).append(lot)
    return {name: (own, _mean([_mean(lot.values) for lot in own])) for name, own in found.items()}


def _donors(frame: Frame, lots: Sequence[_Lot]) -> list[Item]:
    items: list[Item] = []
    donors = _of_donors(lots)
    every = -(-len(donors) // _NAMED) if donors else 1
    for n, (name, (own, mean)) in enumerate(donors.items()):
        left, right = frame.across(own[0].place - 0.5), frame.across(own[-1].place + 0.5)
        y = frame.down(mean)
        items.append(Line([[(left, y), (right, y)]], Pen(RED, 1.6, (7, 3))))
        edge = [(right, frame.top), (right, frame.bottom + 110)]
        if len(donors) <= 4 * _NAMED:
            items.append(Line([edge], Pen(PALE, 0.8)))
        if n % every == 0:
            room = (right - left) * every - 4
            turned = room < 30
            shown = fitted(name, 60 if turned else room)
            x = (left + right) / 2 + 4 * turned
            items.append(
                Text(x, frame.bottom + (60 if turned else 108), shown, 11,
                     "end" if turned else "middle", bold=True, turned=turned)
            )  # fmt: skip
    return items


def _lots(frame: Frame, lots: Sequence[_Lot]) -> list[Item]:
    places = [frame.at(lot.place, value) for lot in lots for value in lot.values]
    size = 3.0 if len(lots) <= 200 else 1.3
    half = min(0.35 * frame.width / max(len(lots), 1), 18)
    means = []
    for lot in lots:
        x, y = frame.at(lot.place, _mean(lot.values))
        means.append([(x - half, y), (x + half, y)])
    items: list[Item] = [
        Marks(places, "circle", size, INK, filled=False), Line(means, Pen(INK, 1.6))
    ]  # fmt: skip
    if len(lots) <= _NAMED:
        for lot, name in zip(lots, told_apart([lot.name for lot in lots], 12), strict=True):
            x = frame.across(lot.place) + 4
            items.append(Text(x, frame.bottom + 6, name, 10, "end", colour=GREY, turned=True))
    return items


def _overall(frame: Frame, lots: Sequence[_Lot]) -> list[Item]:
    if not lots:
        return [Text(frame.left + 20, frame.top + 40, "no results", 14, colour=GREY)]
    mean = _mean([mean for _, mean in _of_donors(lots).values()])
    y = frame.down(mean)
    return [
        frame.level(mean, Pen(BLUE, 1.4, (2, 3))),
        Text(frame.right + 8, y + 4, f"mean {number(mean)}", colour=GREY),
    ]


def _words(title: str, data: Variability, lots: Sequence[_Lot]) -> str:
    count = sum(len(lot.values) for lot in lots)
    donors = _of_donors(lots)
    told = [
        f"{name}: mean {number(mean)} of {len(own)} lot{'s' * (len(own) != 1)}"
        for name, (own, mean) in list(donors.items())[:20]
    ]
    more = len(donors) - 20
    rest = f"; and {more} more donors in the table" if more > 0 else ""
    found = f"{title}, n = {count} results of {len(lots)} lots of {len(donors)} donors"
    said = [found, "; ".join(told) + rest, *(note.rstrip(".") for note in data.notes)]
    return ". ".join(one for one in said if one) + "."


def _table(lots: Sequence[_Lot]) -> Table:
    means = {name: mean for name, (_, mean) in _of_donors(lots).items()}
    rows = [
        (
            lot.donor, lot.name, str(n), repr(float(value)),
            repr(_mean(lot.values)), repr(means[lot.donor]),
        )
        for lot in lots
        for n, value in enumerate(lot.values, 1)
    ]  # fmt: skip
    return Table(("Donor", "Lot", "Result", "Value", "Mean of lot", "Mean of donor"), rows)
