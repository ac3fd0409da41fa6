"""Whether doses of a decided lot may be given: what stands against it, and what was accepted."""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.after_decision import came_after, known_of
from batchqc.actions.certificate_states import against_certificate
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.sources import judged_by
from batchqc.core.after_decision import Named, against_doses
from batchqc.core.holds import held_on
from batchqc.core.later_decisions import supply_hindrances
from batchqc.core.lot_states import Disposition
from batchqc.core.verdicts import Outcome
from batchqc.documents.archive import Archive
from batchqc.records.annex16 import certifications_of
from batchqc.records.holds import holds_of
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction

#: Gates that stay closed to doses after a release, too.
_BEFORE_SHIPPING: Final = frozenset({
    "Other stages", "Review", "Registers", "Investigations", "Deviations", "Donor", "Genealogy",
    "Audit chain", "Records",
})  # fmt: skip
#: Those of a lot that is supplied by exception, beside what stands against such a supply.
_OF_RECORDS: Final = frozenset({"Audit chain", "Records"})
_FAILED: Final = frozenset({Outcome.FAIL})


def against_giving(archive: Archive, case: LotCase) -> tuple[str, ...]:
    """The sentences that stand against doses of a lot, whatever its label and its holds say.

    What failed when the lot was supplied by exception does not, until a later run speaks of it.
    """
    return tuple(
        against_doses(
            judged_by(case),
            case.measurements,
            came_after(archive, case),
            known_of(archive, case.dispositions),
            _failed(archive, case),
        )
    )


def accepted_in(archive: Archive, case: LotCase) -> frozenset[str]:
    """The sentences of what fails of a lot and was accepted with its supply by exception."""
    if not (failed := _failed(archive, case)):
        return frozenset()
    against = against_giving(archive, case)
    return frozenset(
        one.sentence
        for specification, verdicts in judged_by(case)
        for one in verdicts
        if (specification.reference, one.criterion.id) in failed and one.sentence not in against
    )


def _failed(archive: Archive, case: LotCase) -> frozenset[Named]:
    if case.disposition is not Disposition.SUPPLIED:
        return frozenset()
    return known_of(archive, case.dispositions, _FAILED)


def standing_against(tx: Transaction, archive: Archive, lot: LotRow, day: date) -> Iterator[str]:
    """What stands against giving doses of a lot now, whatever its label and its holds say."""
    case = study(tx.session, archive, lot=lot, now=tx.now)
    told: tuple[str, ...] = ()
    for decided in case.dispositions[-1:]:
        told = against_giving(archive, case)
        yield from (f"lot {lot.lot}: {said}" for said in told)
        if day < (since := _site_day(lot, decided.signature.true_at)):
            yield f"lot {lot.lot} is {decided.disposition} since {since} only, not on {day}"
    for _, transfer in certifications_of(tx.session, lot)[-1:]:
        if transfer and day < (since := _site_day(lot, transfer.signature.true_at)):
            yield f"lot {lot.lot} is in saleable stock since {since} only, not on {day}"
    for said in (*_held(tx.session, lot, day), *against_certificate(tx.session, lot)):
        yield f"lot {lot.lot}: {said}"
    yield from (f"lot {lot.lot}: {said}" for said in _gates(case, told))


def _gates(case: LotCase, told: Collection[str]) -> Iterator[str]:
    """What closes a gate that stays closed to doses, but for what is told already."""
    is_supplied = case.disposition is Disposition.SUPPLIED
    if is_supplied:
        yield from supply_hindrances(case.gates, case.known.investigations, case.so_far.failures)
    asked = _OF_RECORDS if is_supplied else _BEFORE_SHIPPING
    for gate in case.gates:
        if gate.name in asked:
            yield from (f"{gate.name}: {one}" for one in gate.reasons if one not in told)


def _site_day(lot: LotRow, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(lot.site.time_zone)).date()


def _held(session: Session, lot: LotRow, day: date) -> Iterator[str]:
    """The holds, ended meanwhile, that lay over a lot on a day."""
    return held_on(
        day,
        (
            (
                hold.natural_key,
                _site_day(lot, hold.began_at),
                _site_day(lot, end.signature.true_at),
            )
            for hold, end in holds_of(session, [lot.id])
            if end is not None
        ),
    )
