"""Pages of trends: plain, escaped, linked, with every figure's n, method, assumptions, interval."""

import csv
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO

import pytest

from batchqc.documents.plots.control import control_chart
from batchqc.documents.plots.heat import Cell, HeatMap
from batchqc.documents.plots.scene import Table
from batchqc.documents.plots.series import Signal
from batchqc.documents.trend_pages.attribute import DESCRIBES, AttributePage, attribute_page
from batchqc.documents.trend_pages.folder import OVERVIEW, STYLE, folder, names_of
from batchqc.documents.trend_pages.html import Shown, numbers
from batchqc.documents.trend_pages.overview import AttributeLine, Overview, overview_page
from batchqc.statistics.figures import Figure
from tests.documents.plots.ugly import HOSTILE, NOWHERE, VALUES, series_of, spread

VOID = {"meta", "link", "br"}
PPK = Figure(
    "Ppk", 0.83, "exact, noncentral t (Chou, Owen and Borrego 1990)", 80, 0.7, 0.96, 0.95, 79,
    ("values are normal", "lots are independent"), ("no stratum by donor",),
)  # fmt: skip


class Read(HTMLParser):
    """Tags that are open, ids, links, and the text of a page; a tag left open is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []
        self.links += [found["href"]] if found.get("href") else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def attribute_of(values: list[float], name: str = "viability") -> AttributePage:
    signals = [Signal(len(values), "Nelson 1")] if values else []
    series = series_of(values, signals=signals)
    points = [replace(one, href=f"lot-{n}.html") for n, one in enumerate(series.points)]
    chart = control_chart(replace(series, points=points))
    charts = [
        Shown(name, chart, f"{name}.csv"),
        Shown(f"{name}-spread", spread(values), f"{name}-spread.csv"),
    ]
    figures = [PPK, NOWHERE]
    return AttributePage("UC-MSC", "Viability", charts, figures, STYLE, OVERVIEW, "From 3 lots.")


def overview_of(lots: int) -> Overview:
    names = ["Viability", "Potency, IDO", "Potency (IDO)", HOSTILE]
    cells = {(n, names[0]): Cell(0.5, shown="95", href="viability.html") for n in range(lots)}
    pages = {f"MSC-{n}": f"lot-{n}.html" for n in range(lots)}
    heat = HeatMap("UC-MSC", [f"MSC-{n}" for n in range(lots)], names, cells, pages)
    lines = [
        AttributeLine(name, f"{file}.html", lots, 1, "95 (MSC-2)", "no limits: 3 lots", "> 90 %")
        for name, file in zip(names, names_of(names), strict=True)
    ]
    return Overview(heat, lines, "heat.csv", STYLE, (), HOSTILE)


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_a_page_is_well_formed_and_runs_nothing(values: list[float]):
    page = attribute_page(replace(attribute_of(values), attribute=HOSTILE, notes=[HOSTILE]))
    found = Read(page)
    assert len(found.ids) == len(set(found.ids))
    assert not found.tags & {"script", "iframe", "object", "img", "form", "style"}
    assert not [name for name in found.names if name.startswith("on") or name == "style"]
    assert "<script>alert('1')</script>" in found.text
    assert "nan" not in found.text.lower().replace("nano", "")
    assert DESCRIBES in found.text


def test_every_figure_has_value_interval_n_method_and_assumptions_in_words():
    text = Read(attribute_page(attribute_of([95.0, 94.0, 97.5]))).text
    for said in (
        "Ppk", "0.83", "from 0.7 to 0.96, with 95 % confidence", "80", PPK.method,
        "values are normal; lots are independent", "no stratum by donor",
        "not estimable", "no interval", "1 value", "nothing further",
    ):  # fmt: skip
        assert said in text


def test_the_words_of_a_plot_stand_beside_it_with_its_numbers():
    page = Read(attribute_page(attribute_of([95.0, 94.0, 97.5])))
    assert page.text.count("n = 3 of 3 lots") == 2  # in the plot, and for all to read below it
    assert {"viability.csv", "viability-spread.csv", OVERVIEW, STYLE} <= set(page.links)
    assert {"lot-0.html", "lot-1.html", "lot-2.html"} <= set(page.links)


def test_the_overview_leads_to_each_attribute_and_each_lot():
    page = Read(overview_page(overview_of(5)))
    assert {
        "viability.html", "potency-ido.html", "potency-ido-2.html", "heat.csv", "lot-4.html",
    } <= set(page.links)  # fmt: skip
    assert "no limits: 3 lots" in page.text


def test_no_cell_of_a_table_is_read_as_html():
    page = Read(overview_page(overview_of(2)))
    assert "script" not in page.tags
    assert "<script>alert('1')</script>" in page.text
    table = Table((HOSTILE,), [(HOSTILE,)], {0: "javascript:alert(1)"})
    shown = Read(numbers(table, HOSTILE))
    assert "script" not in shown.tags
    assert shown.links == ["#"]


def test_a_long_table_shows_the_latest_rows_and_all_that_are_marked():
    rows = [(str(n), f"MSC-{n:05d}") for n in range(10_000)]
    shown = numbers(Table(("Point", "Lot"), rows, {}, frozenset({7, 4711, 9999})), "Lots")
    text = Read(shown).text
    assert "the latest 200 rows, and marked ones before them; all 10000 are in the CSV" in text
    assert all(f"MSC-{n:05d}" in text for n in (7, 4711, 9800, 9999))
    assert "MSC-09799" not in text
    assert text.count("MSC-") == 202


def test_marked_rows_that_do_not_fit_are_counted():
    rows = [(f"MSC-{n:05d}",) for n in range(2000)]
    text = Read(numbers(Table(("Lot",), rows, {}, frozenset(range(2000))), "Lots")).text
    assert text.count("MSC-") == 1000
    assert "(and 1000 more of the marked)" in text


def test_files_have_names_of_their_own():
    found = names_of(["Potency, IDO", "Potency (IDO)", "%", "μ", "Index", "x" * 300])
    assert found == [
        "potency-ido",
        "potency-ido-2",
        "attribute",
        "attribute-2",
        "index-2",
        "x" * 60,
    ]


def test_the_folder_holds_every_file_that_its_pages_lead_to():
    files = dict(folder(overview_of(3), [("viability", attribute_of([95.0, 94.0, 97.5]))]))
    links = {
        link.split("#")[0]
        for name in (OVERVIEW, "viability.html")
        for link in Read(files[name].decode()).links
    }
    beside = {"potency-ido.html", "potency-ido-2.html", f"{names_of([HOSTILE])[0]}.html"}
    lots = {f"lot-{n}.html" for n in range(3)}
    assert links - beside - lots <= set(files)
    rows = list(csv.reader(StringIO(files["viability.csv"].decode("utf-8-sig"), newline="")))
    assert [row[7] for row in rows[1:]] == ["95.0", "94.0", "97.5"]
    assert files["viability.svg"].startswith(b"<svg ")
    assert b"http" not in files[STYLE]
