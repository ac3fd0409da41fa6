"""A PDF file by its revisions: the first document, and each incremental update behind it.

Read are files with plain cross-reference tables, not encrypted, as the site writes them. An object
must lie in the revision whose table names it, so that no table reaches back or forward. It is read
once, however many revisions follow, and none may lie in another one: who verifies files of
strangers is not kept busy.
"""

import re
import zlib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from batchqc.documents.verifier.findings import Failed, demand
from batchqc.documents.verifier.pdf_objects import (
    Name,
    PdfDictionary,
    PdfValue,
    Reference,
    read_value,
    skip_space,
)

_MOST_REVISIONS: Final = 200
_MOST_OBJECTS: Final = 100_000
_MOST_INFLATED: Final = 64_000_000
_FILE_END: Final = re.compile(rb"startxref\s{1,4}(\d{1,12})\s{1,4}%%EOF\r?\n?\Z")
_TABLE_HEAD: Final = re.compile(rb"xref[ ]?\r?\n")
_SECTION: Final = re.compile(rb"(\d{1,10}) (\d{1,10})[ ]?\r?\n")
_ENTRY: Final = re.compile(rb"(\d{10}) (\d{5}) ([nf])(?: \r| \n|\r\n)")
_TABLE_END: Final = re.compile(rb"\s{0,4}startxref\s{1,4}(\d{1,12})\s{1,4}%%EOF(?:\r\n|\n|\r)?")
_OBJECT: Final = re.compile(rb"(\d{1,10}) (\d{1,5}) obj(?![A-Za-z0-9])")
_DATA: Final = re.compile(rb"stream\r?\n")
_DATA_END: Final = re.compile(rb"\s{0,2}endstream")
_OBJECT_END: Final = re.compile(rb"\s{0,16}endobj")


@dataclass(slots=True)
class _Known:
    """What was read of a revision: value and end of each by its place, and from where to where."""

    values: dict[int, tuple[PdfValue, int]] = field(default_factory=dict)
    spans: list[tuple[int, int]] = field(default_factory=list)

    def keep(self, begin: int, value: PdfValue, end: int) -> None:
        at = bisect_right(self.spans, (begin, end))
        near = [*self.spans[max(0, at - 1) : at], (begin, end), *self.spans[at : at + 1]]
        demand(all(one[1] <= two[0] for one, two in pairwise(near)), "objects lie in each other")
        self.spans.insert(at, (begin, end))
        self.values[begin] = value, end


@dataclass(frozen=True, slots=True)
class Revision:
    """One part of a file: bytes ``start`` to ``end``, its table at ``table``, its trailer.

    ``entries`` are offset and generation by object number; ``None`` is an object taken away.
    """

    start: int
    table: int
    end: int
    entries: Mapping[int, tuple[int, int] | None]
    trailer: PdfDictionary
    known: _Known = field(default_factory=_Known, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PdfObject:
    """An object where it stands: its value, from where to where the data of a stream, its end."""

    value: PdfValue
    data: tuple[int, int] | None
    end: int


_Table = tuple[int, int, PdfDictionary, dict[int, tuple[int, int] | None]]
"""Where a table begins and its revision ends, its trailer, its entries."""


def read_revisions(pdf: bytes) -> tuple[Revision, ...]:
    """The revisions, oldest first; together they are the whole file.

    Raises:
        Failed: they are not, or one cannot be read.
    """
    last = _FILE_END.search(pdf, max(0, len(pdf) - 64))
    if not last:
        raise Failed("the file does not end as a PDF does")
    places: list[_Table] = []
    at: PdfValue = int(last[1])
    while at is not None:
        if not isinstance(at, int) or not 0 < at < (places[-1][0] if places else len(pdf)):
            raise Failed("a cross-reference table is nowhere")
        demand(len(places) < _MOST_REVISIONS, "the file has too many revisions")
        newer, one = places[-1:], _table(pdf, at)
        demand(not newer or one[1] < newer[0][0], "revisions overlap")
        places.append(one)
        at = one[2].get("Prev")
    demand(places[0][1] == len(pdf), "the file goes on behind its end")
    found: list[Revision] = []
    for table, end, trailer, entries in reversed(places):
        start = found[-1].end if found else 0
        outside = [one for one in entries.values() if one and not start <= one[0] < table]
        demand(not outside, "a cross-reference table names what is not of its revision")
        found.append(Revision(start, table, end, entries, trailer))
    return tuple(found)


def _table(pdf: bytes, begin: int) -> _Table:
    head = _TABLE_HEAD.match(pdf, begin)
    if not head:
        raise Failed("a cross-reference table is not where the file says")
    at, entries = head.end(), dict[int, tuple[int, int] | None]()
    while section := _SECTION.match(pdf, at):
        at, first, many = section.end(), int(section[1]), int(section[2])
        demand(first + many <= _MOST_OBJECTS, "a cross-reference table is too large")
        for number in range(first, first + many):
            entry = _ENTRY.match(pdf, at)
            if not entry or number in entries or (entry[3] == b"n" and not number):
                raise Failed("a cross-reference table is damaged")
            entries[number] = (int(entry[1]), int(entry[2])) if entry[3] == b"n" else None
            at = entry.end()
    demand(pdf.startswith(b"trailer", at), "a cross-reference table has no trailer")
    trailer, at = read_value(pdf, at + len(b"trailer"))
    end = _TABLE_END.match(pdf, at)
    if not end or int(end[1]) != begin or not isinstance(trailer, dict):
        raise Failed("a revision does not end as one does")
    demand(not {"Encrypt", "XRefStm"} & trailer.keys(), "the file is encrypted or not plain")
    return begin, end.end(), trailer, entries


class PdfFile:
    """The objects of a file, or of its first revisions.

    Args:
        pdf: all bytes.
        revisions: those that count, oldest first, from ``read_revisions``.
    """

    def __init__(self, pdf: bytes, revisions: tuple[Revision, ...]) -> None:
        self._pdf, self._revisions = pdf, revisions
        self._starts = [one.start for one in revisions]
        self._places: dict[int, tuple[int, int] | None] = {}
        for one in revisions:
            self._places.update(one.entries)
        self._left = _MOST_INFLATED
        self.trailer = revisions[-1].trailer

    @property
    def numbers(self) -> frozenset[int]:
        """Of the objects that there are."""
        return frozenset(number for number, place in self._places.items() if place)

    @property
    def size(self) -> int:
        """One more than the highest number of an object."""
        return max(self._places, default=0) + 1

    @property
    def catalog(self) -> PdfDictionary:
        """The root of the document."""
        return self.dictionary(self.trailer.get("Root"))

    def object(self, number: int, generation: int = 0) -> PdfObject:
        """An object by its number; null where there is none.

        Raises:
            Failed: it is not where the table says.
        """
        place = self._places.get(number)
        if place is None or place[1] != generation:
            return PdfObject(None, None, 0)
        value, begin = self._read(number, place)
        data = None
        if stream := _DATA.match(self._pdf, begin):
            data, begin = self._data(value, stream.end())
        end = _OBJECT_END.match(self._pdf, begin)
        if not end:
            raise Failed(f"object {number} does not end")
        return PdfObject(value, data, end.end())

    def _read(self, number: int, place: tuple[int, int]) -> tuple[PdfValue, int]:
        """The value of an object, and where that begins which follows it."""
        known = self._revisions[bisect_right(self._starts, place[0]) - 1].known
        head = _OBJECT.match(self._pdf, place[0])
        if not head or (int(head[1]), int(head[2])) != (number, place[1]):
            raise Failed(f"object {number} is not where the file says")
        if place[0] not in known.values:
            value, at = read_value(self._pdf, head.end())
            known.keep(place[0], value, skip_space(self._pdf, at))
        return known.values[place[0]]

    def _data(self, value: PdfValue, begin: int) -> tuple[tuple[int, int], int]:
        length = value.get("Length") if isinstance(value, dict) else None
        if isinstance(length, Reference):
            length = self._length(length)
        demand(isinstance(length, int) and length >= 0, "a stream does not tell its length")
        stop = begin + int(str(length))
        end = _DATA_END.match(self._pdf, stop)
        if not end:
            raise Failed("a stream does not end where it says")
        return (begin, stop), end.end()

    def _length(self, reference: Reference) -> PdfValue:
        """A number that stands as an object of its own; it cannot be a stream again."""
        place = self._places.get(reference.number)
        return self._read(reference.number, place)[0] if place else None

    def get(self, value: PdfValue) -> PdfValue:
        """A value, behind its reference where it is one.

        Raises:
            Failed: it is a stream: who looks at its dictionary alone does not see its data.
        """
        if isinstance(value, Reference):
            found = self.object(value.number, value.generation)
            demand(found.data is None, "a stream stands where another object is to stand")
            value = found.value
            demand(not isinstance(value, Reference), "a reference leads to a reference")
        return value

    def dictionary(self, value: PdfValue) -> PdfDictionary:
        """A dictionary, behind its reference where it is one; nothing is an empty one.

        Raises:
            Failed: it is something else.
        """
        found = self.get(value)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise Failed("a part of the document is no dictionary")
        return found

    def array(self, value: PdfValue) -> list[PdfValue]:
        """A list, behind its reference where it is one; nothing is an empty one.

        Raises:
            Failed: it is something else.
        """
        found = self.get(value)
        if found is None:
            return []
        if not isinstance(found, list):
            raise Failed("a part of the document is no list")
        return found

    def packed(self, value: PdfValue) -> tuple[PdfDictionary, tuple[int, int]]:
        """A stream as it stands in the file: its dictionary, and from where to where its data.

        Raises:
            Failed: it is none.
        """
        if not isinstance(value, Reference):
            raise Failed("a stream is not referred to")
        found = self.object(value.number, value.generation)
        if found.data is None or not isinstance(found.value, dict):
            raise Failed(f"object {value.number} is no stream")
        return found.value, found.data

    def stream(self, value: PdfValue) -> bytes:
        """The data of a stream, inflated.

        Raises:
            Failed: it is none, is damaged, or all of them together are larger than 64 MB.
        """
        told, place = self.packed(value)
        data = self._pdf[slice(*place)]
        names = self.get(told.get("Filter"))
        names = names if isinstance(names, list) else [names] if names is not None else []
        demand(names in ([], [Name("FlateDecode")]), "a stream is packed in an unknown way")
        demand(told.get("DecodeParms") is None, "a stream is packed in an unknown way")
        found = _inflated(data, self._left) if names else data
        self._left -= len(found)
        demand(self._left > 0, "the streams of the file are too large")
        return found


def _inflated(data: bytes, most: int) -> bytes:
    packed = zlib.decompressobj()
    try:
        found = packed.decompress(data, most)
    except zlib.error as problem:
        raise Failed("a stream is damaged") from problem
    demand(packed.eof, "a stream is cut off or too large")
    demand(not packed.unused_data.strip(), "a stream goes on behind its end")
    return found
