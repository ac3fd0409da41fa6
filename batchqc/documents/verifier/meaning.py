"""What a proven document says: which certificate, lot and content it is, and whose seals.

Each function is one check, and raises ``Failed`` where it does not hold. Content of kind 1 came
with one seal and no data inside.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from batchqc.documents.verifier.case import Case, SealField
from batchqc.documents.verifier.findings import Failed, demand
from batchqc.documents.verifier.pdf_file import PdfFile
from batchqc.documents.verifier.pdf_objects import Name, PdfDictionary, text_of
from batchqc.documents.verifier.proofs import read_json
from batchqc.documents.verifier.signatures import Extracted

#: The signature fields of each kind of content, in the order in which they are sealed.
FIELDS: Final = {"1": ("QARelease",), "2": ("QCReview", "QARelease")}
DATA_FILE: Final = "certificate.json"

_DEEPEST_FIELD: Final = 3
_MOST_FIELDS: Final = 200
#: What a certificate calls itself, in the languages of certificates; written down apart from the
#: files that pages are made with.
TITLES: Final = {
    "Certificate of analysis ": "en",
    "Analysenzertifikat ": "de",
    "Certificat d’analyse ": "fr",
    "Certificado de análisis ": "es",
}
_SUBJECT: Final = "Lot "
_KEYWORDS: Final = re.compile(r"batchqc-certificate/([12]) content-sha256:([0-9a-f]{64})")


def find_document(case: Case) -> None:
    """The document can be read, and has pages."""
    file = case.parts.file
    pages = file.dictionary(file.catalog.get("Pages"))
    demand(bool(file.array(pages.get("Kids"))), "the document has no pages")
    info = file.dictionary(file.trailer.get("Info"))
    case.title, case.subject, keywords = (
        text_of(file.get(info.get(key))) for key in ("Title", "Subject", "Keywords")
    )
    case.fields = tuple(_fields(file, file.dictionary(file.catalog.get("AcroForm")), 0))
    case.files = _files(file)
    named = _KEYWORDS.fullmatch(keywords)
    case.kind, case.named_content = named.groups() if named else ("", "")


def check_number(case: Case) -> None:
    """It is the certificate that was asked for."""
    title = next((one for one in TITLES if case.title.startswith(one)), "")
    demand(bool(title), "the document does not call itself a certificate of analysis")
    case.language, found = TITLES[title], case.title.removeprefix(title)
    _expect("certificate", found, case.question.number)
    case.number = found


def check_lot(case: Case) -> None:
    """It is about the lot that was asked for."""
    demand(case.subject.startswith(_SUBJECT), "the document does not name its lot")
    found = case.subject.removeprefix(_SUBJECT)
    _expect("lot", found, case.question.lot)
    case.lot = found


def check_content(case: Case) -> None:
    """It names its kind and the hash of its content."""
    demand(bool(case.kind), "the document does not name the hash of its content")
    _expect("content", case.named_content, case.question.content_sha256)
    case.content_sha256 = case.named_content


def check_fields(case: Case) -> None:
    """Its signature fields are exactly those of its kind, each with the signature in its place.

    Behind them stands one field for each timestamp of the document.
    """
    expected, found = FIELDS[case.kind], case.fields
    stamps = case.parts.timestamps
    seals = found[: len(found) - len(stamps)] if stamps else found
    if tuple(one.name for one in seals) != expected:
        named = ", ".join(one.name for one in seals) or "none"
        raise Failed(f"the signature fields are {named}, instead of {' and '.join(expected)} alone")
    for one in seals:
        demand(bool(one.contents), f"the seal {one.name} is missing")
    certified = len(expected) == 1 or seals[0].permits == 2
    demand(certified, f"{expected[0]} does not certify the document")
    for one, extracted in zip(found, (*case.parts.seals, *stamps), strict=True):
        _check_same(one, extracted, "ETSI.CAdES.detached" if one in seals else "ETSI.RFC3161")


def _check_same(one: SealField, extracted: Extracted, sub_filter: str) -> None:
    demand(
        one.sub_filter == sub_filter,
        f"the signature's format is /{one.sub_filter}, not /{sub_filter}",
    )
    found = one.contents.rstrip(b"\0"), one.byte_range
    if found != (extracted.cms.rstrip(b"\0"), extracted.byte_range):
        raise Failed(f"{one.name} holds another signature than the one in its place in the file")


def check_data(case: Case) -> None:
    """The data inside are the content, of the same certificate, lot and seals."""
    if case.kind == "1":
        return
    names = list(case.files)
    if names != [DATA_FILE]:
        raise Failed(f"the files inside are {', '.join(names) or 'none'}, not {DATA_FILE} alone")
    data = case.files[DATA_FILE]
    own = hashlib.sha256(data).hexdigest() == case.content_sha256
    demand(own, "the data inside are not the content that the document names")
    told = read_json(data)
    same = (told["number"], told["lot"]["id"]) == (case.number, case.lot)
    demand(same, "the data inside are of another certificate or lot")
    spoken = told.get("layout", {"language": "en"})["language"] == case.language
    demand(spoken, "the document is in another language than the data inside say")
    if "rendition" in told:
        _check_rendition(case, told["rendition"])
    said = [one.reason for one in case.fields[: len(case.parts.seals)]]
    demand(
        said == [one["says"] for one in told["seals"]],
        "the seals do not say for whom the data inside say that they stand",
    )
    case.told = told


def _check_rendition(case: Case, told: Mapping[str, Any]) -> None:
    demand(told["of"] == case.number, "the data inside are a rendition of another certificate")
    demand(bool(told["recipient"]), "the data inside are a rendition for nobody")
    case.recipient = str(told["recipient"])
    case.withheld = sum(int(one["lines"]) for one in told["withheld"])


def _expect(what: str, found: str, expected: str | None) -> None:
    demand(bool(found), f"the document names an empty {what}")
    demand(expected in {None, found}, f"this is {what} {found}, not {what} {expected}")


def _files(file: PdfFile) -> Mapping[str, bytes]:
    """The files of the document; one that is listed in one place only, or twice, is an error."""
    listed = [file.dictionary(one) for one in file.array(file.catalog.get("AF"))]
    tree = file.dictionary(file.catalog.get("Names"))
    names = file.array(file.dictionary(tree.get("EmbeddedFiles")).get("Names"))
    demand(
        [file.dictionary(one) for one in names[1::2]] == listed,
        "its files are not those that it lists",
    )
    found: dict[str, bytes] = {}
    for one in listed:
        name: Any = text_of(file.get(one.get("UF")))
        demand(name not in found, "two of its files have the same name")
        found[name] = file.stream(file.dictionary(one.get("EF")).get("F"))
    return found


def _fields(file: PdfFile, parent: PdfDictionary, depth: int) -> Iterator[SealField]:
    demand(depth < _DEEPEST_FIELD, "the form is nested too deeply")
    listed = file.array(parent.get("Kids" if depth else "Fields"))
    demand(len(listed) <= _MOST_FIELDS, "the form has too many fields")
    for reference in listed:
        field = file.dictionary(reference)
        yield from _fields(file, field, depth + 1)
        if field.get("FT") != Name("Sig"):
            continue
        value = file.dictionary(field.get("V"))
        contents, form = value.get("Contents"), value.get("SubFilter")
        yield SealField(
            name=text_of(file.get(field.get("T"))),
            sub_filter=form if isinstance(form, Name) else "",
            reason=text_of(file.get(value.get("Reason"))),
            permits=_permits(file, value),
            made=text_of(file.get(value.get("M"))),
            byte_range=tuple(file.array(value.get("ByteRange"))),
            contents=contents if isinstance(contents, bytes) else b"",
        )


def _permits(file: PdfFile, signature: PdfDictionary) -> int:
    for one in file.array(signature.get("Reference")):
        transform = file.dictionary(one)
        if transform.get("TransformMethod") == Name("DocMDP"):
            permitted = file.dictionary(transform.get("TransformParams")).get("P")
            return permitted if isinstance(permitted, int) else 0
    return 0
