"""OOS investigations: what opened each, and every step of it, which folds to how it stands.

The detail of a step is JSON; ``core.investigations`` knows what it means.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.assays import RunKey
from batchqc.core.canonical import sha256_of
from batchqc.core.investigations import (
    Conclusion,
    DecisionRule,
    Finding,
    Investigation,
    Plan,
    Step,
)
from batchqc.core.questioned import is_by_hand
from batchqc.records.base import Numbered, Row, few_among_many, refers_to
from batchqc.records.registers import LotRow
from batchqc.records.rows_by import rows_by
from batchqc.records.signatures import SignatureRow, numbered_by

SERIES: Final = "OOS"
DAYS_DUE: Final = 30  # where no rule is set (requirement 3.14)


class InvestigationRow(Numbered):
    """One failure: the lot, the criterion, the sentence of its verdict, and when it is due.

    ``attributes`` is JSON of [stage, test, analyte], ``runs`` of [upload, test, run, hash].
    """

    __tablename__ = "investigation"

    lot_id: Mapped[int] = refers_to("lot")
    specification: Mapped[str]
    stage: Mapped[str]
    criterion: Mapped[str]
    sentence: Mapped[str]
    attributes: Mapped[str]
    runs: Mapped[str]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime]
    due_on: Mapped[str]

    lot: Mapped[LotRow] = relationship()
    __table_args__ = (
        UniqueConstraint("year", "number"),
        Index("ix_investigation_due_on", "due_on", "id"),
    )

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"{SERIES}-{self.year}-{self.number:06d}"


class InvestigationStep(Row):
    """One thing that was done in an investigation; ``kind`` is one of ``Step``."""

    __tablename__ = "investigation_step"

    investigation_id: Mapped[int] = refers_to("investigation")
    number: Mapped[int]
    kind: Mapped[str]
    detail: Mapped[str]
    taken_by: Mapped[str]
    taken_at: Mapped[datetime]
    signature_id: Mapped[int | None] = mapped_column(ForeignKey("signature.id"))

    investigation: Mapped[InvestigationRow] = relationship()
    signature: Mapped[SignatureRow | None] = relationship()
    __table_args__ = (
        UniqueConstraint("investigation_id", "number"),
        few_among_many("ix_investigation_step_due", "investigation_id", "kind = 'due date'"),
    )

    @property
    def natural_key(self) -> str:
        """Investigation and the how many-th."""
        return f"{self.investigation.natural_key}/{self.number}"

    @property
    def said(self) -> dict[str, Any]:
        """Its detail; nothing where somebody made it unreadable."""
        try:
            detail = json.loads(self.detail)
        except ValueError:
            return {}
        return detail if isinstance(detail, dict) else {}

    @property
    def signed_sha256(self) -> str:
        """What the signature binds: the step, and the investigation as it was opened."""
        return sha256_of(
            {
                "type": "batchqc/investigation-step/1",
                "investigation": self.investigation.content_sha256,
                "number": self.number,
                "kind": self.kind,
                "detail": self.detail,
            }
        )


class InvestigationRule(Row):
    """In how many days an investigation is due; the newest counts for those opened after it."""

    __tablename__ = "investigation_rule"

    number: Mapped[int] = mapped_column(unique=True)
    days: Mapped[int]
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """The how many-th."""
        return str(self.number)


def filed_documents(session: Session) -> Iterator[tuple[InvestigationStep, str]]:
    """Every step that filed a document, with the hash that names it in the store."""
    query = select(InvestigationStep).where(InvestigationStep.kind == Step.DOCUMENT.value)
    for row in session.scalars(query):
        sha256 = row.said.get("sha256")
        if isinstance(sha256, str) and sha256:
            yield row, sha256


Taken = tuple[InvestigationRow, Sequence[InvestigationStep]]


def investigation_by(session: Session, public: str) -> InvestigationRow | None:
    """The investigation of a public number such as ``OOS-2026-000001``."""
    return numbered_by(session, InvestigationRow, SERIES, public)


def investigations_of(session: Session, lots: Iterable[int]) -> list[Taken]:
    """Every investigation of some lots, by their ids, with its steps; oldest first."""
    return taken_in(session, rows_by(session, InvestigationRow, InvestigationRow.lot_id, lots))


def taken_in(session: Session, rows: Sequence[InvestigationRow]) -> list[Taken]:
    """Some investigations, each with its steps, oldest first."""
    taken: dict[int, list[InvestigationStep]] = {row.id: [] for row in rows}
    of = InvestigationStep
    for step in rows_by(session, of, of.investigation_id, taken, of.number):
        taken[step.investigation_id].append(step)
    return [(row, taken[row.id]) for row in rows]


def standing_investigations(
    session: Session, lots: Iterable[LotRow]
) -> dict[str, tuple[Investigation, ...]]:
    """The investigations of some lots as they stand, by the folded id of the lot."""
    names = {row.id: row.folded for row in lots}
    found: dict[str, tuple[Investigation, ...]] = {}
    for row, steps in investigations_of(session, names):
        name = names[row.lot_id]
        found[name] = (*found.get(name, ()), folded(row, steps))
    return found


def steps_of(session: Session, row: InvestigationRow) -> Sequence[InvestigationStep]:
    """The steps of one investigation, oldest first."""
    query = select(InvestigationStep).where(InvestigationStep.investigation_id == row.id)
    return session.scalars(query.order_by(InvestigationStep.number)).all()


def investigated_lots(session: Session, only: Collection[int] | None = None) -> frozenset[int]:
    """Every lot with an investigation, by its id; or those among some."""
    query = select(InvestigationRow.lot_id).distinct()
    if only is not None:
        query = query.where(InvestigationRow.lot_id.in_(only))
    return frozenset(session.scalars(query))


def days_due(session: Session) -> int:
    """In how many days an investigation is due that is opened now."""
    query = select(InvestigationRule.days).order_by(InvestigationRule.number.desc()).limit(1)
    return session.scalar(query) or DAYS_DUE


def next_rule(session: Session) -> int:
    """The number of the next rule."""
    return (session.scalar(select(func.max(InvestigationRule.number))) or 0) + 1


def folded(
    row: InvestigationRow, steps: Iterable[InvestigationStep], *, at: datetime | None = None
) -> Investigation:
    """How an investigation stands, or stood at a moment.

    What somebody made unreadable is not there: such rows contradict the audit trail, which says so.
    """
    found: dict[str, Any] = {
        "number": row.natural_key,
        "criterion": row.criterion,
        "attributes": frozenset(tuple(one) for one in _listed(row.attributes, 3)),
        "runs": frozenset(RunKey(*one[:3]) for one in _listed(row.runs, 4)),
        "due_on": _day(row.due_on),
        "by_hand": is_by_hand(row.sentence),
    }
    for step in steps:
        if at is None or step.taken_at <= at:
            try:
                found |= _said_by(step)
            except (KeyError, TypeError, ValueError, AttributeError):
                continue
    return Investigation(**found)


def _day(text: str) -> date:
    """A date; the first of all where somebody made it unreadable, so that it is overdue."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min


def _listed(text: str, size: int) -> list[list[str]]:
    """The lists of texts in JSON that have a size."""
    try:
        found = json.loads(text)
    except ValueError:
        return []
    return [one for one in found if isinstance(one, list) and len(one) == size]


def _said_by(step: InvestigationStep) -> dict[str, Any]:
    """What a step makes of its investigation."""
    said, found = step.said, dict[str, Any]()
    match Step(step.kind):
        case Step.PHASE_I:
            found = {"performed_by": step.taken_by, "reviewed_by": ""}
        case Step.REVIEW:
            found = {"reviewed_by": step.taken_by}
        case Step.PLAN:
            found = {"plan": plan_of(said, step.taken_at)}
        case Step.CONCLUSION:
            found = {"conclusion": _conclusion(said, step.taken_by)}
        case Step.REOPENED:
            found = {"conclusion": None}
        case Step.DUE:
            found = {"due_on": date.fromisoformat(said["due_on"])}
        case Step.DOCUMENT:
            pass
    return found


def plan_of(said: dict[str, Any], approved_at: datetime) -> Plan:
    """The plan that a step holds."""
    return Plan(
        approved_at=approved_at,
        test=said["test"],
        method=said["method"],
        version=said["version"],
        analysts=frozenset(said["analysts"]),
        retests=said["retests"],
        resamples=said["resamples"],
        samples=frozenset(said["samples"]),
        new_samples=frozenset(said["new_samples"]),
        same_analyst=said["same_analyst"],
        rule=DecisionRule(said["rule"]),
    )


def _conclusion(said: dict[str, Any], by: str) -> Conclusion:
    return Conclusion(
        finding=Finding(said["finding"]),
        test=said["test"],
        cause=said["cause"],
        set_aside=frozenset((RunKey(*one[:3]), one[3]) for one in said["set_aside"]),
        counting=frozenset(RunKey(*one) for one in said["counting"]),
        by=by,
    )
