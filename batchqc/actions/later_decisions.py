"""Decisions after the first: recall, exceptional supply, destruction (requirements 2.3, 2.24)."""

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.certificates import reserve_certificate
from batchqc.actions.deciding import audit_decision, case_to_decide, sign_decision
from batchqc.actions.dispositions import Decision
from batchqc.actions.doses import doses_and_doubts
from batchqc.actions.evaluation import LotCase
from batchqc.actions.permission import require
from batchqc.actions.registers import refuse_all
from batchqc.actions.signing import Credentials, check_reason
from batchqc.actions.standing import closed
from batchqc.core.canonical import Json
from batchqc.core.containers import ContainerStatus
from batchqc.core.dispositions import signer_gate
from batchqc.core.later_decisions import (
    Account,
    later_hindrances,
    particulars_problems,
    supply_hindrances,
    witness_problem,
)
from batchqc.core.lot_states import IN_USE, Disposition, Overlay
from batchqc.core.permissions import Permission
from batchqc.core.policies import ON, Policy
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.records.containers import containers_of, events_of
from batchqc.records.people import grants_of, person_by
from batchqc.records.policies import policies_of
from batchqc.records.transaction import Transaction

#: What a container that is at a clinical site became last.
_AT_A_SITE: Final = (
    (ContainerStatus.SHIPPED,),
    (ContainerStatus.SHIPPED, ContainerStatus.THAWED),
)


def decide_later(
    tx: Transaction,
    archive: Archive,
    *,
    lot: str,
    wanted: Disposition,
    particulars: Mapping[str, str],
    credentials: Credentials,
) -> Decision | Refusal:
    """Recall a lot, supply it by exception, or record its destruction.

    No damage of records holds a recall up: its signed content names what is damaged.

    Args:
        tx: of QA or the qualified person.
        archive: the store.
        lot: its id.
        wanted: one of ``core.later_decisions.PARTICULARS``.
        particulars: what that asks for, by name.
        credentials: both components of the signature, and the reason.

    Raises:
        InvalidInput: with everything that is missing or wrong.
        Conflict: with every reason why the lot may not be decided so.
    """
    require(tx, Permission.DECIDE_LATER)
    check_reason(credentials.reason)
    problems = particulars_problems(wanted, particulars)
    refuse_all("BQC-REL-004", f"the decision ({wanted}) is not complete", list(problems))
    case = case_to_decide(tx, archive, lot)
    said: dict[str, Json] = {"particulars": dict(particulars)}
    against = ""
    if wanted is Disposition.DESTROYED:
        witness = _account(tx, case, particulars["witness"])
        against = witness_problem(particulars["witness"], witness, tx.actor.user_id)
        said["witness"] = witness.user_id if witness else None
    hindrances = later_decision_hindrances(
        tx.session, case, wanted, signer=tx.actor.user_id, witness=against
    )
    if hindrances:
        raise Conflict(
            "BQC-REL-005",
            f"lot {case.lot.id} may not be {wanted}",
            reasons=hindrances,
            hint="See the lot: its disposition says what may follow.",
        )
    if wanted is Disposition.RECALLED:
        doses, doubts = doses_and_doubts(tx.session, case.row, tx.now)
        said["doses"] = [one.content for one in doses]
        said |= {"incomplete": list[Json](doubts)} if doubts else {}
    signed = sign_decision(tx, archive, case, wanted, credentials, said=said)
    if isinstance(signed, Refusal):
        return signed
    disposition, signature = signed
    certificate = None
    if wanted is Disposition.SUPPLIED:  # it says what fails, and DOES NOT COMPLY
        certificate = reserve_certificate(tx, archive, case=case, disposition=disposition)
    rows = [one for one in (signature, disposition, certificate) if one is not None]
    audit_decision(tx, case, rows, credentials.reason, disposition)
    if certificate is None:
        why = f"the lot is {wanted}: {credentials.reason}"
        withdraw_certificate(tx, case.row, reason=why, about=disposition.key)
    return Decision(disposition, certificate)


def _account(tx: Transaction, case: LotCase, user_id: str) -> Account | None:
    """Whom a user id belongs to, today."""
    person = person_by(tx.session, user_id)
    if person is None:
        return None
    shut = closed(tx.session, person, grants_of(tx.session, person), day=case.facts.today)
    return Account(person.user_id, not person.is_laboratory, shut is None)


def later_decision_hindrances(
    session: Session, case: LotCase, wanted: Disposition, *, signer: str, witness: str = ""
) -> tuple[str, ...]:
    """Every reason why a lot may not be decided so by a person.

    Args:
        session: only read.
        case: the lot.
        wanted: one of ``core.later_decisions.PARTICULARS``.
        signer: a user id.
        witness: why who is named witnesses no destruction; "" where nothing is against it.
    """
    return (
        *later_hindrances(
            case.disposition,
            wanted,
            is_usable=not {Overlay.EXPIRED, Overlay.ON_HOLD} & set(case.overlays),
            supply_allowed=policies_of(session)[Policy.SUPPLY_BY_EXCEPTION] == ON,
            witness=witness,
        ),
        *(_damage(case) if wanted is not Disposition.RECALLED else ()),
        *_of_supply(case, wanted, signer),
        *_of_recall(case, wanted),
        *_not_back(session, case, wanted),
    )


def _damage(case: LotCase) -> Iterator[str]:
    """What of the records, or of the audit trail, is not as it was written."""
    yield from (f"Audit chain: {one}" for one in case.facts.chain.stops)
    yield from (f"Records: {one}" for one in case.facts.damaged)


def _of_supply(case: LotCase, wanted: Disposition, signer: str) -> Iterator[str]:
    """A lot is supplied by exception by who did nothing of it, and while it can be used."""
    if wanted is Disposition.SUPPLIED:
        yield from signer_gate(case.facts, signer).reasons
        yield from (f"the lot is {overlay}" for overlay in case.overlays)
        yield from supply_hindrances(case.gates, case.known.investigations, case.so_far.failures)


def _of_recall(case: LotCase, wanted: Disposition) -> Iterator[str]:
    """A rejected lot is recalled where people may have had doses of it before."""
    if (wanted, case.disposition) != (Disposition.RECALLED, Disposition.REJECTED):
        return
    if not any(one.disposition in IN_USE for one in case.dispositions):
        yield "no dose of the lot can have left: it was rejected before any release"


def _not_back(session: Session, case: LotCase, wanted: Disposition) -> Iterator[str]:
    """A lot of which doses are at a site, thawed ones too, is recalled before it is destroyed."""
    if wanted is not Disposition.DESTROYED:
        return
    became: dict[int, list[ContainerStatus]] = {}
    for one in events_of(session, (row.id for row in containers_of(session, case.row.id))):
        became.setdefault(one.container_id, []).append(ContainerStatus(one.status))
    there = sum(tuple(own[-len(at) :]) == at for own in became.values() for at in _AT_A_SITE)
    if there:
        yield f"{there} containers are at clinical sites; recall them"
