"""A timestamp behind the last seal whose field is said to lie on something that is no page.

Anybody can have a service stamp whatever they like, so this is an attack without a key.
"""

import zlib
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper

from batchqc.documents.certificate_check import check_all
from batchqc.documents.verifier.case import Question
from batchqc.documents.verifier.pdf_objects import Reference
from batchqc.documents.verifier.signatures import extract
from tests.documents.conftest import Site
from tests.documents.external import pages_of
from tests.documents.long_term import Stamps, timestamp_service
from tests.documents.test_certificate_check import failures

FIELD = "ArchiveTimestamp1"


@pytest.fixture(scope="module")
def stamps(site: Site) -> Stamps:
    return timestamp_service(since=site.sealed_at - timedelta(days=1))


def drawing(pdf: bytes) -> Reference:
    """The stream that draws the first page."""
    file = extract(pdf).file
    first = file.array(file.dictionary(file.catalog["Pages"])["Kids"])[0]
    found = file.dictionary(first)["Contents"]
    assert isinstance(found, Reference)
    return found


def stamped_on(
    site: Site, stamps: Stamps, pdf: bytes, number: int, data: bytes | None = None
) -> bytes:
    """The document with a timestamp whose field lies on an object, which is written anew with it.

    A stream gets other data, too.
    """
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    writer._update_meta = lambda: None
    told = generic.IndirectObject(number, 0, writer.prev).get_object()
    assert isinstance(told, generic.DictionaryObject)
    entries = {key: told.raw_get(key) for key in told}
    new = generic.StreamObject(entries, encoded_data=data) if data else told.__class__(entries)
    rectangle = generic.ArrayObject([generic.NumberObject(0)] * 4)
    field = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/FT"): pdf_name("/Sig"),
            pdf_name("/T"): generic.TextStringObject(FIELD),
            pdf_name("/Rect"): rectangle,
            pdf_name("/P"): generic.IndirectObject(number, 0, writer),
        }
    )
    place = writer.add_object(field)
    new[pdf_name("/Annots")] = generic.ArrayObject([place])
    writer.objects[0, number] = new
    writer.root["/AcroForm"]["/Fields"].append(place)
    writer.update_container(writer.root["/AcroForm"]["/Fields"])
    output = BytesIO()
    stamper = stamps.at(site.sealed_at + timedelta(minutes=5))
    PdfTimeStamper(stamper, field_name=FIELD).timestamp_pdf(writer, "sha256", output=output)
    return output.getvalue()


def refused(site: Site, stamps: Stamps, pdf: bytes) -> str:
    """Why it is refused, whether or not whoever asks knows the service."""
    moment, why = site.sealed_at + timedelta(hours=20), set()
    for roots in (stamps.root.pem, b""):
        found = failures(check_all(pdf, Question(site.root_pem, moment, tsa_roots=roots)))
        assert list(found) == ["coverage"]
        why.add(found["coverage"])
    (only,) = why
    return only


@pytest.mark.requirement("5.10")
def test_a_timestamp_brings_no_other_drawing_of_a_page(
    sealed: bytes, site: Site, stamps: Stamps, tmp_path: Path
):
    """A stream of the same length under the same entries: another result on the same page."""
    place, file = drawing(sealed), extract(sealed).file
    _, (begin, end) = file.packed(place)
    drawn = file.stream(place)
    other = drawn.replace(b"(0.3) Tj", b"(0.1) Tj")
    assert other != drawn
    data = zlib.compress(other, 9).ljust(end - begin, b"\n")
    assert len(data) == end - begin
    pdf = stamped_on(site, stamps, sealed, place.number, data)
    (tmp_path / "forged.pdf").write_bytes(pdf)
    assert "0.1 % PASS" in pages_of(tmp_path / "forged.pdf")[0]
    said = "a stream stands where another object is to stand"
    assert refused(site, stamps, pdf) == said


@pytest.mark.requirement("5.10")
def test_a_timestamp_lies_on_a_page(sealed: bytes, site: Site, stamps: Stamps):
    pages = extract(sealed).file.catalog["Pages"]
    assert isinstance(pages, Reference)
    pdf = stamped_on(site, stamps, sealed, pages.number)
    assert refused(site, stamps, pdf) == "after the last seal, what is no page was changed"
