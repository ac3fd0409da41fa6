"""What goes into a database comes out of it: texts, digits, moments and their offsets."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import StatementError

from batchqc.core.canonical import utc_text
from batchqc.records.base import Row
from batchqc.records.guards import NOT_A_RECORD, OF_SEARCH, OF_USES
from batchqc.records.registers import Product, product_by
from batchqc.records.transaction import SYSTEM, reading, transaction
from batchqc.records.uploads import MeasurementRow, measurements_of, runs_of
from tests.cast import NOW
from tests.records.house import LOT, House, results, the_lot

TEXTS = (
    "93.40",
    "2.45E6",
    "1.8E8",
    "-0.0",
    "<0.05",
    " outer spaces ",
    "µmol/L",  # U+00B5, the micro sign
    "μmol/L",  # U+03BC, the Greek letter: not the same text
    "Vĩnh Long",
    "Vi\u0303nh Long",  # the same in Unicode NFC, typed in two characters
    "line\r\nline\ttab",
    "'; DROP TABLE lot; --",
    'a "quoted" \\ word',
    "𝛼 \N{ZERO WIDTH SPACE} ™",
    "NULL",
    "",
)
MOMENTS = (
    "2026-03-08T01:59:59.999999-06:00",
    "2026-03-08T03:00:00-05:00",  # the second after it: Chicago's clocks go forward
    "2026-11-01T01:30:00-05:00",
    "2026-11-01T01:30:00-06:00",  # an hour after it, by the same clock
    "2026-01-01T00:00:00.000001+14:00",
    "2199-12-31T23:59:59.120000-12:00",
    "1950-01-01T00:00:00+05:45",
)


def add_product(engine: Engine, number: int, name: str, at: datetime = NOW) -> Product:
    code = f"P{number}"
    product = Product(
        code=code, folded=code.lower(), name=name, form="", storage="", registered_at=at
    )
    with transaction(engine, SYSTEM, NOW) as tx:
        tx.add(product)
        tx.audit("product registered", rows=[product])
    return product


def read_product(engine: Engine, number: int) -> tuple[str, datetime, str]:
    with reading(engine) as session:
        product = product_by(session, f"P{number}")
        assert product is not None
        return product.name, product.registered_at, product.content_sha256


@pytest.mark.requirement("11.05")
def test_a_text_comes_back_character_by_character(engine: Engine):
    for number, typed in enumerate(TEXTS):
        add_product(engine, number, typed)
    for number, typed in enumerate(TEXTS):
        assert read_product(engine, number)[0] == typed


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(typed=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_any_text_comes_back_and_so_does_its_hash(engine: Engine, typed: list[str]):
    with transaction(engine, SYSTEM, NOW) as tx:
        start = len(tx.session.scalars(select(Product.id)).all())
        products = [
            Product(code=code, folded=code, name=one, form="", storage="", registered_at=NOW)
            for code, one in ((f"P{number}", one) for number, one in enumerate(typed, start))
        ]
        tx.add(*products)
        tx.audit("products registered", rows=products)
        hashes = [product.content_sha256 for product in products]
    with reading(engine) as session:
        rows = session.scalars(select(Product).order_by(Product.id)).all()[start:]
        assert [row.name for row in rows] == typed
        assert [row.content_sha256 for row in rows] == hashes


def test_a_moment_comes_back_to_the_microsecond_and_sorts_by_time(engine: Engine):
    moments = [datetime.fromisoformat(one) for one in MOMENTS]
    for number, moment in enumerate(moments):
        add_product(engine, number, "", moment)
    for number, moment in enumerate(moments):
        read = read_product(engine, number)[1]
        assert read == moment
        assert read.utcoffset() == timedelta(0)
    with reading(engine) as session:
        ordered = session.scalars(
            select(Product.registered_at).order_by(Product.registered_at)
        ).all()
    assert list(ordered) == sorted(moments)


def test_a_moment_is_stored_as_text_with_six_digits_and_z(engine: Engine):
    at = datetime(2026, 3, 8, 1, 59, 59, tzinfo=timezone(timedelta(hours=7)))
    add_product(engine, 1, "", at)
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT registered_at FROM product")).scalar_one()
    assert stored == utc_text(at) == "2026-03-07T18:59:59.000000Z"


def test_a_moment_without_a_zone_is_refused(engine: Engine):
    with pytest.raises(StatementError, match="without a zone"):
        add_product(engine, 1, "", NOW.replace(tzinfo=None))


def test_a_moment_is_found_by_comparison(engine: Engine):
    for number in range(3):
        add_product(engine, number, "", NOW + timedelta(microseconds=number))
    with reading(engine) as session:
        later = select(Product.code).where(Product.registered_at > NOW)
        assert set(session.scalars(later)) == {"P1", "P2"}


@pytest.mark.requirement("11.05")
def test_digits_offsets_and_signs_of_a_file_come_back_from_the_database(house: House):
    house.upload(
        results(
            viability={"value": "93.40", "measured_at": "2025-05-20T10:00:00.120000-05:00"},
            CD90="100.0",
            endotoxin="<0.050",
            kynurenine={"value": "1.42E1", "comment": "Vi\u0303nh Long, µ"},
            growth_14d={
                "started_at": "2025-05-20T23:00:00+07:00",
                "measured_at": "2025-06-03T11:00:00Z",
            },
        )
    )
    with house.reading() as session:
        found = {
            one.analyte: one
            for one in measurements_of(session, runs_of(session, the_lot(session, LOT)))
        }
    assert found["viability"].text == "93.40"
    assert found["CD90"].text == "100.0"
    assert found["endotoxin"].text == "<0.050"
    assert (found["kynurenine"].text, found["kynurenine"].unit) == ("1.42E1", "µmol/L")
    assert found["kynurenine"].comment == "Vi\u0303nh Long, µ"
    assert Decimal(found["viability"].text).as_tuple().digits == (9, 3, 4, 0)
    measured = found["viability"].measured_at
    assert measured.isoformat() == "2025-05-20T10:00:00.120000-05:00"
    sterility = found["growth_14d"]
    assert sterility.started_at is not None
    assert sterility.started_at.isoformat() == "2025-05-20T23:00:00+07:00"
    assert sterility.measured_at.isoformat() == "2025-06-03T11:00:00+00:00"


def test_the_shadow_of_a_moment_is_the_same_moment_in_utc(house: House):
    house.upload(results())
    with house.reading() as session:
        for row in session.scalars(select(MeasurementRow)):
            assert datetime.fromisoformat(row.measured_text) == row.measured_at
            assert row.measured_at.tzinfo == UTC


def test_every_column_is_text_or_a_whole_number():
    kinds = {
        f"{table.name}.{column.name}": column.type.compile()
        for table in Row.metadata.tables.values()
        for column in table.columns
    }
    assert set(kinds.values()) == {"TEXT", "INTEGER"}


@pytest.mark.only_on("sqlite", "PostgreSQL has no loose types")
def test_a_column_refuses_another_type(engine: Engine):
    with engine.connect() as connection:
        strict = connection.exec_driver_sql("PRAGMA table_list").fetchall()
    tables = {row[1]: row[5] for row in strict if not row[1].startswith("sqlite_")}
    loose = {NOT_A_RECORD, *OF_SEARCH}
    assert {name for name, is_strict in tables.items() if not is_strict} == loose
    assert tables.keys() - loose - OF_USES == Row.metadata.tables.keys()
