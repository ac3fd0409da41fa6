"""Letting a lot go: what the end of a hold binds, and the certificate that it reserves.

The system may hold a lot; only QA lets it go (requirements 2.3). That gives doses of a lot in use
free again, as the decision over it did: it rests on the lot as it counts now, with results that
came in, or were set aside, since that decision, and who did any of the work does not sign it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from batchqc.actions.annex16 import qp_certifies
from batchqc.actions.certificate_states import state_of
from batchqc.actions.certificates import reserve_certificate
from batchqc.actions.deciding import decision_content, lock_to_decide
from batchqc.actions.doses_given import accepted_in
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.accounts import roles_on
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.conditional import conditional_gates, overdue, pending_of
from batchqc.core.dispositions import signer_gate
from batchqc.core.holds import Cause, why_held
from batchqc.core.lot_states import IN_USE, USABLE, Disposition
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, NotFound, NotPermitted
from batchqc.records.audit import settled_link
from batchqc.records.conditional import due_days, pending_results
from batchqc.records.decisions import Certificate, certificates_of
from batchqc.records.holds import Hold, HoldEnd, holds_of, open_holds
from batchqc.records.look_backs import open_look_backs
from batchqc.records.people import grants_of, person_by
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction


def let_go(
    tx: Transaction, archive: Archive, *, lot: str, number: int, credentials: Credentials
) -> HoldEnd | Refusal:
    """End one hold of a lot; the others stay.

    Of a lot in use nobody who measured, entered or reviewed ends one, and what is signed is the
    lot as it counts now. Where its certificate was withdrawn, the end of the last hold reserves
    another.

    Raises:
        NotFound: the lot has no such hold.
        NotPermitted: only this person may not; another one may.
        Conflict: it has ended, or something still stands against the lot: every reason.
    """
    require(tx, Permission.HOLD_LOT)
    check_reason(credentials.reason)
    row = lock_to_decide(tx, lot)
    found = {hold.number: (hold, end) for hold, end in holds_of(tx.session, [row.id])}
    if number not in found:
        raise NotFound("BQC-HLD-001", f"lot {row.lot} has no hold {number}")
    hold, ended = found[number]
    if ended is not None:
        raise Conflict("BQC-HLD-002", f"hold {hold.natural_key} has ended")
    case = study(tx.session, archive, lot=row, now=tx.now)
    due = due_days(pending_results(tx.session, [one.id for one in case.dispositions[-1:]]))
    _check_settled(tx, archive, case, hold, due)
    is_anew = _reserves_anew(tx, case, but=hold)
    if is_anew:
        _check_qualified(tx, case, hold)
    content_sha = _freeze(tx, archive, case, hold) if case.disposition in IN_USE else ""
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.LET_GO,
        record=hold.key,
        record_sha256=content_sha or hold.content_sha256,
    )
    if isinstance(signature, Refusal):
        return signature
    end = HoldEnd(
        hold=hold, reason=credentials.reason, signature=signature, content_sha=content_sha
    )
    tx.add(end)
    left = [one.natural_key for one in open_holds(tx.session, [row.id])]
    anew = _certify_anew(tx, archive, case, end, due) if is_anew else []
    after: dict[str, Json] = {"hold": hold.natural_key, "still held by": ", ".join(left)}
    after |= {"content sha256": content_sha} if content_sha else {}
    for one in anew:
        after["certificate"] = one.natural_key
    rows = [signature, end, *anew]
    tx.audit("lot let go", rows=rows, about=[row.key], reason=credentials.reason, after=after)
    return end


def _check_settled(
    tx: Transaction, archive: Archive, case: LotCase, hold: Hold, due: Mapping[str, date]
) -> None:
    """Refuse to end a hold while something stands against its lot, or by who may not."""
    is_pending, accepted = case.disposition is Disposition.CONDITIONAL, accepted_in(archive, case)
    gates = conditional_gates(case.gates, case.verdicts, due) if is_pending else case.gates
    reasons = why_held(
        Cause(hold.cause),
        case.disposition,
        verdicts=[one for one in case.so_far.verdicts if one.sentence not in accepted],
        gates=[replace(one, reasons=_besides(one.reasons, accepted)) for one in gates],
        overdue=overdue(due, case.verdicts, case.facts.today),
        look_backs=_open_look_backs(tx, case.row),
    )
    people = signer_gate(case.facts, tx.actor.user_id)
    who = people.reasons if case.disposition in IN_USE else ()
    if found := tuple(reasons):
        raise Conflict(
            "BQC-HLD-003",
            f"hold {hold.natural_key} does not end yet",
            reasons=(*found, *who),
            hint="Settle each reason first: conclude, close, determine anew, correct the register,"
            " clear the bank.",
        )
    if who:
        raise NotPermitted(
            "BQC-HLD-004",
            f"{tx.actor.user_id} may not end hold {hold.natural_key}",
            reasons=who,
            hint=people.todo,
        )


def _besides(reasons: Iterable[str], accepted: Collection[str]) -> tuple[str, ...]:
    return tuple(one for one in reasons if one not in accepted)


def _open_look_backs(tx: Transaction, lot: LotRow) -> list[str]:
    """The open look-backs that reached a lot: each has held it."""
    held_for = {one.about for one, _ in holds_of(tx.session, [lot.id])}
    return [one.natural_key for one in open_look_backs(tx.session) if one.key in held_for]


def _freeze(tx: Transaction, archive: Archive, case: LotCase, hold: Hold) -> str:
    """Store what the end of a hold binds: its hash.

    That is the content of a decision, with the hold and how the newest certificate stands.
    """
    link = settled_link(tx.session)
    head: Json = [link.sequence, link.sha256] if link else None
    content = decision_content(case, case.disposition, head) | {
        "type": "batchqc/let-go/1",
        "hold": [hold.key, hold.content_sha256],
        "decisions": [[one.key, one.content_sha256] for one in case.dispositions],
        "certificates": [
            [one.natural_key, one.content_sha, state_of(tx.session, one).withdrawn]
            for one in certificates_of(tx.session, case.row)[-1:]
        ],
    }
    return archive.put(canonical_bytes(content))


def _reserves_anew(tx: Transaction, case: LotCase, *, but: Hold) -> bool:
    """Whether a lot in use, which no other hold keeps, has no certificate that says what is so."""
    others = [one for one in open_holds(tx.session, [case.row.id]) if one.id != but.id]
    newest = certificates_of(tx.session, case.row)[-1:]
    withdrawn = any(state_of(tx.session, one).withdrawn for one in newest)
    return case.disposition in IN_USE and withdrawn and not others


def _check_qualified(tx: Transaction, case: LotCase, hold: Hold) -> None:
    """Refuse to reserve a certificate of a certified lot by who is no qualified person (1.39)."""
    person, certifies = person_by(tx.session, tx.actor.user_id), qp_certifies(tx.session, case.row)
    roles = roles_on(grants_of(tx.session, person), case.facts.today) if person else frozenset()
    is_released = case.disposition in USABLE  # an exceptional supply is nobody's certification
    if is_released and certifies and not is_permitted(roles, Permission.CERTIFY_LOT):
        raise NotPermitted(
            "BQC-HLD-004",
            f"{tx.actor.user_id} may not end hold {hold.natural_key}",
            reasons=["a certificate is reserved with it, and a qualified person certifies the lot"],
            hint="Have a qualified person end the last hold, who did none of the work.",
        )


def _certify_anew(
    tx: Transaction, archive: Archive, case: LotCase, end: HoldEnd, due: Mapping[str, date]
) -> list[Certificate]:
    """Reserve a certificate of a lot in use as it counts now.

    Args:
        tx: of QA, who ends the last hold of the lot.
        archive: the store.
        case: the lot as studied for that.
        end: of the hold.
        due: the day on which each result is due under a conditional release, by criterion.
    """
    waiting = {one.criterion.id for one in pending_of(case.verdicts)}
    pending = {name: day for name, day in due.items() if name in waiting}
    decided = case.dispositions[-1]
    return [
        reserve_certificate(tx, archive, case=case, disposition=decided, pending=pending, ended=end)
    ]
