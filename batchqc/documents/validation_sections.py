"""The sections of a validation report: summary, checks with their findings, trace, evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
from batchqc.documents.coa_drawing import (
    ACCENT,
    GREY,
    HAIRLINE,
    TINT,
    Box,
    Colour,
    Field,
    Style,
    Text,
)
from batchqc.documents.coa_paper import MARGIN, WIDTH
from batchqc.documents.coa_tags import Tag

#: Name of the field that the site seals.
SIGNED: Final = "SiteSeal"

_GREEN: Final[Colour] = (0.05, 0.42, 0.22)
_RED: Final[Colour] = (0.70, 0.10, 0.10)
_COLOURS: Final = {"PASS": _GREEN, "QUALIFIED": _GREEN}
_TITLE: Final = Style("bold", 17, 24)
_MONO: Final = Style("mono", 6.2, 9.6)
_BIG: Final = 13
_LINES: Final = ("Name", "Function", "Date and signature")
_GUTTER: Final = 8.0

Content = Mapping[str, Any]


def sections(content: Content, digest: str) -> list[Block]:
    """All blocks of a report, from its verdict to its evidence."""
    return [
        *_summary(content, digest),
        *_checks(content),
        *_trace(content),
        *_evidence(content),
    ]


def _summary(content: Content, digest: str) -> Iterator[Block]:
    title = Tag("H1", words="Validation report")
    yield from row([Cell(MARGIN, WIDTH, [("Validation report", _TITLE)], tag=title)])
    said = "Installation and operational qualification of batchqc in this installation"
    yield from row([Cell(MARGIN, WIDTH, [(said, BODY)])], below=8)
    verdict = Style("bold", _BIG, 18, _COLOURS.get(content["verdict"], _RED))
    lines = [(content["verdict"], verdict), (content["because"], BODY)]
    yield from _framed(lines)
    yield from section("Where and when", _facts(content["environment"]))
    yield from section("What was checked", _counts(content["sections"]))
    yield from section("Not part of this report", _bullets(content["left_out"]))
    yield from _signatures(content)
    sealed = f"Attached: validation-report.json with all evidence, SHA-256 {digest}."
    yield from row([Cell(MARGIN, WIDTH, [(sealed, FAINT)])], above=8)


def _framed(lines: Sequence[tuple[str, Style]]) -> list[Block]:
    (block,) = row([Cell(MARGIN + 12, WIDTH - 24, lines)], above=8, below=8)
    frame = Box(MARGIN, 0, WIDTH, block.height, fill=TINT)
    side = Box(MARGIN, 0, 3, block.height, fill=lines[0][1].colour)
    return [replace(block, marks=(frame, side, *block.marks))]


def _facts(pairs: Mapping[str, str]) -> list[Block]:
    return [
        block
        for name, value in pairs.items()
        for block in row(
            [Cell(MARGIN, 120, [(name, LABEL)]), Cell(MARGIN + 128, WIDTH - 128, [(value, BODY)])],
            above=1,
        )
    ]


def _bullets(texts: Sequence[str]) -> list[Block]:
    return [
        block
        for text in texts
        for block in row([Cell(MARGIN, WIDTH, [(f"· {text}", BODY)])], above=1)
    ]


def _counts(found: Sequence[Mapping[str, Any]]) -> list[Block]:
    rows = [
        (one["id"], one["title"], str(len(one["checks"])), *(str(one[key]) for key in _OUTCOMES))
        for one in found
    ]
    total = [sum(int(line[place]) for line in rows) for place in range(2, 6)]
    rows.append(("", "Together", *map(str, total)))
    columns = ("Section", "What", "Checks", "Pass", "Fail", "Not tested")
    return _table(
        columns, (46, 236, 40, 40, 40, 53), [[(text, SMALL) for text in one] for one in rows]
    )


_OUTCOMES: Final = ("passed", "failed", "not_tested")


def _signatures(content: Content) -> list[Block]:
    """Lines for the people, and the field in which the installation seals."""
    blocks = heading("Signatures")
    for who in ("Executed by", "Reviewed by (quality unit)"):
        starts = (MARGIN, MARGIN + 128, MARGIN + 254, MARGIN + 380)
        widths = (120, 118, 118, WIDTH - 380)
        cells = [Cell(starts[0], widths[0], [(who, STRONG)])]
        cells += [
            Cell(x, width, [(name, LABEL)], marks=(Box(x, 30, width, 0.5, fill=GREY),))
            for x, width, name in zip(starts[1:], widths[1:], _LINES, strict=True)
        ]
        blocks += row(cells, below=24)
    told = (
        f"Sealed by the installation, {content['shown_at']}"
        if content["sealed"]
        else ("NOT SEALED: the seal of the installation cannot be used")
    )
    label = "Seal of the installation over the whole report"
    field = Field(MARGIN, 2, WIDTH, 20, SIGNED, label, last=True, tag=Tag("P"))
    at = Text(MARGIN + 8, 15, BODY, told, tag=field.tag)
    marks = (at, field) if content["sealed"] else (at,)
    blocks += [Block(26, (Box(MARGIN, 2, WIDTH, 20, outline=HAIRLINE), *marks))]
    return tied(blocks, before=16)


def _checks(content: Content) -> Iterator[Block]:
    """One table for each section: what was done, what had to come out, what came out."""
    columns = ("Check", "What was done, and what had to come out", "Observed", "Outcome")
    widths = (56, 176, 183, 48)
    for number, part in enumerate(content["sections"]):
        rows = []
        for one in part["checks"]:
            colour = _COLOURS.get(one["outcome"], _RED)
            rows.append(
                [
                    (one["id"], STRONG),
                    [(one["title"], STRONG), (one["does"], SMALL), (one["expected"], FAINT)],
                    (one["observed"], SMALL),
                    (one["outcome"], Style("bold", 7.2, 9.6, colour)),
                ]
            )
        title = [*heading(f"{part['id']}  {part['title']}")]
        first, *others = _table(columns, widths, rows, below=5)
        yield from tied([*title, first], before=20 if number else 30)
        yield from others


def _trace(content: Content) -> list[Block]:
    rows = [
        [(one["id"], STRONG), (one["title"], SMALL), (", ".join(one["checks"]), SMALL),
         (one["outcome"], Style("bold", 7.2, 9.6, _COLOURS.get(one["outcome"], _RED)))]
        for one in content["trace"]
    ]  # fmt: skip
    note = (
        "Requirements that checks of this report prove in this installation. Every requirement,"
        " with the tests that each release passed, stands in requirements-matrix.md of the guide."
    )
    table = _table(("Requirement", "What it asks", "Checks", "Outcome"), (56, 210, 149, 48), rows)
    first, *others = [*row([Cell(MARGIN, WIDTH, [(note, FAINT)])], below=3), *table]
    return [*tied([*heading("From requirement to check"), first], before=20), *others]


def _evidence(content: Content) -> list[Block]:
    checks = [one for part in content["sections"] for one in part["checks"]]
    rows = [[(one["id"], STRONG), (one["evidence_sha256"], _MONO)] for one in checks]
    note = "SHA-256 of the evidence of each check, as it stands in the attached file (RFC 8785)."
    table = _table(("Check", "SHA-256"), (56, WIDTH - 64), rows)
    first, *others = [*row([Cell(MARGIN, WIDTH, [(note, FAINT)])], below=3), *table]
    end = row(
        [Cell(MARGIN, WIDTH, [("End of the report", Style("bold", 8, 12, ACCENT))])], above=10
    )
    return [*tied([*heading("Evidence"), first], before=20), *others, *end]


def _table(
    columns: Sequence[str],
    widths: Sequence[float],
    rows: Sequence[Sequence[Any]],
    *,
    below: float = 2,
) -> list[Block]:
    """A table of fixed widths whose header repeats; a cell is a text with its style, or several."""
    starts = [MARGIN]
    for width in widths[:-1]:
        starts.append(starts[-1] + width + _GUTTER)
    whole = Tag("Table")

    def cells(parts: Sequence[Any]) -> list[Cell]:
        return [
            Cell(start, width, one if isinstance(one, list) else [one])
            for start, width, one in zip(starts, widths, parts, strict=True)
        ]

    titles = [(text, LABEL) for text in columns]
    head = row(in_row(whole, cells(titles), head=True), below=2.5, rule=HAIRLINE)
    again = repeated(head)
    lines = (row(in_row(whole, cells(one)), above=3, below=below) for one in rows)
    body = [block for line in lines for block in headed(line, again)]
    return [*tied([*head, body[0]]), *body[1:]] if body else []
