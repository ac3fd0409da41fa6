"""The rings around a transaction: no row without its entry, no change, nothing by the side."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress

import psycopg
import pytest
from sqlalchemy import Engine, delete, event, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from batchqc.errors import IntegrityFailure
from batchqc.records.audit import AuditEntry, entries_about, entry_count
from batchqc.records.database import open_database
from batchqc.records.registers import Product
from batchqc.records.transaction import SYSTEM, Transaction, asking, reading, transaction
from tests.cast import NOW

VALUES: Mapping[str, object] = {
    "code": "UC-MSC",
    "folded": "uc-msc",
    "name": "Cord MSC",
    "form": "Suspension",
    "storage": "Cold",
    "registered_at": NOW,
}
RAW = (
    "INSERT INTO product (code, folded, name, form, storage, registered_at)"
    " VALUES ('X', 'x', 'X', 'X', 'X', '2026-01-01T00:00:00.000000Z')"
)


def product(code: str = "UC-MSC", **changes: object) -> Product:
    return Product(**{**VALUES, "code": code, "folded": code.casefold(), **changes})


def register(engine: Engine, *products: Product) -> None:
    with transaction(engine, SYSTEM, NOW) as tx:
        tx.add(*products)
        tx.audit("products registered", rows=products)


def counts(engine: Engine) -> tuple[int, int]:
    """Products, and entries."""
    with reading(engine) as session:
        return (session.scalar(select(func.count(Product.id))) or 0, entry_count(session))


def refused(engine: Engine, code: str, change: Callable[[Transaction], object]) -> None:
    """``change`` is refused with ``code``, though an entry tells of it, and leaves nothing."""
    before = counts(engine)
    with pytest.raises(IntegrityFailure) as caught:
        work(engine, change)
    assert caught.value.code == code
    assert counts(engine) == before


def work(engine: Engine, change: Callable[[Transaction], object]) -> None:
    with transaction(engine, SYSTEM, NOW) as tx:
        tx.audit("something changed", about=["product:UC-MSC"])
        change(tx)


def test_several_rows_of_a_table_are_inserted_together_with_the_ids_that_they_would_get(
    engine: Engine,
):
    register(engine, product("FIRST"))
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    rows = [product(f"P-{n}") for n in range(5)]
    register(engine, *rows)
    assert sum(one.startswith("INSERT INTO product") for one in said) == 1
    with reading(engine) as session:
        found = session.execute(select(Product.id, Product.code).order_by(Product.id)).all()
    assert [code for _, code in found] == ["FIRST", *(f"P-{n}" for n in range(5))]
    first = found[0][0]
    assert [number for number, _ in found] == list(range(first, first + 6))


def test_a_row_and_its_entry_are_committed_together(engine: Engine):
    register(engine, product())
    assert counts(engine) == (1, 1)
    with reading(engine) as session:
        (entry,) = entries_about(session, ["product:UC-MSC"])
        stored = session.scalars(select(Product)).one()
        assert f'"product:UC-MSC":"{stored.content_sha256}"' in entry.text


@pytest.mark.requirement("1.05", "1.50")
def test_a_row_that_no_entry_mentions_is_not_committed(engine: Engine):
    refused(engine, "BQC-AUD-001", lambda tx: tx.add(product()))


def test_a_row_added_to_the_session_itself_is_not_committed_without_its_entry(engine: Engine):
    refused(engine, "BQC-AUD-001", lambda tx: tx.session.add(product()))


def test_a_row_that_is_not_as_its_entry_says_is_not_committed(engine: Engine):
    def change(tx: Transaction) -> None:
        row = product()
        tx.audit("product registered", rows=[row])
        row.name = "Another name"
        tx.add(row)

    refused(engine, "BQC-AUD-001", change)


def test_each_row_without_an_entry_is_named(engine: Engine):
    def change(tx: Transaction) -> None:
        rows = [product(code) for code in ("P1", "P2", "P3")]
        tx.add(*rows)
        tx.audit("product registered", rows=[rows[1]])

    with pytest.raises(IntegrityFailure, match=r"product:P1, product:P3;"):
        work(engine, change)


def test_a_commit_inside_of_the_block_is_checked_too(engine: Engine):
    def change(tx: Transaction) -> None:
        tx.add(product())
        tx.session.commit()

    refused(engine, "BQC-AUD-001", change)


def test_after_a_commit_inside_of_the_block_entries_are_not_written_twice(engine: Engine):
    with transaction(engine, SYSTEM, NOW) as tx:
        tx.audit("the first thing")
        tx.session.commit()
        tx.audit("the second thing")
    assert counts(engine) == (0, 2)


@pytest.mark.requirement("1.61")
def test_a_changed_row_is_refused(engine: Engine):
    register(engine, product())

    def change(tx: Transaction) -> None:
        row = tx.session.scalars(select(Product)).one()
        row.name = "Another name"
        tx.session.flush()

    refused(engine, "BQC-AUD-002", change)


def test_a_changed_row_is_refused_by_the_commit_where_nothing_flushed_it(engine: Engine):
    register(engine, product())

    def change(tx: Transaction) -> None:
        tx.session.scalars(select(Product)).one().name = "Another name"

    refused(engine, "BQC-AUD-002", change)


def test_a_deleted_row_is_refused(engine: Engine):
    register(engine, product())
    refused(
        engine,
        "BQC-AUD-002",
        lambda tx: tx.session.delete(tx.session.scalars(select(Product)).one()),
    )


def test_a_merged_row_that_changes_one_is_refused(engine: Engine):
    register(engine, product())
    refused(engine, "BQC-AUD-002", lambda tx: tx.session.merge(product(id=1, name="Another")))


BY_THE_SIDE: dict[str, Callable[[Session], object]] = {
    "update of a class": lambda one: one.execute(update(Product).values(name="X")),
    "update of a table": lambda one: one.execute(update(Product.__table__).values(name="X")),
    "update of a query": lambda one: one.query(Product).update({"name": "X"}),
    "delete of a class": lambda one: one.execute(delete(Product)),
    "delete of a query": lambda one: one.query(Product).delete(),
    "insert of a class": lambda one: one.execute(insert(Product).values(VALUES)),
    "insert of many": lambda one: one.execute(insert(Product), [VALUES]),
    "insert of a table": lambda one: one.execute(insert(Product.__table__).values(VALUES)),
    "insert that returns": lambda one: one.scalars(insert(Product).returning(Product), [VALUES]),
    "bulk_insert_mappings": lambda one: one.bulk_insert_mappings(Product, [dict(VALUES)]),
    "bulk_save_objects": lambda one: one.bulk_save_objects([product("X")]),
    "bulk_update_mappings": lambda one: one.bulk_update_mappings(Product, [{"id": 1, "name": "X"}]),
    "text": lambda one: one.execute(text(RAW)),
    "text with a remark": lambda one: one.execute(text(f"/* SELECT */ {RAW}")),
    "the connection": lambda one: one.connection().execute(insert(Product).values(VALUES)),
    "the driver": lambda one: one.connection().exec_driver_sql(RAW),
    "a change in a query": lambda one: one.execute(
        text(f"WITH sneaked AS ({RAW} RETURNING id) SELECT * FROM sneaked")  # noqa: S608
    ),
    "a table of its own": lambda one: one.execute(text("CREATE TABLE diary (id INTEGER)")),
}


@pytest.mark.parametrize("how", BY_THE_SIDE)
def test_a_statement_that_passes_the_entries_by_is_refused(engine: Engine, how: str):
    register(engine, product("P1"))
    refused(engine, "BQC-AUD-003", lambda tx: BY_THE_SIDE[how](tx.session))


def test_an_upsert_is_refused(engine: Engine):
    register(engine, product())
    own = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    statement = own(Product).values(VALUES)
    statement = statement.on_conflict_do_update(index_elements=["folded"], set_={"name": "X"})
    refused(engine, "BQC-AUD-003", lambda tx: tx.session.execute(statement))


def test_many_rows_at_once_are_refused_where_entries_hold_each_one(engine: Engine):
    refused(engine, "BQC-AUD-003", lambda tx: tx.add_many(Product, [VALUES]))


def test_it_stays_refused_after_a_commit_or_a_rollback_inside_of_the_block(engine: Engine):
    def rollback(tx: Transaction) -> None:
        tx.session.rollback()
        tx.session.execute(text(RAW))

    def commit(tx: Transaction) -> None:
        tx.session.commit()
        tx.session.execute(text(RAW))

    refused(engine, "BQC-AUD-003", rollback)
    with pytest.raises(IntegrityFailure, match="passes the audit trail by"):
        work(engine, commit)
    assert counts(engine) == (0, 1)  # what was committed before, and no product


Reads = Callable[[Engine], AbstractContextManager[Session]]
both = pytest.mark.parametrize("reads", [reading, asking])


def read(engine: Engine, reads: Reads, change: Callable[[Session], object]) -> None:
    with reads(engine) as session:
        change(session)
        session.commit()


@both
@pytest.mark.parametrize("how", BY_THE_SIDE)
def test_a_session_that_reads_writes_in_no_way(engine: Engine, reads: Reads, how: str):
    register(engine, product("P1"))
    before = counts(engine)
    with pytest.raises(IntegrityFailure) as caught:
        read(engine, reads, BY_THE_SIDE[how])
    assert caught.value.code == "BQC-AUD-004"
    assert counts(engine) == before


@both
def test_a_session_that_reads_flushes_nothing(engine: Engine, reads: Reads):
    with pytest.raises(IntegrityFailure) as caught:
        read(engine, reads, lambda session: session.add(product()))
    assert caught.value.code == "BQC-AUD-004"
    assert counts(engine) == (0, 0)


def test_nothing_stays_of_what_the_driver_writes_where_a_session_reads(engine: Engine):
    with reading(engine) as session, suppress(psycopg.errors.ReadOnlySqlTransaction):
        session.connection().connection.driver_connection.execute(RAW)  # type: ignore[union-attr]
    assert counts(engine) == (0, 0)


@pytest.mark.parametrize("end", [Session.commit, Session.rollback])
def test_nothing_stays_of_it_either_where_that_session_begins_again(
    engine: Engine, end: Callable[[Session], None]
):
    with reading(engine) as session, suppress(psycopg.errors.ReadOnlySqlTransaction):
        session.scalar(text("SELECT 1"))
        end(session)
        session.connection().connection.driver_connection.execute(RAW)  # type: ignore[union-attr]
    assert counts(engine) == (0, 0)


def test_a_session_that_reads_and_begins_again_keeps_nobody_from_writing(engine: Engine):
    with reading(engine) as session:
        session.commit()
        session.scalar(text("SELECT 1"))
        register(engine, product())
    assert counts(engine) == (1, 1)


def test_a_session_that_reads_sees_one_state(engine: Engine):
    with reading(engine) as session:
        assert session.scalar(select(func.count(Product.id))) == 0
        register(engine, product())
        assert session.scalar(select(func.count(Product.id))) == 0
    assert counts(engine) == (1, 1)


@pytest.mark.only_on("postgresql", "SQLite is in the process: nothing is sent")
def test_who_asks_one_question_opens_no_transaction(engine: Engine):
    for reads, status in ((asking, "IDLE"), (reading, "INTRANS"), (asking, "IDLE")):
        with reads(engine) as session:
            session.execute(text("SELECT 1"))
            info = session.connection().connection.driver_connection.info  # type: ignore[union-attr]
            assert info.transaction_status.name == status


@both
@pytest.mark.only_on("postgresql", "SQLite compiles a statement anew for next to nothing")
def test_what_sessions_that_read_ask_again_and_again_stays_prepared(engine: Engine, reads: Reads):
    prepared = text("SELECT count(*) FROM pg_prepared_statements")
    for _ in range(8):
        with reads(engine) as session:
            kept = session.scalar(prepared)
    assert kept == 1


class Interrupted(Exception):
    """Something that happens in the middle."""


def test_a_block_that_fails_changes_nothing(engine: Engine):
    def change(tx: Transaction) -> None:
        row = product()
        tx.add(row)
        tx.audit("product registered", rows=[row])
        raise Interrupted

    with pytest.raises(Interrupted):
        work(engine, change)
    assert counts(engine) == (0, 0)
    register(engine, product())  # and nothing is left locked
    assert counts(engine) == (1, 1)


def test_a_block_that_fails_in_the_database_changes_nothing(engine: Engine):
    register(engine, product())
    with pytest.raises(IntegrityError):
        register(engine, product("P2"), product())
    assert counts(engine) == (1, 1)


def test_a_block_without_a_change_writes_nothing(engine: Engine):
    with transaction(engine, SYSTEM, NOW) as tx:
        assert tx.session.scalars(select(AuditEntry)).all() == []
    assert counts(engine) == (0, 0)


def test_an_error_of_the_database_tells_no_value(engine: Engine):
    own = open_database(engine.url)
    with own.connect() as connection, pytest.raises(DatabaseError) as error:
        connection.execute(text("SELECT :secret FROM nowhere"), {"secret": "horse staple"})
    own.dispose()
    assert "horse staple" not in str(error.value)
