"""Who stands behind the results of a certificate, and where they came from.

Corrections, conclusion, signatures, the origin of each result, the record and the end mark.
"""

from collections.abc import Sequence
from dataclasses import replace

from batchqc.core.certificates import (
    CertificateContent,
    CorrectionPart,
    ResultLine,
    SealPart,
    SignaturePart,
)
from batchqc.documents.coa_blocks import (
    ABSENT,
    BODY,
    FAINT,
    LABEL,
    SMALL,
    STRONG,
    Block,
    Cell,
    columns,
    row,
    section,
    table,
    tied,
)
from batchqc.documents.coa_drawing import ACCENT, GREY, HAIRLINE, TINT, Box, Field, Style, width_of
from batchqc.documents.coa_paper import MARGIN, WIDTH
from batchqc.documents.coa_words import Words, seal_in

_CONCLUSION = Style("bold", 10, 14.5)
_SIGNER = Style("bold", 9.4, 14)
_MEANING = Style("bold", 8.4, 14, ACCENT)
_RECORD_HASH = Style("mono", 6, 9, GREY)
_FILE_HASH = Style("mono", 6.4, 9.6)
_END = Style("bold", 8, 12, ACCENT)

_SIGNED_X = MARGIN + 194
_ORIGIN_X = (MARGIN, MARGIN + 118, MARGIN + 346)
_FILES_X = (MARGIN, MARGIN + 88, MARGIN + 240)


def correction_blocks(corrections: Sequence[CorrectionPart], words: Words) -> list[Block]:
    """Every correction of registration data with its mark, and their count (1.33)."""
    blocks: list[Block] = []
    for number, change in enumerate(corrections, 1):
        people = words(
            "correction_people",
            requested_by=change["requested_by"],
            approved_by=change["approved_by"],
            when=change["approved"]["shown"],
        )
        became = words(
            "correction",
            subject=change["subject"],
            field=change["field"],
            before=change["before"],
            after=change["after"],
        )
        parts = [
            (became, STRONG),
            (words("reason", reason=change["reason"] or ABSENT), BODY),
            (people, FAINT),
        ]
        mark = Cell(MARGIN, 26, [(f"[C{number}]", STRONG)])
        blocks += row([mark, Cell(MARGIN + 28, WIDTH - 28, parts)], above=3, below=4)
    return section(words("corrections_of", count=len(corrections)), blocks)


def conclusion_blocks(texts: Sequence[str], words: Words) -> list[Block]:
    """The conclusion on a tinted panel; after it, small, what else is said of it."""
    conclusion, *others = texts
    parts = [(words("conclusion"), LABEL), (conclusion, _CONCLUSION)]
    parts += [(text, SMALL) for text in others]
    blocks = row([Cell(MARGIN + 14, WIDTH - 28, parts)], above=9, below=10)
    panels = [
        Block(
            block.height,
            (
                Box(MARGIN, 0, WIDTH, block.height, fill=TINT),
                Box(MARGIN, 0, 3, block.height, fill=ACCENT),
                *block.marks,
            ),
        )
        for block in blocks
    ]
    return tied(panels, before=18)


def signature_blocks(signatures: Sequence[SignaturePart], words: Words) -> list[Block]:
    """Printed name, time and meaning of each signature, and the record it binds (1.13, 1.15)."""
    blocks: list[Block] = []
    for signature in signatures:
        who = [
            (signature["name"], _SIGNER),
            (f"{signature['user_id']}, {words.term('role', signature['role'])}", BODY),
            *_when(signature, words),
        ]
        what = [
            (words.term("meaning", signature["meaning"]), _MEANING),
            (words("reason", reason=signature["reason"] or ABSENT), BODY),
            (words("bound", id=signature["id"], record=signature["record"]), FAINT),
            (words("sha256", sha256=signature["record_sha256"]), _RECORD_HASH),
        ]
        cells = [
            Cell(MARGIN, _SIGNED_X - MARGIN - 8, who),
            Cell(_SIGNED_X, MARGIN + WIDTH - _SIGNED_X, what),
        ]
        blocks += row(cells, above=6, below=7, rule=HAIRLINE)
    return section(words("signatures"), blocks)


def seal_blocks(content: CertificateContent, words: Words) -> list[Block]:
    """The site's seals: the field of each, and for which electronic signature it stands."""
    blocks: list[Block] = []
    seals: Sequence[SealPart] = content.get("seals", ())
    for seal in seals:
        says = seal_in(words, seal, content)
        cells = [
            Cell(MARGIN, _SIGNED_X - MARGIN - 8, [(seal["field"], STRONG)]),
            Cell(_SIGNED_X, MARGIN + WIDTH - _SIGNED_X, [(says, BODY)]),
        ]
        first, *others = row(cells, above=4, below=4, rule=HAIRLINE)
        label, last = words("seal", field=seal["field"], says=says), seal is seals[-1]
        field = Field(MARGIN, 0, WIDTH, first.height, seal["field"], label, last)
        blocks += [replace(first, marks=(*first.marks, field)), *others]
    return section(words("seals"), blocks)


def _when(signature: SignaturePart, words: Words) -> list[tuple[str, Style]]:
    """The time of a signature; of a late entry its true time, its form and its entry (1.40)."""
    entered = signature["signed"]["shown"]
    if "happened" not in signature:
        return [(words("signed", when=entered), BODY)]
    form = signature.get("paper", ABSENT)
    return [
        (words("signed_on_paper", when=signature["happened"]["shown"]), BODY),
        (words("entered_late", paper=form, when=entered), BODY),
    ]


def origin_blocks(lines: Sequence[ResultLine], words: Words) -> list[Block]:
    """How each result was reached, and the cells and files that it was read from."""
    rows = []
    for line in lines:
        cells = [
            words(
                "cell",
                upload=cell["upload"],
                row=cell["row"],
                column=cell["column"],
                text=cell["text"],
            )
            for cell in line["provenance"]
        ]
        named = ": ".join(filter(None, (line["criterion"], line["analyte"])))
        rounding = line["rounding"] and words("rounding", rule=line["rounding"])
        how = ", ".join(filter(None, (f"n = {line['n']}", line["aggregate"], rounding)))
        texts: list[list[tuple[str, Style]]] = [
            [(line["title"], SMALL), (named, FAINT)],
            [(line["sentence"], SMALL), (how, FAINT)],
            [(cell, SMALL) for cell in cells or [ABSENT]],
        ]
        places = columns(_ORIGIN_X, ("", "", ""), SMALL)
        rows.append([Cell(at.x, at.width, parts) for at, parts in zip(places, texts, strict=True)])
    files = dict.fromkeys(
        (cell["upload"], cell["file"], cell["sha256"])
        for line in lines
        for cell in line["provenance"]
    )
    sums = [columns(_FILES_X, file, (SMALL, SMALL, _FILE_HASH)) for file in files]
    of_results = [words(one) for one in ("origin_result", "how_judged", "read_from")]
    of_files = [words(one) for one in ("upload", "file", "file_sha256")]
    judged, uploads = table(_ORIGIN_X, of_results, rows), table(_FILES_X, of_files, sums)
    return [*section(words("origin"), judged), *section(words("files"), uploads)]


def _log(content: CertificateContent, words: Words) -> list[str]:
    """Where the transparency log stood, once there was a checkpoint."""
    log = content.get("log")
    if log is None:
        return []
    return [words("log_line", origin=log["origin"], size=log["size"], root=log["root"])]


def closing_blocks(content: CertificateContent, words: Words) -> list[Block]:
    """What the certificate rests on, its fixed remarks, and its end mark (5.02)."""
    audit, software = content["audit"], content["software"]
    vocabularies = ", ".join(software["vocabularies"]) or ABSENT
    page = content["status"]["page"] if "status" in content else ""
    record = (
        *([words("status_line", page=page)] if page else []),
        words("audit_trail", sequence=audit["sequence"], head=audit["head"]),
        *_log(content, words),
        words("software", version=software["batchqc"], contract=software["contract"]),
        words("vocabularies", names=vocabularies),
        words("time_zone", zone=content["issuer"]["time_zone"]),
        *_layout(content, words),
        words("only_samples"),
        words("in_full"),
    )
    body = [
        block for text in record for block in row([Cell(MARGIN, WIDTH, [(text, SMALL)])], below=2)
    ]
    end = words("end", number=content["number"])
    x = MARGIN + max(0.0, (WIDTH - width_of(end, _END)) / 2)
    mark = row([Cell(x, MARGIN + WIDTH - x, [(end, _END)])], above=8)
    rule = Block(0, (Box(MARGIN, 0, WIDTH, 1.2, fill=ACCENT),))
    *others, last = section(words("record"), body)
    if "layout" in content:  # its last lines do not stand alone on a page
        others = [replace(block, keep=True) for block in others]
    return [*others, replace(last, keep=True), *tied([rule, *mark], before=16)]


def _layout(content: CertificateContent, words: Words) -> list[str]:
    part = content.get("layout")
    if part is None:
        return []
    return [words("layout", layout=part["id"], version=part["version"], sha256=part["sha256"])]
