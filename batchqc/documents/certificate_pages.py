"""The PDF side of a certificate: its signature field, its properties and the text of its pages.

For ``certificate_check`` only, and only for bytes whose signature holds. Read strictly, by pypdf.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

from pypdf import PdfReader
from pypdf.generic import ByteStringObject, DictionaryObject, PdfObject

# pypdf tells its doubts to this logger; the check tells them to whoever asked.
logging.getLogger("pypdf").addHandler(logging.NullHandler())
logging.getLogger("pypdf").propagate = False

_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class SignatureField:
    """A signature field; without a signature, format and range are empty."""

    name: str
    sub_filter: str
    byte_range: tuple[int, ...]
    contents: bytes


@dataclass(frozen=True, slots=True)
class Pages:
    """What the document says: title, subject and keywords, and each page's text without spaces."""

    title: str
    subject: str
    keywords: str
    fields: tuple[SignatureField, ...]
    texts: tuple[str, ...]

    def shows(self, page: int, words: str) -> bool:
        """Whether the page, counted from 1, holds these words; white space does not count."""
        return without_spaces(words) in self.texts[page - 1]


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
    )


def without_spaces(text: str) -> str:
    """The text without white space: a page breaks lines where it likes."""
    return _SPACE.sub("", text)


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
            byte_range=tuple(int(number) for number in value.get("/ByteRange", ())),
            contents=bytes(contents.original_bytes),
        )


def _dictionary(value: PdfObject) -> DictionaryObject:
    found = value.get_object()
    if not isinstance(found, DictionaryObject):
        raise TypeError("a part of the form is no dictionary")
    return found
