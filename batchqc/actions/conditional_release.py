"""Conditional release of a lot of which only results are open that may stay pending (2.3, 2.25).

What becomes of one that does not come in time stands in ``overdue``, of one that fails in
``investigation_opening``.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from batchqc.actions.annex16 import certify, may_release
from batchqc.actions.certificates import reserve_certificate
from batchqc.actions.deciding import audit_decision, case_to_decide, sign_decision
from batchqc.actions.dispositions import Decision, check_gates
from batchqc.actions.evaluation import LotCase
from batchqc.actions.registers import refuse_all
from batchqc.actions.signing import Credentials, check_reason
from batchqc.core.canonical import Json
from batchqc.core.conditional import Plan, conditional_gates, due_problems, pending_of
from batchqc.core.identifiers import fold
from batchqc.core.lot_states import Disposition
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.records.conditional import ConditionalSite, PendingResult
from batchqc.records.shipments import sites_newest
from batchqc.records.transaction import Transaction


def release_conditionally(
    tx: Transaction,
    archive: Archive,
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
        pending, due, plan_of(case), today=case.facts.today, expires_on=case.lot.expires_on
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


def plan_of(case: LotCase) -> Plan:
    """The plan of a lot whose gates are open: its specification can be read."""
    if case.specification is None:
        raise ValueError("a lot without a readable specification is not released")
    zone, stage = ZoneInfo(case.row.site.time_zone), case.specification.stage
    taken = [one.taken_at for one in case.sample_rows if one.stage == stage]
    return Plan(case.specification, min(taken).astimezone(zone).date() if taken else None)
