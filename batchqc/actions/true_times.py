"""When what a signature over a lot rests on was truly done: nothing is signed before it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase
from batchqc.core.assays import RunKey
from batchqc.records.base import Row
from batchqc.records.cell_banks import CellBankEvent
from batchqc.records.deviations import DeviationRow
from batchqc.records.donors import eligibility_of
from batchqc.records.laboratory import Instrument, Material, RegisterRule, Training
from batchqc.records.lot_reviews import AuditReview
from batchqc.records.registers import LotRow
from batchqc.records.signatures import SignatureRow
from batchqc.records.specifications import approval_of


def times_of_lot(lot: LotRow, made_on: date) -> dict[str, datetime]:
    """When a lot began to be: the first moment of its date of manufacture, at its site."""
    begins = datetime.combine(made_on, time.min, ZoneInfo(lot.site.time_zone))
    return {"the lot was made": begins.astimezone(UTC)}


def times_of_runs(case: LotCase, runs: Iterable[RunKey]) -> dict[str, datetime]:
    """When some runs of a lot were measured last, and typed by a second person."""
    keys = frozenset(runs)
    found = times_of_lot(case.row, case.lot.manufactured_on)
    for one in case.measurements:
        if one.run in keys:
            name = f"{one.run} was measured"
            found[name] = max(one.measured_at, found.get(name, one.measured_at))
    uploads = {one.upload for one in keys}
    second = (one for one in case.verifications if one.upload.natural_key in uploads)
    return found | dict(_signed(second))


def times_of_decisions(case: LotCase) -> dict[str, datetime]:
    """When a lot was made, and decided before; what a rejection rests on."""
    return times_of_lot(case.row, case.lot.manufactured_on) | dict(_signed(case.dispositions))


def times_of_case(session: Session, case: LotCase) -> dict[str, datetime]:
    """When all that a lot rests on was measured and signed.

    The review of the audit trail is left out: nobody can read the trail while the system is down,
    and what is entered late is in it only afterwards (requirement 1.56: deferred for that reason).
    """
    rows = (
        *case.reviews,
        *case.dispositions,
        *(one for _, one in case.corrections if one is not None),
        *eligibility_of(session, case.donor_rows),
        *(row for one in case.further for row in one.rows if not isinstance(row, AuditReview)),
        *(one for bound in case.binding.versions if (one := approval_of(session, bound))),
        *case.looked_at.rows,
    )
    taken = {f"sample {row.sample} was taken": row.taken_at for row in case.sample_rows}
    measured = times_of_runs(case, {run.run_key for run in case.runs})
    return taken | measured | dict(_signed(rows))


def times_of_release(session: Session, case: LotCase) -> dict[str, datetime]:
    """The same, and when everything was recorded that opens or closes a gate of the release."""
    rows = (*case.registers.rows, *(row for one in case.further for row in one.rows))
    return times_of_case(session, case) | dict(_recorded(rows))


def _recorded(rows: Iterable[Row]) -> Iterator[tuple[str, datetime]]:
    """When rules, rows of registers, what became of banks, and deviations were recorded."""
    for row in rows:
        match row:
            case RegisterRule():
                yield f"{row.key} was set", row.set_at
            case Material() | Instrument() | Training():
                yield f"{row.key} was registered", row.registered_at
            case CellBankEvent():
                yield f"{row.key} was recorded", row.recorded_at
            case DeviationRow():
                yield f"{row.key} was recorded", row.kept_at
            case _:
                continue


def _signed(rows: Iterable[Row]) -> Iterator[tuple[str, datetime]]:
    """The true time of every signature under some rows."""
    for row in rows:
        signature = getattr(row, "signature", None)
        if isinstance(signature, SignatureRow):
            yield f"{row.key} was signed", signature.true_at
