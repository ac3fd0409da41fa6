"""The pages of a product as files of one folder: pages, plots, numbers and the style sheet."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from batchqc.documents.plots.heat import heat_map
from batchqc.documents.plots.svg import svg
from batchqc.documents.trend_pages.attribute import AttributePage, attribute_page
from batchqc.documents.trend_pages.html import Shown
from batchqc.documents.trend_pages.look import STYLE_SHEET
from batchqc.documents.trend_pages.overview import Overview, overview_page

OVERVIEW: Final = "index.html"
STYLE: Final = "trend.css"


def names_of(attributes: Sequence[str]) -> list[str]:
    """A name for the files of each attribute: small letters, digits and hyphens, no two alike."""
    found: list[str] = []
    taken = {"index", "heat", "trend"}
    for attribute in attributes:
        plain = re.sub(r"[^a-z0-9]+", "-", attribute.lower()).strip("-")[:60] or "attribute"
        name, number = plain, 2
        while name in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(name)
        found.append(name)
    return found


def folder(
    overview: Overview, pages: Iterable[tuple[str, AttributePage]]
) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the files.

    Args:
        overview: the page of the product; its numbers are in ``heat.csv``.
        pages: by the name of its files, as ``names_of`` gives it, the page of each attribute;
            its plots say themselves where their numbers are.
    """
    yield STYLE, STYLE_SHEET.encode()
    yield OVERVIEW, overview_page(overview).encode()
    heat = Shown("heat", heat_map(overview.heat), overview.csv)
    yield from _of_plot(heat)
    for other in overview.others:
        yield from _of_plot(other)
    for name, page in pages:
        yield f"{name}.html", attribute_page(page).encode()
        for shown in page.charts:
            yield from _of_plot(shown)


def _of_plot(shown: Shown) -> Iterator[tuple[str, bytes]]:
    yield f"{shown.name}.svg", svg(shown.picture, name=shown.name).encode()
    yield shown.csv, shown.picture.table.csv
