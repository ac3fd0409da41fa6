"""What a test was done with, and by whom, for other lots of a product."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import CompoundSelect, bindparam, select, union_all
from sqlalchemy.orm import Session

from batchqc.records.among import among
from batchqc.records.registers import LotRow
from batchqc.records.uploads import AssayRun, MeasurementRow

RUNS_LOOKED_AT: Final = 50
FEW_LOTS: Final = 500
"""Of a product of so many the runs are looked for by its lots: along a test they are too rare."""
TESTS_AT_ONCE: Final = 100  # SQLite takes 500

_OTHER_LOTS: Final = select(LotRow.id).where(
    LotRow.product_id == bindparam("product"), LotRow.id != bindparam("lot")
)
_OF_LOTS: Final = select(AssayRun.id, AssayRun.test).where(among(AssayRun.lot_id, "lots"))


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
    few = _OTHER_LOTS.limit(FEW_LOTS + 1)
    others = session.scalars(few, {"lot": lot.id, "product": lot.product_id}).all()
    if len(others) > FEW_LOTS:
        test_of = _along_tests(session, lot, of_tests)
    else:
        test_of = _of_lots(session, others, of_tests)
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


def _of_lots(session: Session, lots: Sequence[int], tests: Sequence[str]) -> dict[int, str]:
    """The newest runs of some tests for some lots, all of which are read."""
    newest: dict[str, list[int]] = {one: [] for one in tests}
    for run, test in sorted(session.execute(_OF_LOTS, {"lots": lots}), reverse=True):
        if test in newest and len(newest[test]) < RUNS_LOOKED_AT:
            newest[test].append(run)
    return {run: test for test, runs in newest.items() for run in runs}


def _along_tests(session: Session, lot: LotRow, tests: Sequence[str]) -> dict[int, str]:
    """The newest runs of some tests for other lots of the product, from the newest on."""
    found: dict[int, str] = {}
    for at in range(0, len(tests), TESTS_AT_ONCE):
        some = tests[at : at + TESTS_AT_ONCE]
        asked: dict[str, object] = {f"test{place}": one for place, one in enumerate(some)}
        asked |= {"lot": lot.id, "product": lot.product_id}
        found |= {row[0]: row[1] for row in session.execute(_newest(len(some)), asked)}
    return found


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
