"""The page of a whole product: its heat map, and its attributes, each with a link to its page."""

from collections.abc import Sequence
from dataclasses import dataclass

from batchqc.documents.plots.heat import HeatMap, heat_map
from batchqc.documents.trend_pages.attribute import DESCRIBES
from batchqc.documents.trend_pages.html import Shown, heading, links, numbers, page, paragraph, plot


@dataclass(frozen=True, slots=True)
class AttributeLine:
    """One attribute of the product.

    Args:
        name: of the attribute.
        href: where its page is.
        lots: how many have a result.
        signals: how many lots signal.
        latest: the last result as reported, with its lot.
        limits: the limits in force, in words: ``prediction, from 24 lots: 89.1 to 101.3``.
        specification: as the acceptance criterion says it.
    """

    name: str
    href: str
    lots: int
    signals: int
    latest: str
    limits: str
    specification: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page of a product tells.

    Args:
        heat: its lots and attributes.
        lines: its attributes, in the order of the specification.
        csv: where the numbers of the heat map are.
        style: where the style sheet is.
        others: further plots of the whole product: T² with what drives it.
        computed: when and from what it was computed, in words.
        notes: of the whole product, in words.
    """

    heat: HeatMap
    lines: Sequence[AttributeLine]
    csv: str
    style: str
    others: Sequence[Shown] = ()
    computed: str = ""
    notes: Sequence[str] = ()


def overview_page(told: Overview) -> str:
    """The page as HTML."""
    shown = Shown("heat", heat_map(told.heat), told.csv)
    header = ("Attribute", "Lots", "Lots that signal", "Latest result", "Limits", "Specification")
    lines = [
        (
            one.href,
            (one.name, str(one.lots), str(one.signals), one.latest, one.limits, one.specification),
        )
        for one in told.lines
    ]
    body = [
        *([paragraph(told.computed, quiet=True)] if told.computed else []),
        plot(shown, table=False),
        heading("Attributes"),
        links(lines, header, f"Attributes of {told.heat.product}"),
    ]
    if told.notes:
        body += [heading("Lots by all attributes together"), *map(paragraph, told.notes)]
    for other in told.others:
        body += [heading(other.picture.title), plot(other)]
    body += [
        heading("Lots"),
        numbers(shown.picture.table, shown.picture.title),
        paragraph(DESCRIBES, quiet=True),
    ]
    return page(f"Trends of {told.heat.product}", body, style=told.style)
