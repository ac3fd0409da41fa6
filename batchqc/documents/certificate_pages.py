"""The PDF side of a certificate: its signature field, its properties and the text of its pages.

For ``certificate_check`` only, and only for bytes whose signature holds. Read strictly, by pypdf.
That takes longer than all other checks, and what some bytes say never changes: the documents that
were read last are kept with their bytes.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Final

from pypdf import PdfReader
from pypdf.generic import ByteStringObject, DictionaryObject, PdfObject, StreamObject

# pypdf tells its doubts to this logger; the check tells them to whoever asked.
logging.getLogger("pypdf").addHandler(logging.NullHandler())
logging.getLogger("pypdf").propagate = False

_SPACE = re.compile(r"\s+")
# Bytes: anybody can add evidence to a certificate, and have each of these files kept.
_LARGEST_KEPT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class SignatureField:
    """A signature field; without a signature, format and range are empty.

    ``permits`` is what a certification permits afterwards (DocMDP): 2 is to sign; without one, 0.
    """

    name: str
    sub_filter: str
    reason: str
    permits: int
    byte_range: tuple[int, ...]
    contents: bytes


@dataclass(frozen=True, slots=True)
class Pages:
    """What the document says: title, subject and keywords, and each page's text without spaces.

    ``files`` are those inside it, by name.
    """

    title: str
    subject: str
    keywords: str
    fields: tuple[SignatureField, ...]
    texts: tuple[str, ...]
    files: Mapping[str, bytes]

    def shows(self, page: int, words: str) -> bool:
        """Whether the page, counted from 1, holds these words; white space does not count."""
        return without_spaces(words) in self.texts[page - 1]


def pages_of(pdf: bytes) -> Pages:
    """The document, kept where it is small; raises as ``read_pages``."""
    return read_pages(pdf) if len(pdf) <= _LARGEST_KEPT else read_pages.__wrapped__(pdf)


@lru_cache(maxsize=32)
def read_pages(pdf: bytes) -> Pages:
    """The document; raises whatever pypdf raises where it cannot be read."""
    reader = PdfReader(BytesIO(pdf), strict=True)
    info: Mapping[str, object] = reader.metadata or {}
    form = _dictionary(reader.root_object.get("/AcroForm", DictionaryObject()))
    return Pages(
        title=str(info.get("/Title", "")),
        subject=str(info.get("/Subject", "")),
        keywords=str(info.get("/Keywords", "")),
        fields=tuple(_signature_fields(form.get("/Fields", ()))),
        texts=tuple(without_spaces(page.extract_text()) for page in reader.pages),
        files=_files(reader.root_object),
    )


def without_spaces(text: str) -> str:
    """The text without white space: a page breaks lines where it likes."""
    return _SPACE.sub("", text)


def _files(catalog: DictionaryObject) -> dict[str, bytes]:
    """The files of the document; one that is listed in one place only, or twice, is an error."""
    listed = [_dictionary(one) for one in catalog.get("/AF", ())]
    tree = _dictionary(catalog.get("/Names", DictionaryObject()))
    names = _dictionary(tree.get("/EmbeddedFiles", DictionaryObject())).get("/Names", ())
    if [_dictionary(one) for one in names[1::2]] != listed:
        raise ValueError("its files are not those that it lists")
    files = {str(one["/UF"]): _bytes(_dictionary(one["/EF"])["/F"]) for one in listed}
    if len(files) != len(listed):
        raise ValueError("two of its files have the same name")
    return files


def _signature_fields(fields: Iterable[PdfObject]) -> Iterator[SignatureField]:
    for reference in fields:
        field = _dictionary(reference)
        yield from _signature_fields(field.get("/Kids", ()))
        if field.get("/FT") != "/Sig":
            continue
        value = _dictionary(field.get("/V", DictionaryObject()))
        contents = value.get("/Contents", ByteStringObject())
        yield SignatureField(
            name=str(field.get("/T", "")),
            sub_filter=str(value.get("/SubFilter", "")),
            reason=str(value.get("/Reason", "")),
            permits=_permits(value),
            byte_range=tuple(int(number) for number in value.get("/ByteRange", ())),
            contents=bytes(contents.original_bytes),
        )


def _permits(signature: DictionaryObject) -> int:
    for reference in signature.get("/Reference", ()):
        transform = _dictionary(reference)
        if str(transform["/TransformMethod"]) == "/DocMDP":
            return int(str(_dictionary(transform["/TransformParams"])["/P"]))
    return 0


def _bytes(value: PdfObject) -> bytes:
    found = value.get_object()
    if not isinstance(found, StreamObject):
        raise TypeError("a file inside is no stream")
    return found.get_data()


def _dictionary(value: PdfObject) -> DictionaryObject:
    found = value.get_object()
    if not isinstance(found, DictionaryObject):
        raise TypeError("a part of the form is no dictionary")
    return found
