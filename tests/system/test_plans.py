"""No question and no act reads a large table from end to end, by the plans at a tenth of a site.

Ten years of a busy site are 50,000 lots: a tenth of them is simulated on both databases, which then
take statistics. ``BATCHQC_SITES`` names a folder where sites are kept for another time.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from batchqc.records.database import open_database
from tests.performance.asked import TRENDS, acts, asked, new_number, opened, questions
from tests.performance.plans import scans
from tests.performance.sites import KINDS, sites
from tests.system.test_simulate import JUDGES, READS

pytestmark = pytest.mark.long

TENTH = 5_000
_ANY_PAGE = "SET random_page_cost = 1.1"
"""As on a disk without a head: else a tenth is so few pages that for fifty rows all are read."""
#: They read the series of every lot of a product: minutes at this size.
TOO_LONG = JUDGES | {*TRENDS, "/lots/{lot}"}
_OF_OPEN_LOTS = frozenset(
    {"certificate", "eligibility", "lot", "lot_donor", "review", "sample", "upload"}
)
#: What PostgreSQL still reads from end to end beside READS, and is to be mended: none may be added.
KNOWN = {
    # It joins a portion of lots with whole tables; at 22,408 lots only `lot` is read.
    **dict.fromkeys(("/", "/api/v1/open-work", "/reviews"), _OF_OPEN_LOTS),
    # It joins the runs of a page with every lot.
    **dict.fromkeys(("/uploads", "/uploads?order=oldest"), frozenset({"lot"})),
}
Said = dict[str, list[tuple[str, object]]]


@pytest.fixture(scope="module", params=KINDS)
def tenth(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, Said]]:
    """A site of a tenth of the lots, and what everything that is asked and done says to it."""
    kept = os.environ.get("BATCHQC_SITES")
    with sites(request.param, [TENTH], Path(kept) if kept else None) as found:
        with opened(found[TENTH]) as site:
            said = asked(site, [one for one in questions() if one not in TOO_LONG])
            for name, act in acts(site, new_number()):
                act()
                said[name] = list(site.said)
        engine = open_database(found[TENTH].database)
        yield engine, said
        engine.dispose()


def test_no_question_and_no_act_reads_a_large_table_from_end_to_end(tenth: tuple[Engine, Said]):
    engine, said = tenth
    assert len(said) > 100
    known = {} if engine.dialect.name == "sqlite" else KNOWN
    with engine.connect() as connection:
        if known:
            connection.exec_driver_sql(_ANY_PAGE)
        found = {
            name: tables
            for name, statements in said.items()
            if (
                tables := dict(scans(connection, statements)).keys()
                - READS.get(name, set())
                - known.get(name, set())
            )
        }
    assert not found


def test_a_lot_that_is_looked_for_without_its_index_is_noticed(tenth: tuple[Engine, Said]):
    engine, _ = tenth
    with engine.connect() as connection:
        connection.execute(text("DROP INDEX ix_measurement_assay_run_id"))
        statement = "SELECT id FROM measurement WHERE assay_run_id = 7"
        assert list(scans(connection, [(statement, ())])) == [("measurement", statement)]
        connection.rollback()
