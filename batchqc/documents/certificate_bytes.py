"""Where the signatures of a certificate lie in its bytes.

For ``certificate_check`` only. Accepted are two forms: a document with one signature over all of
it; and a document, a signature over all of it so far, and another one over everything. Nothing else
may have been added at any time.
"""

import re
from dataclasses import dataclass

_BYTE_RANGE = re.compile(rb"/ByteRange \[0 (\d{1,12}) (\d{1,12}) (\d{1,12})\]")
_HEX = re.compile(rb"(?:[0-9A-F]{2})+")
_REVISION_END = re.compile(rb"startxref\s+\d+\s+%%EOF")
_FILE_END = re.compile(rb"startxref\n\d+\n%%EOF\n\Z")


class Failed(Exception):
    """A check does not hold; its text says why."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """The bytes that a signature covers, and its container (CMS, DER) from the gap between them.

    Written to two files, they are what ``openssl cms -verify -cades -binary -inform DER`` takes.
    """

    signed: bytes
    cms: bytes
    byte_range: tuple[int, int, int, int]


def extract(pdf: bytes) -> tuple[Extracted, ...]:
    """The signatures in the order in which they were made; nothing is verified yet.

    Raises:
        Failed: where there is none or more than two, where the last does not cover the whole file,
            or where one leaves out more than itself.
    """
    ranges = [tuple(map(int, found)) for found in _BYTE_RANGE.findall(pdf)]
    if ranges and ranges[-1][1] + ranges[-1][2] != len(pdf):
        raise Failed("the signature does not cover the whole file")
    if len(ranges) not in {1, 2} or pdf.count(b"/ByteRange") != len(ranges):
        raise Failed(f"the file holds {pdf.count(b'/ByteRange')} signatures instead of one or two")
    found = tuple(_extracted(pdf, *place) for place in ranges)
    if len(_REVISION_END.findall(pdf)) != len(ranges) + 1:
        raise Failed("the file is not one document with its seals: it was updated or continued")
    if len(found) == 2 and ranges[0][1] + ranges[0][2] > ranges[1][0]:
        raise Failed("the second signature does not follow the first")
    return found


def _extracted(pdf: bytes, gap: int, resume: int, rest: int) -> Extracted:
    end = resume + rest
    if not 0 < gap < resume < end <= len(pdf):
        raise Failed("the signature does not cover the file")
    if (
        not pdf[:gap].endswith(b"/Contents ")
        or pdf[gap:resume][:1] + pdf[resume - 1 : resume] != b"<>"
    ):
        raise Failed("what the signature leaves out is not the signature itself")
    digits = pdf[gap + 1 : resume - 1]
    if not _HEX.fullmatch(digits):
        raise Failed("the signature is not written in plain hexadecimal digits")
    contents = bytes.fromhex(digits.decode("ascii"))
    length = _der_length(contents)
    if any(contents[length:]):
        raise Failed("something is hidden behind the signature")
    if not _FILE_END.search(pdf[:end][-64:]):
        raise Failed("the signature does not end where the file ended when it was made")
    return Extracted(
        signed=pdf[:gap] + pdf[resume:end],
        cms=contents[:length],
        byte_range=(0, gap, resume, rest),
    )


def _der_length(data: bytes) -> int:
    """Length of the SEQUENCE that ``data`` begins with, header included."""
    if len(data) < 4 or data[0] != 0x30 or data[1] != 0x82:
        raise Failed("the gap holds no signature")
    length = 4 + int.from_bytes(data[2:4], "big")
    if length > len(data):
        raise Failed("the signature is cut off")
    return length
