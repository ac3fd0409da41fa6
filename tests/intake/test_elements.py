"""XML documents of cytometers: counts at the place that the profile names, each with its line."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.core.criteria import Category
from batchqc.core.profiles import Elements, Profile
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured
from batchqc.core.xml_paths import xml_path
from batchqc.intake import problems, xml_document
from batchqc.intake.annotated import annotated_rows
from batchqc.intake.contract import Asked, Reading, read_bytes
from batchqc.intake.elements import read_export
from batchqc.intake.problems import CODES
from tests.cast import criterion, limits, register, specification
from tests.intake.cytometry import (
    EXPERIMENT,
    WORKSPACE,
    experiment,
    flowjo_sample,
    tube,
    workspace,
)
from tests.intake.files import UPLOAD, found
from tests.intake.test_profiles import S01, S02, STATED, shipped

WSP, DIVA = shipped("flowjo-workspace"), shipped("facsdiva-xml")
SAMPLE = flowjo_sample(S01, "panel 1")


def plan() -> Specification:
    """The plan of the cast, with counts."""
    counted = tuple(
        criterion(
            Measured("FLOW", name, "SOP-QC-021", "{cells}"), Category.IDENTITY, limits(">= 1000")
        )
        for name in ("live_count", "CD73_count", "CD90_count")
    )
    return replace(specification(), criteria=(*specification().criteria, *counted))


def read(text: str | bytes, profile: Profile = WSP, **samples: str) -> Reading:
    data = text if isinstance(text, bytes) else text.encode()
    asked = Asked({name: STATED[name] for name in profile.asked}, samples)
    world = register(plan())
    return read_bytes(data, lambda _: world, upload=UPLOAD, profile=profile, asked=asked)


def codes(text: str | bytes, profile: Profile = WSP) -> list[str]:
    """The errors of a file, of which nothing is measured."""
    reading = read(text, profile)
    assert not reading.accepted
    assert reading.measurements == ()
    return [one.code for one in reading.problems if one.severity == "error"]


def line_of(text: str, part: str) -> int:
    """The only line that holds ``part``."""
    (line,) = (n for n, one in enumerate(text.split("\n"), start=1) if part in one)
    return line


@pytest.mark.requirement("1.30")
def test_counts_of_a_flowjo_workspace_are_read_each_with_its_line():
    reading = read(WORKSPACE)
    assert reading.accepted, reading.problems
    assert [(one.sample, one.analyte, one.text) for one in reading.measurements] == [
        (S01, "live_count", "34753"), (S01, "CD73_count", "34058"), (S01, "CD90_count", "33711"),
        (S02, "live_count", "34753"), (S02, "CD73_count", "33000"), (S02, "CD90_count", "0"),
    ]  # fmt: skip
    lines = WORKSPACE.split("\n")
    for one in reading.measurements:
        assert f'name="{one.cell.column.rpartition("/")[2]}"' in lines[one.cell.line - 1]
        assert f'count="{one.text}"' in lines[one.cell.line - 1]
    assert [(one.cell.row, one.cell.column) for one in reading.measurements][3:5] == [
        (4, "Live"), (4, "Live/CD73+"),
    ]  # fmt: skip
    assert reading.contract == "profile FLOWJO-WORKSPACE v1"
    assert reading.columns_unused == ()
    assert reading.rows_read == 2
    (left,) = [one for one in reading.problems if one.code == "W607"]
    assert "Compensation Controls (row 2)" in left.message


@pytest.mark.requirement("1.30")
def test_counts_of_facsdiva_are_those_of_the_tube_and_not_of_the_worksheet():
    reading = read(EXPERIMENT, DIVA)
    assert reading.accepted, reading.problems
    assert [(one.sample, one.analyte, one.text) for one in reading.measurements] == [
        (S01, "live_count", "10215"), (S01, "CD73_count", "10062"),
    ]  # fmt: skip
    first = reading.measurements[0]
    assert first.measured_at.isoformat() == "2026-03-21T16:15:02-05:00"
    assert first.run.run == "MSC 260321"
    lines = EXPERIMENT.split("\n")
    assert lines[first.cell.line - 1] == "<num_events>10215</num_events>"


def test_a_name_in_the_document_is_a_registered_sample_where_the_uploader_says_so():
    reading = read(workspace(flowjo_sample("Donor 7", "panel 1")), **{"Donor 7": S02})
    assert {one.sample for one in reading.measurements} == {S02}
    assert "E401" in codes(workspace(flowjo_sample("Donor 7", "panel 1")))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_encoding_is_that_of_the_profile_and_of_the_document(encoding: str):
    wide = shipped("flowjo-workspace", ('layout = "xml"', 'layout = "xml"\nencoding = "utf-16"'))
    profile = wide if encoding == "utf-16" else WSP
    text = WORKSPACE.replace("UTF-8", encoding.removesuffix("-sig").upper())
    reading = read(text.encode(encoding), profile)
    assert [one.text for one in reading.measurements][:1] == ["34753"]
    assert codes(WORKSPACE.encode(), wide) == ["E103"]


@pytest.mark.parametrize("said", ["ISO-8859-1", "UTF-16", "klingon", "utf-7"])
def test_a_document_that_says_another_encoding_is_refused(said: str):
    assert codes(WORKSPACE.replace('encoding="UTF-8"', f'encoding="{said}"')) == ["E103"]
    assert read(WORKSPACE.replace(' encoding="UTF-8"', "")).accepted


def test_an_encoding_whose_name_begins_as_that_of_the_profile_is_another_one():
    own = ('layout = "xml"', 'layout = "xml"\nencoding = "iso-8859-1"')
    western = shipped("flowjo-workspace", own)
    for said, expected in {"ISO-8859-1": True, "latin-1": True, "ISO-8859-15": False}.items():
        text = WORKSPACE.replace('encoding="UTF-8"', f'encoding="{said}"')
        assert read(text, western).accepted is expected
    assert codes(text, western) == ["E103"]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("<V><U>x</U>93</V>", []),
        ("<V>9<U>x</U>3</V>", ["E117"]),
        ("<V>93<U>x</U></V>", ["E117"]),
    ],
)
def test_a_text_around_an_element_that_is_a_place_too_is_read_whole(cell: str, found: list[str]):
    ways = {"Specimen": "V", "Live": "V", "unit": "V/U"}
    places = {name: place for name, way in ways.items() if (place := xml_path(way))}
    row = xml_path("/W/S")
    assert row is not None
    profile = replace(WSP, elements=Elements(row, places, {}, {}, {}))
    table = read_export(f"<W><S>{cell}</S></W>".encode(), profile)
    assert [one.cells for one in table.records] == [["93", "93", "x"]]
    assert [one.code for one in table.problems] == found


@pytest.mark.parametrize(
    ("old", "new", "code", "column"),
    [
        ('count="34058"', 'count="-1"', "E118", "Live/CD73+"),
        ('count="65121"  sampleID', 'count="0"  sampleID', "E118", "All events"),
        ('count="34058"', 'count="NaN"', "E202", "Live/CD73+"),
        ('count="34058"', 'count="inf"', "E203", "Live/CD73+"),
        ('count="34058"', 'count="-0.0"', "E203", "Live/CD73+"),
        ('count="34058"', 'count="34,058"', "E205", "Live/CD73+"),
        ('count="34058"', 'count="&#51;4058"', "E117", "Live/CD73+"),
        ('count="34058"', 'count="&#x33;4058"', "E117", "Live/CD73+"),
        ('count="34058"', 'count="34058\n"', "E117", "Live/CD73+"),
        ('count="34058"', 'count="=34058"', "E501", "Live/CD73+"),
        ('count="34058"', 'count="34\x7f058"', "E104", "Live/CD73+"),
        (f'value="{S01}"', f'value="{S01}\u202e"', "E104", "Specimen"),
        (f'value="{S01}"', 'value="CLB001"', "E401", "Specimen"),
        (f'value="{S01}"', 'value="=S01"', "E501", "Specimen"),
    ],
)
def test_a_value_that_is_none_is_refused_at_its_place(old: str, new: str, code: str, column: str):
    text = workspace(SAMPLE)
    assert text.count(old) == 1
    reading = read(text.replace(old, new))
    assert not reading.accepted
    assert (code, 2, column) in found(reading.problems)
    (one,) = [one for one in reading.problems if (one.code, one.column) == (code, column)][:1]
    if column != "Specimen":
        assert one.line == line_of(text, old.strip())


def test_a_population_that_moved_is_missing_and_one_that_is_there_twice_is_told():
    moved = workspace(SAMPLE.replace('name="Single Cells"', 'name="Singlets"'))
    told = [one.message for one in read(moved).problems if one.code == "E110"]
    assert told == [
        f'no row of the document has the place "{name}"'
        for name in ("Live", "Live/CD73+", "Live/CD90+")
    ]
    twice = workspace(SAMPLE.replace('name="CD90+"', 'name="CD73+"'))
    problem = next(one for one in read(twice).problems if one.code == "E107")
    assert (problem.row, problem.column, problem.text) == (2, "Live/CD73+", "33711")
    assert problem.line == line_of(twice, 'count="33711"')
    one_less = workspace(SAMPLE, flowjo_sample(S02, "panel 1").replace("CD90+", "CD105+"))
    reading = read(one_less)
    assert len(reading.measurements) == 5
    assert ("W605", 3, "Live/CD90+") in found(reading.problems)


def test_a_row_may_be_left_out_by_what_stands_around_it():
    control = EXPERIMENT.replace(
        '<specimen name="panel 1">', '<specimen name="Compensation Controls">'
    )
    (nothing, left) = read(control, DIVA).problems
    assert (left.code, nothing.code) == ("W607", "E109")
    assert "Compensation Controls (row 2), Compensation Controls (row 3)" in left.message
    specimen = shipped("facsdiva-xml", ('sample_id     = "Tube"', 'sample_id     = "Specimen"'))
    named = read(experiment(tube("CD73")), specimen, **{"panel 1": S02})
    assert {one.sample for one in named.measurements} == {S02}


def test_a_tube_with_an_error_of_the_instrument_or_without_events_is_refused():
    sound = experiment(tube(S01))
    broken = sound.replace("<AspiratedError>false", "<AspiratedError>true")
    assert ("E118", 2, "Aspiration error") in found(read(broken, DIVA).problems)
    silent = sound.replace("<AcqObjInError>false</AcqObjInError>\n", "")
    (problem,) = read(silent, DIVA).problems
    assert (problem.code, problem.column, problem.line) == (
        "E118", "Acquisition error", line_of(silent, "<tube"),
    )  # fmt: skip
    nothing = experiment(tube(S01, events="0", live="0", more="0"))
    assert codes(nothing, DIVA) == ["E118", "E118"]


def test_text_of_an_element_is_its_own_and_stands_at_its_line():
    sound = experiment(tube(S01))
    spread = sound.replace(">10215<", ">\n\n  10215\n<")
    (live, _) = read(spread, DIVA).measurements
    assert (live.text, live.cell.line) == ("10215", line_of(spread, "  10215"))
    for cut in ("10<!-- 9 -->215", "10<b/>215", "<![CDATA[10215]]>", "1021&#53;"):
        assert "E117" in codes(sound.replace(">10215<", f">{cut}<"), DIVA)
    for nothing in ("<num_events/>", "<num_events></num_events>"):
        empty = read(sound.replace("<num_events>10062</num_events>", nothing), DIVA)
        assert ("W605", 2, "P3") in found(empty.problems)


def test_what_stands_once_in_a_document_is_refused_twice_or_missing():
    profile = shipped("facsdiva-xml", ("'/bdfacs/experiment/@name'", "'/bdfacs/experiment/date'"))
    assert read(EXPERIMENT, profile).measurements[0].run.run == "2026-03-21T16:20:39"
    date = "<date>2026-03-21T16:20:39</date>\n"
    assert "E107" in codes(EXPERIMENT.replace(date, date * 2), profile)
    assert "E110" in codes(EXPERIMENT.replace(date, ""), profile)


def test_a_document_without_samples_is_refused():
    (problem,) = read(workspace()).problems
    assert (problem.code, "/Workspace/SampleList/Sample" in problem.message) == ("E110", True)
    controls = workspace(flowjo_sample("Compensation Controls", "FITC"))
    assert codes(controls) == ["E109"]
    assert codes(EXPERIMENT) == ["E110"]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><Workspace>&l9;</Workspace>',
    "external entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Workspace>&e;'
    "</Workspace>",
    "external type": '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><Workspace/>',
    "an entity that no one declares": "<Workspace>&e;</Workspace>",
    "a deep one": "<Workspace>" * 200_000,
    "a value of an entity": "<!DOCTYPE x [<!ENTITY n '34058'>]>"
    + workspace(SAMPLE).partition("?>")[2].replace('count="34058"', 'count="&n;"'),
    "cut": WORKSPACE[:2000],
    "two roots": WORKSPACE + "<b/>",
    "an attribute twice": WORKSPACE.replace('count="34058"', 'count="34058" count="1"', 1),
    "a table": "Sample,count\nS01,5\n",
    "JSON": '{"Workspace": []}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_broken_document_is_refused_in_one_sentence(name: str):
    (problem,) = read(HOSTILE[name]).problems
    assert problem.code == "E117"
    assert problem.line >= 1
    assert len(problem.message) < 200


def test_elements_are_read_to_a_hundred_deep():
    deep = {n: read("<a>" * n + "</a>" * n).problems[0] for n in (100, 101)}
    assert (deep[100].code, deep[101].code) == ("E110", "E117")
    assert "100 deep" in deep[101].message


@pytest.mark.parametrize("piece", ["\n", "5", "&#53;", "<!-- 5 -->5"])
def test_a_text_without_end_is_refused(piece: str):
    endless = experiment(tube(S01)).replace(">10215<", f">{piece * 300_000}<")
    reading = read(endless, DIVA)
    assert [one.code for one in reading.problems if one.severity == "error"] == ["E114"]


def test_more_elements_than_are_read_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(xml_document, "MOST_ELEMENTS", 20)
    assert codes(WORKSPACE) == ["E117"]


def test_what_is_not_text_is_told_where_it_is():
    (problem,) = read(WORKSPACE.encode().replace(b"FITC", b"\xb5FITC", 1)).problems
    assert (problem.code, problem.line) == ("E102", line_of(WORKSPACE, "D:/FITC"))
    assert codes(b"") == ["E100"]
    assert codes(b"PK\x03\x04" + WORKSPACE.encode()) == ["E101"]


def test_reading_stops_where_too_much_is_wrong(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(problems, "MOST_PROBLEMS", 20)
    rows = [flowjo_sample(S01, "panel 1", cd73="-1")] * 25
    told = read(workspace(*rows)).problems
    assert "E115" in {one.code for one in told}
    assert sum(one.code == "E118" for one in told) == 20


def test_problems_stand_beside_the_samples_in_the_annotated_file():
    text = workspace(SAMPLE, flowjo_sample(S02, "panel 1", cd90="NaN")).encode()
    header, *lines = annotated_rows(text, read(text).problems, WSP)
    assert header[:3] == ["Specimen", "Tube", "All events"]
    assert [one[0] for one in lines] == [S01, S02]
    assert "E202" in lines[1][-2]
    assert lines[0][-2] == ""


PIECES = (
    *("<", ">", "/", '"', "&", "&lt;", "&#53;", "]]>", "<!--", "-->", "<![CDATA[", "<?", "?>", "="),
    *(
        "<!DOCTYPE x>",
        "\0",
        "\r",
        "\n",
        "\x85",
        "\u202e",
        "NaN",
        "-0.0",
        "5",
        " ",
        "\ufffd",
        "count",
    ),
)


@given(
    st.sampled_from([(WSP, WORKSPACE), (DIVA, EXPERIMENT)]),
    st.lists(
        st.tuples(st.integers(0, 6000), st.sampled_from([0, 0, 1, 5, 40]), st.sampled_from(PIECES)),
        max_size=3,
    ),
)
@settings(deadline=None, max_examples=400)
def test_each_value_that_is_read_stands_in_the_line_that_it_names(
    export: tuple[Profile, str], cuts: list[tuple[int, int, str]]
):
    """Whatever the file is: no exception, and nothing that is not written there."""
    profile, text = export
    for at, gone, new in cuts:
        text = text[:at] + new + text[at + gone :]
    reading = read(text.encode(errors="replace"), profile)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for one in reading.parsed:
        near = lines[one.cell.line - 1 : one.cell.line + 3]  # what is inserted may break the tag
        assert (one.cell.original or one.text) in "\n".join(near)
    for problem in reading.problems:
        assert problem.code in CODES
        assert problem.hint
        assert problem.line <= len(lines)


def test_every_export_of_a_table_is_still_read_as_one():
    assert read_export(b"a,b\n1,2\n").header == ("a", "b")
