"""Whatever the data: a plot stays in its frame, is well-formed, says what it shows, and has it all
as a table."""

import csv
import math
import re
from io import BytesIO, StringIO
from itertools import chain
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from batchqc.documents.plots.pdf import pdf
from batchqc.documents.plots.scene import Area, Item, Line, Marks, Picture, Place, Text
from batchqc.documents.plots.svg import lead, svg
from batchqc.errors import InvalidInput
from batchqc.settings import bundled
from tests.documents.plots.ugly import KINDS, VALUES, control, heat, spread

FONTS = bundled("reports") / "fonts"
SVG = "{http://www.w3.org/2000/svg}"
NO_NUMBER = re.compile(r"\b(nan|inf|infinity)\b", re.IGNORECASE)


def places(item: Item) -> list[Place]:
    match item:
        case Line(runs):
            return list(chain.from_iterable(runs))
        case Area(corners):
            return list(corners)
        case Marks(at):
            return list(at)
        case Text():
            return [(item.x, item.y)]


def check(picture: Picture) -> None:
    """What holds of every plot."""
    for item in picture.items:
        for x, y in places(item):
            assert -1e-6 <= x <= picture.width + 1e-6, item
            assert -1e-6 <= y <= picture.height + 1e-6, item
    text = svg(picture, name="a-b")
    root = ET.fromstring(text)  # noqa: S314  # written here
    assert root.get("role") == "img"
    title, about = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert title.get("id") == root.get("aria-labelledby") == "a-b-title"
    assert about is not None
    assert about.get("id") == root.get("aria-describedby") == "a-b-desc"
    assert about.text
    assert not NO_NUMBER.search(text)
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {
        "svg", "title", "desc", "rect", "path", "text", "a",
    }  # fmt: skip
    rows = list(csv.reader(StringIO(picture.table.csv.decode("utf-8-sig"), newline="")))
    assert len(rows) == 1 + len(picture.table.rows)
    assert {len(row) for row in rows} == {len(picture.table.header)}
    assert not NO_NUMBER.search(" ".join(map(" ".join, rows)))


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_data_bring_a_plot_out_of_its_frame_or_make_it_say_no_number(kind, values):
    check(kind(values))


@settings(max_examples=60)
@given(
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=12),
    kind=st.sampled_from(KINDS),
)
def test_no_finite_numbers_do_either(kind, values):
    check(kind(values))


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_no_number_is_refused_with_its_place(kind, wrong: float):
    with pytest.raises(InvalidInput, match="not a finite number at") as refused:
        kind([95.0, 96.0, wrong])
    assert refused.value.code == "BQC-STA-003"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_same_plot_is_a_page_of_pdf_with_its_text_as_text(kind):
    picture = kind(VALUES["three"])
    data = pdf(picture, fonts=FONTS)
    (page,) = PdfReader(BytesIO(data)).pages
    assert (page.mediabox.width, page.mediabox.height) == (
        pytest.approx(picture.width, abs=0.01),
        pytest.approx(picture.height, abs=0.01),
    )
    found = "".join(page.extract_text().split())
    drawn = [one for one in picture.items if isinstance(one, Text) and one.text.isascii()]
    plain = [one.text for one in drawn if not one.turned and one.text.isprintable()]
    assert len(plain) > 3
    missing = [text for text in plain if "".join(text.split()) not in found]
    assert not missing
    assert pdf(picture, fonts=FONTS) == data


def test_a_thousand_marks_of_a_pdf_are_one_path():
    marks = Marks([(float(n), 5.0) for n in range(1000)], "square")
    like = control([95.0])
    picture = Picture("t", "d", 1000, 10, [marks], like.table)
    stream = PdfReader(BytesIO(pdf(picture, fonts=FONTS))).pages[0].get_contents()
    assert stream is not None
    assert stream.get_data().count(b" m") >= 1000
    assert len(re.findall(rb"\bf\*?\s", stream.get_data())) == 1


@pytest.mark.parametrize(
    ("href", "goes"),
    [
        ("lots/MSC-1?a=1:2#b", True),
        ("https://qc.example.org/lots/1", True),
        ("#lot:1", True),
        ("javascript:alert(1)", False),
        (" JavaScript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
    ],
)
def test_a_link_leads_to_a_page_or_nowhere(href: str, *, goes: bool):
    assert lead(href) == (href if goes else "#")


def test_a_signal_is_never_told_by_colour_alone():
    text = svg(control(VALUES["three"]))
    assert ">1</text>" in text
    assert "1: Nelson 1" in text
    assert ">!" in svg(heat(VALUES["many"][:10]))
    assert "▲" in svg(heat(VALUES["many"][:10]))


def test_figures_stand_below_the_plot_with_n_method_and_interval():
    said = spread(VALUES["three"]).description
    assert "relative potency 0.68 (from 0.55 to 0.83, with 95 % confidence), n = 28, 4PL" in said
    assert "sigma not estimable (no interval), n = 1, moving range" in said
