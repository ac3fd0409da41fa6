"""The control chart of a criterion within a page, in the colours of the page.

It is drawn as the API draws it. Its colours are replaced by names that the style sheet defines for
light, dark and print, and each lot is a link that tells of itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase
from batchqc.api.doors import Door
from batchqc.core.trends import Attribute, is_numeric
from batchqc.core.verdicts import Verdict
from batchqc.documents.plots.svg import fit
from batchqc.errors import BatchqcError
from batchqc.web.rendering import day

if TYPE_CHECKING:
    from batchqc.documents.plots.scene import Picture
    from batchqc.statistics.lot_series import Judged, Trend

MOST: Final = 40
"""So many lots are drawn beside the results of one; each is told apart at the size of its words."""
BESIDE: Final = 380.0
IN_PAGE: Final = 600.0
"""Points across of a drawing in a column, and in a page: no word of it is smaller than 12 pixels
in the narrowest place where it is shown, as the style sheet says."""
_COLOURS: Final = {
    "#1a1d21": "ink", "#5b626b": "grey", "#c9cdd2": "pale", "#eef2f4": "tint", "#ffffff": "paper",
    "#b33c00": "red", "#0060a0": "blue", "#00795a": "green", "#8a4f7d": "purple",
    "#7a5c00": "ochre", "#2b7fa8": "sky", "#6b6b00": "olive",
}  # fmt: skip
_COLOUR: Final = re.compile(r'"(#[0-9a-f]{6})"')
_LINK: Final = re.compile(r'<a href="([^"]*)">(<path [^>]*><title>)([^<]*)')


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, or why there is none."""

    svg: Markup | None
    why_not: str = ""


def chart_of(session: Session, door: Door, case: LotCase, verdict: Verdict) -> Chart:
    """The chart of the lots of the product in this criterion, up to the newest or around this."""
    version, criterion = case.version, verdict.criterion
    if not is_numeric(criterion):
        return Chart(None)
    attribute = Attribute(case.row.product.code, version.stage, version.market, criterion.id)
    try:
        trend = door.trends.of(session, door.archive, attribute)
        return Chart(control_svg(around(trend, case.lot.id), own=case.lot.id, width=BESIDE))
    except BatchqcError as error:
        return Chart(None, error.message)


def around(trend: "Trend", lot: str) -> "Trend":
    """The newest lots of a series, or those around one that is not among them."""
    from batchqc.statistics.lot_series import part_of  # noqa: PLC0415 - numerics

    names = [one.lot.lot for one in trend.lots]
    end = len(names)
    if lot in names[:-MOST]:
        end = min(end, names.index(lot) + MOST // 2)
    return part_of(trend, frozenset(names[max(0, end - MOST) : end]))


def control_svg(trend: "Trend", *, own: str = "", width: float = IN_PAGE) -> Markup:
    """The control chart of a series whose lots lead to their pages; ``own`` is the lot meant."""
    from batchqc.documents.plots.control import control_chart  # noqa: PLC0415 - numerics
    from batchqc.documents.trend_pages.of_lots import control_series  # noqa: PLC0415 - numerics

    series = control_series(trend)
    days: dict[str, str] = {}
    if is_numeric(trend.criterion):
        where = [address_of(trend, one) for one in trend.lots]
        days = {to: one.lot.manufactured_on for to, one in zip(where, trend.lots, strict=True)}
        series = replace(
            series,
            points=[
                replace(point, href=to, said=told(trend, one))
                for point, to, one in zip(series.points, where, trend.lots, strict=True)
            ],
        )
    mine = [to for to in days if own and to.startswith(f"/lots/{own}?")]
    beside = width <= BESIDE
    height = 240 if beside else 300
    picture = control_chart(series, height=height, width=width, titled=not beside)
    return within(picture, name="trend", days=days, own=mine[0] if mine else "")


def within(
    picture: "Picture", *, name: str, days: Mapping[str, str] | None = None, own: str = ""
) -> Markup:
    """A picture as a page shows it.

    Args:
        picture: what is drawn.
        name: before its ids; another one for each picture of a page.
        days: of manufacture, by where a point leads.
        own: where the point leads that is meant.
    """
    from batchqc.documents.plots.svg import svg  # noqa: PLC0415 - with what draws

    escaped = {fit(to): fit(text) for to, text in (days or {}).items()}

    def link(found: re.Match[str]) -> str:
        to, path, said = found.groups()
        marked = ' aria-current="true"' if to == fit(own) else ""
        spoken = said.replace("\n", ", ")
        return (
            f'<a href="{to}" tabindex="-1" aria-label="{spoken}" data-day="{escaped.get(to, "")}"'
            f"{marked}>{path}{said}"
        )

    drawn = svg(picture, name=name)
    if days:
        drawn = drawn.replace('role="img"', 'role="group"', 1)
    return coloured(_LINK.sub(link, drawn))


def coloured(drawn: str) -> Markup:
    """A drawing of ours in the colours of the page."""
    return Markup(_COLOUR.sub(_named, drawn))  # noqa: S704 - our own picture, escaped there


def told(trend: "Trend", one: "Judged") -> str:
    """What a point tells, line by line: lot, result, day, origin, and each rule."""
    unit = trend.criterion.unit
    seen = one.lot.observed
    shown = f"{seen.text} {unit}".strip() if seen.text else "no result"
    score = "" if one.score is None else f"{one.score:+.2f} sigma by {one.by}"
    donors = ", ".join(one.lot.donors)
    lines = (
        one.lot.lot,
        f"{shown}, {seen.outcome}" if seen.outcome else shown,
        f"made {day(one.lot.manufactured_on)}",
        f"donor {donors}" if donors else "",
        score,
        f"left out of limits: {one.excluded}" if one.excluded else "",
        *(f"trend alert: {each.by}, {each.rule}" for each in one.signals),
    )
    return "\n".join(line for line in lines if line)


def address_of(trend: "Trend", one: "Judged") -> str:
    """Where a point leads: the criterion on the page of its lot."""
    return f"/lots/{one.lot.lot}?show={trend.attribute.criterion}"


def _named(found: re.Match[str]) -> str:
    name = _COLOURS.get(found[1])
    return f'"var(--chart-{name})"' if name else found[0]
