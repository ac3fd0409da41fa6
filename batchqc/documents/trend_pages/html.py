"""Elements of the pages: every text is escaped, every table has its header and its caption."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from batchqc.documents.plots.figures import interval_of, value_of
from batchqc.documents.plots.scene import Picture, Table
from batchqc.documents.plots.svg import fit, lead, svg
from batchqc.statistics.figures import Figure

MEDIA_TYPE: Final = "text/html; charset=utf-8"
#: So many of the latest rows a page shows, and so many with those that must be seen.
_LATEST: Final = 200
_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Shown:
    """A plot on a page.

    Args:
        name: of it on the page, and of its files: small letters, digits and hyphens.
        picture: what is drawn.
        csv: where its numbers are, as CSV.
    """

    name: str
    picture: Picture
    csv: str


def page(title: str, body: Sequence[str], *, style: str, up: tuple[str, str] | None = None) -> str:
    """A whole page.

    Args:
        title: of the page.
        body: its elements, already written.
        style: where the style sheet is.
        up: where the page above it is, and its name.
    """
    above = f'<nav><a href="{lead(up[0])}">{fit(up[1])}</a></nav>' if up else ""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en-GB"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{fit(title)}</title>",
            f'<link rel="stylesheet" href="{lead(style)}"></head><body>',
            above,
            f"<main><h1>{fit(title)}</h1>",
            *body,
            "</main></body></html>\n",
        ]
    )


def paragraph(text: str, *, quiet: bool = False) -> str:
    """A paragraph of text."""
    return f'<p class="quiet">{fit(text)}</p>' if quiet else f"<p>{fit(text)}</p>"


def heading(text: str) -> str:
    """The heading of a part."""
    return f"<h2>{fit(text)}</h2>"


def plot(shown: Shown, *, table: bool = True) -> str:
    """A plot, what it shows in words, where its numbers are, and the table of them."""
    picture = shown.picture
    link = f'<a href="{lead(shown.csv)}">All numbers of this plot as CSV</a>'
    caption = f"<figcaption>{fit(picture.description)} {link}</figcaption>"
    drawn = f'<figure id="{fit(shown.name)}">{svg(picture, name=shown.name)}{caption}</figure>'
    return drawn + (numbers(picture.table, picture.title) if table else "")


def numbers(table: Table, caption: str) -> str:
    """The table of a plot: its latest rows, and before them those that must be seen."""
    count = len(table.rows)
    first = max(count - _LATEST, 0)
    before = sorted(row for row in table.marked if row < first)
    kept = [*before[max(len(before) - (_MOST - _LATEST), 0) :], *range(first, count)]
    said = caption
    if len(kept) < count:
        lost = len(before) + count - first - len(kept)
        said += (
            f": the latest {_LATEST} rows, and marked ones before them; all {count} are in the CSV"
        )
        said += f" (and {lost} more of the marked)" if lost else ""
    body = [_row(table.rows[n], table.links.get(n, ""), marked=n in table.marked) for n in kept]
    return _table(table.header, body, said)


def figures(found: Sequence[Figure], caption: str) -> str:
    """Figures, each with its interval in words, n, method, assumptions and limitations."""
    header = ("Figure", "Value", "Interval", "n", "Method", "Assumes", "What it does not say")
    body = [
        _row(
            (
                one.name, value_of(one), interval_of(one), str(one.n or "–"), one.method,
                "; ".join(one.assumptions) or "nothing further", "; ".join(one.limitations) or "–",
            )
        )
        for one in found
    ]  # fmt: skip
    return _table(header, body, caption) if found else paragraph(f"{caption}: none.")


def links(rows: Sequence[tuple[str, Sequence[str]]], header: Sequence[str], caption: str) -> str:
    """A table whose first cells lead somewhere: the address and the cells of each row."""
    return _table(header, [_row(cells, href) for href, cells in rows], caption)


def _table(header: Sequence[str], body: Sequence[str], caption: str) -> str:
    cells = "".join(f'<th scope="col">{fit(name)}</th>' for name in header)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{fit(caption)}"><table>'
        f"<caption>{fit(caption)}</caption><thead><tr>{cells}</tr></thead><tbody>\n"
        + "\n".join(body)
        + "\n</tbody></table></div>"
    )


def _row(cells: Sequence[str], href: str = "", *, marked: bool = False) -> str:
    place = 1 if len(cells) > 1 and cells[0].isdigit() else 0  # the number of a point leads nowhere
    told = [fit(cell) for cell in cells]
    if href:
        told[place] = f'<a href="{lead(href)}">{told[place]}</a>'
    look = ' class="marked"' if marked else ""
    return f"<tr{look}>" + "".join(f"<td>{cell}</td>" for cell in told) + "</tr>"
