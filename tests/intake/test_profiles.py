"""Files of instruments: read as the declared profile says, each value found again in its cell."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchqc.core.assays import Measurement, amount_of
from batchqc.core.profiles import Marks, Profile
from batchqc.documents.profile_file import read_profile
from batchqc.intake.contract import Asked, Reading, read_bytes
from batchqc.intake.marks import plain_number
from batchqc.intake.problems import Wrong
from batchqc.settings import shipped_profiles
from tests.cast import MSC, register
from tests.intake.files import UPLOAD, file, found
from tests.intake.nasty import COMMAS, NASTY

S01, S02 = f"{MSC}-S01", f"{MSC}-S02"
STATED = {
    "measured_at": "2026-03-21T16:56:00-05:00", "analyst": "jdoe", "instrument_id": "FAC-002",
    "run_id": "R-26-0001",
}  # fmt: skip


ITS_TIME = '{ column = "Analysis date/time", formats = ["%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p"] }'


def shipped(name: str, *changes: tuple[str, str]) -> Profile:
    """A shipped profile, adapted."""
    text = (shipped_profiles() / f"{name}.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    reading = read_profile(text.encode(), file=f"{name}.toml")
    assert reading.profile is not None, reading.problems
    return reading.profile


def read(data: bytes, profile: Profile, cells: tuple[str, ...] = (), **samples: str) -> Reading:
    asked = Asked({name: STATED[name] for name in cells}, samples)
    return read_bytes(data, lambda _: register(), upload=UPLOAD, profile=profile, asked=asked)


def values(reading: Reading) -> list[tuple[str, str, str]]:
    assert reading.accepted, reading.problems
    return [(one.sample, one.analyte, one.text) for one in reading.measurements]


def the(reading: Reading) -> Measurement:
    (one,) = reading.measurements
    return one


def test_every_shipped_profile_is_sound_and_named_once():
    readings = {
        path.stem: read_profile(path.read_bytes(), file=path.name)
        for path in sorted(Path(shipped_profiles()).glob("*.toml"))
    }
    assert len(readings) >= 14
    assert [one for reading in readings.values() for one in reading.problems] == []
    ids = {reading.profile.id for reading in readings.values() if reading.profile}
    assert len(ids) == len(readings)


class TestNasty:
    """The files that wait for a profile, under theirs."""

    @pytest.mark.requirement("1.30")
    def test_01_a_decimal_comma(self):
        data = b"\xef\xbb\xbf" + COMMAS.replace(b",", b";").replace(b"#", b",")
        reading = read(data, shipped("csv-decimal-comma"))
        assert [one.text for one in reading.measurements] == ["96.90", "95.10", "97.00"]
        assert [str(one.amount.number) for one in reading.measurements if one.amount] == [
            "96.90", "95.10", "97.00",
        ]  # fmt: skip
        assert [one.cell.original for one in reading.measurements] == ["96,90", "95,10", "97,00"]

    def test_03_windows_1252(self):
        data = (
            b"Sample ID,Average diameter (\xb5m),Viability (%),Temp (\xb0C)\r\n"
            b"MSC-26-0012-S01,18.51,96.9,37.0\r\n"
        )
        profile = shipped(
            "vi-cell-blu", ('"Viable (x10^6) cells/mL"', '"Average diameter (\u00b5m)"'),
            ('layout    = "table"', 'layout    = "table"\nencoding = "cp1252"'),
            (ITS_TIME, "{ asked = true }"),
            ('"10*6.{cells}/mL"', '"cells/mL"'), ('"VCD"', '"FLOW"'),
            ('"viable_cell_density"', '"CD73"'), ('"cells/mL"', '"%"'),
        )  # fmt: skip
        found = values(read(data, profile, tuple(STATED)))
        assert found == [(S01, "viability", "96.9"), (S01, "CD73", "18.51")]
        assert (
            the(read(data.replace(b",18.51", b","), profile, tuple(STATED))).cell.column
            == "Viability (%)"
        )

    def test_04_a_preamble_and_an_american_date(self):
        data = next(one.data for one in NASTY if one.name.startswith("04"))
        profile = shipped(
            "cellaca-matrix", ('["Well Name", "Viability (%)"]', '["Well", "Viability"]'),
            ('= "Well Name"', '= "Sample"'), ('"Viability (%)"', '"Viability"'),
            ('"Live Concentration (E6)"', '"Live Cells/mL"'), ('"10*6.{cells}/mL"', '"cells/mL"'),
            ('unit    = "%"', 'unit    = "%"\nsuffix = "%"'),
        )  # fmt: skip
        reading = read(data, profile, ("analyst",))
        assert values(reading) == [
            (S01, "viability", "87.00"), (S01, "viable_cell_density", "2.28E+06"),
            (S02, "viability", "86.00"), (S02, "viable_cell_density", "2.23E+06"),
        ]  # fmt: skip
        first = reading.measurements[0]
        assert first.measured_at.isoformat() == "2025-05-20T12:25:00-05:00"
        assert (first.instrument, first.run.run) == ("MX-123-123", "Plate1")
        assert (first.cell.row, first.cell.column, first.cell.original) == (
            7,
            "Viability",
            "87.00%",
        )

    def test_05_a_footer_and_percent_signs(self):
        data = next(one.data for one in NASTY if one.name.startswith("05"))
        reading = read(data, shipped("flowjo-table"), tuple(STATED))
        assert values(reading) == [
            (S01, "CD73", "98.7"), (S01, "CD90", "99.1"),
            (S02, "CD73", "97.2"), (S02, "CD90", "98.8"),
        ]  # fmt: skip
        (skipped,) = [one for one in reading.problems if one.code == "W607"]
        assert "Mean (row 4), SD (row 5)" in skipped.message


VI_CELL = (
    "Sample ID,Viable (x10^6) cells/mL,Viability (%),Analysis date/time,Cell type\n"
    f"{S01},0.75,96.90,3/21/2026 16:56,MSC\n"
)
DENSITY = ('"10*6.{cells}/mL"', '"cells/mL"')


ASKED = ("analyst", "instrument_id", "run_id")


def vi_cell(*changes: tuple[str, str], stated: tuple[str, ...] = ASKED, **samples: str) -> Reading:
    text = VI_CELL
    for old, new in changes:
        text = text.replace(old, new, 1)
    data = text.replace("0.75", "7.5E5").encode()
    return read(data, shipped("vi-cell-blu", DENSITY), stated, **samples)


class TestTables:
    def test_a_row_gives_a_measurement_for_each_column(self):
        reading = vi_cell()
        assert values(reading) == [
            (S01, "viability", "96.90"),
            (S01, "viable_cell_density", "7.5E5"),
        ]
        assert {one.measured_at.isoformat() for one in reading.measurements} == {
            "2026-03-21T16:56:00-05:00"
        }
        assert [(one.cell.row, one.cell.column) for one in reading.measurements] == [
            (2, "Viability (%)"), (2, "Viable (x10^6) cells/mL"),
        ]  # fmt: skip
        assert reading.columns_unused == ("Cell type",)
        assert "Sample ID" in reading.columns_used
        assert reading.contract == "profile VI-CELL-BLU v1"

    def test_a_name_in_the_file_is_a_registered_sample_where_the_uploader_says_so(self):
        assert values(vi_cell((S01, "CLB001"), CLB001=S02))[0] == (S02, "viability", "96.90")

    def test_an_unknown_sample_is_told_once(self):
        assert found(vi_cell((S01, "CLB001")).problems) == [("E401", 2, "Sample ID")]

    @pytest.mark.parametrize(
        ("change", "code", "place"),
        [
            (("96.90", "ERROR"), "E203", (2, "Viability (%)")),
            (("96.90", "NaN"), "E202", (2, "Viability (%)")),
            (("96.90", "inf"), "E203", (2, "Viability (%)")),
            (("96.90", "-0.0"), "E203", (2, "Viability (%)")),
            (("96.90", "196.9"), "E209", (2, "Viability (%)")),
            (("96.90", '"96,90"'), "E205", (2, "Viability (%)")),
            (("3/21/2026 16:56", "21.3.2026 16:56"), "E301", (2, "Analysis date/time")),
            (("3/21/2026 16:56", "1/1/1970 00:00"), "E301", (2, "Analysis date/time")),
            (("3/21/2026 16:56", "3/8/2026 2:30"), "E302", (2, "Analysis date/time")),
            (("3/21/2026 16:56", "11/2/2025 1:30"), "E302", (2, "Analysis date/time")),
            (("Viability (%)", "Viability"), "E110", (1, "")),
            ((",Cell type", ",Sample ID"), "E107", (1, "")),
        ],
    )
    def test_a_problem_points_at_the_column_of_the_file(
        self, change: tuple[str, str], code: str, place: tuple[int, str]
    ):
        reading = vi_cell(change)
        assert not reading.accepted
        assert (code, *place) in found(reading.problems)

    @pytest.mark.parametrize(
        ("typed", "read_as"), [("3/4/2026 10:15", ""), ("21/3/2026 10:15", "03-21"),
                               ("4/4/2026 10:15", "04-04")],
    )  # fmt: skip
    def test_a_date_that_two_declared_forms_read_differently_is_refused(
        self, typed: str, read_as: str
    ):
        either = ITS_TIME.replace("%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M")
        data = VI_CELL.replace("0.75", "7.5E5").replace("3/21/2026 16:56", typed).encode()
        reading = read(data, shipped("vi-cell-blu", DENSITY, (ITS_TIME, either)), ASKED)
        told = [one.message for one in reading.problems if one.code == "E301"]
        assert bool(told) == (not read_as)
        assert all("is ambiguous: 3 may be the day or the month" in one for one in told)
        assert (
            not read_as
            or f"2026-{read_as}"
            in the(replace(reading, measurements=reading.parsed[:1])).measured_at.isoformat()
        )

    def test_what_is_not_stated_or_not_asked_for_is_told_at_once(self):
        reading = vi_cell(stated=("analyst", "measured_at"))
        told = {one.message for one in reading.problems}
        assert told >= {
            "VI-CELL-BLU v1 does not find instrument_id in the file",
            "VI-CELL-BLU v1 does not find run_id in the file",
            "measured_at was stated, and VI-CELL-BLU v1 does not ask for it",
        }

    def test_a_stated_cell_that_is_wrong_is_told_once_and_as_stated(self):
        asked = Asked(STATED | {"analyst": "nobody"})
        profile = shipped("vi-cell-blu", DENSITY, ("measured_at   = {", "started_at = {"),
                          ("analyst  ", "measured_at = { asked = true }\nanalyst  "))  # fmt: skip
        reading = read_bytes(VI_CELL.replace("0.75", "7.5E5").encode(), lambda _: register(),
                             upload=UPLOAD, profile=profile, asked=asked)  # fmt: skip
        assert [one.column for one in reading.problems if one.code == "E401"] == ["stated: analyst"]

    def test_a_file_of_another_kind_is_refused(self):
        blu = shipped("vi-cell-blu")
        assert "E110" in [one.code for one in read(file(), blu).problems]
        utf16 = read(VI_CELL.encode("utf-16"), blu)
        assert [one.code for one in utf16.problems] == ["E103"]
        plain = read(VI_CELL.encode(), shipped("softmax-pro-group"))
        assert [one.code for one in plain.problems] == ["E103"]
        nothing = read(VI_CELL.encode(), shipped("cellaca-matrix"))
        assert [one.code for one in nothing.problems] == ["E110"]

    def test_a_block_below_a_marker_ends_at_a_blank_row(self):
        text = (
            '"Batch","PCD-1"\r\n"SN","FM3DD-1"\r\n"BatchStopTime","3/21/2026 7:06:59 AM"\r\n\r\n'
            '"DataType:","Net MFI"\r\n"Location","Sample","alpha","bravo"\r\n'
            f'"1(1,A1)","{S01}","1","2"\r\n\r\n'
            '"DataType:","Median"\r\n"Location","Sample","alpha","bravo"\r\n'
            f'"1(1,A1)","{S01}","10921.5","37214"\r\n\r\n'
            '"DataType:","Count"\r\n"Location","Sample","alpha","bravo"\r\n'
            f'"1(1,A1)","{S01}","30","42"\r\n'
        )
        profile = shipped("luminex-xponent", ('"LUMINEX"', '"FLOW"'))
        reading = read(text.encode(), profile, ("analyst",))
        assert [one.text for one in reading.measurements] == ["10921.5", "37214"]
        assert {(one.result_type, one.aliquot, one.run.run) for one in reading.measurements} == {
            ("raw", "A1", "PCD-1")
        }

    def test_thousands_by_a_space_and_cells_that_report_nothing(self):
        head = "SAMPLE ID,INSTRUMENT,STATUS,LIVE (cells/ml),VIABILITY (%)\n"
        rows = f"{S01},S/N: 9002,OK,124\u00a0000,95.1\n{S02},S/N: 9002,OK,1\u00a0240\u00a0000,\n"
        reading = read(
            (head + rows).encode(), shipped("nc-view-nc202"), ("measured_at", "analyst", "run_id")
        )
        assert values(reading) == [
            (S01, "viability", "95.1"), (S01, "viable_cell_density", "124000"),
            (S02, "viable_cell_density", "1240000"),
        ]  # fmt: skip
        assert reading.measurements[1].cell.original == "124\u00a0000"
        assert ("W605", 3, "VIABILITY (%)") in found(reading.problems)


def test_a_page_of_names_and_values_is_one_row():
    text = (
        "Counting; ;\nImage;20260321-0012-c-MSC-26-0012-S01;\nViability (%);93.4;\n"
        "Live (cells/ml);2.45E6;\nInstrument s/n;s/n 9000;\nDate time;20260321 163016;\n"
        "Time zone offset;2\n"
    )
    reading = read(text.encode(), shipped("nucleoview-nc200"), ("analyst",))
    assert values(reading) == [(S01, "viability", "93.4"), (S01, "viable_cell_density", "2.45E6")]
    first = reading.measurements[0]
    assert first.measured_at.isoformat() == "2026-03-21T16:30:16+02:00"
    assert (first.cell.row, first.cell.column, first.instrument) == (3, "Viability (%)", "9000")
    twice = read(
        (text + "Viability (%);99.9;\n").encode(), shipped("nucleoview-nc200"), ("analyst",)
    )
    assert "E107" in [one.code for one in twice.problems]
    xr = (
        f"Vi-CELL XR\n\nSample ID : {S01}\nRunDate : 21 Mar 2026  5:21:32 AM\nUnit S/N : AW1\n"
        "Viability (%) : 97.0\nTotal viable cells / ml (x 10^6) : 8.74\n"
    )
    page = read(
        xr.replace("8.74", "8.74E6").encode(), shipped("vi-cell-xr", DENSITY), ("analyst", "run_id")
    )
    assert values(page) == [(S01, "viability", "97.0"), (S01, "viable_cell_density", "8.74E6")]
    assert page.measurements[0].measured_at.isoformat() == "2026-03-21T05:21:32-05:00"


@pytest.mark.parametrize(
    ("text", "marks", "plain"),
    [
        ("96,90", Marks(","), "96.90"),
        ("<0,05", Marks(","), "<0.05"),
        ("≤0,05", Marks(","), "≤0.05"),
        ("≤1.250", Marks(",", "."), "≤1250"),
        ("≥96.90", Marks(","), None),
        ("≤ 1.25", Marks(",", "."), None),
        ("2,45E6", Marks(","), "2.45E6"),
        ("97,5 %", Marks(","), "97.5 %"),
        ("1.250.000,5", Marks(",", "."), "1250000.5"),
        ("1'250", Marks(".", "'"), "1250"),
        ("2,191", Marks(".", ","), "2191"),
        ("No growth", Marks(","), "No growth"),
        ("96.90", Marks(","), None),
        ("1.250,5", Marks(","), None),
        ("1.25", Marks(",", "."), None),
        ("1,25", Marks(".", ","), None),
        ("12,34,567", Marks(".", ","), None),
        ("1,2,3", Marks(","), None),
    ],
)
def test_only_the_declared_marks_are_read(text: str, marks: Marks, plain: str | None):
    found = plain_number(text, marks)
    if plain is None:
        assert isinstance(found, Wrong)
        assert found.code == "E205"
    else:
        assert found == plain


@pytest.mark.parametrize("sign", ["", "<", "<=", ">", ">=", "≤", "≥", "≤ ", "-", "+", "<-"])
@pytest.mark.parametrize("number", ["1.250", "96.90", "1.5E3", "97.5%", "97.5  %"])
def test_no_number_with_a_point_is_read_as_such_where_the_decimal_mark_is_a_comma(
    sign: str, number: str
):
    text = sign + number
    assert amount_of(text, "%") is not None
    assert isinstance(plain_number(text, Marks(",")), Wrong)


def test_run_and_method_may_be_stated_once_for_a_file_of_a_contract():
    short = ("lot_id", "sample_id", "test_code", "analyte", "replicate", "value",
                               "unit", "measured_at", "analyst")  # fmt: skip
    data = file({}, header=short)

    def stated(**cells: str) -> Reading:
        return read_bytes(data, lambda _: register(), upload=UPLOAD, asked=Asked(cells))

    one = the(stated(run_id="VCB-9", method_id="SOP-QC-014 v3"))
    assert (one.run.run, one.method, one.version) == ("VCB-9", "SOP-QC-014", "3")
    assert [p.code for p in stated(analyst="jdoe").problems] == ["E110"]
    wrong = stated(method_id="SOP-QC-999").problems
    assert [(p.code, p.column) for p in wrong] == [("E404", "stated: method_id")]
    both = read_bytes(file(), lambda _: register(), upload=UPLOAD, asked=Asked({"run_id": "VCB-9"}))
    assert [p.code for p in both.problems] == ["E107"]


PLATE = (
    "Plate Number\tPlate 1\nReader Serial Number:\tSYN-1\n\nLayout\n\t1\t2\n"
    "A\tSTD1\tS1\tWell ID\n\n"
    "Results\n\t1\t2\t3\nA\t3.337\t1.998\t2.023\t630nm:630\n\t1980.4\t93.5\t94.6\t[Concentration]\n"
    "B\t1.1\tOVRFLW\t0.9\t630nm:630\n\t660.1\t592.7\t\t[Concentration]\n\nStdCurve\n"
)


def test_the_wells_of_a_plate_are_read_whose_sample_is_stated():
    profile = shipped("gen5-plate", ('"ELISA_IDO"', '"FLOW"'), ('"kynurenine"', '"CD73"'),
                      ('"umol/L"', '"%"'), ('result_type = "raw"\n', ""))  # fmt: skip
    reading = read(PLATE.encode(), profile, ("measured_at", "analyst"), A2=S01, A3=S02)
    assert values(reading) == [(S01, "CD73", "93.5"), (S02, "CD73", "94.6")]
    first = reading.measurements[0]
    assert (first.cell.row, first.cell.column) == (11, "2 ([Concentration])")
    assert (first.instrument, first.run.run, first.aliquot) == ("SYN-1", "Plate 1", "A2")
    (listed,) = [one for one in reading.problems if one.code == "W607"]
    assert listed.message.endswith("are not read: A1, B1, B2, B3")
    empty = read(PLATE.encode(), profile, ("measured_at", "analyst"), B3=S01)
    assert "W605" in [one.code for one in empty.problems]
    optical = shipped("gen5-plate", ('"ELISA_IDO"', '"FLOW"'), ('"kynurenine"', '"CD73"'),
                      ('"umol/L"', '"%"'), ('result_type = "raw"\n', ""),
                      ('"[Concentration]"', '"630nm:630"'))  # fmt: skip
    over = read(PLATE.encode(), optical, ("measured_at", "analyst"), B2=S01)
    assert ("E204", 12, "2 (630nm:630)") in found(over.problems)


def test_a_well_that_stands_in_a_file_twice_is_never_read_from_one_of_both():
    profile = shipped("gen5-plate", ('"ELISA_IDO"', '"FLOW"'), ('"kynurenine"', '"CD73"'),
                      ('"umol/L"', '"%"'), ('result_type = "raw"\n', ""))  # fmt: skip
    data = PLATE.replace("B\t1.1", "A\t1.1").replace("592.7", "92.7").encode()
    reading = read(data, profile, ("measured_at", "analyst"), A2=S01)
    assert ("E107", 13, "2 ([Concentration])") in found(reading.problems)
    assert any("stands in row 11 too" in one.message for one in reading.problems)
    numbers = PLATE.replace("\t2\t3\n", "\t2\t3\t3\n").replace("\t630nm", "\t9\t630nm")
    numbers = numbers.replace("\t[Conc", "\t97\t[Conc")
    reading = read(numbers.encode(), profile, ("measured_at", "analyst"), A3=S01)
    assert ("E107", 11, "3 ([Concentration])") in found(reading.problems)


@pytest.mark.parametrize("wells", [("A2", "A3"), ("A2", "B3"), ("B2", "A3"), ("A1", "A3")])
def test_two_wells_are_not_the_same_replicate(wells: tuple[str, str]):
    profile = shipped("gen5-plate", ('"ELISA_IDO"', '"FLOW"'), ('"kynurenine"', '"CD73"'),
                      ('"umol/L"', '"%"'), ('result_type = "raw"\n', ""),
                      ("aliquot", "comment"))  # fmt: skip
    data = PLATE.replace("1980.4", "98.4").replace("592.7\t\t", "92.7\t91\t").encode()
    stated = ("measured_at", "analyst")
    reading = read(data, profile, stated, **dict.fromkeys(wells, S01))
    told = [one for one in reading.problems if one.code == "E405"]
    assert len(told) == 1
    assert wells[0][0] != wells[1][0] or wells[1][1:] in told[0].column
    assert read(data, profile, stated, **dict(zip(wells, (S01, S02), strict=True))).accepted


def test_a_name_of_a_sample_that_the_file_does_not_have_is_told():
    told = [one.message for one in vi_cell(CLB009=S02).problems]
    assert told == ['sample "CLB009" was stated, and the file names none so']
    plate = read(PLATE.encode(), shipped("gen5-plate"), ("measured_at", "analyst"), A13=S01)
    assert any("A13" in one.message for one in plate.problems if one.code == "E110")
    asked = Asked(samples={"CLB001": S01})
    contract = read_bytes(file(), lambda _: register(), upload=UPLOAD, asked=asked)
    assert [one.code for one in contract.problems] == ["E110"]


@pytest.mark.parametrize("data", [b'"abc', b'x"y"z', b"\n\n;", b"a", b'Image;"'])
def test_a_page_that_cannot_be_read_is_refused_and_never_raises(data: bytes):
    for name in ("nucleoview-nc200", "vi-cell-xr", "cellaca-matrix", "gen5-plate", "flowjo-table"):
        assert not read(data, shipped(name), ("analyst",)).accepted


@pytest.mark.parametrize("decimal", [",", "."])
@pytest.mark.parametrize("typed", [",5", '",5"', '" ,5"', ",,5"])
def test_a_decimal_mark_at_the_beginning_of_a_value_of_a_page_is_not_cut_off(
    typed: str, decimal: str
):
    profile = shipped(
        "nucleoview-nc200", ('delimiter = ";"', f'delimiter = ","\ndecimal = "{decimal}"')
    )
    text = (
        "Image,20260321-0012-c-MSC-26-0012-S01,\nViability (%),93,\nLive (cells/ml),2450000,\n"
        "Instrument s/n,s/n 9000,\nDate time,20260321 163016,\nTime zone offset,2\n"
    )
    assert read(text.encode(), profile, ("analyst",)).accepted
    reading = read(text.replace(",93", f",{typed}").encode(), profile, ("analyst",))
    assert [one.code for one in reading.problems] in (["E203"], ["E205"])


@pytest.mark.parametrize("blank", ["\r\n", ",,,\r\n", "\r\n\r\n"])
@pytest.mark.parametrize("more", [f'"2(1,B1)","{S02}","3","4"\r\n', '"DataType:","Count",,\r\n'])
def test_a_row_below_the_blank_one_that_ends_a_table_is_told(blank: str, more: str):
    text = (
        '"Batch","PCD-1"\r\n"SN","FM3DD-1"\r\n"BatchStopTime","3/21/2026 7:06:59 AM"\r\n\r\n'
        '"DataType:","Median"\r\n"Location","Sample","alpha","bravo"\r\n'
        f'"1(1,A1)","{S01}","1","2"\r\n{blank}{more}'
    )
    profile = shipped("luminex-xponent", ('"LUMINEX"', '"FLOW"'))
    reading = read(text.encode(), profile, ("analyst",))
    assert [one.text for one in reading.measurements] == ["1", "2"]
    told = [one.message for one in reading.problems if one.code == "W607"]
    row = 10 if blank == "\r\n\r\n" else 9
    is_row = "S02" in more
    assert told == (
        [f"row {row} and what follows stand below a blank row, and are not read"] * is_row
    )
