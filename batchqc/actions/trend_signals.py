"""What the trends of a lot's attributes signal of it: information for who reviews, never a gate."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase
from batchqc.actions.other_stages import readable
from batchqc.actions.trends import Trends
from batchqc.core.assays import RunKey
from batchqc.core.criteria import Criterion
from batchqc.core.specifications import Specification
from batchqc.core.trends import Attribute, is_numeric
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import Archive
from batchqc.errors import BatchqcError, NotFound
from batchqc.records.bindings import binding_of
from batchqc.records.corrections import corrections_of
from batchqc.records.once import each_once
from batchqc.records.registers import LotRow
from batchqc.records.trends import limit_sets_of, lots_made

if TYPE_CHECKING:
    from batchqc.statistics.growing_series import LotLook

#: Before, no lot of a product can be told from the others: the self-starting chart needs two.
LOTS_FOR_A_SIGNAL = 3


@each_once
def signals_of(
    session: Session, archive: Archive, case: LotCase, trends: Trends | None = None
) -> tuple[tuple[tuple[RunKey, ...], str], ...]:
    """Every signal on a lot in words, with the runs whose result gave it.

    A series that cannot be looked at is told as such: it is not known to be in trend.
    """
    product = case.row.product.code
    if lots_made(session, product) < LOTS_FOR_A_SIGNAL and not limit_sets_of(session, product):
        return ()
    looked, attributes = trends or Trends(), list(_attributes(case))
    looked.prepare(session, archive, [attribute for attribute, _ in attributes])
    return tuple(
        signal
        for attribute, verdict in attributes
        for signal in _signals(
            lambda wanted: looked.lot(session, archive, wanted, case.row.id),
            case.lot.id,
            attribute,
            verdict,
        )
    )


@each_once
def look_ahead(session: Session, archive: Archive, lot: LotRow, trends: Trends) -> None:
    """Read what the series of a lot lack, before it is signed: who signs is waited for."""
    if lots_made(session, lot.product.code) < LOTS_FOR_A_SIGNAL:
        return
    versions = binding_of(session, lot, corrections_of(session, [lot.key])).versions
    readings = (readable(archive, version)[0] for version in versions)
    attributes = [
        _attribute(one, criterion)
        for one in filter(None, readings)  # who signs is told of what cannot be read
        for criterion in filter(is_numeric, one.criteria)
    ]
    trends.prepare(session, archive, attributes)
    for attribute in attributes:
        with suppress(BatchqcError):  # so they are of this
            trends.read_ahead(session, archive, attribute)


def by_run(
    signals: tuple[tuple[tuple[RunKey, ...], str], ...],
) -> Mapping[RunKey, tuple[str, ...]]:
    """What is signalled, by the runs that gave it."""
    found: dict[RunKey, tuple[str, ...]] = {}
    for runs, said in signals:
        for run in runs:
            found[run] = (*found.get(run, ()), said)
    return found


def _attributes(case: LotCase) -> Iterator[tuple[Attribute, Verdict]]:
    own = [(case.specification, case.verdicts)] if case.specification else []
    for specification, verdicts in (
        *own,
        *((one.specification, one.verdicts) for one in case.beside),
    ):
        for verdict in verdicts:
            if is_numeric(verdict.criterion) and verdict.derivation.result:
                yield _attribute(specification, verdict.criterion), verdict


def _attribute(specification: Specification, criterion: Criterion) -> Attribute:
    of = specification
    return Attribute(of.product, of.stage.value, of.market, criterion.id)


def _signals(
    look: Callable[[Attribute], "LotLook | None"], lot: str, attribute: Attribute, verdict: Verdict
) -> Iterator[tuple[tuple[RunKey, ...], str]]:
    runs = tuple(dict.fromkeys(one.run for one in verdict.measurements))
    try:
        look_at = look(attribute)
    except NotFound:
        return  # nothing judges the lot at this stage any more
    except BatchqcError as problem:
        yield runs, f"the trend of {verdict.criterion.title} cannot be looked at: {problem.message}"
        return
    if look_at is None:
        yield runs, f"the trend of {verdict.criterion.title} cannot be looked at: it lacks {lot}"
        return
    found = look_at.judged
    for signal in found.signals:
        yield found.lot.observed.runs, signal.said
    if why := not_compared(look_at):
        own = f"{verdict.criterion.title} {found.lot.observed.text} of {lot}"
        yield found.lot.observed.runs, f"{own} is compared with no other lot: {why}"


def not_compared(look: "LotLook") -> str:
    """Why a lot with a number has no score, though others might be there to compare it with."""
    one, amount = look.judged, look.judged.lot.observed.amount
    if one.value is None or one.score is not None or amount is None or amount.is_censored:
        return ""
    is_few = look.values < LOTS_FOR_A_SIGNAL - 1
    if one.by or not (is_few or look.is_flat):
        return "it, or what it would be compared with, has no place on the scale of its limits"
    if is_few and look.because:
        return f"phase {one.phase} begins with {look.first} ({look.because})"
    return ""
