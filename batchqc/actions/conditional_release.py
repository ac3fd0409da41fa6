"""Conditional release, and what happens when a pending result fails or does not come.

A result that is not there on its day holds the lot and withdraws its certificate by itself, as a
late failure does with its investigation (requirements 2.3, 2.25). Only QA lets the lot go.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from batchqc.actions.annex16 import certify, may_release
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.certificates import reserve_certificate
from batchqc.actions.deciding import audit_decision, case_to_decide, sign_decision
from batchqc.actions.dispositions import Decision, check_gates
from batchqc.actions.doses import doses_of
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.holds import hold_by_system
from batchqc.actions.lots import lock_lot
from batchqc.actions.registers import refuse_all
from batchqc.actions.signing import Credentials, check_reason
from batchqc.core.canonical import Json
from batchqc.core.conditional import Plan, conditional_gates, due_problems, overdue, pending_of
from batchqc.core.holds import Cause
from batchqc.core.identifiers import fold
from batchqc.core.lot_states import Disposition
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import FolderArchive
from batchqc.errors import Conflict
from batchqc.records.conditional import (
    ConditionalSite,
    PendingResult,
    due_days,
    pending_results,
)
from batchqc.records.decisions import conditionally_released
from batchqc.records.shipments import sites_newest
from batchqc.records.transaction import Transaction


def release_conditionally(
    tx: Transaction,
    archive: FolderArchive,
    *,
    lot: str,
    due: Mapping[str, date],
    sites: Sequence[str],
    credentials: Credentials,
) -> Decision | Refusal:
    """Release a lot of which only results that may stay pending are not in.

    Args:
        tx: of the person who signs.
        archive: the store.
        lot: its id.
        due: the day on which each pending criterion is due, by id; the last day in time.
        sites: codes of the clinical sites that may have doses meanwhile.
        credentials: both components of the signature, and the reason.

    Raises:
        InvalidInput: the days or sites are not complete.
        NotPermitted: only this person may not; another one may.
        ReleaseBlocked: with every reason.
    """
    check_reason(credentials.reason)
    case = case_to_decide(tx, archive, lot)
    may_release(tx, case)
    if case.disposition is not Disposition.QUARANTINE:
        raise Conflict("BQC-REL-003", f"lot {case.lot.id} is {case.disposition}; it stays so")
    check_gates(tx, case, conditional_gates(case.gates, case.verdicts))
    pending = pending_of(case.verdicts)
    problems = due_problems(
        pending, due, _plan(case), today=case.facts.today, expires_on=case.lot.expires_on
    )
    known = {one.folded: one.code for one in sites_newest(tx.session)}
    named = sorted({known[fold(one)] for one in sites if fold(one) in known})
    unknown = (f"there is no clinical site {one}" for one in sites if fold(one) not in known)
    problems = (*problems, *unknown)
    if not sites:
        problems = (*problems, "name at least one clinical site that may have doses")
    refuse_all("BQC-REL-006", "the conditional release is not complete", list(problems))
    said: dict[str, Json] = {
        "pending": [[name, day.isoformat()] for name, day in sorted(due.items())],
        "sites": list[Json](named),
    }
    signed = sign_decision(tx, archive, case, Disposition.CONDITIONAL, credentials, said=said)
    if isinstance(signed, Refusal):
        return signed
    disposition, signature = signed
    rows = [
        *(
            PendingResult(disposition=disposition, criterion=name, due_on=day.isoformat())
            for name, day in sorted(due.items())
        ),
        *(ConditionalSite(disposition=disposition, site=site) for site in named),
    ]
    tx.add(*rows)
    certified = certify(tx, case, disposition)
    certificate = reserve_certificate(tx, archive, case=case, disposition=disposition, pending=due)
    audit_decision(
        tx, case, [signature, disposition, *rows, *certified, certificate], credentials.reason,
        disposition,
    )  # fmt: skip
    return Decision(disposition, certificate)


def _plan(case: LotCase) -> Plan:
    """The plan of a lot whose gates are open: its specification can be read."""
    if case.specification is None:
        raise ValueError("a lot without a readable specification is not released")
    zone, stage = ZoneInfo(case.row.site.time_zone), case.specification.stage
    taken = [one.taken_at for one in case.sample_rows if one.stage == stage]
    return Plan(case.specification, min(taken).astimezone(zone).date() if taken else None)


def hold_what_is_overdue(tx: Transaction, archive: FolderArchive) -> list[str]:
    """Hold every conditionally released lot of which a result is overdue; their ids."""
    held = []
    for lot in conditionally_released(tx.session):
        lock_lot(tx, lot)
        case = study(tx.session, archive, lot=lot, now=tx.now)
        if case.disposition is not Disposition.CONDITIONAL:
            continue
        due = due_days(pending_results(tx.session, [case.dispositions[-1].id]))
        for name, day in overdue(due, case.verdicts, case.facts.today):
            said = f"the result of {name} was due on {day} and is not in"
            about = f"{lot.key}/{name}"
            doses = [one.sentence for one in doses_of(tx.session, lot, tx.now)]
            hold = hold_by_system(
                tx, lot, cause=Cause.OVERDUE, reason=said, about=about, doses=doses
            )
            if hold is not None:
                withdraw_certificate(tx, lot, reason=said, about=hold.key)
                held.append(lot.lot)
    return held
