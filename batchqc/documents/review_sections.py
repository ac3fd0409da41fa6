"""The sections of a quality review: tables with repeated headers, then a chart for each phase."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from batchqc.documents.coa_blocks import (
    BODY,
    FAINT,
    LABEL,
    SMALL,
    STRONG,
    Block,
    Cell,
    headed,
    heading,
    in_row,
    repeated,
    row,
    section,
    tied,
)
from batchqc.documents.coa_drawing import ACCENT, HAIRLINE, Box, Plot, Style, width_of
from batchqc.documents.coa_fonts import as_shown
from batchqc.documents.coa_paper import MARGIN, WIDTH
from batchqc.documents.coa_tags import Tag
from batchqc.documents.plots.control import control_chart
from batchqc.documents.review_chart import series_of

_TITLE: Final = Style("bold", 15, 21)
_LEAD: Final = Style("sans", 9, 13)
_HASH: Final = Style("mono", 6.4, 9.6)
_GUTTER: Final = 7.0
_WIDEST: Final = 300.0
#: Of more rows than these the page shows the first; the annex has all.
_MOST_ROWS: Final = {"missing": 60}
#: Of more signals than this the page shows the first; the annex has all.
_MOST_SIGNALS: Final = 20
_NARROWEST: Final = 26.0

Content = Mapping[str, Any]

_MEANS: Final = (
    "Statistics describe: no verdict, gate or limit of a specification rests on anything here.",
    (
        "Each chart is that of the trends of the product, of the lots of the period. Another method"
        " version, site or criterion begins a phase; no figure is made over two. Limit lines are"
        " frozen sets that QA approved; without one the self-starting chart compares each lot with"
        " those before it, from the third on. Below 30 values there is no capability index, from 8"
        " on a tolerance interval."
    ),
)
_PHASES: Final = (
    "Phase",
    "Begins because",
    "Methods",
    "Site",
    "Criterion",
    "Lots",
    "How many",
    "Judged by",
)
_SIGNALS: Final = ("Signal", "By", "Lot", "Lots of the pattern", "Scale", "Centre", "Sigma")


def sections(content: Content, digest: str, fonts: Path) -> list[Block]:
    """All blocks of a review, from its title to the list of its annex."""
    annex = [*content["tables"], *content["annex"]]
    blocks = [*_opening(content, digest), *_damaged(content["damaged"])]
    for table in content["tables"]:
        blocks += _table(table)
    blocks += _charts(content["charts"], fonts)
    for table in content["annex"]:
        if table["name"] == "potency":
            blocks += _table(table)
    names = ", ".join(f"{one['name']}.csv" for one in annex)
    told = f"review.json holds everything, and has the SHA-256 {digest}. Its tables: {names}."
    return [*blocks, *section("Data annex", _paragraph(told))]


def _opening(content: Content, digest: str) -> Iterator[Block]:
    product, period = content["product"], content["period"]
    title = Tag("H1", words=f"Product quality review {product['code']}")
    yield from row([Cell(MARGIN, WIDTH, [("Product quality review", _TITLE)], tag=title)], below=4)
    lines = [
        (f"{product['code']}: {product['name']}", STRONG),
        (f"{product['form']}; storage {product['storage']}", BODY),
        (f"{period['first']} to {period['last']}, days of {content['site']['time_zone']}", _LEAD),
        (", ".join([content["site"]["name"], *content["site"]["address"]]), BODY),
        (f"SHA-256 of the data {digest}", _HASH),
    ]
    yield Block(0, (Box(MARGIN, 0, WIDTH, 1.2, fill=ACCENT),))
    yield from row([Cell(MARGIN, WIDTH, lines)], above=8, below=6)
    for text in _MEANS:
        yield from _paragraph(text)


def _damaged(damaged: Sequence[str]) -> list[Block]:
    """What could not be read comes first: what hangs on it is not in the tables."""
    texts = [block for text in damaged for block in _paragraph(text, STRONG)]
    return section("Damaged records: this review is not complete", texts)


def _table(table: Mapping[str, Any]) -> list[Block]:
    note = _paragraph(table["note"], FAINT) if table["note"] else []
    rows: Sequence[Sequence[str]] = table["rows"]
    if not rows:
        return tied([*heading(table["title"]), *note, *_paragraph("None.")], before=14)
    most = _MOST_ROWS.get(table["name"], len(rows))
    title = (table["title"], note)
    blocks = grid(title, table["columns"], rows[:most], numbers=table["numbers"])
    if (more := len(rows) - most) > 0:
        blocks += _paragraph(f"And {more} more: all {len(rows)} are in {table['name']}.csv.")
    return blocks


def grid(
    title: tuple[str, Sequence[Block]],
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: int,
) -> list[Block]:
    """A table as wide as its texts need, at most as the page; its header repeats on every page.

    Args:
        title: of the section, "" for none, and blocks that stand between it and the table.
        columns: their titles.
        rows: at least one.
        numbers: how many of the last columns are flush right.
    """
    widths = _widths(columns, rows)
    first_number = len(columns) - numbers
    starts = [MARGIN]
    for width in widths[:-1]:
        starts.append(starts[-1] + width + _GUTTER)

    def cells(texts: Sequence[str], style: Style) -> list[Cell]:
        return [
            Cell(start, width, [(text, style)], flush_right=number >= first_number)
            for number, (start, width, text) in enumerate(zip(starts, widths, texts, strict=True))
        ]

    whole = Tag("Table")
    head = row(in_row(whole, cells(columns, LABEL), head=True), below=2.5, rule=HAIRLINE)
    again = repeated(head)
    lines = (row(in_row(whole, cells(texts, SMALL)), above=2) for texts in rows)
    body = [block for line in lines for block in headed(line, again)]
    top = heading(title[0]) if title[0] else []
    return [*tied([*top, *title[1], *head, body[0]], before=14 if title[0] else 4), *body[1:]]


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """What the longest text of each column needs; where that is too much, wide ones give room."""
    needed = [
        max(
            width_of(columns[place], LABEL),
            _NARROWEST,
            min(_WIDEST, max(width_of(one, SMALL) for one in {texts[place] for texts in rows})),
        )
        + 1
        for place in range(len(columns))
    ]
    room = WIDTH - _GUTTER * (len(columns) - 1)
    while sum(needed) > room + 0.01:
        widest = max(needed)
        wide = [place for place, width in enumerate(needed) if width > widest - 0.5]
        next_wide = max((width for width in needed if width <= widest - 0.5), default=0.0)
        less = min((sum(needed) - room) / len(wide), max(widest - next_wide, 1.0))
        for place in wide:
            needed[place] -= less
    return needed


def _charts(charts: Sequence[Mapping[str, Any]], fonts: Path) -> Iterator[Block]:
    if not charts:
        yield from tied([*heading("Trends"), *_paragraph("No numeric results.")], before=14)
    for chart in charts:
        about = (
            f"{chart['attribute']}; n = {chart['n']}, and {chart['censored']} of which only a bound"
            f" is known; scale {chart['scale']}; unit {chart['unit'] or 'none'}; acceptance"
            f" criterion {chart['acceptance']}"
        )
        top = [*heading(f"Trend: {chart['title']}"), *_paragraph(about, FAINT)]
        yield from tied([*top, _chart(chart["chart"], fonts)], before=18)
        yield from grid(("", ()), _PHASES, chart["phases"], numbers=0)
        if chart["figures"]:
            yield from _figures(chart["figures"])
        if chart["signals"]:
            yield from grid(("", ()), _SIGNALS, chart["signals"][:_MOST_SIGNALS], numbers=2)
            if (more := len(chart["signals"]) - _MOST_SIGNALS) > 0:
                told = f"And {more} more: all {len(chart['signals'])} are in signals.csv."
                yield from _paragraph(told)
        elif any(one[-1] for one in chart["phases"]):
            yield from _paragraph("No signal.")
        for text in chart["limitations"]:
            yield from _paragraph(f"Limitation: {text}.", FAINT)


def _figures(figures: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    columns = ("Phase", "Figure", "Method", "Confidence", "Lower", "Upper", "n", "Value")
    rows = [
        (one["phase"], one["name"], one["method"], one["confidence"], one["lower"], one["upper"],
         str(one["n"]), one["value"])
        for one in figures
    ]  # fmt: skip
    yield from grid(("", ()), columns, rows, numbers=5)
    told = dict.fromkeys(text for one in figures for text in one["assumptions"])
    on_scale = "Centre, sigma and variances are on the scale."
    assumed = f" Assumed: {'; '.join(told)}." if told else ""
    yield from _paragraph(f"{on_scale}{assumed}", FAINT)
    for one in figures:
        if one["limitations"]:
            about = f"{one['phase']}, {one['name']}: {'; '.join(one['limitations'])}."
            yield from _paragraph(about, FAINT)


def _paragraph(text: str, style: Style = BODY) -> list[Block]:
    return row([Cell(MARGIN, WIDTH, [(text, style)])], above=2, below=2)


def _chart(content: Mapping[str, Any], fonts: Path) -> Block:
    """The chart as one block as wide as the page, which is never divided."""
    from reportlab.graphics import renderPDF  # noqa: PLC0415 - only charts pay for it

    from batchqc.documents.plots.pdf import drawing  # noqa: PLC0415 - as above

    picture = control_chart(series_of(content))
    found = drawing(picture, fonts=fonts, width=WIDTH)
    figure = Tag("Figure", words=as_shown(picture.description, folder=fonts))
    plot = Plot(MARGIN, 0, WIDTH, found.height, partial(renderPDF.draw, found), figure)
    return Block(found.height, (plot,), before=4)
