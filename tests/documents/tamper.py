"""Changing certificates in the ways of an attacker, and of one who has the seal's key."""

import re
from collections.abc import Callable
from io import BytesIO

from asn1crypto import cms
from cryptography.hazmat.primitives import hashes
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pypdf import PdfWriter

from batchqc.documents.pades import SealKey
from batchqc.documents.verifier.signatures import Extracted, extract


def with_container(pdf: bytes, container: bytes, *, which: int = -1) -> bytes:
    """The file with another signature in the gap of a seal."""
    gap, resume = extract(pdf).seals[which].byte_range[1:3]
    digits = container.hex().upper().encode().ljust(resume - gap - 2, b"0")
    return pdf[: gap + 1] + digits + pdf[resume - 1 :]


def resealed(pdf: bytes, key: SealKey, *, which: int = -1) -> bytes:
    """A changed file whose seal holds again, as only who has the key can make it."""
    extracted = extract(pdf).seals[which]
    container = cms.ContentInfo.load(extracted.cms)
    (signer,) = container["content"]["signer_infos"]
    digest = hashes.Hash(hashes.SHA256())
    digest.update(extracted.signed)
    for one in signer["signed_attrs"]:
        if one["type"].native == "message_digest":
            one["values"] = [digest.finalize()]
    attributes = cms.CMSAttributes(list(signer["signed_attrs"]))
    signer["signed_attrs"] = attributes
    signed = attributes.dump(force=True)
    signer["signature"] = key.key.sign(b"\x31" + signed[1:])
    return with_container(pdf, container.dump(force=True), which=which)


def naively(pdf: bytes) -> Extracted | None:
    """The last signature as other programs find it: by its range of bytes and nothing else."""
    found = re.findall(rb"/ByteRange ?\[0 (\d+) (\d+) (\d+)\]", pdf)
    if not found:
        return None
    gap, resume, rest = map(int, found[-1])
    contents = bytes.fromhex(pdf[gap + 1 : resume - 1].decode())
    length = 4 + int.from_bytes(contents[2:4], "big")
    return Extracted(pdf, contents[:length], (0, gap, resume, rest))


def flipped(pdf: bytes, place: int) -> bytes:
    return pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]


def updated(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """The file with an update behind it, which changes that one thing and no date."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    writer._update_meta = lambda: None
    change(writer)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def replace_page(writer: IncrementalPdfFileWriter) -> None:
    """The first page shows what the second shows."""
    pages = writer.root["/Pages"]["/Kids"]
    first, second = pages[0], pages[1]
    first["/Contents"] = second.raw_get("/Contents")
    writer.mark_update(pages.raw_get(0))


def swap_pages(writer: IncrementalPdfFileWriter) -> None:
    pages = writer.root["/Pages"]
    kids = pages["/Kids"]
    kids[0], kids[1] = kids.raw_get(1), kids.raw_get(0)
    writer.mark_update(writer.root.raw_get("/Pages"))


def annotate(writer: IncrementalPdfFileWriter) -> None:
    """A note is laid over the first page."""
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/FreeText"),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (90, 90, 400, 200))),
            pdf_name("/Contents"): generic.TextStringObject("RELEASED"),
        }
    )
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    writer.register_annotation(page, writer.add_object(note))


def replace_data(writer: IncrementalPdfFileWriter) -> None:
    """The data inside tell of another lot."""
    file = writer.root["/AF"][0]["/EF"].raw_get("/F")
    stream = file.get_object()
    stream._data = stream.data.replace(b"UCM-P2-T1", b"UCM-P3-T1")
    stream._encoded_data = None
    writer.mark_update(file)


def remove_fields(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/AcroForm"]["/Fields"] = generic.ArrayObject()
    writer.update_container(writer.root["/AcroForm"])


def add_stray(writer: IncrementalPdfFileWriter) -> None:
    """An object that nothing mentions."""
    writer.add_object(generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Catalog")}))


def rewritten(pdf: bytes, *, signed: bool) -> bytes:
    """The document written anew, with its signatures or without."""
    writer = PdfWriter(clone_from=BytesIO(pdf))
    if not signed:
        del writer.root_object["/AcroForm"]
    output = BytesIO()
    writer.write(output)
    return output.getvalue()
