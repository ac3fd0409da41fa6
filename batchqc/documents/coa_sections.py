"""What a certificate says, as blocks in reading order.

Every value comes from the frozen content; this module adds labels and fixed sentences, and decides
nothing. Requirements 5.01 to 5.07, 4.07, 1.13, 1.14 and 1.33 say what must be there.
"""

import re
from collections.abc import Sequence

from batchqc.core.certificates import CertificateContent, CorrectionPart, ResultLine
from batchqc.documents.coa_blocks import (
    ABSENT,
    BODY,
    FAINT,
    LABEL,
    MARGIN,
    SMALL,
    STRONG,
    WIDTH,
    Block,
    Cell,
    beside,
    columns,
    headed,
    heading,
    in_row,
    paragraphs,
    repeated,
    row,
    section,
    table,
    tied,
)
from batchqc.documents.coa_changes import change_blocks, replacing_notice
from batchqc.documents.coa_drawing import (
    ACCENT,
    GREY,
    HAIRLINE,
    INK,
    Box,
    Style,
    width_of,
    wrap,
)
from batchqc.documents.coa_evidence import (
    closing_blocks,
    conclusion_blocks,
    correction_blocks,
    origin_blocks,
    seal_blocks,
    signature_blocks,
)
from batchqc.documents.coa_tags import Tag
from batchqc.documents.coa_trends import trend_blocks
from batchqc.errors import InvalidInput

_VERDICTS = {"PASS": "PASS", "FAIL": "FAIL", "CANNOT_JUDGE": "CANNOT JUDGE"}

_TITLE = Style("sans", 19, 25, ACCENT)
_LOT_SIZES = (Style("bold", 25, 32), Style("bold", 18, 24), Style("bold", 13, 18))
_LEAD = Style("sans", 10.5, 15)
_ANSWER = Style("bold", 13, 32)
_FACT = Style("sans", 6.9, 10.4, GREY)
_HASH = Style("mono", 6.7, 10.4)
_CATEGORY = Style("bold", 7.4, 10.4, ACCENT)
_VERDICT = Style("bold", 7.4, 11.4)
_QUIET_VERDICT = Style("sans", 7.2, 11.4, GREY)

_RESULT_X = (MARGIN, MARGIN + 194, MARGIN + 294, MARGIN + 370, MARGIN + 424)
_RESULT_TITLES = ("Test and method", "Acceptance criterion", "Result", "Unit", "Verdict")
_SAMPLE_X = (MARGIN, MARGIN + 112, MARGIN + 194, MARGIN + 294)
_FACT_LABEL = 76.0
_RIGHT_HALF = MARGIN + 254
_HASH_WIDTH = 132.0  # 32 digits: a hash breaks in the middle


def sections(content: CertificateContent) -> list[Block]:
    """All blocks of the certificate, from its title to its end mark."""
    notes = (f"[{number}]  {note}" for number, note in enumerate(content["notes"], 1))
    return [
        *_opening(content),
        *_facts(content),
        *_samples_and_donors(content),
        *_results(content["lines"]),
        *trend_blocks(content.get("trends", ())),
        *paragraphs("Notes", notes),
        *paragraphs("Decision rule", [content["decision_rule"]]),
        *paragraphs("Statements", content["statements"]),
        *change_blocks(content["supersedes"]),
        *correction_blocks(content["corrections"]),
        *conclusion_blocks(content["conclusion"]),
        *signature_blocks(content["signatures"]),
        *seal_blocks(content.get("seals", ())),
        *origin_blocks(content["lines"]),
        *closing_blocks(content),
    ]


def _opening(content: CertificateContent) -> list[Block]:
    rules = content["specification"]
    answer = "Complies" if content["complies"] else "Does not comply"
    answer = "Preliminary" if content.get("pending") else answer
    named = Tag("H1", words=f"Certificate of analysis {content['number']}")
    title = row([Cell(MARGIN, WIDTH, [("Certificate of analysis", _TITLE)], tag=named)], below=8)
    if replaced := content["supersedes"]:
        title += row([Cell(MARGIN, WIDTH, [(replacing_notice(replaced), STRONG)])], below=10)
    split = _RESULT_X[2]
    lot_id, width = content["lot"]["id"], split - MARGIN - 16
    # As large as two lines allow: nothing on the page is read more often.
    fitting = (style for style in _LOT_SIZES if len(wrap(lot_id, style, width)) <= 2)
    lot_style = next(fitting, _LOT_SIZES[-1])
    lot = [("Lot", LABEL), (lot_id, lot_style), (content["product"]["name"], _LEAD)]
    judged = f"with {rules['id']}, version {rules['version']}"
    conclusion = [("Conclusion", LABEL), (answer, _ANSWER), (judged, _LEAD)]
    hero = row(
        [
            Cell(MARGIN, width, lot),
            Cell(split, MARGIN + WIDTH - split, conclusion),
        ],
        above=10,
        below=12,
        rule=HAIRLINE,
    )
    return [*title, *tied([Block(0, (Box(MARGIN, 0, WIDTH, 1.2, fill=ACCENT),)), *hero])]


def _facts(content: CertificateContent) -> list[Block]:
    product, lot, rules = content["product"], content["lot"], content["specification"]
    corrections = content["corrections"]
    made = _marked(lot["manufactured_on"], of=lot["id"], by=corrections)
    expires = _marked(lot["expires_on"], of=lot["id"], by=corrections)
    left = _fact_table(
        MARGIN,
        [
            ("Product code", product["code"], BODY),
            ("Form", product["form"], BODY),
            ("Storage", product["storage"], BODY),
            ("Manufactured", made, BODY),
            ("Expires", f"{expires}  (last usable day)", BODY),
        ],
    )
    facts = [
        ("Specification", f"{rules['id']}, version {rules['version']}", BODY),
        ("Title", rules["title"], BODY),
        ("Effective from", rules["effective"], BODY),
        ("SHA-256 of the specification", rules["sha256"], _HASH),
    ]
    if corrections:
        marks = " ".join(f"[C{number}]" for number in range(1, len(corrections) + 1))
        facts.append(("Corrections", f"{len(corrections)}, listed below: {marks}", BODY))
    return tied(beside(left, _fact_table(_RIGHT_HALF, facts)), before=12)


def _fact_table(x: float, facts: Sequence[tuple[str, str, Style]]) -> list[Block]:
    """Labels and values, one beside the other."""
    whole, blocks = Tag("Table"), []
    for label, value, style in facts:
        width = _HASH_WIDTH if style is _HASH else _RIGHT_HALF - MARGIN - 14 - _FACT_LABEL
        cells = [
            Cell(x, _FACT_LABEL - 6, [(label, _FACT)]),
            Cell(x + _FACT_LABEL, width, [(value or ABSENT, style)]),
        ]
        blocks += row(in_row(whole, cells), below=2.4)
    return blocks


def _samples_and_donors(content: CertificateContent) -> list[Block]:
    corrections = content["corrections"]
    samples = [
        (sample["id"], sample["stage"], sample["container"], sample["taken"]["shown"])
        for sample in content["lot"]["samples"]
    ]
    donors = [
        (donor["code"], donor["tissue_source"], donor["eligibility"]) for donor in content["donors"]
    ]

    def cells(texts: Sequence[str]) -> list[Cell]:
        marked = [_marked(text, of=texts[0], by=corrections) for text in texts]
        return columns(_SAMPLE_X[: len(texts)], marked, BODY)

    taken = table(_SAMPLE_X, ("Sample", "Stage", "Container", "Taken"), map(cells, samples))
    given = table(_SAMPLE_X[:3], ("Donor", "Tissue source", "Eligibility"), map(cells, donors))
    return [*section("Samples", taken), *section("Donors", given)]


def _marked(value: str, *, of: str, by: Sequence[CorrectionPart]) -> str:
    """The value, marked where a correction of the record ``of`` made it what it is (1.33)."""
    record = re.compile(rf"(?<!\S){re.escape(of)}(?!\S)")
    marks = [
        f" [C{number}]"
        for number, change in enumerate(by, 1)
        if change["after"] == value and record.search(change["subject"])
    ]
    return value + "".join(marks)


def _results(lines: Sequence[ResultLine]) -> list[Block]:
    whole = Tag("Table")
    heads = in_row(whole, columns(_RESULT_X, _RESULT_TITLES, LABEL), head=True)
    head = row(heads, above=1, below=3, rule=ACCENT)
    opening = [*heading("Results"), *head]
    blocks: list[Block] = []
    category: str | None = None
    again: tuple[Block, ...] = ()
    for line in lines:
        body = row(in_row(whole, _result_cells(line)), above=3.6, below=4.4, rule=HAIRLINE)
        if line["category"] == category:
            blocks += headed(body, again)
            continue
        category = line["category"]
        again = repeated([*head, *_category(f"{category} (continued)", whole)])
        first, *others = headed(body, again)
        named = headed(_category(category, whole), again[: len(head)])
        blocks += [*tied([*opening, *named, first], before=16 if opening else 0), *others]
        opening = []
    return blocks


def _category(text: str, table: Tag) -> list[Block]:
    title = text[:1].upper() + text[1:]
    across = Cell(MARGIN, WIDTH, [(title, _CATEGORY)], span=len(_RESULT_X))
    return row(in_row(table, [across]), above=8, below=1)


def _result_cells(line: ResultLine) -> list[Cell]:
    notes = "".join(f" [{number}]" for number in line["notes"])
    about = (line["method"], line["test"], line["stage"], line["measured_on"])
    test = [(line["title"] + notes, BODY), (" · ".join(filter(None, about)), FAINT)]
    if line["external"]:
        test.append((f"Tested by {line['external']}", FAINT))
    result = [(line["result"] or ABSENT, STRONG)]
    if line["rounded"] is not None:
        result.append((f"rounded: {line['rounded']} ({line['rounding']})", SMALL))
    verdict, marks = _verdict(line["verdict"])
    places = columns(_RESULT_X, ("", line["acceptance"], "", "", ""), BODY)
    cells = [
        Cell(places[0].x, places[0].width, test),
        places[1],
        Cell(places[2].x, places[2].width, result),
        Cell(places[3].x, places[3].width, [(line["unit"], BODY)]),
        Cell(places[4].x, places[4].width, [verdict], marks=marks),
    ]
    if not line["unit"]:  # words take the room of the unit that they do not have
        across = places[3].x + places[3].width - places[2].x
        cells[2:4] = [Cell(places[2].x, across, result, span=2)]
    return cells


def _verdict(verdict: str | None) -> tuple[tuple[str, Style], tuple[Box, ...]]:
    if verdict is None:
        return ("for information", _QUIET_VERDICT), ()
    if verdict not in _VERDICTS:
        raise InvalidInput("BQC-CRT-003", f"“{verdict}” is no verdict that a certificate can show")
    word = _VERDICTS[verdict]
    if verdict == "PASS":
        return (word, _VERDICT), ()
    # A frame, not a colour: what stops a lot stands out on a black-and-white copy too.
    frame = Box(_RESULT_X[4] - 5, 2.2, width_of(word, _VERDICT) + 10, 14, outline=INK)
    return (word, _VERDICT), (frame,)
