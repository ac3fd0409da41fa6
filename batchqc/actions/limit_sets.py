"""Control limits: proposed from chosen lots, approved by another person of QA, and frozen.

What is approved is applied as it stands; nobody computes it anew. A later set supersedes an earlier
one with a reason. It judges the lots that it was made without; the audit trail of a lot that was
left out, or that begins a phase, tells so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from batchqc.actions.lots import the_lot
from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not, the_product
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.actions.trends import Trends
from batchqc.actions.trends_of_product import frozen_of
from batchqc.core.canonical import canonical_bytes, sha256_of
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal, reason_problem
from batchqc.core.trend_phases import Phase, TrendLot
from batchqc.core.trends import Attribute, is_numeric
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.transaction import Transaction
from batchqc.records.trends import (
    LimitSet,
    LimitSetApproval,
    TrendPhase,
    limit_sets_of,
)


@dataclass(frozen=True, slots=True)
class NewLimits:
    """What limits are proposed from.

    Args:
        attribute: whose.
        reason: why now, and why anew where a set is there.
        phase: its number; 0 is the newest.
        until: the last lot to look at; "" is the last of the phase.
        excluded: lots that are left out, each with its assignable cause.
        scale: ``identity``, ``ln``, ``complement cube root``, ``logit``; "" is that of the kind.
        method: ``prediction`` or ``individuals``; "" is by the number of lots.
        rules: by which later lots are judged; none is rules 1, 2, 3 and 5 of Nelson.
    """

    attribute: Attribute
    reason: str
    phase: int = 0
    until: str = ""
    excluded: Mapping[str, str] = field(default_factory=dict)
    scale: str = ""
    method: str = ""
    rules: Sequence[str] = ()


def propose_limits(
    tx: Transaction, archive: Archive, new: NewLimits, *, trends: Trends | None = None
) -> LimitSet:
    """Compute limits from the lots of a phase, and keep them for approval.

    Raises:
        InvalidInput: the lots, the exclusions or the choices are wrong; every reason is told.
        NotEstimable: too few measured lots, too many censored, or no variation.
        NotFound: there is no such attribute or phase.
    """
    from batchqc.statistics.frozen_limits import limit_content, limits_of_lots  # noqa: PLC0415 - numerics

    require(tx, Permission.PROPOSE_LIMITS)
    check_reason(new.reason)
    attribute = new.attribute
    tx.lock(f"limits of {attribute.name}")
    trend = (trends or Trends()).of(tx.session, archive, attribute)
    phase, chosen = _chosen(trend.phases, new)
    _check(new, phase, numeric=is_numeric(trend.criterion))
    found = limits_of_lots(
        trend.criterion, chosen, scale=new.scale, method=new.method, rules=new.rules
    )
    content = limit_content(attribute, phase, found, chosen=chosen, excluded=new.excluded)
    row = LimitSet(
        product=the_product(tx.session, attribute.product),
        stage=attribute.stage,
        market=attribute.market,
        criterion=attribute.criterion,
        number=len(limit_sets_of(tx.session, attribute.product, attribute)) + 1,
        first=phase.lots[0].lot,
        content_sha=archive.put(canonical_bytes(content)),
        reason=new.reason,
        proposed_by=tx.actor.user_id,
        proposed_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "control limits proposed",
        rows=[row],
        about=[row.product.key, *(the_lot(tx.session, lot).key for lot in new.excluded)],
        reason=new.reason,
        after={
            "sha256": row.content_sha,
            "n": found.n,
            "in unit": content["in_unit"],
            "excluded": dict(new.excluded),
        },
    )
    return row


def approve_limits(
    tx: Transaction,
    archive: Archive,
    *,
    attribute: Attribute,
    number: int,
    credentials: Credentials,
    trends: Trends | None = None,
) -> LimitSetApproval | Refusal:
    """Approve a limit set; the signature binds the hash of its content. The proposer may not.

    Raises:
        Conflict: it is approved, not of the newest number, of the same person, the values of its
            lots have changed since, or these are of several phases by now; every reason.
    """
    from batchqc.statistics.frozen_limits import inputs_sha256  # noqa: PLC0415 - numerics

    require(tx, Permission.APPROVE_LIMITS)
    check_reason(credentials.reason)
    tx.lock(f"limits of {attribute.name}")
    sets = limit_sets_of(tx.session, attribute.product, attribute)
    row, approval = the_limits(tx.session, attribute, number)
    frozen = frozen_of(archive, row)
    trend = (trends or Trends()).of(tx.session, archive, attribute)
    own = [one for one in trend.lots if one.lot.lot in frozen.chosen]
    chosen = [one.lot for one in own]
    wrong = []
    if approval is not None:
        wrong.append("it is approved already")
    if row.proposed_by == tx.actor.user_id:
        wrong.append(f"{row.proposed_by} proposed it; ask another person")
    if any(other.number > number and signed is not None for other, signed in sets):
        wrong.append("a later set is approved")
    if inputs_sha256(chosen) != frozen.inputs:
        wrong.append("the values of its lots have changed since; propose a new set")
    if len({one.phase for one in own}) > 1:
        wrong.append("its lots are of several phases by now; propose a new set of one of them")
    if wrong:
        raise Conflict("BQC-TRD-004", f"{row.natural_key} cannot be approved", reasons=wrong)
    signature = sign(
        tx, credentials, meaning=Meaning.APPROVED, record=row.key, record_sha256=row.content_sha
    )
    if isinstance(signature, Refusal):
        return signature
    made = LimitSetApproval(limit_set=row, signature=signature)
    tx.add(made)
    tx.audit(
        "control limits approved",
        rows=[signature, made],
        about=[row.key, row.product.key],
        reason=credentials.reason,
        after={"sha256": row.content_sha},
    )
    return made


def start_phase(
    tx: Transaction,
    archive: Archive,
    *,
    attribute: Attribute,
    lot: str,
    credentials: Credentials,
    trends: Trends | None = None,
) -> TrendPhase | Refusal:
    """Let a phase of an attribute begin with a lot, for a signed reason such as a process change.

    Raises:
        NotFound: the lot is not in the series.
        Conflict: a phase begins with it already.
    """
    require(tx, Permission.START_PHASE)
    check_reason(credentials.reason)
    tx.lock(f"limits of {attribute.name}")
    trend = (trends or Trends()).of(tx.session, archive, attribute)
    row = the_lot(tx.session, lot)
    if row.lot not in trend.by_lot:
        raise NotFound("BQC-TRD-003", f"lot {row.lot} is not in the series of {attribute.name}")
    if any(one.lots[0].lot == row.lot for one in trend.phases):
        raise Conflict("BQC-TRD-005", f"a phase of {attribute.name} begins with lot {row.lot}")
    content = {
        "type": "batchqc/trend-phase/1",
        "attribute": list(attribute),
        "lot": row.lot,
        "reason": credentials.reason,
    }
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.APPROVED,
        record=f"trend_phase:{attribute.name}/{row.lot}",
        record_sha256=sha256_of(content),
    )
    if isinstance(signature, Refusal):
        return signature
    begun = TrendPhase(
        product=row.product,
        stage=attribute.stage,
        market=attribute.market,
        criterion=attribute.criterion,
        lot=row,
        reason=credentials.reason,
        signature=signature,
    )
    tx.add(begun)
    tx.audit(
        "phase of a trend started",
        rows=[signature, begun],
        about=[row.product.key, row.key],
        reason=credentials.reason,
        after={"lot": row.lot},
    )
    return begun


def causes_of(excluded: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The lots that are left out, each with its one cause.

    Raises:
        InvalidInput: a lot is named twice: of two causes one would be lost.
    """
    found: dict[str, str] = {}
    for lot, cause in excluded:
        if lot in found:
            raise InvalidInput(
                "BQC-TRD-006", f"lot {lot} is left out twice", hint="State its cause once."
            )
        found[lot] = cause
    return found


def the_limits(
    session: Session, attribute: Attribute, number: int
) -> tuple[LimitSet, LimitSetApproval | None]:
    """One limit set with its approval, or NotFound."""
    sets = limit_sets_of(session, attribute.product, attribute)
    found = next((one for one in sets if one[0].number == number), None)
    said = f"{attribute.name} has no limit set {number}"
    row = found_or_not(found[0] if found else None, "BQC-TRD-002", said)
    return row, found[1] if found else None


def _chosen(known: Sequence[Phase], new: NewLimits) -> tuple[Phase, tuple[TrendLot, ...]]:
    """The phase that is meant, cut behind the last lot to look at, and its lots but excluded."""
    number = new.phase or len(known)
    if not 1 <= number <= len(known):
        raise NotFound("BQC-TRD-003", f"{new.attribute.name} has no phase {number}")
    whole = known[number - 1]
    lots = whole.lots
    if new.until:
        places = [place for place, one in enumerate(lots) if one.lot == new.until]
        if not places:
            raise NotFound("BQC-TRD-003", f"lot {new.until} is not in phase {number}")
        lots = lots[: places[0] + 1]
    phase = Phase(
        whole.number, whole.because, whole.methods, whole.site, whole.definition,
        whole.acceptance, lots,
    )  # fmt: skip
    return phase, tuple(one for one in lots if one.lot not in new.excluded)


def _check(new: NewLimits, phase: Phase, *, numeric: bool) -> None:
    wrong = []
    if not numeric:
        wrong.append("its results are words: see the share of lots that fail")
    for lot, cause in new.excluded.items():
        if not phase.has(lot):
            wrong.append(f"lot {lot} is not among the lots that limits are computed from")
        if problem := reason_problem(cause):
            wrong.append(f"the assignable cause of {lot}: {problem}")
    if wrong:
        raise InvalidInput(
            "BQC-TRD-006", f"no limits can be proposed for {new.attribute.name}", reasons=wrong
        )
