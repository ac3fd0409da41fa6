"""Dose and response of several preparations, their fitted curves, residuals and potency."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from batchqc.documents.plots.axes import Axis, Frame, axis_of, number, tick_room
from batchqc.documents.plots.figures import said_of
from batchqc.documents.plots.forest import Forest, forest_plot
from batchqc.documents.plots.furniture import WIDTH, Key, heading, keys, notes
from batchqc.documents.plots.panels import under
from batchqc.documents.plots.scene import (
    COLOURS,
    DASHES,
    GREY,
    SHAPES,
    Item,
    Line,
    Marks,
    Pen,
    Picture,
    Place,
    Table,
    Text,
    finite,
)
from batchqc.errors import InvalidInput
from batchqc.statistics.figures import Figure


@dataclass(frozen=True, slots=True)
class Preparation:
    """One preparation.

    Args:
        name: of it.
        doses: of each well; 0 is a blank.
        responses: of each well.
        fitted: the response that the model gives at each of these doses.
        curve: doses above 0 with the fitted response, in order, for the line.
        left_out: places of wells, from 1, that were left out of the fit.
    """

    name: str
    doses: Sequence[float]
    responses: Sequence[float]
    fitted: Sequence[float] = ()
    curve: Sequence[Place] = ()
    left_out: Sequence[int] = ()

    def __post_init__(self) -> None:
        finite(self.doses, f"{self.name}: doses")
        finite(self.responses, f"{self.name}: responses")
        finite(self.fitted, f"{self.name}: fitted responses")
        finite(list(chain.from_iterable(self.curve)), f"{self.name}: curve")
        if any(dose < 0 for dose in self.doses) or any(dose <= 0 for dose, _ in self.curve):
            raise InvalidInput("BQC-STA-003", f"{self.name}: a dose is below 0")
        if len(self.responses) != len(self.doses) or len(self.fitted) not in {0, len(self.doses)}:
            raise InvalidInput("BQC-STA-003", f"{self.name}: as many responses as doses, please")


@dataclass(frozen=True, slots=True)
class DoseResponse:
    """A run.

    Args:
        title: which assay, which run.
        dose: name and unit of the dose.
        response: name and unit of the response.
        preparations: the standard first.
        figures: all else to tell, each with its interval.
        potency: relative potencies with their intervals, drawn below.
        notes: of validity and limitations, in words.
    """

    title: str
    dose: str
    response: str
    preparations: Sequence[Preparation]
    figures: Sequence[Figure] = ()
    potency: Forest | None = None
    notes: Sequence[str] = ()


def dose_response_plot(run: DoseResponse) -> Picture:
    """The picture: wells and curves on an axis of factors of dose, and residuals below."""
    doses = [dose for one in run.preparations for dose in one.doses if dose > 0]
    doses += [dose for one in run.preparations for dose, _ in one.curve]
    across = axis_of(doses, log=True)
    responses = [one for each in run.preparations for one in (*each.responses, *each.fitted)]
    responses += [value for each in run.preparations for _, value in each.curve]
    down = axis_of(responses)
    spread = [one for each in run.preparations for one in _residuals(each)]
    apart = axis_of(spread, zero=True) if spread else Axis(-1, 1)
    left = max(tick_room(down), tick_room(apart))
    upper = Frame(across, down, left, 44, WIDTH - left - 30, 280)
    lower = Frame(across, apart, upper.left, upper.bottom + 40, upper.width, 110)
    items: list[Item] = [
        *heading(run.title),
        *upper.furniture("", run.response),
        *lower.furniture(run.dose, "residual"),
        lower.level(0.0, Pen(GREY, 1.0)),
    ]
    for n, one in enumerate(run.preparations):
        items += _wells(upper, one, n) + _apart(lower, one, n)
    if any(dose == 0 for one in run.preparations for dose in one.doses):
        items += _blanks(upper) + _blanks(lower)
    below, bottom = keys(_keys(run), lower.bottom + 42)
    said, bottom = notes([*(said_of(one) for one in run.figures), *run.notes], bottom)
    items += [*below, *said]
    picture = Picture(run.title, _words(run), WIDTH, bottom + 6, items, _table(run))
    if run.potency is None:
        return picture
    potency = forest_plot(run.potency)
    return under(picture, potency.items, potency.height, words=potency.description)


def _place(frame: Frame, dose: float, value: float) -> Place:
    """A blank stands at the left edge: an axis of factors has no 0."""
    return (frame.left + 12 if dose == 0 else frame.across(dose)), frame.down(value)


def _blanks(frame: Frame) -> list[Item]:
    """What sets the blanks apart from the doses."""
    x = frame.left + 24
    return [
        Line([[(x, frame.top), (x, frame.bottom)]], Pen(GREY, 0.8, (2, 3))),
        Text(frame.left + 12, frame.bottom + 17, "0", anchor="middle", colour=GREY),
    ]


def _wells(frame: Frame, one: Preparation, n: int) -> list[Item]:
    shape, colour = SHAPES[n % len(SHAPES)], COLOURS[n % len(COLOURS)]
    wells = list(zip(one.doses, one.responses, strict=True))
    out = set(one.left_out)
    kept = [_place(frame, *well) for k, well in enumerate(wells, 1) if k not in out]
    crossed = [_place(frame, *well) for k, well in enumerate(wells, 1) if k in out]
    return [
        Line([[frame.at(*place) for place in one.curve]], _pen(n)),
        Marks(kept, shape, 3.5, colour),
        Marks(crossed, shape, 3.5, colour, filled=False),
        Marks(crossed, "cross", 6),
    ]


def _apart(frame: Frame, one: Preparation, n: int) -> list[Item]:
    shape, colour = SHAPES[n % len(SHAPES)], COLOURS[n % len(COLOURS)]
    places = [
        _place(frame, dose, value) for dose, value in zip(one.doses, _residuals(one), strict=False)
    ]
    return [Marks(places, shape, 3, colour)]


def _residuals(one: Preparation) -> list[float]:
    found = zip(one.responses, one.fitted, strict=False)
    return [response - fitted for response, fitted in found]


def _pen(n: int) -> Pen:
    return Pen(COLOURS[n % len(COLOURS)], 1.6, DASHES[n % len(DASHES)])


def _keys(run: DoseResponse) -> list[Key]:
    found = [
        Key(one.name, SHAPES[n % len(SHAPES)], _pen(n), COLOURS[n % len(COLOURS)])
        for n, one in enumerate(run.preparations)
    ]
    if any(one.left_out for one in run.preparations):
        found.append(Key("left out of the fit", "cross"))
    return found


def _words(run: DoseResponse) -> str:
    doses = [dose for one in run.preparations for dose in one.doses]
    told = [
        f"{one.name}: {len(one.doses)} wells"
        + (f", {len(one.left_out)} left out of the fit" if one.left_out else "")
        for one in run.preparations
    ]
    reach = f", {run.dose} from {number(min(doses))} to {number(max(doses))}" if doses else ""
    said = [
        f"{run.title}: {run.response} by {run.dose}, n = {len(doses)} wells{reach}",
        "; ".join(told),
        *(said_of(one) for one in run.figures),
        *(note.rstrip(".") for note in run.notes),
    ]
    return ". ".join(one for one in said if one) + "."


def _table(run: DoseResponse) -> Table:
    rows = []
    for one in run.preparations:
        residuals = [repr(float(value)) for value in _residuals(one)] or [""] * len(one.doses)
        fits = [repr(float(value)) for value in one.fitted] or [""] * len(one.doses)
        for n, (dose, response) in enumerate(zip(one.doses, one.responses, strict=True), 1):
            out = "left out" if n in one.left_out else ""
            numbers = (repr(float(dose)), repr(float(response)), fits[n - 1], residuals[n - 1])
            rows.append((one.name, str(n), *numbers, out))
    return Table(("Preparation", "Well", run.dose, run.response, "Fitted", "Residual", "Fit"), rows)
