"""Rows that are few among many are found by an index over them alone, after ANALYZE too."""

import pytest
from sqlalchemy import Engine, select, text

from batchqc.records.decisions import Certificate
from batchqc.records.investigation_lines import MOVES_THE_DAY
from batchqc.records.investigations import InvestigationStep
from batchqc.records.people import HAS_FAILED, Attempt
from batchqc.records.typed_lines import IS_TYPED
from batchqc.records.uploads import Upload

QUERIES = {
    "ix_upload_typed": select(Upload.id).where(IS_TYPED).order_by(Upload.id).limit(5),
    "ix_attempt_failed": select(Attempt.id).where(HAS_FAILED).order_by(Attempt.id).limit(5),
    "ix_investigation_step_due": select(InvestigationStep.investigation_id).where(MOVES_THE_DAY),
    "ix_certificate_renewed": select(Certificate.id).where(Certificate.supersedes_id == 7),
}
#: What ANALYZE says of a site: rows, and how many have one value. NULL is a value to it.
FOUND = (
    ("upload", "ix_upload_typed", "3 1"),
    ("attempt", "ix_attempt_failed", "3 1"),
    ("investigation_step", "ix_investigation_step_due", "3 1"),
    ("certificate", "ix_certificate_renewed", "3 1"),
    ("certificate", "ix_certificate_supersedes_id", "45000 45000"),
)


@pytest.mark.only_on("sqlite", "PostgreSQL reads all of so few; see the plans of simulated sites")
@pytest.mark.parametrize("index", QUERIES)
def test_few_are_found_by_their_own_index(engine: Engine, index: str):
    statement = QUERIES[index].compile(engine, compile_kwargs={"render_postcompile": True})
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        for table, name, found in FOUND:
            row = {"table": table, "name": name, "found": found}
            connection.execute(text("INSERT INTO sqlite_stat1 VALUES (:table, :name, :found)"), row)
        connection.execute(text("ANALYZE sqlite_schema"))
        given = tuple(statement.params[one] for one in statement.positiontup or ())
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
        connection.rollback()
    assert index in str(plan)
