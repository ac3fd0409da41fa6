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
    MARGIN,
    SMALL,
    STRONG,
    WIDTH,
    Block,
    Cell,
    columns,
    row,
    section,
    table,
    tied,
)
from batchqc.documents.coa_drawing import ACCENT, GREY, HAIRLINE, TINT, Box, Field, Style, width_of

_CONCLUSION = Style("bold", 10, 14.5)
_SIGNER = Style("bold", 9.4, 14)
_MEANING = Style("bold", 8.4, 14, ACCENT)
_RECORD_HASH = Style("mono", 6, 9, GREY)
_FILE_HASH = Style("mono", 6.4, 9.6)
_END = Style("bold", 8, 12, ACCENT)

_SIGNED_X = MARGIN + 194
_ORIGIN_X = (MARGIN, MARGIN + 118, MARGIN + 346)
_FILES_X = (MARGIN, MARGIN + 88, MARGIN + 240)

_REMARKS = (
    "The results relate only to the samples tested.",
    "This certificate may be reproduced only in full, unless its issuer has agreed in writing.",
)


def correction_blocks(corrections: Sequence[CorrectionPart]) -> list[Block]:
    """Every correction of registration data with its mark, and their count (1.33)."""
    blocks: list[Block] = []
    for number, change in enumerate(corrections, 1):
        became = f"“{change['before']}” became “{change['after']}”"
        people = f"Requested by {change['requested_by']}, approved by {change['approved_by']}"
        parts = [
            (f"{change['subject']}, {change['field']}: {became}", STRONG),
            (f"Reason: {change['reason'] or ABSENT}", BODY),
            (f"{people}, {change['approved']['shown']}", FAINT),
        ]
        mark = Cell(MARGIN, 26, [(f"[C{number}]", STRONG)])
        blocks += row([mark, Cell(MARGIN + 28, WIDTH - 28, parts)], above=3, below=4)
    return section(f"Corrections of registration data: {len(corrections)}", blocks)


def conclusion_blocks(text: str) -> list[Block]:
    """The conclusion, on a tinted panel."""
    parts = [("Conclusion", LABEL), (text, _CONCLUSION)]
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


def signature_blocks(signatures: Sequence[SignaturePart]) -> list[Block]:
    """Printed name, time and meaning of each signature, and the record it binds (1.13, 1.15)."""
    blocks: list[Block] = []
    for signature in signatures:
        who = [
            (signature["name"], _SIGNER),
            (f"{signature['user_id']}, {signature['role']}", BODY),
            *_when(signature),
        ]
        what = [
            (signature["meaning"], _MEANING),
            (f"Reason: {signature['reason'] or ABSENT}", BODY),
            (f"Signature {signature['id']}, bound to {signature['record']}", FAINT),
            (f"SHA-256 {signature['record_sha256']}", _RECORD_HASH),
        ]
        cells = [
            Cell(MARGIN, _SIGNED_X - MARGIN - 8, who),
            Cell(_SIGNED_X, MARGIN + WIDTH - _SIGNED_X, what),
        ]
        blocks += row(cells, above=6, below=7, rule=HAIRLINE)
    return section("Electronic signatures", blocks)


def seal_blocks(seals: Sequence[SealPart]) -> list[Block]:
    """The site's seals: the field of each, and for which electronic signature it stands."""
    blocks: list[Block] = []
    for seal in seals:
        cells = [
            Cell(MARGIN, _SIGNED_X - MARGIN - 8, [(seal["field"], STRONG)]),
            Cell(_SIGNED_X, MARGIN + WIDTH - _SIGNED_X, [(seal["says"], BODY)]),
        ]
        first, *others = row(cells, above=4, below=4, rule=HAIRLINE)
        label, last = f"Seal {seal['field']}: {seal['says']}", seal is seals[-1]
        field = Field(MARGIN, 0, WIDTH, first.height, seal["field"], label, last)
        blocks += [replace(first, marks=(*first.marks, field)), *others]
    return section("Seals of the site in this document", blocks)


def _when(signature: SignaturePart) -> list[tuple[str, Style]]:
    """The time of a signature; of a late entry its true time, its form and its entry (1.40)."""
    entered = signature["signed"]["shown"]
    if "happened" not in signature:
        return [(f"Signed {entered}", BODY)]
    return [
        (f"Signed on paper {signature['happened']['shown']}", BODY),
        (f"Form {signature.get('paper', ABSENT)}, entered late {entered}", BODY),
    ]


def origin_blocks(lines: Sequence[ResultLine]) -> list[Block]:
    """How each result was reached, and the cells and files that it was read from."""
    rows = []
    for line in lines:
        cells = [
            f"{cell['upload']}, row {cell['row']}, {cell['column']}: “{cell['text']}”"
            for cell in line["provenance"]
        ]
        named = ": ".join(filter(None, (line["criterion"], line["analyte"])))
        rounding = line["rounding"] and f"rounding: {line['rounding']}"
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
    judged = table(_ORIGIN_X, ("Result", "How it was judged", "Read from"), rows)
    uploads = table(_FILES_X, ("Upload", "File", "SHA-256 of the file"), sums)
    return [*section("Origin of the results", judged), *section("Files", uploads)]


def _log(content: CertificateContent) -> list[str]:
    """Where the transparency log stood, once there was a checkpoint."""
    log = content.get("log")
    if log is None:
        return []
    return [f"Transparency log: {log['origin']}, {log['size']} entries, root {log['root']}"]


def closing_blocks(content: CertificateContent) -> list[Block]:
    """What the certificate rests on, its fixed remarks, and its end mark (5.02)."""
    audit, software = content["audit"], content["software"]
    vocabularies = ", ".join(software["vocabularies"]) or ABSENT
    record = (
        f"Audit trail: sequence {audit['sequence']}, head {audit['head']}",
        *_log(content),
        f"Software: batchqc {software['batchqc']}, contract {software['contract']}",
        f"Vocabularies: {vocabularies}",
        f"Time zone of the site: {content['issuer']['time_zone']}",
        *_REMARKS,
    )
    body = [
        block for text in record for block in row([Cell(MARGIN, WIDTH, [(text, SMALL)])], below=2)
    ]
    end = f"End of certificate {content['number']}"
    x = MARGIN + max(0.0, (WIDTH - width_of(end, _END)) / 2)
    mark = row([Cell(x, MARGIN + WIDTH - x, [(end, _END)])], above=8)
    rule = Block(0, (Box(MARGIN, 0, WIDTH, 1.2, fill=ACCENT),))
    *others, last = section("Record", body)
    return [*others, replace(last, keep=True), *tied([rule, *mark], before=16)]
