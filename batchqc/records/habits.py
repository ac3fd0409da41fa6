"""What a test was done with, and by whom, for other lots of a product."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import CompoundSelect, bindparam, select, union_all
from sqlalchemy.orm import Session

from batchqc.records.registers import LotRow
from batchqc.records.uploads import AssayRun, MeasurementRow

RUNS_LOOKED_AT: Final = 50
TESTS_AT_ONCE: Final = 100  # SQLite takes 500


class Before(NamedTuple):
    """How many runs of a test were looked at, their instruments and their analysts."""

    runs: int
    instruments: frozenset[str]
    analysts: frozenset[str]


def runs_before(session: Session, lot: LotRow, tests: Iterable[str]) -> dict[str, Before]:
    """Of each of some tests: its newest runs for other lots of the product.

    At most ``RUNS_LOOKED_AT`` runs of a test are looked at.
    """
    of_tests = sorted(set(tests))
    test_of: dict[int, str] = {}
    for at in range(0, len(of_tests), TESTS_AT_ONCE):
        some = of_tests[at : at + TESTS_AT_ONCE]
        asked: dict[str, object] = {f"test{place}": one for place, one in enumerate(some)}
        asked |= {"lot": lot.id, "product": lot.product_id}
        test_of |= {row[0]: row[1] for row in session.execute(_newest(len(some)), asked)}
    used = session.execute(
        select(MeasurementRow.assay_run_id, MeasurementRow.instrument, MeasurementRow.analyst)
        .where(MeasurementRow.assay_run_id.in_(test_of))
        .distinct()
    )
    counted, with_what, by_whom = Counter(test_of.values()), _sets(), _sets()
    for run, instrument, analyst in used:
        with_what[test_of[run]].add(instrument)
        by_whom[test_of[run]].add(analyst)
    return {
        one: Before(counted[one], frozenset(with_what[one]), frozenset(by_whom[one]))
        for one in of_tests
    }


@cache
def _newest(tests: int) -> CompoundSelect[int, str]:
    """The newest runs of so many tests; a statement is made once."""
    query = (
        select(AssayRun.id, AssayRun.test)
        .join(LotRow, LotRow.id == AssayRun.lot_id)
        .where(AssayRun.lot_id != bindparam("lot"), LotRow.product_id == bindparam("product"))
        .order_by(AssayRun.id.desc())
        .limit(RUNS_LOOKED_AT)
    )
    of_tests = (
        query.where(AssayRun.test == bindparam(f"test{place}")).subquery() for place in range(tests)
    )
    return union_all(*(select(one.c.id, one.c.test) for one in of_tests))


def _sets() -> defaultdict[str, set[str]]:
    return defaultdict(set)
