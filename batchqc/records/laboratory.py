"""Registers of the laboratory: instruments, training, materials and their use, rules, certificates.

A row with a higher number of the same thing comes after the earlier ones, which stay.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import UniqueConstraint, func, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column, relationship

from batchqc.core.identifiers import fold
from batchqc.core.laboratory import Register, Rule, Span
from batchqc.records.absent import is_empty
from batchqc.records.base import Row, refers_to
from batchqc.records.once import once
from batchqc.records.people import Person
from batchqc.records.rows_by import rows_by
from batchqc.records.uploads import Upload


class Instrument(Row):
    """An instrument: calibrated on a day, and due again after another."""

    __tablename__ = "instrument"

    instrument: Mapped[str]
    folded: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]
    kind: Mapped[str]
    calibrated_on: Mapped[str]
    due_on: Mapped[str]
    reason: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("folded", "number"),)

    @property
    def natural_key(self) -> str:
        """Id and the how many-th row."""
        return f"{self.folded}/{self.number}"


class Training(Row):
    """That a person was trained for a method on a day, and until when it counts."""

    __tablename__ = "training"

    person_id: Mapped[int] = refers_to("person")
    method: Mapped[str]
    number: Mapped[int]
    trained_on: Mapped[str]
    expires_on: Mapped[str]
    reason: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    person: Mapped[Person] = relationship()
    __table_args__ = (UniqueConstraint("person_id", "method", "number"),)

    @property
    def natural_key(self) -> str:
        """Person, method and the how many-th row."""
        return f"{self.person.user_id}/{self.method}/{self.number}"


class Material(Row):
    """A reference standard, critical reagent, kit or medium: its lot, and its last usable day."""

    __tablename__ = "material"

    material: Mapped[str]
    folded: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]
    kind: Mapped[str]
    lot: Mapped[str]
    expires_on: Mapped[str]
    reason: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("folded", "number"),)

    @property
    def natural_key(self) -> str:
        """Id and the how many-th row."""
        return f"{self.folded}/{self.number}"


class MaterialUse(Row):
    """That a material was used in a run, of every lot in it."""

    __tablename__ = "material_use"

    upload_id: Mapped[int] = refers_to("upload")
    test: Mapped[str]
    run: Mapped[str]
    material_id: Mapped[int] = refers_to("material")
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    upload: Mapped[Upload] = relationship()
    material: Mapped[Material] = relationship()
    __table_args__ = (UniqueConstraint("upload_id", "test", "run", "material_id"),)

    @property
    def natural_key(self) -> str:
        """Upload, test, run and material."""
        return f"{self.upload.natural_key}/{self.test}/{self.run}/{self.material.natural_key}"


class RegisterRule(Row):
    """What happens where a register says no; the newest counts."""

    __tablename__ = "register_rule"

    register: Mapped[str]
    number: Mapped[int]
    rule: Mapped[str]
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("register", "number"),)

    @property
    def natural_key(self) -> str:
        """Register and the how many-th rule."""
        return f"{self.register}/{self.number}"


class LaboratoryCertificate(Row):
    """The certificate of a contract laboratory over its results in an upload, by its hash."""

    __tablename__ = "laboratory_certificate"

    person_id: Mapped[int] = refers_to("person")
    upload_id: Mapped[int] = refers_to("upload")
    file: Mapped[str]
    sha256: Mapped[str]
    received_by: Mapped[str]
    received_at: Mapped[datetime]

    person: Mapped[Person] = relationship()
    upload: Mapped[Upload] = relationship()
    __table_args__ = (UniqueConstraint("person_id", "upload_id", "sha256"),)

    @property
    def natural_key(self) -> str:
        """Laboratory, upload and hash."""
        return f"{self.person.user_id}/{self.upload.natural_key}/{self.sha256}"


#: What audit entries call the rules of all registers.
RULES: Final = "register rules"

Table = TypeVar("Table", Instrument, Training, Material, RegisterRule)


def numbered(session: Session, table: type[Table], **of: Any) -> int:
    """The number of the next row of one thing."""
    query = select(func.max(table.number)).filter_by(**of)
    return (session.scalar(query) or 0) + 1


def series_of(key: str) -> str:
    """What audit entries call a thing of a register, whichever of its rows has the key."""
    return key.rpartition("/")[0]


_RULES: Final = select(RegisterRule).order_by(RegisterRule.number)


@once
def rule_rows(session: Session) -> Sequence[RegisterRule]:
    """Every rule that was set, oldest first."""
    return () if is_empty(session, RegisterRule) else session.scalars(_RULES).all()


def rules_of(session: Session) -> dict[Register, Rule]:
    """The rule of every register that has one."""
    return {Register(row.register): Rule(row.rule) for row in rule_rows(session)}


def rule_of(session: Session, register: Register) -> Rule:
    """The rule of one register."""
    query = select(RegisterRule.rule).where(RegisterRule.register == register.value)
    return Rule(session.scalar(query.order_by(RegisterRule.number.desc()).limit(1)) or Rule.OFF)


def instrument_spans(session: Session) -> dict[str, list[Span]]:
    """The rows of each instrument by folded id, oldest first."""
    found: dict[str, list[Span]] = {}
    for row in _in_order(session, Instrument, Instrument.number):
        span = Span(date.fromisoformat(row.calibrated_on), date.fromisoformat(row.due_on))
        found.setdefault(row.folded, []).append(span)
    return found


def training_spans(session: Session) -> dict[tuple[str, str], list[Span]]:
    """The rows of each person and method, oldest first."""
    found: dict[tuple[str, str], list[Span]] = {}
    for row in _in_order(session, Training, Training.number):
        span = Span(date.fromisoformat(row.trained_on), date.fromisoformat(row.expires_on))
        found.setdefault((row.person.user_id, row.method), []).append(span)
    return found


def instruments_by(session: Session, folded: Iterable[str]) -> Sequence[Instrument]:
    """Every row of some instruments by folded id, oldest first."""
    return rows_by(session, Instrument, Instrument.folded, folded, Instrument.number)


def trainings_by(session: Session, methods: Iterable[str]) -> Sequence[Training]:
    """Every row of every training for some methods, oldest first."""
    return rows_by(session, Training, Training.method, methods, Training.number)


def material_by(session: Session, material: str) -> Material | None:
    """The newest row of a material."""
    query = select(Material).where(Material.folded == fold(material))
    return session.scalar(query.order_by(Material.number.desc()).limit(1))


def materials_by(session: Session, folded: Iterable[str]) -> Sequence[Material]:
    """Every row of some materials by folded id, oldest first."""
    query = select(Material).where(Material.folded.in_(sorted(folded)))
    return session.scalars(query.order_by(Material.number)).all()


def uses_in(session: Session, uploads: Iterable[int]) -> Sequence[MaterialUse]:
    """What was used in the runs of some uploads, by their surrogate ids."""
    return rows_by(session, MaterialUse, MaterialUse.upload_id, uploads)


def uses_of(session: Session, material: Material) -> Sequence[MaterialUse]:
    """In which runs a material was used, whichever of its rows stood then."""
    query = select(MaterialUse).join(Material).where(Material.folded == material.folded)
    return session.scalars(query.order_by(MaterialUse.id)).all()


def certificates_for(session: Session, uploads: Iterable[int]) -> Sequence[LaboratoryCertificate]:
    """The certificates of contract laboratories over results of uploads, by their surrogate ids."""
    return rows_by(session, LaboratoryCertificate, LaboratoryCertificate.upload_id, uploads)


def _in_order(
    session: Session, table: type[Table], number: InstrumentedAttribute[int]
) -> Sequence[Table]:
    return session.scalars(select(table).order_by(number)).all()
