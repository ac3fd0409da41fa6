"""What may follow a seal: evidence for later (DSS), and document timestamps; nothing that is seen.

A revision of that kind adds certificates, revocation lists and answers (ETSI EN 319 142-1, 5.4.2)
as streams that nothing else uses, and a timestamp as an invisible signature field. Every object
that it writes must be one of these, or catalog, form or page with no other change than their
mention; and its objects are all that stands in its bytes. Nothing in it may lead a program that
finds a file damaged, and looks for objects by itself, to other objects than these.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from batchqc.documents.verifier.findings import demand
from batchqc.documents.verifier.pdf_file import PdfFile, Revision
from batchqc.documents.verifier.pdf_objects import (
    Name,
    PdfDictionary,
    PdfValue,
    Real,
    Reference,
)

_LISTS: Final = ("Certs", "CRLs", "OCSPs")
_LISTS_OF_ONE: Final = ("Cert", "CRL", "OCSP")
_FIELD_KEYS: Final = {"Type", "Subtype", "FT", "T", "V", "F", "P", "Rect", "TU"}
_STAMP_KEYS: Final = {"Type", "Filter", "SubFilter", "Contents", "ByteRange", "V"}
_TRAILER_KEYS: Final = {"Size", "Root", "Info", "ID", "Prev"}
_STREAM_KEYS: Final = {"Length", "Filter"}
# What programs look for where they find a file damaged, also inside streams and strings.
_LANDMARK: Final = re.compile(rb"(?<=[\0\t\n\f\r \x80\xff0-9])obj(?![A-Za-z0-9])|trailer|startxref")
_BLANK: Final = b"\0\t\n\f\r \x80\xff"  # to some programs
_NUMBER: Final = b"0123456789+-."
_MOST_BY_CHANCE: Final = 100
_MOST_LOOKED: Final = 1000  # places before one landmark
_LONGEST_LINE: Final = 4096  # in which a comment may stand there
_MOST_KEPT: Final = 2000  # mentions of certificates, lists and answers; every revision reads all
_TOO_MUCH: Final = "the file keeps too much evidence"
_MOST_SPARE: Final = 100  # numbers of objects that were reserved, and never written
_REVISION_END: Final = re.compile(rb"\nstartxref\n\d+\n%%EOF\n\Z")


def check_increment(pdf: bytes, revisions: tuple[Revision, ...], *, stamped: bool) -> None:
    """The last of some revisions adds evidence, or a timestamp, and nothing else.

    Raises:
        Failed: it does more; the reason names the first object that is too much.
    """
    before, after = PdfFile(pdf, revisions[:-1]), PdfFile(pdf, revisions)
    _check_whole(pdf, revisions[-1], after)
    for key in ("Root", "Info"):
        demand(before.trailer.get(key) == after.trailer.get(key), _changed(f"the file's {key}"))
    demand(after.trailer.keys() <= _TRAILER_KEYS, _changed("the trailer"))
    size = after.trailer.get("Size")
    spare = size - after.size if isinstance(size, int) else -1
    demand(0 <= spare <= _MOST_SPARE, "after the last seal, the file's size is wrong")
    old, catalog = before.catalog, after.catalog
    _same("the catalog", old, catalog, but={"DSS", "Extensions", "AcroForm"})
    if old is not catalog:
        _check_extensions(catalog.get("Extensions"))
    kept = _evidence(before, old.get("DSS"))
    added = _evidence(after, catalog.get("DSS"))
    mine, theirs = _form(before, after, stamped=stamped)
    known = kept | theirs | _number(after.trailer.get("Root"))
    new = (added | mine) - known
    # Else a part of a page could be called evidence now, and be written anew by the next one.
    demand(not new & before.numbers, "after the last seal, a part of it was taken for evidence")
    for number in sorted(revisions[-1].entries):
        demand(not number or number in new | known, _changed(f"object {number}"))


def evidence_in(file: PdfFile) -> dict[str, list[bytes]]:
    """What the document keeps for later, by ``Certs``, ``CRLs`` and ``OCSPs``: DER.

    Raises:
        Failed: it cannot be read.
    """
    store = file.dictionary(file.catalog.get("DSS"))
    return {key: [file.stream(one) for one in file.array(store.get(key))] for key in _LISTS}


def _check_whole(pdf: bytes, revision: Revision, file: PdfFile) -> None:
    """The bytes of a revision are its objects and its table: nothing stands between them."""
    at = revision.start
    places = sorted((one[0], number, one[1]) for number, one in revision.entries.items() if one)
    for begin, number, generation in places:
        demand(
            begin >= at and not pdf[at:begin].strip(),
            "after the last seal, something stands that is no object",
        )
        at = file.object(number, generation).end
    demand(
        not pdf[at : revision.table].strip(),
        "after the last seal, something stands that is no object",
    )
    closed = bool(_REVISION_END.search(pdf, max(0, revision.end - 64), revision.end))
    demand(closed, "after the last seal, a revision does not end as one does")
    own = [b"obj"] * len(places) + [b"trailer", b"startxref"]
    every = _LANDMARK.finditer(pdf, revision.start, revision.end)
    found = list(islice(every, len(own) + _MOST_BY_CHANCE))
    marks = [one[0] for one in found if one[0] != b"obj" or is_head(pdf, one.start())]
    hides = marks != own or next(every, None) is not None
    demand(not hides, "after the last seal, another object is hidden in one")


def is_head(pdf: bytes, at: int) -> bool:
    """Whether a program may take ``obj`` at a place for the head of an object: behind two numbers.

    Else evidence would be refused whose bytes spell it by chance, once in some thousand files.

    Raises:
        Failed: so much may stand before it that it is not looked through.
    """
    second = _numbers_before(pdf, at)
    return any(end < begin for begin, _ in second for _, end in _numbers_before(pdf, begin))


def _numbers_before(pdf: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Numbers, from where to where, behind which are blanks and comments alone up to a place."""
    for looked, end in enumerate(_ends_before(pdf, at)):
        demand(looked < _MOST_LOOKED, "after the last seal, comments stand before an object")
        begin = end
        while begin and pdf[begin - 1] in _NUMBER:
            begin -= 1
        if begin < end:
            yield begin, end


def _ends_before(pdf: bytes, at: int) -> Iterator[int]:
    """Where that may end which stands before a place, its blanks and its comments."""
    waiting = [at]
    while waiting:
        at = end = waiting.pop()
        while end and pdf[end - 1] in _BLANK:
            end -= 1
        yield end
        if any(one in pdf[end:at] for one in b"\r\n"):  # where a comment may end
            low = max(0, end - _LONGEST_LINE)
            line = max(pdf.rfind(one, low, end) for one in (b"\r", b"\n")) + 1
            demand(line > 0 or not low, "after the last seal, a line before an object has no end")
            waiting += [line + one.start() for one in re.finditer(b"%", pdf[line:end])]


def _evidence(file: PdfFile, value: PdfValue) -> set[int]:
    """Numbers of the objects that the document keeps for later."""
    store = file.dictionary(value)
    demand(store.keys() <= {"Type", "VRI", *_LISTS}, _changed("the kept evidence"))
    named = file.dictionary(store.get("VRI"))
    demand(len(named) <= _MOST_KEPT, _TOO_MUCH)
    found, lists = _number(value) | _number(store.get("VRI")), [store.get(key) for key in _LISTS]
    for one in named.values():
        of_one = file.dictionary(one)
        demand(of_one.keys() <= {"Type", "TU", *_LISTS_OF_ONE}, _changed("the kept evidence"))
        found |= _number(one)
        lists += [of_one.get(key) for key in _LISTS_OF_ONE]
    return found | _streams(file, lists)


def _streams(file: PdfFile, lists: Iterable[PdfValue]) -> set[int]:
    found, left = set(), _MOST_KEPT
    for one in lists:
        found |= _number(one)
        listed = file.array(one)
        left -= len(listed)
        demand(left >= 0, _TOO_MUCH)
        for reference in listed:
            told, _ = file.packed(reference)
            plain = told.keys() <= _STREAM_KEYS and isinstance(told.get("Length"), int)
            demand(plain, "after the last seal, a stream is more than kept evidence")
            found |= _number(reference)
    return found


def _form(before: PdfFile, after: PdfFile, *, stamped: bool) -> tuple[set[int], set[int]]:
    """Numbers of the objects that a timestamp may add; of those that were there, and may grow."""
    old_form, form = before.catalog.get("AcroForm"), after.catalog.get("AcroForm")
    demand(_number(old_form) == _number(form), _changed("the form"))
    old, new = before.dictionary(old_form), after.dictionary(form)
    _same("the form", old, new, but={"Fields"})
    fields = _added(before.array(old.get("Fields")), after.array(new.get("Fields")), "the form")
    demand(len(fields) == int(stamped), _changed("the fields of the form"))
    mine, theirs = _number(new.get("Fields")), _number(form) | _number(old.get("Fields"))
    for field in fields:
        page = _check_field(after.dictionary(field), after)
        old_page, new_page = before.dictionary(page), after.dictionary(page)
        demand(old_page.get("Type") == Name("Page"), _changed("what is no page"))
        _same("the page", old_page, new_page, but={"Annots"})
        shown = before.array(old_page.get("Annots")), after.array(new_page.get("Annots"))
        demand(_added(*shown, "the page") == [field], _changed("the page"))
        mine |= _number(field) | _number(after.dictionary(field).get("V"))
        mine |= _number(new_page.get("Annots"))
        theirs |= _number(page) | _number(old_page.get("Annots"))
    return mine, theirs


def _check_field(field: PdfDictionary, file: PdfFile) -> PdfValue:
    """A new field is an invisible one for a timestamp; its page."""
    stamp = file.dictionary(field.get("V"))
    rectangle = file.array(field.get("Rect"))
    invisible = all(
        one == 0 or (isinstance(one, Real) and not one.text.strip("0.-+")) for one in rectangle
    )
    holds = (
        field.keys() <= _FIELD_KEYS
        and stamp.keys() <= _STAMP_KEYS
        and field.get("FT") == Name("Sig")
        and stamp.get("Type") == Name("DocTimeStamp")
        and len(rectangle) == 4
        and invisible
    )
    demand(holds, "after the last seal, a field was added that is no timestamp")
    return field.get("P")


def _added(old: list[PdfValue], new: list[PdfValue], where: str) -> list[PdfValue]:
    demand(new[: len(old)] == old, _changed(where))
    return new[len(old) :]


def _same(what: str, old: PdfDictionary, new: PdfDictionary, *, but: set[str]) -> None:
    if old is new:  # it was not written again
        return
    kept = [{key: value for key, value in one.items() if key not in but} for one in (old, new)]
    demand(kept[0] == kept[1], _changed(what))


def _check_extensions(value: PdfValue) -> None:
    plain = value is None or isinstance(value, dict)
    demand(plain and b"R" not in _references(value), _changed("the catalog"))


def _references(value: PdfValue) -> list[bytes]:
    """One R for each reference in a value."""
    if isinstance(value, dict):
        return [mark for one in value.values() for mark in _references(one)]
    if isinstance(value, list):
        return [mark for one in value for mark in _references(one)]
    return [b"R"] if isinstance(value, Reference) else []


def _number(value: PdfValue) -> set[int]:
    return {value.number} if isinstance(value, Reference) else set()


def _changed(what: str) -> str:
    return f"after the last seal, {what} was changed"
