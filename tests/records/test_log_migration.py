"""The audit chain of before is in the log, and a chain with a gap is not carried in."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from batchqc.core.audit import Entry
from batchqc.core.checkpoints import entry_leaf
from batchqc.core.stored_tree import levels_over
from batchqc.records.audit import all_links
from batchqc.records.chain import write_entries
from batchqc.records.database import migrate
from batchqc.records.log import new_subtrees, subtrees
from batchqc.settings import bundled
from tests.databases import Databases, unguarded_in

BEFORE = "0024"
ENTRIES = 300


@pytest.fixture
def old(database: str, databases: Databases) -> Iterator[Engine]:
    """A database of the version before the log, with a chain."""
    with databases.new(database) as engine:
        config = Config()
        config.set_main_option("script_location", str(bundled("migrations")))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, BEFORE)
        at = datetime(2026, 1, 1, tzinfo=UTC)
        with Session(engine) as session:
            write_entries(
                session,
                [
                    Entry("ana", "analyst", at, 0, "noted", str(one), (), {}, {}, {})
                    for one in range(ENTRIES)
                ],
            )
            session.commit()
        yield engine


@pytest.mark.requirement("1.05")
def test_the_chain_of_before_is_carried_into_the_log(old: Engine):
    migrate(old, bundled("migrations"))
    assert unguarded_in(old) == []
    with Session(old) as session:
        levels = levels_over([entry_leaf(link.entry_sha256) for link in all_links(session)])
        stored = {(one.level, one.place): one.sha256 for one in subtrees(session)}
        assert stored == {
            (level, place): one.hex()
            for level, hashes in levels.items()
            if level
            for place, one in enumerate(hashes)
        }
        assert len(stored) == ENTRIES // 16 + ENTRIES // 256
        assert list(new_subtrees(session, ENTRIES)) == []


def test_a_chain_with_a_gap_is_not_carried_in_and_nothing_is_migrated(old: Engine):
    with old.begin() as connection:
        off = "DROP TRIGGER audit_link_no_delete"
        if old.dialect.name == "postgresql":
            off = "ALTER TABLE audit_link DISABLE TRIGGER ALL"
        connection.execute(text(off))
        connection.execute(text("DELETE FROM audit_link WHERE sequence = 20"))
    with pytest.raises(RuntimeError, match="entry 20 of the audit trail is missing"):
        migrate(old, bundled("migrations"))
    with old.connect() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    assert found == BEFORE
