"""The page, read by poppler and qpdf."""

import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from batchqc.core.certificates import CertificateContent, content_sha256
from batchqc.documents.coa_blocks import BODY, Block, paginate
from batchqc.documents.coa_drawing import width_of, wrap
from batchqc.documents.coa_fonts import use_fonts
from batchqc.documents.coa_layout import render
from batchqc.errors import InvalidInput
from tests.documents.amended_content import AMENDED, ASKED, BOTH, TRENDS
from tests.documents.certificate_content import (
    CORRECTION,
    certificate_content,
    line,
    long_lines,
    moment,
    signature,
)
from tests.documents.external import (
    embedded_fonts,
    page_count,
    pages_of,
    run,
    squeezed,
    words_of,
)

CORRECTED = {
    "corrections": [
        CORRECTION,
        {
            **CORRECTION,
            "subject": "sample UCM-P2-T1-P1",
            "field": "container",
            "before": "bag 1 of 12",
            "after": "bag 2 of 12",
            "reason": "Wrong bag scanned.",
        },
    ],
    "supersedes": {"number": "COA-2026-000012", "reason": "The expiry date was corrected."},
    "specimen": "",
}
LATE = {
    "signatures": [
        {**signature(1), "happened": moment("2026-03-18", "07:12:00"), "paper": "FORM-0012"}
    ]
}
# Not words of the page: the type, the machine's form of a moment and of a criterion, and what
# decides its look. The points of a series are in the words of its picture.
SILENT = {"type", "utc", "complies", "accept", "trends"}


def written(content: CertificateContent, fonts: Path, folder: Path) -> Path:
    path = folder / "certificate.pdf"
    path.write_bytes(render(content, fonts=fonts))
    return path


def values_of(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key not in SILENT:
                yield from values_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from values_of(item)
    elif value is not None:
        yield str(value).replace("CANNOT_JUDGE", "CANNOT JUDGE")


@pytest.mark.requirement("5.01", "5.04", "5.05")
@pytest.mark.requirement("5.02")
@pytest.mark.requirement("5.06")
@pytest.mark.parametrize(
    "changes",
    [{}, {"lines": long_lines(30)}, CORRECTED, LATE],
    ids=["plain", "long", "corrected", "late"],
)
def test_every_value_of_the_content_is_on_the_page(
    fonts: Path, tmp_path: Path, changes: dict[str, object]
):
    content = certificate_content(**changes)
    shown = squeezed("".join(pages_of(written(content, fonts, tmp_path))))
    missing = [value for value in values_of(content) if squeezed(value) not in shown]
    assert missing == []


@pytest.mark.requirement("5.01")
def test_every_page_says_which_certificate_lot_page_and_content_it_is(fonts: Path, tmp_path: Path):
    content = certificate_content(lines=long_lines(150))
    pages = pages_of(written(content, fonts, tmp_path))
    assert len(pages) > 8
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}\n" in page
        assert "Certificate COA-2026-000017 · Lot UCM-P2-T1" in page
        assert f"Content SHA-256 {content_sha256(content)}" in page


def test_a_long_table_repeats_its_header_and_loses_nothing(fonts: Path, tmp_path: Path):
    lines = long_lines(150)
    pages = pages_of(written(certificate_content(lines=lines), fonts, tmp_path))
    with_results = [page for page in pages if re.search(r"^SOP-QC-021", page, re.MULTILINE)]
    assert len(with_results) > 4
    for page in with_results:
        assert page.count("Test and method Acceptance criterion Result Unit Verdict") == 1
    rows = re.findall(r"^Attribute (\d+) of the extended panel\nSOP", "".join(pages), re.MULTILINE)
    assert rows == [str(number) for number in range(1, 151)]
    # A page that opens inside a category says so.
    assert any("Panel 1 (continued)" in page for page in with_results)


def test_a_row_taller_than_a_page_continues_on_the_next(fonts: Path, tmp_path: Path):
    words = [f"word{number}" for number in range(2500)]
    long = line("karyotype", unit="", result=" ".join(words), sentence="Long.")
    content = certificate_content(lines=[long])
    path = written(content, fonts, tmp_path)
    shown = "".join(pages_of(path))
    # Once as the result and once where it was read.
    assert re.findall(r"word\d+", shown) == words + words
    assert page_count(path) > 3


def test_facts_longer_than_a_page_lose_nothing(fonts: Path, tmp_path: Path):
    words = [f"word{number}" for number in range(900)]
    content = certificate_content()
    content["product"]["storage"] = " ".join(words)
    assert re.findall(r"word\d+", "".join(pages_of(written(content, fonts, tmp_path)))) == words


@pytest.mark.parametrize(("lot", "size"), [("UCM-P2-T1", 25), ("UCM-" * 9, 18), ("UCM-" * 20, 13)])
def test_the_lot_is_as_large_as_two_lines_allow(fonts: Path, tmp_path: Path, lot: str, size: int):
    content = certificate_content()
    content["lot"]["id"] = lot
    drawing = PdfReader(written(content, fonts, tmp_path)).pages[0].get_contents().get_data()
    sizes = {float(found) for found in re.findall(rb"/F\d\+0 ([\d.]+) Tf", drawing)}
    assert max(sizes - {19.0}) == size


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": long_lines(60)},
        {"number": "COA-" + "2026" * 20, "conclusion": "W" * 300},
        {"notes": ["i" * 900], "decision_rule": "M" * 400},
    ],
)
def test_nothing_leaves_the_margins(fonts: Path, tmp_path: Path, changes: dict[str, object]):
    content = certificate_content(**changes)
    words = words_of(written(content, fonts, tmp_path))
    assert len(words) > 300
    assert min(word.left for word in words) > 49
    assert max(word.right for word in words) < 547
    assert max(word.bottom for word in words) < 820


@pytest.mark.parametrize(
    ("mark", "shown"),
    [
        ("\u202e", "[U+202E]"),
        ("\u200b", "[U+200B]"),
        ("\ue000", "[U+E000]"),
        ("\x07", "[U+0007]"),
        ("\n", "[U+000A]"),
        ("\u2028", "[U+2028]"),
        ("\u05d0", "[U+05D0]"),
        ("胞", "[U+80DE]"),
        ("🧬", "[U+1F9EC]"),
    ],
)
def test_a_character_that_the_page_cannot_show_is_shown_by_its_number(
    fonts: Path, tmp_path: Path, mark: str, shown: str
):
    content = certificate_content(lines=[line("karyotype", result=f"46,X{mark}X")])
    path = written(content, fonts, tmp_path)
    assert squeezed(f"46,X{shown}X") in squeezed("".join(pages_of(path)))
    assert content_sha256(content) in "".join(pages_of(path))  # of the content as it was frozen


@pytest.mark.parametrize("unit", ["×10⁶/mL", "µg/mL", "≥ 5 × 10⁻³ °C", "IFN-γ", "Đặng Thị Ngọc"])
def test_the_signs_of_the_field_are_shown(fonts: Path, tmp_path: Path, unit: str):
    content = certificate_content(lines=[line("dose", unit=unit)])
    assert squeezed(unit) in squeezed("".join(pages_of(written(content, fonts, tmp_path))))


def test_the_same_content_gives_the_same_bytes_on_any_machine(fonts: Path):
    program = (
        "import hashlib, pathlib\n"
        "from batchqc.documents.coa_layout import render\n"
        "from tests.documents.certificate_content import certificate_content\n"
        "from tests.documents.amended_content import AMENDED, ASKED, BOTH, TRENDS\n"
        "content = certificate_content(**AMENDED, **ASKED, **TRENDS)\n"
        "fonts = pathlib.Path('reports/fonts').resolve()\n"
        "for marked in (None, BOTH):\n"
        "    told = render(content, fonts=fonts, marked=marked)\n"
        "    print(hashlib.sha256(told).hexdigest())\n"
    )
    root = Path(__file__).parents[2]
    found = set()
    for seed, zone, language in (("0", "UTC", "C"), ("777", "Asia/Tokyo", "de_DE.UTF-8")):
        changes = {"PYTHONHASHSEED": seed, "TZ": zone, "LANG": language, "PYTHONPATH": str(root)}
        changes |= {"LC_ALL": language}
        environment = {**os.environ, **changes, "SOURCE_DATE_EPOCH": "86400"}
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, cwd=root, capture_output=True, check=True)
        found.add(done.stdout.decode())
    content = certificate_content(**AMENDED, **ASKED, **TRENDS)
    own = (render(content, fonts=fonts, marked=marked) for marked in (None, BOTH))
    assert found == {"".join(f"{hashlib.sha256(one).hexdigest()}\n" for one in own)}


def test_content_that_differs_in_unicode_form_only_gives_the_same_bytes(fonts: Path):
    composed, decomposed = (
        certificate_content(conclusion=text) for text in ("Nguy\u1ec5n", "Nguye\u0302\u0303n")
    )
    assert render(composed, fonts=fonts) == render(decomposed, fonts=fonts)


def test_documents_rendered_at_the_same_time_do_not_mix(fonts: Path, rendered: bytes):
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(render(certificate_content(), fonts=fonts)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [rendered] * 4


def test_all_fonts_are_embedded_and_the_file_is_sound(fonts: Path, tmp_path: Path):
    path = written(certificate_content(), fonts, tmp_path)
    assert len(embedded_fonts(path)) == 3
    assert all(embedded for _, embedded in embedded_fonts(path))
    assert "No syntax or stream encoding errors found" in run("qpdf", "--check", path)


def test_the_document_names_itself(rendered: bytes, content: CertificateContent):
    reader = PdfReader(BytesIO(rendered), strict=True)
    info = reader.metadata
    assert info is not None
    sha256 = content_sha256(content)
    assert info.title == "Certificate of analysis COA-2026-000017"
    assert info.subject == "Lot UCM-P2-T1"
    assert info["/Keywords"] == f"batchqc-certificate/2 content-sha256:{sha256}"
    assert info.author == "Mekong Cell Therapy Centre"
    assert info.creator == "batchqc 0.1.0"
    assert info.creation_date == datetime(2026, 3, 20, 7, 6, 2, tzinfo=UTC)
    assert info.modification_date == info.creation_date
    assert reader.pdf_header == "%PDF-1.7"
    assert reader.root_object["/Lang"] == "en-GB"
    assert [part.original_bytes.hex() for part in reader.trailer["/ID"]] == [sha256[:32]] * 2


def test_a_specimen_is_marked_on_every_page_and_stays_legible(rendered: bytes, tmp_path: Path):
    path = tmp_path / "certificate.pdf"
    path.write_bytes(rendered)
    for page in pages_of(path):
        assert page.count("SPECIMEN") == 1
        assert "For show only; the lot was never made." in page
    # The diagonal mark is drawn before the text, as curves: nothing else on the page is curved.
    for drawn in PdfReader(path).pages:
        drawing = drawn.get_contents().get_data().decode("latin-1")
        curves = [found.start() for found in re.finditer(r" c\s", drawing)]
        assert len(curves) > 8
        assert max(curves) < drawing.index("BT")


def test_a_real_certificate_bears_no_specimen_mark(fonts: Path, tmp_path: Path):
    path = written(certificate_content(specimen=""), fonts, tmp_path)
    assert "SPECIMEN" not in "".join(pages_of(path))
    for drawn in PdfReader(path).pages:
        assert not re.search(rb" c\s", drawn.get_contents().get_data())


def test_verdicts_are_words(fonts: Path, tmp_path: Path):
    verdicts = ["PASS", "FAIL", "CANNOT_JUDGE", None]
    lines = [line("cd73", title=f"Line {v}", verdict=v) for v in verdicts]
    path = written(certificate_content(lines=lines), fonts, tmp_path)
    table = run("pdftotext", "-layout", path, "-")
    for title, word in (
        ("Line PASS", "PASS"),
        ("Line FAIL", "FAIL"),
        ("Line CANNOT_JUDGE", "CANNOT JUDGE"),
        ("Line None", "for information"),
    ):
        assert re.search(rf"^{title} +≥ 95 % +98.5 +% +{word}$", table, re.MULTILINE)


@pytest.mark.parametrize("verdict", ["", "pass", "PASSED"])
def test_an_unknown_verdict_is_refused(fonts: Path, verdict: str):
    with pytest.raises(InvalidInput) as refusal:
        render(certificate_content(lines=[line("cd73", verdict=verdict)]), fonts=fonts)
    assert refusal.value.code == "BQC-CRT-003"


def test_content_of_another_type_is_refused(fonts: Path):
    with pytest.raises(InvalidInput) as refusal:
        render(certificate_content(type="batchqc/certificate/3"), fonts=fonts)
    assert refusal.value.code == "BQC-CRT-003"


@pytest.mark.requirement("5.06")
def test_a_rounded_result_is_shown_as_reported_and_as_rounded(fonts: Path, tmp_path: Path):
    shown = "".join(pages_of(written(certificate_content(), fonts, tmp_path)))
    assert "≥ 20 % 19.5\nrounded: 20 (usp)\n" in shown
    assert "Inhibition of PBMC proliferation [1]" in shown
    assert "\n[1] The criterion names the rounding rule" in shown


@pytest.mark.requirement("4.07")
def test_the_decision_rule_and_its_scope_are_stated(fonts: Path, tmp_path: Path):
    shown = squeezed("".join(pages_of(written(certificate_content(), fonts, tmp_path))))
    assert squeezed("Decision rule Simple acceptance: a result is compared") in shown
    assert squeezed("The results relate only to the samples tested.") in shown
    assert squeezed("may be reproduced only in full") in shown


@pytest.mark.requirement("1.13")
@pytest.mark.requirement("1.14")
def test_each_signature_shows_name_time_meaning_and_what_was_signed(fonts: Path, tmp_path: Path):
    signatures = [signature(number, name=f"Signer {number}") for number in range(1, 13)]
    shown = "".join(pages_of(written(certificate_content(signatures=signatures), fonts, tmp_path)))
    for number in range(1, 13):
        assert (
            f"Signer {number}\n"
            "anh.nguyen, quality assurance\n"
            "Signed 2026-03-20 14:05:11 +07:00\n"
            "Released: I certify that the lot meets its specification\n"
            "Reason: All results and records reviewed; no open investigation.\n"
            f"Signature S-2026-{number:06}, bound to decision on lot UCM-P2-T1\n"
            "SHA-256 5d1c8f0be92a47d3606fb1e8a9c4725d03f7e61ab85cd290e4f73b16a8c05d9e\n"
        ) in shown


@pytest.mark.requirement("1.33", "1.67")
def test_corrected_data_are_marked_counted_and_listed(fonts: Path, tmp_path: Path):
    shown = "".join(pages_of(written(certificate_content(**CORRECTED), fonts, tmp_path)))
    assert "2028-03-04 [C1]" in shown
    assert "bag 2 of 12 [C2]" in shown
    assert shown.count("2 of 12 [C") == 1
    assert "Corrections 2, listed below: [C1] [C2]" in shown
    assert "Corrections of registration data: 2" in shown
    assert "lot UCM-P2-T1, expires_on: “2031-03-05” became “2028-03-04”" in shown


def test_a_correction_of_another_record_marks_nothing(fonts: Path, tmp_path: Path):
    other = {**CORRECTION, "subject": "lot UCM-P2-T10"}
    path = written(certificate_content(corrections=[other]), fonts, tmp_path)
    assert "2028-03-04 [C1]" not in "".join(pages_of(path))


def test_a_certificate_without_corrections_says_nothing_of_them(rendered: bytes, tmp_path: Path):
    path = tmp_path / "certificate.pdf"
    path.write_bytes(rendered)
    assert "Correction" not in "".join(pages_of(path))


@pytest.mark.requirement("5.07")
def test_a_certificate_says_on_its_first_page_which_one_it_replaces(fonts: Path, tmp_path: Path):
    first, *_ = pages_of(written(certificate_content(**CORRECTED), fonts, tmp_path))
    assert "Supersedes COA-2026-000012: The expiry date was corrected." in first


@pytest.mark.parametrize("answer", ["Complies", "Does not comply"])
def test_the_first_page_gives_the_answer(fonts: Path, tmp_path: Path, answer: str):
    path = written(certificate_content(complies=answer == "Complies"), fonts, tmp_path)
    assert f"Conclusion\n{answer}\nwith UC-MSC-REL, version 3\n" in pages_of(path)[0]


@pytest.mark.requirement("5.02")
def test_the_certificate_has_a_clear_end(fonts: Path, tmp_path: Path):
    *others, last = pages_of(written(certificate_content(), fonts, tmp_path))
    assert "End of certificate COA-2026-000017" in last
    assert "End of certificate" not in "".join(others)
    body, _, _ = last.partition("End of certificate")
    assert "reproduced only in full" in body


def test_a_certificate_with_nothing_optional_still_renders(fonts: Path, tmp_path: Path):
    bare = certificate_content(
        statements=[], donors=[], lines=[], notes=[], signatures=[], corrections=[]
    )
    bare["lot"]["samples"] = []
    path = written(bare, fonts, tmp_path)
    assert page_count(path) == 1
    shown = "".join(pages_of(path))
    for absent in ("Samples", "Donors", "Results", "Notes", "Statements", "Electronic signatures"):
        assert f"\n{absent}\n" not in shown


@given(
    text=st.text(alphabet="ab ,;/Wi()µ×", max_size=120), width=st.floats(min_value=1, max_value=90)
)
def test_wrapping_loses_no_character_and_keeps_the_width(fonts: Path, text: str, width: float):
    use_fonts(fonts)
    lines = wrap(text, BODY, width)
    assert lines
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for wrapped in lines:
        assert width_of(wrapped.rstrip(), BODY) <= width or len(wrapped.rstrip()) == 1


HEAD = Block(11)


@given(
    blocks=st.lists(
        st.builds(
            Block,
            height=st.floats(min_value=1, max_value=60),
            before=st.sampled_from([0.0, 16.0]),
            keep=st.booleans(),
            heads=st.sampled_from([(), (HEAD,)]),
        ),
        max_size=40,
    )
)
def test_pages_hold_every_block_once_in_order_and_never_overflow(blocks: list[Block]):
    blocks = [*blocks, Block(5)]
    pages = paginate(blocks, first=90, rest=120)
    placed = [block for page in pages for _, block in page if block is not HEAD]
    assert len(placed) == len(blocks)
    assert all(found is given for found, given in zip(placed, blocks, strict=True))
    for number, page in enumerate(pages):
        room = 90 if number == 0 else 120
        bottom = 0.0
        for y, block in page:
            assert y >= bottom - 1e-6
            bottom = y + block.height
        assert bottom <= room + 1e-6
        assert page or len(pages) == 1


def test_a_heading_is_never_the_last_of_a_page(fonts: Path, tmp_path: Path):
    headings = r"(Samples|Donors|Results|Notes|Statements|Files|Record|Electronic signatures)"
    for count in range(1, 40, 3):
        path = written(certificate_content(lines=long_lines(count)), fonts, tmp_path)
        for page in pages_of(path):
            assert not re.search(rf"^{headings}\nPage \d", page, re.MULTILINE)
