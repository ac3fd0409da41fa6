"""What a proven document says: which certificate, lot and content it is, and for whom it is sealed.

For ``certificate_check`` only: each function is one check, and raises ``Failed`` where it does not
hold. Content of kind 1 came with one seal and no data inside.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import x509

from batchqc.documents.certificate_bytes import Extracted, Failed
from batchqc.documents.certificate_pages import Pages, SignatureField, read_pages
from batchqc.documents.certificate_seal import Seal
from batchqc.documents.certificate_words import PAGE_WORDS

#: The signature fields of each kind of content, in the order in which they are sealed.
FIELDS = {"1": ("QARelease",), "2": ("QCReview", "QARelease")}
SUB_FILTER = "/ETSI.CAdES.detached"
DATA_FILE = "certificate.json"

_SUBJECT = "Lot "
_KEYWORDS = re.compile(r"batchqc-certificate/([12]) content-sha256:([0-9a-f]{64})")


@dataclass(slots=True)
class Case:
    """The question, then what *coverage*, *container*, *root* and *document* found."""

    pdf: bytes
    root_pem: bytes
    at: datetime
    expected_number: str | None
    expected_lot: str | None
    expected_content: str | None
    extracted: tuple[Extracted, ...] = field(init=False)
    seals: tuple[Seal, ...] = field(init=False)
    root: x509.Certificate = field(init=False)
    pages: Pages = field(init=False)
    kind: str = ""
    number: str = ""
    lot: str = ""
    content_sha256: str = ""
    language: str = ""
    recipient: str = ""
    withheld: int = 0

    @property
    def rendition(self) -> str:
        """What the document is where it is no certificate but the rendition of one, or ""."""
        if not self.recipient:
            return ""
        return (
            f"a rendition of certificate {self.number} for {self.recipient};"
            f" results withheld: {self.withheld}"
        )


def document(case: Case) -> None:
    """The document can be read, and has pages."""
    case.pages = read_pages(case.pdf)
    if not case.pages.texts:
        raise Failed("the document has no pages")


def number(case: Case) -> None:
    """It is the certificate that was asked for."""
    title = case.pages.title
    spoken = (one for one, words in PAGE_WORDS.items() if title.startswith(words.title))
    case.language = next(spoken, "")
    if not case.language:
        raise Failed("the document does not call itself a certificate of analysis")
    case.number = title.removeprefix(PAGE_WORDS[case.language].title)
    _expect("certificate", case.number, case.expected_number)


def lot(case: Case) -> None:
    """It is about the lot that was asked for."""
    if not case.pages.subject.startswith(_SUBJECT):
        raise Failed("the document does not name its lot")
    case.lot = case.pages.subject.removeprefix(_SUBJECT)
    _expect("lot", case.lot, case.expected_lot)


def content(case: Case) -> None:
    """It names its kind and the hash of its content."""
    named = _KEYWORDS.fullmatch(case.pages.keywords)
    if not named:
        raise Failed("the document does not name the hash of its content")
    case.kind, case.content_sha256 = named.groups()
    _expect("content", case.content_sha256, case.expected_content)


def fields(case: Case) -> None:
    """Its signature fields are exactly those of its kind, each with the signature in its place."""
    expected, found = FIELDS[case.kind], case.pages.fields
    if tuple(one.name for one in found) != expected:
        named = ", ".join(one.name for one in found) or "none"
        raise Failed(f"the signature fields are {named}, instead of {' and '.join(expected)} alone")
    for one in found:
        if not one.contents:
            raise Failed(f"the seal {one.name} is missing")
    if len(expected) == 2 and found[0].permits != 2:
        raise Failed(f"{expected[0]} does not certify the document")
    for one, extracted in zip(found, case.extracted, strict=True):
        _same_signature(one, extracted)


def _same_signature(one: SignatureField, extracted: Extracted) -> None:
    if one.sub_filter != SUB_FILTER:
        raise Failed(f"the signature's format is {one.sub_filter}, not {SUB_FILTER}")
    found = one.contents.rstrip(b"\0"), one.byte_range
    if found != (extracted.cms.rstrip(b"\0"), extracted.byte_range):
        raise Failed(f"{one.name} holds another signature than the one in its place in the file")


def data(case: Case) -> None:
    """The data inside are the content, of the same certificate, lot and seals."""
    files = case.pages.files
    if case.kind == "1":
        return
    if list(files) != [DATA_FILE]:
        raise Failed(f"the files inside are {', '.join(files) or 'none'}, not {DATA_FILE} alone")
    if hashlib.sha256(files[DATA_FILE]).hexdigest() != case.content_sha256:
        raise Failed("the data inside are not the content that the document names")
    told = json.loads(files[DATA_FILE])
    if (told["number"], told["lot"]["id"]) != (case.number, case.lot):
        raise Failed("the data inside are of another certificate or lot")
    if told.get("layout", {"language": "en"})["language"] != case.language:
        raise Failed("the document is in another language than the data inside say")
    if "rendition" in told:
        _rendition(case, told["rendition"])
    said = [one.reason for one in case.pages.fields]
    if said != [one["says"] for one in told["seals"]]:
        raise Failed("the seals do not say for whom the data inside say that they stand")


def _rendition(case: Case, told: dict[str, Any]) -> None:
    if told["of"] != case.number:
        raise Failed("the data inside are a rendition of another certificate")
    case.recipient = str(told["recipient"])
    case.withheld = sum(int(one["lines"]) for one in told["withheld"])
    if not case.recipient:
        raise Failed("the data inside are a rendition for nobody")


def _expect(what: str, found: str, expected: str | None) -> None:
    if not found:
        raise Failed(f"the document names an empty {what}")
    if expected is not None and found != expected:
        raise Failed(f"this is {what} {found}, not {what} {expected}")


def on_pages(case: Case) -> None:
    """Every page says which certificate, lot, page and content it is of."""
    total, says = len(case.pages.texts), PAGE_WORDS[case.language]
    for page in range(1, total + 1):
        expected = [
            says.identity.format(case.number, case.lot),
            says.page.format(page, total),
            says.content.format(case.content_sha256),
        ]
        if case.recipient:
            expected.append(says.withheld.format(case.withheld))
        if case.recipient and page == 1:
            expected.append(says.rendition.format(case.number))
        for words in expected:
            if not case.pages.shows(page, words):
                raise Failed(f"page {page} does not show “{words}”")
