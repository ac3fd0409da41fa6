"""The page of one attribute: its charts, figures, and the numbers behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

from batchqc.documents.trend_pages.html import (
    Shown,
    figures,
    heading,
    numbers,
    page,
    paragraph,
    plot,
)
from batchqc.statistics.figures import Figure

DESCRIBES = (
    "Statistics describe and never decide: no verdict, gate or release rests on what this page"
    " shows."
)


@dataclass(frozen=True, slots=True)
class AttributePage:
    """What the page of an attribute tells.

    Args:
        product: whose attribute it is.
        attribute: its name.
        charts: the control chart first.
        figures: all that was estimated.
        style: where the style sheet is.
        overview: where the page of the whole product is.
        computed: when and from what it was computed, in words.
        notes: limitations, in words.
    """

    product: str
    attribute: str
    charts: Sequence[Shown]
    figures: Sequence[Figure]
    style: str
    overview: str
    computed: str = ""
    notes: Sequence[str] = ()


def attribute_page(told: AttributePage) -> str:
    """The page as HTML."""
    body = [
        *([paragraph(told.computed, quiet=True)] if told.computed else []),
        *(paragraph(note) for note in told.notes),
    ]
    if not told.charts:
        body.append(paragraph("There are no results to chart."))
    body += [plot(first, table=False) for first in told.charts[:1]]
    body += [heading("Figures"), figures(told.figures, "Figures of this attribute")]
    for shown in told.charts[1:]:
        body += [heading(shown.picture.title), plot(shown)]
    for first in told.charts[:1]:
        body += [heading("Lots"), numbers(first.picture.table, first.picture.title)]
    body.append(paragraph(DESCRIBES, quiet=True))
    up = (told.overview, f"{told.product}: all attributes")
    title = f"{told.attribute}: trend of {told.product}"
    return page(title, body, style=told.style, up=up)
