"""The code on the first page, drafts, copies, and what an amendment changes; read by others."""

import re
from io import BytesIO
from pathlib import Path

import pytest
import segno
from pypdf import PdfReader

from batchqc.core.certificate_layouts import Language, laid_out
from batchqc.core.certificates import CertificateContent, content_sha256
from batchqc.documents.coa_layout import render
from batchqc.documents.coa_marks import COPY, DRAFT, SUPERSEDED, WITHDRAWN, Marked
from tests.documents.amended_content import AMENDED, ASKED, BARE, BOTH, PAGE, SERIES, TRENDS
from tests.documents.certificate_content import certificate_content, line
from tests.documents.external import page_count, pages_of, run, squeezed, words_of
from tests.documents.laid_out import layout


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


def test_the_code_stands_upright_where_readers_expect_it(fonts: Path, tmp_path: Path):
    """Square by square: a decoder may read a mirrored code, too."""
    content = certificate_content(specimen="", **ASKED)
    pdf = written(tmp_path, content, fonts)
    wanted = segno.make_qr(
        f"{PAGE}?sha256={content_sha256(content)}", error="m", mask=3, boost_error=False
    )
    area = ("-r", "720", "-x", "4833", "-y", "360", "-W", "620", "-H", "620")
    run("pdftoppm", *area, "-gray", "-singlefile", pdf, pdf.with_suffix(""))
    header, size, _, pixels = pdf.with_suffix(".pgm").read_bytes().split(b"\n", 3)
    assert (header, size) == (b"P5", b"620 620")
    count = len(wanted.matrix)
    middles = [int((place + 0.5) * 620 / count) for place in range(count)]
    drawn = [[pixels[620 * down + along] < 128 for along in middles] for down in middles]
    assert drawn == [[bool(square) for square in row] for row in wanted.matrix]


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
    says = ("Copy 1 for A, printed 2026-04-02 by giang.do.", "Superseded by COA-2026-000018 on")
    content = certificate_content(**ASKED)
    pdf = written(tmp_path, content, fonts, Marked(words, BOTH.says))
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


@pytest.mark.parametrize(("language", "copy", "since", "limits"), [
    (Language.GERMAN, "Eine Kopie trägt keine Siegel", "Ersetzt (SUPERSEDED) durch",
     "Für diese Reihe sind keine Regelgrenzen genehmigt."),
    (Language.FRENCH, "Une copie ne porte aucun sceau", "Remplacé (SUPERSEDED) par",
     "Aucune limite de contrôle n’est approuvée pour cette série."),
    (Language.SPANISH, "Una copia no lleva sellos", "Sustituido (SUPERSEDED) por",
     "No hay límites de control aprobados para esta serie."),
])  # fmt: skip
def test_a_marking_and_a_picture_without_limits_speak_the_language_of_the_certificate(
    fonts: Path, tmp_path: Path, language: Language, copy: str, since: str, limits: str
):
    content = laid_out(certificate_content(**ASKED, trends=[BARE]), layout(language))
    pages = pages_of(written(tmp_path, content, fonts, BOTH))
    assert all(copy in page and since in page for page in pages)
    assert squeezed(limits) in squeezed("".join(pages))


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


def figures(document: bytes) -> list[tuple[str, list[float]]]:
    """What each picture of a document says it shows, and where it is."""
    whole = PdfReader(BytesIO(document)).root_object["/StructTreeRoot"]["/K"]
    found = [one.get_object() for one in whole["/K"]]
    return [
        (str(one["/Alt"]), [float(at) for at in one["/A"]["/BBox"]])
        for one in found
        if one["/S"] == "/Figure"
    ]


def test_the_lot_stands_in_its_series_with_frozen_limits_or_without_any(
    fonts: Path, tmp_path: Path
):
    document = render(certificate_content(**TRENDS), fonts=fonts)
    (first, left), (second, right) = figures(document)
    assert first == (
        "Viability, post-thaw (%) of each lot: UCM-P1-T1 95.1, UCM-P1-T2 96.2, UCM-P1-T3 94.8,"
        " UCM-P1-T4 95.9, UCM-P1-T5 96.4, UCM-P1-T6 95.0, UCM-P1-T7 95.7, UCM-P1-T8 97.0,"
        " UCM-P2-T1 96. n = 9 lots, this one last. Limit set 2 of 8 lots, prediction: centre"
        " 95.638, lower 93.215."
    )
    assert second == (
        "Inhibition of PBMC proliferation (%) of each lot: UCM-P1-T1 <20, UCM-P1-T2 31.5,"
        " UCM-P2-T1 19.5. n = 3 lots, this one last. No control limits are approved for this"
        " series."
    )
    assert left[0] < left[2] < right[0] < right[2]
    assert left[1] == pytest.approx(right[1], abs=8)
    path = tmp_path / "certificate.pdf"
    path.write_bytes(document)
    told = " ".join("".join(pages_of(path)).split())
    assert "The lot in its series" in told
    assert "lower 93.215 96 Inhibition" not in told
    assert max(word.right for word in words_of(path)) < 547


@pytest.mark.parametrize(
    ("limits", "drawn"),
    [
        ({"lower": "", "centre": "", "upper": ""}, 0),
        ({"lower": "95.9", "centre": "96", "upper": "96.1"}, 3),
        ({"lower": "1E-7", "centre": "0.5", "upper": "1.8E+8"}, 3),
    ],
)
def test_lines_are_drawn_wherever_they_are(fonts: Path, limits: dict[str, str], drawn: int):
    series = {**SERIES, "limits": {**SERIES["limits"], **limits}}  # type: ignore[dict-item]
    document = render(certificate_content(trends=[series]), fonts=fonts)
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(document)).pages)
    assert len(re.findall(r"^(?:lower|centre|upper) [\d.E+-]+$", text, re.MULTILINE)) == drawn


@pytest.mark.parametrize("count", [1, 3])
def test_an_odd_number_of_series_and_one_of_one_lot_are_drawn(fonts: Path, count: int):
    alone = {**SERIES, "points": SERIES["points"][-1:], "limits": None}  # type: ignore[index]
    assert len(figures(render(certificate_content(trends=[alone] * count), fonts=fonts))) == count


def test_a_series_that_cannot_be_looked_at_says_why_and_shows_nothing(fonts: Path, tmp_path: Path):
    said = "The series cannot be looked at: the archived file 4c4c is damaged."
    path = written(
        tmp_path, certificate_content(trends=[{**BARE, "points": [], "said": said}]), fonts
    )
    assert figures(path.read_bytes()) == []
    assert f"n = 0 lots. {said}" in " ".join("".join(pages_of(path)).split())


def test_a_picture_stays_with_its_name_and_its_heading(fonts: Path, tmp_path: Path):
    for count in range(1, 16, 2):
        lines = [line(f"cd{number}") for number in range(count)]
        pdf = written(tmp_path, certificate_content(lines=lines, trends=[SERIES]), fonts)
        (page,) = [one for one in pages_of(pdf) if "The lot in its series" in one]
        told = " ".join(page.split())
        assert "Viability, post-thaw (%)" in told
        assert "n = 9 lots, this one last." in told


@pytest.mark.requirement("5.07")
@pytest.mark.parametrize("with_code", [True, False])
def test_what_marks_a_copy_covers_no_long_name(fonts: Path, tmp_path: Path, with_code: bool):
    content = certificate_content(**(ASKED if with_code else {}))
    content["issuer"]["name"] = "Zentrum für Zelltherapie der Universitätsklinik Musterstadt"
    content["lot"]["id"] = "UCM-P2-T1-2026-000123456789-ABCDEF"
    marked = Marked((COPY, WITHDRAWN, SUPERSEDED), ())
    pdf = written(tmp_path, content, fonts, marked)
    for page in range(1, page_count(pdf) + 1):
        place = ("-f", str(page), "-l", str(page))
        found = [
            (*map(float, one[:4]), one[4])
            for one in re.findall(
                r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]+)<',
                run("pdftotext", "-bbox", *place, pdf, "-"),
            )
        ]
        (mark,) = [one for one in found if one[4] == WITHDRAWN]
        words = {COPY, WITHDRAWN, SUPERSEDED, "SPECIMEN", "·"}
        left = min(one[0] for one in found if one[4] in words and abs(one[1] - mark[1]) < 1)
        right = max(one[2] for one in found if one[4] in words and abs(one[1] - mark[1]) < 1)
        covered = [
            one[4]
            for one in found
            if one[4] not in words
            and one[0] < right + 7
            and one[2] > left - 7
            and one[1] + 2 < mark[3]
            and one[3] - 2 > mark[1]
        ]
        assert covered == []
