"""Certificates under layouts: what their pages say in each language, on each paper."""

import hashlib
import json
import re
import shutil
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from batchqc.core.certificate_layouts import Language, PaperSize, laid_out
from batchqc.core.certificates import CertificateContent, content_sha256
from batchqc.documents.certificate_check import CheckReport, check
from batchqc.documents.coa_layout import render
from batchqc.documents.verifier.meaning import DATA_FILE
from tests.documents.certificate_content import CORRECTION, certificate_content, line
from tests.documents.conftest import Site, sealed_by
from tests.documents.external import pages_of, run, squeezed, words_of
from tests.documents.laid_out import (
    CLINIC,
    EVERY,
    TITLES,
    complete,
    failing,
    for_clinic,
    layout,
    rendition,
    shown_in,
)
from tests.documents.test_certificate_check import failures
from tests.documents.test_certificate_schema import VALIDATOR

SIZES = {PaperSize.A4: (595, 842), PaperSize.LETTER: (612, 792)}
#: Words that a page of the language has in its plainest places, written down by hand.
SAID = {
    Language.ENGLISH: ("Certificate of analysis", "Lot", "Complies", "PASS", "Results", "Page 1"),
    Language.GERMAN: ("Analysenzertifikat", "Charge", "Entspricht", "ERFÜLLT", "Ergebnisse",
                      "Seite 1 von"),
    Language.FRENCH: ("Certificat d’analyse", "Lot", "Conforme", "CONFORME", "Résultats",
                      "Page 1 sur"),
    Language.SPANISH: ("Certificado de análisis", "Lote", "Cumple", "CUMPLE", "Resultados",
                       "Página 1 de"),
}  # fmt: skip
CONCLUDED = {
    Language.ENGLISH: "Lot UCM-P2-T1 complies with UC-MSC-REL v3 and is released.",
    Language.GERMAN: "Charge UCM-P2-T1 entspricht UC-MSC-REL v3; Status: freigegeben.",
    Language.FRENCH: "Le lot UCM-P2-T1 est conforme à UC-MSC-REL v3 ; statut : libéré.",
    Language.SPANISH: "El lote UCM-P2-T1 cumple con UC-MSC-REL v3; estado: liberado.",
}
#: Words of the record that a page has in its own language.
WORDED = {
    "type", "utc", "complies", "accept", "category", "stage", "meaning", "role", "verdict",
    "eligibility", "says", "titles", "language", "paper",
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, fonts: Path) -> Path:
    """A certificate, and a very long one that fails, in each language on each paper."""
    folder = tmp_path_factory.mktemp("layouts")
    long = failing()
    for language, paper in EVERY:
        name = f"{language}-{paper}"
        (folder / f"{name}.pdf").write_bytes(render(shown_in(language, paper), fonts=fonts))
        content = laid_out(long, layout(language, paper))
        (folder / f"long-{name}.pdf").write_bytes(render(content, fonts=fonts))
    return folder


def drawn(pdf: bytes) -> str:
    """The hash of what is drawn on all pages, whatever compressed it."""
    streams = re.findall(rb"stream\n(x.*?)\nendstream", pdf, re.DOTALL)
    found = b"".join(zlib.decompress(one) for one in streams)
    return hashlib.sha256(found).hexdigest()


def test_without_a_layout_the_same_is_drawn_as_before_there_were_layouts(rendered: bytes):
    """Fonts, data and drawing of the certificate as they were, to the byte."""
    assert drawn(rendered) == "85760d68cc14e8d6d2595fe04250a719b8ae339587528dcdd2b56b7d870dfcff"


@pytest.mark.parametrize(("language", "paper"), EVERY)
def test_a_page_is_of_its_paper_and_in_its_language(
    files: Path, language: Language, paper: PaperSize
):
    file = files / f"{language}-{paper}.pdf"
    reader = PdfReader(file)
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in reader.pages} == {
        SIZES[paper]
    }
    tag = "en-GB" if language is Language.ENGLISH else language.value
    assert reader.root_object["/Lang"] == tag
    title = SAID[language][0]
    assert reader.metadata
    assert reader.metadata.title == f"{title} COA-2026-000017"
    assert reader.outline[0].title == reader.metadata.title
    pages = pages_of(file)
    for word in SAID[language]:
        assert word in pages[0].replace("\u00a0", " ")
    whole = squeezed("".join(pages))
    assert squeezed(CONCLUDED[language]) in whole
    assert squeezed(TITLES[language]) in whole
    assert "qc@mekong.example" in pages[0]
    assert "For the clinical trial only." in "".join(pages)


def values_of(value: object) -> list[str]:
    if isinstance(value, Mapping):
        return [one for key, part in value.items() if key not in WORDED for one in values_of(part)]
    if isinstance(value, list):
        return [one for part in value for one in values_of(part)]
    return [] if value is None else [str(value)]


@pytest.mark.requirement("5.08")
@pytest.mark.parametrize("language", list(Language))
def test_every_value_of_the_record_is_on_the_page_in_every_language(
    files: Path, language: Language
):
    content = shown_in(language, PaperSize.LETTER)
    whole = squeezed("".join(pages_of(files / f"{language}-{PaperSize.LETTER}.pdf")))
    values = [one for one in values_of(content) if one != "report only"]
    assert len(values) > 200
    assert [value for value in values if squeezed(value) not in whole] == []


@pytest.mark.parametrize("language", [one for one in Language if one is not Language.ENGLISH])
def test_no_fixed_english_word_is_left_on_a_page_of_another_language(
    files: Path, language: Language
):
    whole = "".join(pages_of(files / f"{language}-{PaperSize.A4}.pdf"))
    for word in ("Certificate", "Issued", "Expires", "Storage", "Acceptance", "Conclusion\n",
                 "Electronic", "Signed", "Reason:", "Seals", "Origin of", "Read from", "\nreviewed",
                 "\ncertified", "Time zone", "Page 1 of", "End of", "PASS", "for information",
                 "Supersedes", "eligible,", "relate only", "Remarks"):  # fmt: skip
        if language is Language.FRENCH and word == "Conclusion\n":
            continue
        assert word not in whole, word


@pytest.mark.parametrize("name", ["", "long-"])
@pytest.mark.parametrize(("language", "paper"), EVERY)
def test_nothing_leaves_the_margins_on_any_paper(
    files: Path, name: str, language: Language, paper: PaperSize
):
    width, height = SIZES[paper]
    words = words_of(files / f"{name}{language}-{paper}.pdf")
    side = (width - 495.3) / 2
    assert len(words) > 300
    assert min(word.left for word in words) > side - 1
    assert max(word.right for word in words) < width - side + 1.5
    assert max(word.bottom for word in words) < height - 20


@pytest.mark.parametrize(("language", "paper"), EVERY)
def test_a_long_table_repeats_its_heads_on_every_page(
    files: Path, language: Language, paper: PaperSize
):
    pages = pages_of(files / f"long-{language}-{paper}.pdf")
    heads = {
        Language.ENGLISH: "Test and method Acceptance criterion Result Unit Verdict",
        Language.GERMAN: "Prüfung und Methode Akzeptanzkriterium Ergebnis Einheit Bewertung",
        Language.FRENCH: "Essai et méthode Critère d’acceptation Résultat Unité Évaluation",
        Language.SPANISH: "Ensayo y método Criterio de aceptación Resultado Unidad Dictamen",
    }
    shown = [page for page in pages if re.search(r"^SOP-QC-021", page, re.MULTILINE)]
    assert len(shown) > 4
    assert all(page.count(heads[language]) == 1 for page in shown)
    rows = re.findall(r"^Attribute (\d+) of the extended panel\nSOP", "".join(pages), re.MULTILINE)
    assert rows == [str(number) for number in range(1, 151)]


def test_numbers_end_below_each_other_beside_their_unit(tmp_path: Path, fonts: Path):
    results = ["1.25", "120", "<0.05", "1.8E8"]
    lines = [line(f"c{n}", title="Row", result=one) for n, one in enumerate(results)]
    lines.append(line("words", title="Row", result="mosaic", unit="u"))
    path = tmp_path / "numbers.pdf"
    path.write_bytes(render(laid_out(complete(lines=lines, notes=[]), layout()), fonts=fonts))
    first = {}
    for word in words_of(path):
        first.setdefault(word.text.replace("&lt;", "<"), word)
    ends = {round(first[text].right, 1) for text in results}
    assert len(ends) == 1
    assert 411 < ends.pop() < 413
    assert first["mosaic"].left < first["120"].left


def test_texts_of_the_record_stay_and_the_page_says_so(files: Path):
    whole = squeezed("".join(pages_of(files / f"{Language.GERMAN}-{PaperSize.A4}.pdf")))
    assert squeezed("Zahlen behalten die Ziffern und den Dezimalpunkt der Aufzeichnung.") in whole
    record = "Im Wortlaut der Aufzeichnung: Lot UCM-P2-T1 complies with UC-MSC-REL v3"
    assert squeezed(record) in whole
    assert squeezed("Raw data of all four uploads compared.") in whole


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"complies": False}, "Lot UCM-P2-T1 is good"),
        ({"conclusion": "Lot UCM-P2-T1 is good"}, "Lot UCM-P2-T1 is good"),
    ],
)
def test_a_conclusion_that_is_not_the_systems_own_is_said_in_its_own_words_only(
    changes: dict[str, Any], said: str, tmp_path: Path, fonts: Path
):
    content: Any = laid_out({**complete(), "conclusion": said}, layout()) | changes
    path = tmp_path / "own.pdf"
    path.write_bytes(render(content, fonts=fonts))
    whole = "".join(pages_of(path))
    assert said in whole
    assert "Im Wortlaut" not in whole
    assert "UCM-P2-T1 entspricht" not in whole


def test_a_preliminary_certificate_says_what_is_pending_in_its_language(
    tmp_path: Path, fonts: Path
):
    pending = [{"criterion": "viability", "title": "Viability, post-thaw", "due_on": "2026-04-02"}]
    content = {
        **complete(pending=pending),
        "conclusion": "PRELIMINARY. Lot UCM-P2-T1 is conditionally released; every result that is"
        " in complies with UC-MSC-REL v3. Pending: Viability, post-thaw until 2026-04-02.",
    }
    path = tmp_path / "pending.pdf"
    path.write_bytes(render(laid_out(content, layout()), fonts=fonts))
    whole = squeezed("".join(pages_of(path)))
    assert squeezed("Status: bedingt freigegeben; jedes vorliegende Ergebnis") in whole
    assert squeezed("Ausstehend: Viabilität nach dem Auftauen bis 2026-04-02.") in whole


def test_an_address_of_the_layout_stands_for_that_of_the_site(tmp_path: Path, fonts: Path):
    path = tmp_path / "address.pdf"
    content = laid_out(complete(), layout(address=("12 Nguyen Van Troi", "Viet Nam (VN)")))
    path.write_bytes(render(content, fonts=fonts))
    first = pages_of(path)[0]
    assert "Mekong Cell Therapy Centre" in first
    assert "Viet Nam (VN)" in first
    assert "Phú Nhuận" not in first


def test_content_under_a_layout_and_of_a_rendition_is_as_the_schema_says():
    VALIDATOR.validate(shown_in(Language.FRENCH, PaperSize.LETTER))
    VALIDATOR.validate(rendition(complete(), for_clinic()))
    wrong: Any = shown_in(Language.FRENCH, PaperSize.LETTER)
    wrong["layout"]["language"] = "it"
    assert not VALIDATOR.is_valid(wrong)


def sealed(site: Site, content: CertificateContent, fonts: Path) -> bytes:
    return sealed_by(site, render(content, fonts=fonts), content)


def checked(site: Site, pdf: bytes, **expected: str) -> CheckReport:
    return check(pdf, root_pem=site.root_pem, at=site.sealed_at, **expected)


@pytest.mark.parametrize("language", list(Language))
def test_a_sealed_certificate_verifies_in_every_language(
    site: Site, fonts: Path, language: Language
):
    content = shown_in(language, PaperSize.LETTER)
    report = checked(site, sealed(site, content, fonts), lot="UCM-P2-T1")
    assert failures(report) == {}
    assert (report.number, report.content_sha256, report.rendition) == (
        "COA-2026-000017", content_sha256(content), "",
    )  # fmt: skip


@pytest.mark.parametrize("language", list(Language))
def test_a_rendition_verifies_and_says_of_which_certificate_it_is(
    site: Site, fonts: Path, tmp_path: Path, language: Language
):
    content = rendition(complete(), for_clinic(language))
    pdf = sealed(site, content, fonts)
    report = checked(site, pdf)
    assert failures(report) == {}
    assert report.rendition == (
        f"a rendition of certificate COA-2026-000017 for {CLINIC}; results withheld: 1"
    )
    path = tmp_path / "rendition.pdf"
    path.write_bytes(pdf)
    pages = pages_of(path)
    assert all(CLINIC in page for page in pages)
    assert content["rendition"]["content_sha256"] in squeezed(pages[0])
    whole = squeezed("".join(pages))
    reader = PdfReader(BytesIO(pdf))
    inside = json.dumps(json.loads(reader.attachments[DATA_FILE][0]))
    for word in ("kynurenine", "3.42", "Left out"):
        assert word not in inside
        assert word not in whole
    assert run("qpdf", "--check", path)
    original = content["rendition"]["content_sha256"]
    assert not check(pdf, root_pem=site.root_pem, at=site.sealed_at, content_sha256=original).passed


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"of": "COA-2026-000018"}, "a rendition of another certificate"),
        ({"recipient": ""}, "a rendition for nobody"),
    ],
)
def test_a_rendition_that_contradicts_itself_is_refused(
    site: Site, fonts: Path, changes: dict[str, str], why: str
):
    content: Any = rendition(complete(), for_clinic())
    content["rendition"] |= changes
    report = checked(site, sealed(site, content, fonts))
    assert not report.passed
    assert why in next(one.reason for one in report.checks if one.name == "data")


def test_pages_that_speak_otherwise_than_the_data_inside_are_refused(
    site: Site, fonts: Path, tmp_path: Path
):
    """As if an installation had the words of one language in the file of another."""
    reports = shutil.copytree(fonts.parent, tmp_path / "reports")
    shutil.copy(reports / "words" / "es.toml", reports / "words" / "de.toml")
    report = checked(site, sealed(site, laid_out(complete(), layout()), reports / "fonts"))
    assert not report.passed
    assert "in another language" in next(one.reason for one in report.checks if one.name == "data")


def test_a_corrected_certificate_marks_its_corrections_in_its_language(tmp_path: Path, fonts: Path):
    content = laid_out(certificate_content(corrections=[CORRECTION]), layout())
    path = tmp_path / "corrected.pdf"
    path.write_bytes(render(content, fonts=fonts))
    whole = "".join(pages_of(path))
    assert "2028-03-04 [C1]" in whole
    assert "Berichtigungen von Registrierungsdaten: 1" in whole
    assert squeezed("„2031-03-05“ wurde zu „2028-03-04“") in squeezed(whole)
