"""What a test was done with, and by whom, for other lots of a product."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from operator import itemgetter
from typing import Final, NamedTuple

from sqlalchemy import CompoundSelect, bindparam, select, union_all
from sqlalchemy.orm import Session

from batchqc.records.among import among
from batchqc.records.once import once
from batchqc.records.registers import LotRow
from batchqc.records.uploads import AssayRun, MeasurementRow

RUNS_LOOKED_AT: Final = 50
FEW_LOTS: Final = 500
"""Of a product of so many the runs are looked for by its lots: along a test they are too rare."""
TESTS_AT_ONCE: Final = 100  # SQLite takes 500

_LOTS: Final = select(LotRow.id).where(LotRow.product_id == bindparam("product"))
_OF_LOTS: Final = select(AssayRun.id, AssayRun.test, AssayRun.lot_id).where(
    among(AssayRun.lot_id, "lots")
)
_USED: Final = (
    select(MeasurementRow.assay_run_id, MeasurementRow.instrument, MeasurementRow.analyst)
    .where(among(MeasurementRow.assay_run_id, "runs"))
    .distinct()
)


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
    lots = _lots_of(session, lot.product_id)
    if len(lots) - (lot.id in lots) > FEW_LOTS:
        found = _along_tests(session, lot, of_tests)
        newest = _by_test(found.items())
        used = _used(session, sorted(found))
    else:
        runs = _runs_of(session, lots, of_tests)
        newest = {
            test: [run for run, of in own if of != lot.id][:RUNS_LOOKED_AT]
            for test, own in runs.items()
        }
        used = _used(session, sorted(run for own in runs.values() for run, _ in own))
    before = {}
    for one in of_tests:
        with_what = [pair for run in newest.get(one, ()) for pair in used.get(run, ())]
        instruments, analysts = zip(*with_what, strict=True) if with_what else ((), ())
        before[one] = Before(len(newest.get(one, ())), frozenset(instruments), frozenset(analysts))
    return before


@once
def _lots_of(session: Session, product: int) -> frozenset[int]:
    """The lots of a product; of very many only so many that this is known."""
    return frozenset(session.scalars(_LOTS.limit(FEW_LOTS + 2), {"product": product}))


@once
def _runs_of(
    session: Session, lots: Iterable[int], tests: Iterable[str]
) -> dict[str, list[tuple[int, int]]]:
    """The newest runs of some tests with their lots: enough, whichever lot is left out."""
    newest: dict[str, list[tuple[int, int]]] = {one: [] for one in tests}
    found = session.execute(_OF_LOTS, {"lots": sorted(lots)}).all()
    for run, test, lot in sorted(found, key=itemgetter(0), reverse=True):
        if test in newest:
            newest[test].append((run, lot))
    for own in newest.values():
        most = max(Counter(lot for _, lot in own).values(), default=0)
        del own[RUNS_LOOKED_AT + most :]
    return newest


@once
def _used(session: Session, runs: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    """The instruments and analysts of some runs."""
    found: dict[int, list[tuple[str, str]]] = {}
    for run, instrument, analyst in session.execute(_USED, {"runs": list(runs)}):
        found.setdefault(run, []).append((instrument, analyst))
    return found


def _by_test(runs: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for run, test in runs:
        found.setdefault(test, []).append(run)
    return found


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
