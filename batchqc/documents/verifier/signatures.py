"""Where the signatures of a certificate lie in its bytes, and that they cover all of it.

Accepted is a document with one seal or two, each over everything before it. Between and behind them
may stand revisions that keep evidence for later, and document timestamps behind; whatever follows
the last seal must be of that kind and nothing else (``increments``).
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from batchqc.documents.verifier.findings import Failed, demand
from batchqc.documents.verifier.increments import check_increment
from batchqc.documents.verifier.pdf_file import PdfFile, Revision, read_revisions
from batchqc.documents.verifier.pdf_objects import Name

_MOST_SIGNATURES: Final = 100
_BYTE_RANGE: Final = re.compile(rb"/ByteRange ?\[ ?0 (\d{1,12}) (\d{1,12}) (\d{1,12}) ?\]")
_HEX: Final = re.compile(rb"(?:[0-9A-F]{2})++")
_CLOSED: Final = re.compile(rb"startxref\n\d+\n%%EOF\n\Z")

# S a seal, E evidence, T a timestamp, by their first letters.
_ORDER: Final = re.compile(r"s(?:e*s)?[et]*")

Kind = Literal["seal", "timestamp", "evidence"]


@dataclass(frozen=True, slots=True)
class Extracted:
    """The bytes that a signature covers, and its container (CMS, DER) from the gap between them.

    Written to two files, ``signed`` and ``cms`` are what ``openssl cms -verify -cades -binary
    -inform DER`` takes.
    """

    pdf: bytes
    cms: bytes
    byte_range: tuple[int, int, int, int]

    @property
    def signed(self) -> bytes:
        """The bytes; made anew each time: a hundred signatures would hold a hundred files."""
        _, gap, resume, rest = self.byte_range
        return self.pdf[:gap] + self.pdf[resume : resume + rest]


@dataclass(frozen=True, slots=True)
class Parts:
    """The seals, the document timestamps behind them, and where each state of the file ended.

    ``ends`` are of the last seal and of every revision since.
    """

    file: PdfFile
    seals: tuple[Extracted, ...]
    timestamps: tuple[Extracted, ...]
    ends: tuple[int, ...]


def extract(pdf: bytes) -> Parts:
    """The signatures in the order in which they were made; nothing is verified yet.

    Raises:
        Failed: the file is anything else than a document with its seals.
    """
    ranges = [tuple(map(int, found)) for found in _BYTE_RANGE.findall(pdf)]
    demand(len(ranges) <= _MOST_SIGNATURES, "the file holds too many signatures")
    demand(bool(ranges), "the file holds 0 signatures instead of one or two")
    demand(pdf.count(b"/ByteRange") == len(ranges), "a signature is not written as one is")
    revisions = _revisions(pdf, max(one[1] + one[2] for one in ranges))
    places = {one.end: place for place, one in enumerate(revisions)}
    found = {places.get(one[1] + one[2], 0): _extracted(pdf, *one) for one in ranges}
    whole = 0 not in found and len(found) == len(ranges)
    demand(whole, "a signature does not end where the file ended when it was made")
    kinds = [_kind(pdf, revisions[: place + 1], found) for place in range(1, len(revisions))]
    seals, stamps = (
        tuple(place for place, kind in enumerate(kinds, 1) if kind == wanted)
        for wanted in ("seal", "timestamp")
    )
    demand(len(seals) in {1, 2}, f"the file holds {len(seals)} signatures instead of one or two")
    demand(bool(_ORDER.fullmatch("".join(one[0] for one in kinds))), "seals are out of order")
    for place, kind in enumerate(kinds, 1):
        if kind != "seal":
            check_increment(pdf, revisions[: place + 1], stamped=kind == "timestamp")
    return Parts(
        file=PdfFile(pdf, revisions),
        seals=tuple(found[place] for place in seals),
        timestamps=tuple(found[place] for place in stamps),
        ends=tuple(one.end for one in revisions[seals[-1] :]),
    )


def _revisions(pdf: bytes, covered: int) -> tuple[Revision, ...]:
    try:
        return read_revisions(pdf)
    except Failed as problem:
        if covered < len(pdf):
            raise Failed(f"the signature does not cover the whole file: {problem}") from problem
        raise


def _kind(pdf: bytes, revisions: tuple[Revision, ...], found: dict[int, Extracted]) -> Kind:
    """What the last of some revisions is; a signature must be an object that it wrote."""
    extracted = found.get(len(revisions) - 1)
    if extracted is None:
        return "evidence"
    gap = extracted.byte_range[1]
    demand(gap > revisions[-1].start, "the second signature does not follow the first")
    written = [(place[0], number) for number, place in revisions[-1].entries.items() if place]
    before = [one for one in written if one[0] < gap]
    demand(bool(before), "a signature is no object of the file")
    value = PdfFile(pdf, revisions).object(max(before)[1]).value
    if not isinstance(value, dict) or value.get("ByteRange") != list(extracted.byte_range):
        raise Failed("a signature is no object of the file")
    return "timestamp" if value.get("SubFilter") == Name("ETSI.RFC3161") else "seal"


def _extracted(pdf: bytes, gap: int, resume: int, rest: int) -> Extracted:
    end = resume + rest
    demand(0 < gap < resume < end <= len(pdf), "the signature does not cover the file")
    own = pdf[:gap].endswith((b"/Contents ", b"/Contents"))
    if not own or pdf[gap : gap + 1] + pdf[resume - 1 : resume] != b"<>":
        raise Failed("what the signature leaves out is not the signature itself")
    digits = pdf[gap + 1 : resume - 1]
    demand(bool(_HEX.fullmatch(digits)), "the signature is not in plain hexadecimal digits")
    contents = bytes.fromhex(digits.decode("ascii"))
    length = _der_length(contents)
    demand(not any(contents[length:]), "something is hidden behind the signature")
    closed = bool(_CLOSED.search(pdf, max(0, end - 64), end))
    demand(closed, "the signature does not end where the file ended when it was made")
    return Extracted(
        pdf=pdf,
        cms=contents[:length],
        byte_range=(0, gap, resume, rest),
    )


def _der_length(data: bytes) -> int:
    """Length of the SEQUENCE that ``data`` begins with, header included."""
    demand(data[:2] == b"\x30\x82" and len(data) >= 4, "the gap holds no signature")
    length = 4 + int.from_bytes(data[2:4], "big")
    demand(length <= len(data), "the signature is cut off")
    return length
