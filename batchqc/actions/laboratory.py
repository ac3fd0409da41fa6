"""Keeping the registers of the laboratory. A row is never changed; a newer one comes after it.

Rules and registers have one lock, which a decision over a lot takes too: what is refused from now
on is not released meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.attachments import put_raw
from batchqc.actions.expired_materials import hold_expired, hold_what_used
from batchqc.actions.lots import lock_lots
from batchqc.actions.permission import require
from batchqc.actions.received import check_name
from batchqc.actions.registers import refuse_all
from batchqc.actions.setup import own_site
from batchqc.actions.signing import check_reason
from batchqc.actions.uploads import the_upload
from batchqc.core.identifiers import code_problem, fold, line_problem
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, NotFound
from batchqc.records.decisions import dispositions_of
from batchqc.records.laboratory import (
    RULES,
    Instrument,
    LaboratoryCertificate,
    Material,
    MaterialUse,
    RegisterRule,
    Training,
    certificates_for,
    material_by,
    numbered,
    rules_of,
    series_of,
    uses_in,
)
from batchqc.records.people import Person, person_by
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import AssayRun, measurements_of, runs_in

KINDS_OF_MATERIAL = ("reference standard", "critical reagent", "kit", "medium")


@dataclass(frozen=True, slots=True)
class Use:
    """A use as recorded, and why the register doubts it; "" where it does not."""

    row: MaterialUse
    doubt: str


def set_rule(tx: Transaction, *, register: Register, rule: Rule, reason: str) -> RegisterRule:
    """Say what happens from now on where a register says no, or says nothing."""
    require(tx, Permission.SET_REGISTER_RULE)
    check_reason(reason)
    tx.lock(RULES)
    before = rules_of(tx.session).get(register, Rule.OFF)
    row = RegisterRule(
        register=register.value,
        number=numbered(tx.session, RegisterRule, register=register.value),
        rule=rule.value,
        reason=reason,
        set_by=tx.actor.user_id,
        set_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "register rule set",
        rows=[row],
        about=[RULES],
        reason=reason,
        before={"rule": before.value},
        after={"rule": rule.value},
    )
    return row


def register_instrument(
    tx: Transaction, *, instrument: str, kind: str, calibrated_on: date, due_on: date, reason: str
) -> Instrument:
    """Register an instrument, its next calibration, or a correction; the latter two say why."""
    require(tx, Permission.KEEP_REGISTERS)
    problems = [code_problem(instrument), line_problem("the kind", kind)]
    _refuse("the instrument", problems, since=calibrated_on, until=due_on)
    tx.lock(RULES)
    number = numbered(tx.session, Instrument, folded=fold(instrument))
    row = Instrument(
        instrument=instrument,
        folded=fold(instrument),
        number=number,
        kind=kind.strip(),
        calibrated_on=calibrated_on.isoformat(),
        due_on=due_on.isoformat(),
        reason=_reason(reason, number),
        registered_by=tx.actor.user_id,
        registered_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "instrument registered",
        rows=[row],
        about=[series_of(row.key)],
        reason=reason,
        after={"due": row.due_on},
    )
    return row


def register_training(
    tx: Transaction, *, person: str, method: str, trained_on: date, expires_on: date, reason: str
) -> Training:
    """Register that a person was trained for a method, anew, or a correction with its reason."""
    require(tx, Permission.KEEP_REGISTERS)
    _refuse("the training", [code_problem(method)], since=trained_on, until=expires_on)
    trained = _person(tx.session, person)
    if trained.is_laboratory:
        message = f"{trained.user_id} is a contract laboratory; it trains its own people"
        raise Conflict("BQC-LAB-003", message)
    tx.lock(RULES)
    number = numbered(tx.session, Training, person_id=trained.id, method=method)
    row = Training(
        person=trained,
        method=method,
        number=number,
        trained_on=trained_on.isoformat(),
        expires_on=expires_on.isoformat(),
        reason=_reason(reason, number),
        registered_by=tx.actor.user_id,
        registered_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "training registered",
        rows=[row],
        about=[series_of(row.key)],
        reason=reason,
        after={"expires": row.expires_on},
    )
    return row


def register_material(
    tx: Transaction, *, material: str, kind: str, lot: str, expires_on: date, reason: str
) -> Material:
    """Register a material, or a correction of it with its reason.

    A lot in use that was measured with it is held where it had expired, as the rule refuses that.
    """
    require(tx, Permission.KEEP_REGISTERS)
    known = ", ".join(KINDS_OF_MATERIAL)
    no_kind = None if kind in KINDS_OF_MATERIAL else f'"{kind}" is not one of: {known}'
    _refuse("the material", [code_problem(material), no_kind, line_problem("the lot", lot)])
    tx.lock(RULES)
    number = numbered(tx.session, Material, folded=fold(material))
    row = Material(
        material=material,
        folded=fold(material),
        number=number,
        kind=kind,
        lot=lot.strip(),
        expires_on=expires_on.isoformat(),
        reason=_reason(reason, number),
        registered_by=tx.actor.user_id,
        registered_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "material registered",
        rows=[row],
        about=[series_of(row.key)],
        reason=reason,
        after={"expires": row.expires_on},
    )
    hold_what_used(tx, row)
    return row


def record_use(tx: Transaction, *, upload: str, test: str, run: str, material: str) -> Use:
    """Record that a run used a material, an expired one too: what is not recorded is not seen.

    The rule of the register says what an expired one is to every lot of the run: a remark, or a
    reason not to release it, and to hold it where it is in use.

    Raises:
        NotFound: there is no such material, upload or run.
        Conflict: the use is recorded already.
    """
    require(tx, Permission.RECORD_USE)
    received = the_upload(tx.session, upload)
    found = material_by(tx.session, material)
    if found is None:
        raise NotFound("BQC-LAB-004", f"there is no material {material} in the register")
    own = [one for one in runs_in(tx.session, received) if (one.test, one.run) == (test, run)]
    if not own:
        raise NotFound("BQC-LAB-005", f"there is no run {run} ({test}) in {upload}")
    tx.lock(RULES)  # before any lot
    lock_lots(tx, {one.lot for one in own})
    tx.lock(f"uses of {received.key}")
    if any(
        (one.test, one.run, one.material_id) == (test, run, found.id)
        for one in uses_in(tx.session, [received.id])
    ):
        message = f"{found.material} in run {run} ({test}) of {upload} is recorded already"
        raise Conflict("BQC-LAB-006", message)
    row = MaterialUse(
        upload=received,
        test=test,
        run=run,
        material=found,
        recorded_by=tx.actor.user_id,
        recorded_at=tx.now,
    )
    tx.add(row)
    told = _doubt(tx.session, own, found)
    tx.audit(
        "material use recorded",
        rows=[row],
        about=[received.key, found.key, *sorted({one.lot.key for one in own})],
        after={"flagged": told},
    )
    hold_expired(tx, found, [one.lot for one in own])
    return Use(row, told)


def keep_certificate(
    tx: Transaction, archive: Archive, *, laboratory: str, upload: str, file: str, data: bytes
) -> LaboratoryCertificate:
    """Keep the certificate of a contract laboratory over its results in an upload, by its hash."""
    require(tx, Permission.RECORD_USE)
    refuse_all("BQC-LAB-001", "the certificate cannot be kept", [] if data else ["it is empty"])
    check_name(file, data)
    person, received = _person(tx.session, laboratory), the_upload(tx.session, upload)
    if not person.is_laboratory:
        raise Conflict("BQC-LAB-008", f"{person.user_id} is not a contract laboratory")
    sha256 = put_raw(tx, archive, data)
    tx.lock(f"certificates for {received.key}")
    kept = certificates_for(tx.session, [received.id])
    if any((one.person_id, one.sha256) == (person.id, sha256) for one in kept):
        raise Conflict("BQC-LAB-009", f"this certificate is kept already for {upload}")
    row = LaboratoryCertificate(
        person=person,
        upload=received,
        file=file,
        sha256=sha256,
        received_by=tx.actor.user_id,
        received_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "laboratory certificate kept", rows=[row], about=[received.key],
        after={"file": file, "sha256": sha256},
    )  # fmt: skip
    return row


def _doubt(session: Session, own: Sequence[AssayRun], material: Material) -> str:
    """What the register says against a use in a run, and what becomes of its lots."""
    rule = rules_of(session).get(Register.MATERIALS, Rule.OFF)
    zone = ZoneInfo(own_site(session).time_zone)
    last = max(one.measured_at for one in measurements_of(session, own)).astimezone(zone).date()
    expires = date.fromisoformat(material.expires_on)
    if rule is Rule.OFF or last <= expires:
        return ""
    said = [f"{material.material} expired on {expires}; the run was measured on {last}"]
    for run in own:
        if decided := dispositions_of(session, run.lot):
            said.append(f"lot {run.lot.lot} is {decided[-1].disposition} already: tell QA")
        elif rule is Rule.REFUSE:
            said.append(f"lot {run.lot.lot} is not released upon this run")
    return "; ".join(said)


def _person(session: Session, user_id: str) -> Person:
    found = person_by(session, user_id)
    if found is None:
        raise NotFound("BQC-LAB-002", f"{user_id} is no registered person or contract laboratory")
    return found


def _refuse(
    what: str, problems: list[str | None], *, since: date = date.min, until: date = date.max
) -> None:
    if until < since:
        problems = [*problems, f"it ends on {until}, before it begins on {since}"]
    found = [one for one in problems if one]
    refuse_all("BQC-LAB-001", f"{what} cannot be registered", found)


def _reason(reason: str, number: int) -> str:
    """The reason; whatever comes after an earlier row says why."""
    if number > 1 or reason:
        check_reason(reason)
    return reason
