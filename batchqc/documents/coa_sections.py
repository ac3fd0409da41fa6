"""What a certificate says, as blocks in reading order.

Every value comes from the frozen content; this module adds labels and fixed sentences, and decides
nothing. Requirements 5.01 to 5.07, 4.07, 1.13, 1.14 and 1.33 say what must be there.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from batchqc.core.certificates import CertificateContent, ResultLine
from batchqc.documents.certificate_said import marked, rebound
from batchqc.documents.coa_blocks import (
    ABSENT,
    BODY,
    FAINT,
    LABEL,
    SMALL,
    STRONG,
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
from batchqc.documents.coa_paper import MARGIN, WIDTH
from batchqc.documents.coa_recipient import layout_blocks, rendition_blocks, withheld_blocks
from batchqc.documents.coa_tags import Tag
from batchqc.documents.coa_trends import trend_blocks
from batchqc.documents.coa_words import Words, conclusion_in, worded
from batchqc.errors import InvalidInput

_VERDICTS = {"PASS", "FAIL", "CANNOT_JUDGE"}

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
_RESULT_TITLES = ("test_and_method", "acceptance", "result", "unit", "verdict")
_SAMPLE_X = (MARGIN, MARGIN + 112, MARGIN + 194, MARGIN + 294)
_FACT_LABEL = 76.0
_NUMBER = re.compile(r"[<>≤≥=~]{0,2}\s*[-+−]?[\d.,]+(?:[eE][-+]?\d+)?")
_RIGHT_HALF = MARGIN + 254
_HASH_WIDTH = 132.0  # 32 digits: a hash breaks in the middle


def sections(content: CertificateContent, words: Words) -> list[Block]:
    """All blocks of the certificate, from its title to its end mark."""
    notes = (f"[{number}]  {note}" for number, note in enumerate(content["notes"], 1))
    return [
        *_opening(content, words),
        *_facts(content, words),
        *_samples_and_donors(content, words),
        *_results(content, words),
        *trend_blocks(content.get("trends", ()), words),
        *paragraphs(words("notes"), notes),
        *paragraphs(words("decision_rule"), [content["decision_rule"]]),
        *paragraphs(words("statements"), content["statements"]),
        *layout_blocks(content, words),
        *change_blocks(content["supersedes"], words),
        *correction_blocks(content["corrections"], words),
        *conclusion_blocks(conclusion_in(words, content), words),
        *signature_blocks(content["signatures"], words),
        *seal_blocks(content, words),
        *origin_blocks(content["lines"], words),
        *closing_blocks(content, words),
    ]


def _opening(content: CertificateContent, words: Words) -> list[Block]:
    rules = content["specification"]
    answer = words("complies" if content["complies"] else "does_not_comply")
    answer = words("preliminary") if content.get("pending") else answer
    named = Tag("H1", words=words("title_of", number=content["number"]))
    title = row([Cell(MARGIN, WIDTH, [(words("title"), _TITLE)], tag=named)], below=8)
    if replaced := content["supersedes"]:
        title += row([Cell(MARGIN, WIDTH, [(replacing_notice(replaced, words), STRONG)])], below=10)
    title += rendition_blocks(content, words)
    split = _RESULT_X[2]
    lot_id, width = content["lot"]["id"], split - MARGIN - 16
    # As large as two lines allow: nothing on the page is read more often.
    fitting = (style for style in _LOT_SIZES if len(wrap(lot_id, style, width)) <= 2)
    lot_style = next(fitting, _LOT_SIZES[-1])
    lot = [(words("lot"), LABEL), (lot_id, lot_style), (content["product"]["name"], _LEAD)]
    judged = words("judged", specification=rules["id"], version=rules["version"])
    conclusion = [(words("conclusion"), LABEL), (answer, _ANSWER), (judged, _LEAD)]
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


def _facts(content: CertificateContent, words: Words) -> list[Block]:
    product, lot, rules = content["product"], content["lot"], content["specification"]
    corrections = content["corrections"]
    made = marked(lot["manufactured_on"], of=lot["id"], by=corrections)
    expires = marked(lot["expires_on"], of=lot["id"], by=corrections)
    left = _fact_table(
        MARGIN,
        [
            (words("product_code"), product["code"], BODY),
            (words("form"), product["form"], BODY),
            (words("storage"), product["storage"], BODY),
            (words("manufactured"), made, BODY),
            (words("expires"), words("last_usable_day", day=expires), BODY),
        ],
    )
    version = words("specification_version", specification=rules["id"], version=rules["version"])
    version += rebound(rules, by=corrections)
    facts = [
        (words("specification"), version, BODY),
        (words("specification_title"), rules["title"], BODY),
        (words("effective"), rules["effective"], BODY),
        (words("specification_sha256"), rules["sha256"], _HASH),
    ]
    if corrections:
        marks = " ".join(f"[C{number}]" for number in range(1, len(corrections) + 1))
        below = words("corrections_below", count=len(corrections), marks=marks)
        facts.append((words("corrections"), below, BODY))
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


def _samples_and_donors(content: CertificateContent, words: Words) -> list[Block]:
    corrections = content["corrections"]
    samples = [
        (
            sample["id"],
            words.term("stage", sample["stage"]),
            sample["container"],
            sample["taken"]["shown"],
        )
        for sample in content["lot"]["samples"]
    ]
    donors = [
        (donor["code"], donor["tissue_source"], words.term("fixed", donor["eligibility"]))
        for donor in content["donors"]
    ]
    of_samples = [words(one) for one in ("sample", "stage", "container", "taken")]
    of_donors = [words(one) for one in ("donor", "tissue_source", "eligibility")]

    def cells(texts: Sequence[str]) -> list[Cell]:
        shown = [marked(text, of=texts[0], by=corrections) for text in texts]
        return columns(_SAMPLE_X[: len(texts)], shown, BODY)

    taken = table(_SAMPLE_X, of_samples, map(cells, samples))
    given = table(_SAMPLE_X[:3], of_donors, map(cells, donors))
    return [*section(words("samples"), taken), *section(words("donors"), given)]


def _results(content: CertificateContent, words: Words) -> list[Block]:
    whole = Tag("Table")
    titles = columns(_RESULT_X, [words(one) for one in _RESULT_TITLES], LABEL)
    if "layout" in content:
        titles[2] = replace(titles[2], flush_right=True)
    head = row(in_row(whole, titles, head=True), above=1, below=3, rule=ACCENT)
    opening = [*heading(words("results")), *head]
    blocks: list[Block] = []
    category: str | None = None
    again: tuple[Block, ...] = ()
    for line in content["lines"]:
        cells = in_row(whole, _result_cells(content, line, words))
        body = row(cells, above=3.6, below=4.4, rule=HAIRLINE)
        if line["category"] == category:
            blocks += headed(body, again)
            continue
        category = line["category"]
        name = words.term("category", category)
        again = repeated([*head, *_category(words("continued", category=name), whole)])
        first, *others = headed(body, again)
        named = headed(_category(name, whole), again[: len(head)])
        blocks += [*tied([*opening, *named, first], before=16 if opening else 0), *others]
        opening = []
    return [*blocks, *withheld_blocks(content, words)]


def _category(text: str, table: Tag) -> list[Block]:
    title = text[:1].upper() + text[1:]
    across = Cell(MARGIN, WIDTH, [(title, _CATEGORY)], span=len(_RESULT_X))
    return row(in_row(table, [across]), above=8, below=1)


def _result_cells(content: CertificateContent, line: ResultLine, words: Words) -> list[Cell]:
    notes = "".join(f" [{number}]" for number in line["notes"])
    stage = words.term("stage", line["stage"])
    about = (line["method"], line["test"], stage, line["measured_on"])
    test = [(worded(content, line) + notes, BODY), (" · ".join(filter(None, about)), FAINT)]
    if line["external"]:
        test.append((words("tested_by", laboratory=line["external"]), FAINT))
    result = [(words.term("fixed", line["result"]) or ABSENT, STRONG)]
    if line["rounded"] is not None:
        rounded = words("rounded", value=line["rounded"], rule=line["rounding"])
        result.append((rounded, SMALL))
    verdict, marks = _verdict(line["verdict"], words)
    acceptance = words.term("fixed", line["acceptance"])
    places = columns(_RESULT_X, ("", acceptance, "", "", ""), BODY)
    # Numbers stand with their last digits below each other, beside their unit.
    number = "layout" in content and _NUMBER.fullmatch(line["result"]) is not None
    cells = [
        Cell(places[0].x, places[0].width, test),
        places[1],
        Cell(places[2].x, places[2].width, result, flush_right=number),
        Cell(places[3].x, places[3].width, [(line["unit"], BODY)]),
        Cell(places[4].x, places[4].width, [verdict], marks=marks),
    ]
    if not line["unit"]:  # words take the room of the unit that they do not have
        across = places[3].x + places[3].width - places[2].x
        cells[2:4] = [Cell(places[2].x, across, result, span=2)]
    return cells


def _verdict(verdict: str | None, words: Words) -> tuple[tuple[str, Style], tuple[Box, ...]]:
    if verdict is None:
        return (words("for_information"), _QUIET_VERDICT), ()
    if verdict not in _VERDICTS:
        raise InvalidInput("BQC-CRT-003", f"“{verdict}” is no verdict that a certificate can show")
    word = words.term("verdict", verdict)
    if verdict == "PASS":
        return (word, _VERDICT), ()
    # A frame, not a colour: what stops a lot stands out on a black-and-white copy too.
    room = MARGIN + WIDTH - _RESULT_X[4]
    lines = wrap(word, _VERDICT, room)
    wide = max(width_of(line.rstrip(), _VERDICT) for line in lines)
    high = 14 + (len(lines) - 1) * _VERDICT.leading
    frame = Box(_RESULT_X[4] - 5, 2.2, min(wide, room - 5) + 10, high, outline=INK)
    return (word, _VERDICT), (frame,)
