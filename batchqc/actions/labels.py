"""What containers inherit of their lot: disposition, holds, expiry, and where it may go."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy.orm import Session

from batchqc.core.containers import LotLabel
from batchqc.core.lot_states import Disposition
from batchqc.core.policies import Policy, needs_qp
from batchqc.records.annex16 import Certification, certifications_of
from batchqc.records.base import Row
from batchqc.records.conditional import conditional_sites, due_days, pending_results
from batchqc.records.corrections import corrected_lot, corrections_of
from batchqc.records.decisions import DispositionRow, dispositions_of
from batchqc.records.holds import open_holds
from batchqc.records.policies import policies_of
from batchqc.records.registers import LotRow


def label_of(session: Session, lot: LotRow) -> LotLabel:
    """The label of a lot as it is now."""
    decided = dispositions_of(session, lot)
    corrected = corrected_lot(lot, corrections_of(session, [lot.key]))
    # an exceptional supply is nobody's certification, and goes to no stock
    is_certified = bool(decided) and decided[-1].disposition != Disposition.SUPPLIED
    certified = certifications_of(session, lot) if is_certified else ()
    return LotLabel(
        lot=lot.lot,
        disposition=disposition_of(decided).value,
        holds=tuple(one.reason for one in open_holds(session, [lot.id])),
        expires_on=corrected.expires_on,
        sites=_sites(session, decided[-1]) if decided else None,
        due=_due(session, decided[-1]) if decided else (),
        lacks_certification=is_certified
        and _lacks(session, decided[-1], (one for one, _ in certified)),
        waits_for_transfer=bool(certified) and certified[-1][1] is None,
    )


def disposition_of(decisions: Sequence[DispositionRow]) -> Disposition:
    """What the newest decision over a lot says."""
    return Disposition(decisions[-1].disposition) if decisions else Disposition.QUARANTINE


def lacks_certification(
    session: Session, decisions: Sequence[DispositionRow], rows: Iterable[Row]
) -> bool:
    """Whether a lot is released for good, and a certification that is asked for now is not in it.

    Args:
        session: only read.
        decisions: over the lot.
        rows: the certifications of the lot, among others.
    """
    if disposition_of(decisions) is not Disposition.RELEASED:
        return False
    return _lacks(session, decisions[-1], [one for one in rows if isinstance(one, Certification)])


def _lacks(session: Session, decided: DispositionRow, certified: Iterable[Certification]) -> bool:
    """Whether a qualified person certifies such lots now, and did not certify this decision."""
    if not needs_qp(policies_of(session)[Policy.QP_CERTIFIES], decided.lot.market):
        return False
    return all(one.disposition_id != decided.id for one in certified)


def _due(session: Session, decided: DispositionRow) -> tuple[tuple[str, date], ...]:
    """Until when pending results are due; nothing waits for a daily job to stop what is late."""
    return tuple(sorted(due_days(pending_results(session, [decided.id])).items()))


def _sites(session: Session, decided: DispositionRow) -> frozenset[str] | None:
    """The sites to which a conditionally released lot may go; without a list it goes nowhere."""
    found = conditional_sites(session, [decided.id])
    return frozenset(one.site for one in found) if found else None
