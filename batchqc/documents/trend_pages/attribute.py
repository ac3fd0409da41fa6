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
from batchqc.statistics.phase_values import Part

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
        figures: centre and sigma of each phase; of words the share that fails.
        style: where the style sheet is.
        overview: where the page of the whole product is.
        computed: when and from what it was computed, in words.
        notes: limitations, in words.
        parts: what else was estimated of the newest phase, each part with what is said of it.
        caption: of the figures, with the scale that they are on.
        newest: the newest phase with its first and last lot.
        controls: what is said of the controls of its assays.
    """

    product: str
    attribute: str
    charts: Sequence[Shown]
    figures: Sequence[Figure]
    style: str
    overview: str
    computed: str = ""
    notes: Sequence[str] = ()
    parts: Sequence[Part] = ()
    caption: str = "Figures of this attribute"
    newest: str = ""
    controls: Sequence[Part] = ()


def attribute_page(told: AttributePage) -> str:
    """The page as HTML."""
    body = [
        *([paragraph(told.computed, quiet=True)] if told.computed else []),
        *(paragraph(note) for note in told.notes),
    ]
    if not told.charts:
        body.append(paragraph("There are no results to chart."))
    body += [plot(first, table=False) for first in told.charts[:1]]
    body += [heading("Figures"), figures(told.figures, told.caption)]
    for part, caption in [(one, told.newest) for one in told.parts] + [
        (one, "Its own runs") for one in told.controls
    ]:
        body.append(heading(part.title))
        body += [figures(part.figures, caption)] if part.figures else []
        body += [paragraph(said) for said in part.said]
    for shown in told.charts[1:]:
        body += [heading(shown.picture.title), plot(shown)]
    for first in told.charts[:1]:
        body += [heading("Lots"), numbers(first.picture.table, first.picture.title)]
    body.append(paragraph(DESCRIBES, quiet=True))
    up = (told.overview, f"{told.product}: all attributes")
    title = f"{told.attribute}: trend of {told.product}"
    return page(title, body, style=told.style, up=up)
