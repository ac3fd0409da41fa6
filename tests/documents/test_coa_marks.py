"""The code on the first page, drafts, copies, and what an amendment changes; read by others."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from batchqc.core.certificates import CertificateContent, content_sha256
from batchqc.documents.coa_layout import render
from batchqc.documents.coa_marks import COPY, DRAFT, SUPERSEDED, WITHDRAWN, Marked
from tests.documents.certificate_content import certificate_content
from tests.documents.external import pages_of, run, words_of

PAGE = "https://certificates.mekong-cells.example/status/COA-2026-000017"
ASKED = {"status": {"page": PAGE}}
CHANGES = [
    {"what": "Viability, post-thaw: result", "before": "89", "after": "96"},
    {"what": "Signature S-2026-000043", "before": "", "after": "Released by Phạm Thu Hà"},
]
AMENDED = {
    "supersedes": {
        "number": "COA-2026-000012",
        "reason": "The wrong file was uploaded.",
        "changes": CHANGES,
    },
}
BOTH = Marked((COPY, SUPERSEDED), ("Superseded by COA-2026-000018 on 2026-04-01.", "Copy 1 for A."))


def written(folder: Path, content: CertificateContent, fonts: Path, marked: object = None) -> Path:
    path = folder / "certificate.pdf"
    path.write_bytes(render(content, fonts=fonts, marked=marked))  # type: ignore[arg-type]
    return path


def scanned(pdf: Path, *, dots: int) -> str:
    """What a stranger's decoder reads from the picture of the first page."""
    run("pdftoppm", "-r", str(dots), "-png", "-singlefile", pdf, pdf.with_suffix(""))
    return run("zbarimg", "-q", "--raw", pdf.with_suffix(".png")).strip()


@pytest.mark.requirement("5.07")
@pytest.mark.parametrize("specimen", ["", "For show only."])
def test_the_code_leads_to_the_status_page_with_the_hash(
    fonts: Path, tmp_path: Path, specimen: str
):
    content = certificate_content(specimen=specimen, **ASKED)
    pdf = written(tmp_path, content, fonts)
    assert scanned(pdf, dots=150) == f"{PAGE}?sha256={content_sha256(content)}"
    assert f"Status: {PAGE}?sha256=" in " ".join("".join(pages_of(pdf)).split())


def test_the_code_of_a_site_without_address_holds_number_and_hash(fonts: Path, tmp_path: Path):
    content = certificate_content(status={"page": ""})
    pdf = written(tmp_path, content, fonts)
    assert scanned(pdf, dots=150) == f"COA-2026-000017 sha256:{content_sha256(content)}"
    assert "Status:" not in "".join(pages_of(pdf))


def test_the_code_says_in_words_what_it_holds(fonts: Path):
    content = certificate_content(**ASKED)
    reader = PdfReader(BytesIO(render(content, fonts=fonts)))
    whole = reader.root_object["/StructTreeRoot"]["/K"]
    figures = [one.get_object() for one in whole["/K"] if one.get_object()["/S"] == "/Figure"]
    told = [str(one["/Alt"]) for one in figures]
    assert told == [f"QR code: {PAGE}?sha256={content_sha256(content)}"]


def test_a_certificate_that_was_frozen_before_has_no_code(rendered: bytes):
    reader = PdfReader(BytesIO(rendered))
    whole = reader.root_object["/StructTreeRoot"]["/K"]
    assert not [one for one in whole["/K"] if one.get_object()["/S"] == "/Figure"]


@pytest.mark.parametrize("words", [(COPY,), (COPY, SUPERSEDED), (COPY, WITHDRAWN), (DRAFT,)])
def test_a_marked_rendering_says_so_on_every_page_and_is_no_certificate(
    fonts: Path, tmp_path: Path, words: tuple[str, ...]
):
    says = ("It bears no seals.", "Printed for the Regional Hospital.")
    content = certificate_content(**ASKED)
    pdf = written(tmp_path, content, fonts, Marked(words, says))
    pages = pages_of(pdf)
    assert len(pages) > 1
    for page in pages:
        assert page.count(" · ".join(("SPECIMEN", *words))) == 1
        assert all(said in page for said in says)
        assert (f"Content SHA-256 {content_sha256(content)}" in page) is (DRAFT not in words)
    reader = PdfReader(pdf, strict=True)
    assert "/AcroForm" not in reader.root_object
    assert "/AF" not in reader.root_object
    assert "Seals of the site" not in "".join(pages)
    assert str(reader.metadata and reader.metadata.title).startswith(
        "Draft of a certificate" if DRAFT in words else "Copy of certificate COA-2026-000017"
    )
    assert min(word.left for word in words_of(pdf)) > 49
    assert max(word.right for word in words_of(pdf)) < 547


def test_a_draft_bears_no_code(fonts: Path, tmp_path: Path):
    content = certificate_content(number="DRAFT", specimen="", **ASKED)
    first, *_ = pages_of(written(tmp_path, content, fonts, Marked((DRAFT,), ())))
    assert "Drafted 2026-03-20" in first
    assert "Scan" not in first


def test_each_marking_has_bytes_and_an_id_of_its_own(fonts: Path):
    content = certificate_content()
    told = [render(content, fonts=fonts, marked=one) for one in (None, BOTH, BOTH)]
    assert told[1] == told[2] != told[0]
    ids = [PdfReader(BytesIO(one)).trailer["/ID"][0].original_bytes for one in told]
    assert ids[0] != ids[1]


@pytest.mark.requirement("5.07")
def test_an_amendment_names_what_changed_beside_what_was_said_before(fonts: Path, tmp_path: Path):
    pages = pages_of(written(tmp_path, certificate_content(**AMENDED), fonts))
    told = " ".join("".join(pages).split())
    assert "The wrong file was uploaded. (2 changes, listed below)" in " ".join(pages[0].split())
    assert "Changes since COA-2026-000012 What Before Now" in told
    assert "Viability, post-thaw: result 89 96" in told
    assert re.search(r"Signature S-2026-000043 — Released by Phạm Thu Hà", told)


def test_an_amendment_that_changes_nothing_says_that(fonts: Path, tmp_path: Path):
    replaced = {**AMENDED["supersedes"], "changes": []}
    told = "".join(pages_of(written(tmp_path, certificate_content(supersedes=replaced), fonts)))
    assert "Nothing that it says is changed." in told
