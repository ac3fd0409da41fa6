"""Value, unit and time cells: what is read, and the code of everything that is not."""

from dataclasses import replace

import pytest

from batchqc.core.acceptance import ReportOnly
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured
from batchqc.intake.contract import Reading
from tests.cast import specification
from tests.intake.files import DENSITY, ENDOTOXIN, STERILITY, file, found, read, read_one


def value_codes(reading: Reading) -> list[str]:
    assert all(one.column == "value" for one in reading.problems)
    return [one.code for one in reading.problems]


@pytest.mark.parametrize(
    "text",
    [
        "96.90",
        "9.69E1",
        "+96",
        "1",
        "100",
        "> 95",
        ">95",
        "≥95",
        "<=2.0",
        "≤2.0",
        "96.9%",
        "96.9 %",
    ],
)
def test_a_number_of_percent_is_read(text):
    (measurement,) = read_one(value=text).measurements
    assert measurement.text == text
    assert measurement.amount is not None


@pytest.mark.parametrize("text", ["2450000", "2.45E6", "2.45e+06", ">1E6", "2450000.0"])
def test_a_number_of_cells_is_read(text):
    (measurement,) = read_one(**DENSITY | {"value": text}).measurements
    assert measurement.amount is not None


NOT_NUMBERS = {
    "E201": "#DIV/0! #N/A #NAME? #NULL! #NUM! #REF! #VALUE! #SPILL! #WERT! #NV #N/D ##### Err:502"
    " #GETTING_DATA",
    "E202": "NaN nan N/A n/a NA n.a. null NULL None - -- – — ----- . ... ? TBD pending missing",
    "E203": "abc ERROR 9O.5 0x1F 1e5e 5- .5 5. inf Infinity 1e ١٢ ９６ 96½ −5 ~5 ±5 5-7 12:30 1E400"
    " 1.20×10^6 96.9mg -0 -0.0 1/2",
    "E204": "< > <= >= ≤ <LOD <LLOQ >ULOQ >max BDL BLQ BLOQ TNTC OVRFLW OOR<",
    "E205": "96,90 1,250 1,250,000 1.250.000 1'250'000 1’250’000 2,5E+07 96·9 1_250 ,5 5, -1,5"
    " 1,250.5 97,5% <0,05 >1.250,00 ٫5",
    "E206": "ND N.D. nd NT NQ Neg negative positive trace pass",
}
NOT_NUMBERS_WITH_SPACES = {
    "E202": ["", "   ", "not available"],
    "E203": [" 96.9", "96.9 ", "1.20 × 106", "96.9 mg", "96.9\n", "<  0.05", "5 x 5"],
    "E204": ["< ", "> LOD", "Above Fit Curve Range", "below detection limit", "out of range"],
    "E205": [
        "1 250 000",
        "1 250,5",
        "1\N{NO-BREAK SPACE}250",
        "1\N{THIN SPACE}250\N{THIN SPACE}000",
        "1\N{NARROW NO-BREAK SPACE}250",
        "< 0,05",
        "97,5 %",
    ],
    "E206": ["not done", "Not  detected"],
}


@pytest.mark.requirement("11.06")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        *((text, code) for code, texts in NOT_NUMBERS.items() for text in texts.split(" ")),
        *((text, code) for code, texts in NOT_NUMBERS_WITH_SPACES.items() for text in texts),
    ],
)
def test_what_is_not_a_number_is_refused_with_its_code(text, code):
    reading = read_one(value=text)
    assert value_codes(reading) == [code]
    assert reading.measurements == ()


@pytest.mark.parametrize("text", ["--5", "-x", "+", "-cmd|' /C calc'!A0", "+1+1", "-1-1"])
def test_a_value_that_a_spreadsheet_would_run_is_a_formula_too(text):
    for row in ({}, STERILITY, {"result_type": "raw"}):
        codes = value_codes(read_one(**row | {"value": text}))
        assert text == "+" or "E501" in codes
        assert codes or "result_type" in row


def test_a_long_text_where_a_number_belongs_is_refused_at_once():
    for text in ("1" * 300, " " * 300 + "x", "1 " * 140 + "x"):
        assert value_codes(read_one(value=text)) == ["E203"]
    assert value_codes(read_one(value="1" * 501)) == ["E406"]


@pytest.mark.parametrize("value", ["97.5%", "97.5 %"])
def test_a_percent_sign_needs_the_unit_percent(value):
    assert value_codes(read_one(**DENSITY | {"value": value})) == ["E203"]


@pytest.mark.requirement("4.27")
@pytest.mark.parametrize(
    ("row", "value", "codes"),
    [
        ({}, "1", []),
        ({}, "100", []),
        ({}, "100.1", ["E209"]),
        ({}, "0.99", ["E207"]),
        ({}, "0.01", ["E207"]),
        ({}, "0.009", ["E209"]),
        ({}, "-5", ["E209"]),
        ({}, "<0.5", ["E209"]),
        ({}, ">95", []),
        ({}, ">100", ["E209"]),
        (DENSITY, "999", ["E209"]),
        (DENSITY, "1E3", []),
        (DENSITY, "1E9", []),
        (DENSITY, "1.1E9", ["E209"]),
        (DENSITY, "96.9", ["E209"]),
        (ENDOTOXIN, "0.0001", []),
        (ENDOTOXIN, "1E6", []),
    ],
)
def test_a_value_outside_the_plausible_range_is_refused(row, value, codes):
    assert value_codes(read_one(**row | {"value": value})) == codes


@pytest.mark.parametrize(
    ("word", "codes"),
    [
        ("No growth", []),
        ("NO  GROWTH", []),
        ("negative", []),
        ("Sterile", []),
        ("growth", []),
        ("GROWTH", []),
        ("TNTC", ["W601"]),
        ("Positive", ["W601"]),
        ("Neg", ["E206"]),
        ("0", ["E206"]),
        ("no growth (14 d)", ["E206"]),
        ("ND", ["E206"]),
        ("", ["E202"]),
        ("N/A", ["E202"]),
        ("-", ["E202"]),
        ("#N/A", ["E201"]),
    ],
)
def test_a_word_must_be_on_the_list_and_a_synonym_that_fails_is_shown(word, codes):
    reading = read_one(**STERILITY | {"value": word})
    assert value_codes(reading) == codes
    assert reading.accepted == (codes in ([], ["W601"]))


def with_criterion(analyte: str, **changes: object) -> Specification:
    plan = specification()
    criteria = [
        replace(one, **changes)  # type: ignore[arg-type]
        if isinstance(one.subject, Measured) and one.subject.analyte == analyte
        else one
        for one in plan.criteria
    ]
    return replace(plan, criteria=tuple(criteria))


def test_a_line_for_information_reads_numbers_where_it_has_a_unit_and_text_where_not():
    plan = with_criterion("viability", accept=ReportOnly())
    assert value_codes(read_one(plan)) == []
    assert value_codes(read_one(plan, value="96,90")) == ["E205"]
    karyotype = Measured("VIAB", "viability", "SOP-QC-014")
    plan = with_criterion("viability", accept=ReportOnly(), subject=karyotype)
    assert value_codes(read_one(plan, value="46,XY[20]", unit="")) == []
    assert value_codes(read_one(plan, value="N/A", unit="")) == ["E202"]
    assert value_codes(read_one(plan, value="#REF!", unit="")) == ["E201"]


@pytest.mark.parametrize(
    ("row", "unit", "is_right"),
    [
        ({}, "%", True),
        ({}, " % ", True),
        ({}, "", False),
        ({}, "fraction", False),
        ({}, "％", False),
        (ENDOTOXIN, "EU/mL", True),
        (ENDOTOXIN, "EU/ml", False),
        (ENDOTOXIN, "EU", False),
        (ENDOTOXIN, "EU/kg", False),
        (ENDOTOXIN, "IU/mL", False),
        (DENSITY, "10*6 cells/mL", False),
        (STERILITY, "", True),
        (STERILITY, "CFU", True),
    ],
)
def test_the_unit_is_that_of_the_specification(row, unit, is_right):
    reading = read_one(**row | {"unit": unit})
    assert found(reading.problems) == ([] if is_right else [("E208", 2, "unit")])


def test_both_micro_signs_and_u_are_one_unit():
    subject = Measured("VIAB", "viability", "SOP-QC-014", "µg/mL")
    plan = with_criterion("viability", subject=subject)
    for unit in ("µg/mL", "\N{GREEK SMALL LETTER MU}g/mL", "ug/mL"):
        assert read_one(plan, unit=unit).measurements[0].unit == unit


@pytest.mark.requirement("4.27")
def test_the_other_decimal_mark_in_the_column_is_pointed_at():
    reading = read(file({}, {"replicate": "2"}, {"value": "97,5", "replicate": "3"}))
    assert found(reading.problems) == [("E205", 2, "value"), ("E205", 4, "value")]
    assert reading.problems[0].message.endswith("(rows 2 and 4)")


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-21T16:56:00-05:00",
        "2026-03-21T16:56-05:00",
        "2026-03-21T21:56:00Z",
        "2026-03-21T21:56:00.123456Z",
        "2026-03-21 16:56:00-05:00",
        "2026-03-22T11:56:00+14:00",
        "2025-05-20T08:00:00-05:00",
        "2026-06-01T12:00:00Z",
    ],
)
def test_a_time_with_its_offset_is_read(text):
    (measurement,) = read_one(measured_at=text).measurements
    assert measurement.measured_at.utcoffset() is not None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("03/04/2026 10:15", "E301"),
        ("13/04/2026 10:20", "E301"),
        ("21.03.2026 16:56", "E301"),
        ("46102.7055", "E301"),
        ("46102", "E301"),
        ("2026-02-30T10:00:00Z", "E301"),
        ("2026-03-21T24:00:00Z", "E301"),
        ("2026-03-21T16:56:60Z", "E301"),
        ("2026-03-21T16:56:00+25:00", "E301"),
        ("2026-03-21T16:56:00+15:00", "E301"),
        ("2026-03-21T16:56:00+05:99", "E301"),
        ("2026-03-21T16:56:00-05:60", "E301"),
        ("2026-03-21T16:56:00 CST", "E301"),
        ("2026-03-21T16:56:00-0500", "E301"),
        ("26-03-21T16:56:00Z", "E301"),
        ("2026-3-21T16:56:00Z", "E301"),
        ("0001-01-01T00:00:00+14:00", "E301"),
        ("9999-12-31T23:59:59-14:00", "E301"),
        ("٢٠٢٦-03-21T16:56:00Z", "E301"),
        ("today", "E301"),
        ("2026-03-21T16:56:00", "E302"),
        ("2026-03-21 16:56", "E302"),
        ("2026-03-21", "E302"),
        ("2026-03-21T16:56:00-00:00", "E302"),
        ("2026-06-01T12:00:01Z", "E303"),
        ("2027-01-01T00:00:00Z", "E303"),
        ("2025-05-20T07:59:59-05:00", "E304"),
        ("", "E202"),
    ],
)
def test_a_time_that_says_no_moment_or_an_impossible_one_is_refused(text, code):
    assert found(read_one(measured_at=text).problems) == [(code, 2, "measured_at")]


def test_a_measurement_before_the_lot_was_made_is_refused_by_the_day_of_the_site():
    early = read_one(measured_at="2025-05-19T04:59:59Z")  # the 18th in Chicago
    assert [one.message for one in early.problems if "lot" in one.message] == [
        "measured_at is before lot MSC-26-0012 was made (2025-05-19)"
    ]
    assert {one.code for one in early.problems} == {"E304"}


def test_a_start_after_the_measurement_is_refused():
    reading = read_one(started_at="2026-03-21T16:57:00-05:00")
    assert found(reading.problems) == [("E304", 2, "started_at")]
    (measurement,) = read_one(started_at="2026-03-21T16:56:00-05:00").measurements
    assert measurement.elapsed is not None


def test_a_start_is_needed_where_the_plan_has_a_planned_day():
    subject = Measured("STER", "growth_14d", "SOP-MB-002", planned_days=14)
    plan = with_criterion("growth_14d", subject=subject)
    assert found(read_one(plan, **STERILITY).problems) == [("E202", 2, "started_at")]
    started = STERILITY | {"started_at": "2026-03-07T10:30:00-05:00"}
    assert read_one(plan, **started).accepted
    assert read_one(plan, **STERILITY | {"result_type": "control"}).accepted
    without = read(
        file(
            STERILITY,
            header=[x for x in file().decode().split("\r\n")[0].split(",") if x != "started_at"],
        ),
        plan,
    )
    assert found(without.problems) == [("E202", 2, "started_at")]
