"""Rows, tables and pages of a certificate: layout that knows no canvas.

Text becomes rows of wrapped cells, rows become blocks, blocks are put on pages. Only then is
anything drawn, with the total number of pages known. A row taller than a page goes on on the next.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from batchqc.documents.coa_drawing import (
    ACCENT,
    GREY,
    HAIRLINE,
    Box,
    Colour,
    Mark,
    Style,
    Text,
    width_of,
    wrap,
)
from batchqc.documents.coa_paper import MARGIN, WIDTH
from batchqc.documents.coa_tags import Tag

HEADING = Style("bold", 9.2, 13, ACCENT)
LABEL = Style("sans", 6.9, 10, GREY)
BODY = Style("sans", 8, 11.4)
STRONG = Style("bold", 8, 11.4)
SMALL = Style("sans", 6.9, 9.6)
FAINT = Style("sans", 6.7, 9.4, GREY)

ABSENT = "—"
_TALLEST_SLICE = 360.0
_GUTTER = 8.0


@dataclass(frozen=True, slots=True)
class Block:
    """A strip of the page that is never divided.

    ``before`` is white space above it, dropped at the top of a page. ``keep`` ties it to the next
    block. ``heads`` are repeated above it where it opens a page: the header of its table.
    """

    height: float
    marks: tuple[Mark, ...] = ()
    before: float = 0.0
    keep: bool = False
    heads: tuple["Block", ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """Paragraphs in a column of a row, each with its style, and marks drawn beneath them.

    ``flush_right`` puts the end of each line at the right edge of the column, as numbers have it.
    Without a ``tag`` each part is a paragraph; in a table it takes ``span`` columns.
    """

    x: float
    width: float
    parts: Sequence[tuple[str, Style]]
    marks: tuple[Mark, ...] = ()
    flush_right: bool = False
    tag: Tag | None = None
    span: int = 1


Placed: TypeAlias = list[tuple[float, Block]]


def row(
    cells: Sequence[Cell], *, above: float = 0.0, below: float = 0.0, rule: Colour | None = None
) -> list[Block]:
    """Cells side by side, as high as the highest; several blocks where they outgrow a page."""
    slices: dict[int, list[Mark]] = {0: [mark for cell in cells for mark in cell.marks]}
    bottom = above
    for cell in cells:
        y = above
        for tag, style, line in _lines(cell):
            part, inside = divmod(y, _TALLEST_SLICE)
            x = cell.x + (cell.width - width_of(line.rstrip(), style) if cell.flush_right else 0)
            at = Text(x, inside + style.leading * 0.78, style, line, tag)
            slices.setdefault(int(part), []).append(at)
            y += style.leading
        bottom = max(bottom, y)
    last = max(slices)
    rest = bottom + below - last * _TALLEST_SLICE
    ends = (Box(MARGIN, rest, WIDTH, 0.4, fill=rule),) if rule else ()
    # A line that begins in one slice may end just below it: hence the slack.
    tall = [Block(_TALLEST_SLICE + 12, tuple(slices[part])) for part in range(last)]
    return [*tall, Block(rest, (*slices[last], *ends))]


def columns(
    starts: Sequence[float], texts: Sequence[str], styles: Sequence[Style] | Style
) -> list[Cell]:
    """One cell per text; each column ends a gutter before the next begins."""
    ends = [*(start - _GUTTER for start in starts[1:]), MARGIN + WIDTH]
    each = [styles] * len(texts) if isinstance(styles, Style) else styles
    return [
        Cell(start, end - start, [(text or ABSENT, style)])
        for start, end, text, style in zip(starts, ends, texts, each, strict=True)
    ]


def beside(left: Sequence[Block], right: Sequence[Block]) -> list[Block]:
    """Two stacks next to each other as one block; below each other where they are very tall."""
    height = max(_height(left), _height(right))
    if height > _TALLEST_SLICE:
        return [*left, *right]
    marks: list[Mark] = []
    for stack in (left, right):
        y = 0.0
        for block in stack:
            marks += [mark._replace(y=mark.y + y) for mark in block.marks]
            y += block.height
    return [Block(height, tuple(marks))]


def repeated(heads: Sequence[Block]) -> tuple[Block, ...]:
    """Heads as they are repeated where a table goes on: decoration, heard where it began."""
    return tuple(
        replace(head, marks=tuple(mark._replace(tag=None) for mark in head.marks)) for head in heads
    )


def headed(blocks: Sequence[Block], heads: tuple[Block, ...]) -> list[Block]:
    """The blocks, each with the heads (``repeated``) that stand above it where it opens a page."""
    return [replace(block, heads=heads) for block in blocks]


def tied(blocks: Sequence[Block], *, before: float = 0.0) -> list[Block]:
    """The blocks as one unit on one page, if a page can hold it, with space above."""
    first, *others = blocks
    unit = [replace(first, before=before), *others]
    return [*(replace(block, keep=True) for block in unit[:-1]), unit[-1]]


def heading(text: str) -> list[Block]:
    """The heading of a section."""
    return row([Cell(MARGIN, WIDTH, [(text, HEADING)], tag=Tag("H2", words=text))], below=3)


def in_row(table: Tag, cells: Sequence[Cell], *, head: bool = False) -> list[Cell]:
    """The cells as those of one row of a table: column heads, or a row head and its data."""
    line = Tag("TR", table)
    scope = "Column" if head else "Row"
    return [
        replace(cell, tag=Tag("TH", line, scope, cell.span))
        if head or number == 0
        else replace(cell, tag=Tag("TD", line, span=cell.span))
        for number, cell in enumerate(cells)
    ]


def section(title: str, blocks: Sequence[Block]) -> list[Block]:
    """A heading that stays with the first of its blocks; nothing where there are none."""
    if not blocks:
        return []
    return [*tied([*heading(title), blocks[0]], before=16), *blocks[1:]]


def paragraphs(title: str, texts: Iterable[str]) -> list[Block]:
    """A section of running text."""
    cells = [[Cell(MARGIN, WIDTH, [(text, BODY)])] for text in texts]
    return section(title, [block for cell in cells for block in row(cell, below=3)])


def table(
    starts: Sequence[float], titles: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> list[Block]:
    """A plain table whose header repeats on every page; nothing where there are no rows."""
    whole = Tag("Table")
    heads = in_row(whole, columns(starts, titles, LABEL), head=True)
    head = row(heads, below=2.5, rule=HAIRLINE)
    again = repeated(head)
    lines = (row(in_row(whole, cells), above=3, below=1) for cells in rows)
    body = [block for line in lines for block in headed(line, again)]
    return [*tied([*head, body[0]]), *body[1:]] if body else []


def paginate(blocks: Sequence[Block], *, first: float, rest: float) -> list[Placed]:
    """Blocks on pages, each with its distance from the top of the page's body.

    Args:
        blocks: in reading order.
        first: height of the body of page 1.
        rest: height of the body of every other page.
    """
    pages: list[Placed] = [[]]
    y = 0.0
    for unit in _units(blocks, most=min(first, rest)):
        room = (first if len(pages) == 1 else rest) - y
        if pages[-1] and _height(unit) > room:
            pages.append([])
            y = _stack(pages[-1], unit[0].heads, 0.0)
        y = _stack(pages[-1], unit, y)
    return pages


def _lines(cell: Cell) -> Iterator[tuple[Tag, Style, str]]:
    for number, (text, style) in enumerate(cell.parts, 1):
        tag = cell.tag or Tag("P")
        *lines, last = wrap(text, style, cell.width)
        apart = " " if cell.tag and number < len(cell.parts) else ""  # as between its lines
        for line in (*lines, last + apart):
            yield tag, style, line


def _units(blocks: Sequence[Block], *, most: float) -> Iterator[list[Block]]:
    """Blocks that stay together; a unit that no page can hold falls apart."""
    unit: list[Block] = []
    for block in blocks:
        unit.append(block)
        if not block.keep:
            whole = _height(unit) + _height(unit[0].heads) <= most
            yield from [unit] if whole else [[part] for part in unit]
            unit = []


def _height(blocks: Sequence[Block]) -> float:
    return sum(block.before + block.height for block in blocks)


def _stack(page: Placed, blocks: Sequence[Block], y: float) -> float:
    for block in blocks:
        y += block.before if page else 0.0
        page.append((y, block))
        y += block.height
    return y
