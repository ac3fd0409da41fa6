"""The document as PDF/A-3a and PDF/UA-1, by veraPDF, and what is read aloud of it, by poppler."""

import re
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from reportlab.pdfgen.canvas import Canvas

from batchqc.cli.qualification.protocol import Result, held, protocol
from batchqc.cli.qualification.report import Setting, content_of
from batchqc.documents.coa_layout import render
from batchqc.documents.coa_paper import A4, MARGIN
from batchqc.documents.quality_review import review_document
from batchqc.documents.validation_report import validation_document
from tests.cast import NOW
from tests.documents import test_quality_review as reviews
from tests.documents.amended_content import AMENDED, ASKED, BOTH, TRENDS
from tests.documents.certificate_content import certificate_content, earlier_content, long_lines
from tests.documents.conformance import FLAVOURS, Judgement, judged
from tests.documents.external import run
from tests.documents.laid_out import EVERY, complete, for_clinic, rendition, shown_in
from tests.documents.test_coa_layout import CORRECTED, LATE

Judgements = dict[tuple[str, str], Judgement]


def validation_content() -> dict[str, Any]:
    """What a qualification would say whose checks all came out alike."""
    results = [Result(one, held(True, "As expected.", {"of": one.id})) for one in protocol()]
    setting = Setting("Lakeside", "UTC", {"Site": "Lakeside"}, NOW, NOW)
    return content_of(results, setting, sealed=True)


@pytest.fixture(scope="module")
def files(
    tmp_path_factory: pytest.TempPathFactory,
    fonts: Path,
    rendered: bytes,
    reviewed: bytes,
    sealed: bytes,
) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    bare = Canvas(str(folder / "bare.pdf"))
    bare.drawString(72, 700, "Certificate of analysis")
    bare.save()
    review = reviews.content(
        charts=[reviews.chart(12)],
        tables=[reviews.table("lots", [[f"L{n}", "x", "1"] for n in range(80)])],
    )
    documents = {
        "certificate": rendered,
        "sealed once": reviewed,
        "sealed twice": sealed,
        "earlier": render(earlier_content(), fonts=fonts),
        "long": render(certificate_content(lines=long_lines(25)), fonts=fonts),
        "corrected": render(certificate_content(**CORRECTED), fonts=fonts),
        "asked": render(certificate_content(**ASKED, **AMENDED, **TRENDS), fonts=fonts),
        "copy": render(certificate_content(**ASKED), fonts=fonts, marked=BOTH),
        "late": render(certificate_content(**LATE), fonts=fonts),
        "review": review_document(review, fonts=fonts),
        "validation": validation_document(validation_content(), fonts=fonts),
        "rendition": render(rendition(complete(), for_clinic()), fonts=fonts),
        **{
            f"{language} {paper}": render(shown_in(language, paper), fonts=fonts)
            for language, paper in EVERY
        },
    }
    for name, document in documents.items():
        (folder / f"{name}.pdf").write_bytes(document)
    return folder


def test_the_foot_of_a_validation_report_stays_beside_its_page_number(fonts: Path, tmp_path: Path):
    """A long name of the site ran over the number of the page, and over the edge."""
    site = "Zentrum für Zelltherapie und regenerative Medizin der Universitätsklinik Musterstadt"
    setting = Setting(site, "UTC", {"Site": site}, NOW, NOW)
    results = [Result(one, held(True, "As expected.", {"of": one.id})) for one in protocol()]
    path = tmp_path / "report.pdf"
    content = content_of(results, setting, sealed=True)
    path.write_bytes(validation_document(content, fonts=fonts))
    words = re.findall(
        r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="[\d.]+">([^<]+)',
        run("pdftotext", "-bbox", "-l", "1", path, "-"),
    )
    assert max(float(right) for _, _, right, _ in words) < A4.width - MARGIN + 1
    (page,) = [(float(left), top) for left, top, _, text in words if text == "Page"]
    beside = [float(right) for left, top, right, text in words
              if top == page[1] and text not in {"Page", "of"}
              and float(left) < page[0]]  # fmt: skip
    assert max(beside) < page[0]


@pytest.fixture(scope="module")
def judgements(files: Path) -> Judgements:
    found = judged(sorted(files.glob("*.pdf")))
    return {(file.stem, flavour): one for (file, flavour), one in found.items()}


@pytest.mark.requirement("5.08")
@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    "name",
    [
        *("certificate", "sealed once", "sealed twice", "earlier"),
        *("long", "corrected", "late", "review", "asked", "copy", "rendition", "validation"),
        *(f"{language} {paper}" for language, paper in EVERY),
    ],
)
def test_a_document_conforms(judgements: Judgements, name: str, flavour: str):
    found = judgements[name, flavour]
    assert found.failed == ()
    assert found.passed
    assert found.assertions > 10_000


def test_the_validator_refuses_a_bare_document(judgements: Judgements):
    assert not judgements["bare", "3a"].passed
    assert any("logical structure" in rule for rule in judgements["bare", "3a"].failed)
    assert not judgements["bare", "ua1"].passed
    assert any("Artifact or tagged" in rule for rule in judgements["bare", "ua1"].failed)


def test_a_screen_reader_hears_results_as_a_table_with_heads(files: Path):
    told = run("pdfinfo", "-struct-text", files / "certificate.pdf")
    heads = re.findall(r'TH:\s+/Scope /Column\s+"([^"]*)"', told)
    assert heads[7:12] == [
        "Test and method", "Acceptance criterion", "Result", "Unit", "Verdict",
    ]  # fmt: skip
    row = re.search(r'TH:\s+/Scope /Row\s+"Viability, post-thaw (.*?)\n    TR\n', told, re.DOTALL)
    assert row
    assert re.findall(r'TD\s+"([^"]*)"', row[1]) == ["> 90 %", "96", "%", "PASS"]


def test_lines_of_one_cell_are_heard_as_words_apart(files: Path):
    told = run("pdfinfo", "-struct-text", files / "certificate.pdf")
    assert '"Cryopreserved cell suspension, 10 mL bag, 5 × 10⁶ cells/mL"' in told
    assert '"Viability, post-thaw SOP-QC-014 v3 · VIAB · post-thaw' in told


def test_repeated_heads_and_page_numbers_are_not_read_aloud(files: Path):
    told = run("pdfinfo", "-struct-text", files / "long.pdf")
    assert len(PdfReader(files / "long.pdf").pages) > 3
    assert told.count('"Acceptance criterion"') == 1
    assert "Page 2 of" not in told
    assert "(continued)" not in told
    rows = re.findall(r'"Attribute (\d+) of the extended panel SOP', told)
    assert rows == [str(number) for number in range(1, 26)]


def test_a_chart_says_what_it_shows(files: Path):
    whole = PdfReader(files / "review.pdf").root_object["/StructTreeRoot"]["/K"]
    elements = [one.get_object() for one in whole["/K"]]
    (figure,) = [one for one in elements if one["/S"] == "/Figure"]
    told = str(figure["/Alt"])
    assert told.startswith("Viability (%): individuals chart, n = 12 of 12 lots")
    assert "Signals at 1 lot: LOT-0" in told
    left, bottom, right, top = map(float, figure["/A"]["/BBox"])
    assert 50 <= left < right <= 546
    assert bottom + 130 < top


def test_every_heading_is_a_bookmark_in_order(files: Path):
    reader = PdfReader(files / "certificate.pdf")
    first, sections = reader.outline
    assert first.title == "Certificate of analysis COA-2026-000017"
    told = run("pdfinfo", "-struct-text", files / "certificate.pdf")
    assert [one.title for one in sections] == re.findall(r'H2 \(block\)\s+"([^"]*)"', told)
    assert [reader.get_destination_page_number(one) for one in sections] == sorted(
        reader.get_destination_page_number(one) for one in sections
    )


def test_properties_and_metadata_say_the_same(files: Path):
    reader = PdfReader(files / "certificate.pdf")
    info, told = reader.metadata, reader.xmp_metadata
    assert info
    assert told
    assert told.dc_title == {"x-default": info.title}
    assert told.dc_creator == [info.author]
    assert told.dc_description == {"x-default": info.subject}
    assert told.pdf_keywords == info["/Keywords"]
    assert told.pdf_producer == info.producer
    assert told.xmp_creator_tool == info.creator
    assert info.creation_date
    assert told.xmp_create_date == info.creation_date.replace(tzinfo=None)
