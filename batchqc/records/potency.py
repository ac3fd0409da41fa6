"""Fits of plates, and what was declared from them as a measurement."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.assays import RunKey
from batchqc.core.potency import COMPUTED
from batchqc.records.base import Numbered, Row, refers_to
from batchqc.records.registers import LotRow, SampleRow
from batchqc.records.rows_by import rows_by
from batchqc.records.signatures import SignatureRow, numbered_by

if TYPE_CHECKING:
    from batchqc.records.methods import MethodVersion
    from batchqc.records.uploads import AssayRun, Upload


class PotencyFit(Numbered):
    """One fit of the wells of a sample in a run, whatever came of it.

    ``wells_sha256`` is of the rows that were fitted, "" where they could not be read. ``result`` is
    JSON of texts; ``reasons`` are JSON, why it may not be declared: none where ``reportable``.
    """

    __tablename__ = "potency_fit"

    lot_id: Mapped[int] = refers_to("lot")
    assay_run_id: Mapped[int] = refers_to("assay_run")
    sample_id: Mapped[int] = refers_to("sample")
    method_version_id: Mapped[int] = refers_to("method_version")
    wells_sha256: Mapped[str]
    result: Mapped[str]
    reportable: Mapped[int]
    reasons: Mapped[str]
    software: Mapped[str]
    fitted_by: Mapped[str]
    fitted_at: Mapped[datetime]

    lot: Mapped[LotRow] = relationship()
    assay_run: Mapped["AssayRun"] = relationship()
    sample: Mapped[SampleRow] = relationship()
    method_version: Mapped["MethodVersion"] = relationship()
    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def public(self) -> str:
        """Its public number."""
        return f"PF-{self.year}-{self.number:06d}"

    @property
    def natural_key(self) -> str:
        """Lot and public number."""
        return f"{self.lot.lot}/{self.public}"


class PotencyDeclaration(Numbered):
    """What was declared from fits: the upload that it makes, and the content that is signed.

    ``declared`` is canonical JSON; the signature binds its hash.
    """

    __tablename__ = "potency_declaration"

    lot_id: Mapped[int] = refers_to("lot")
    upload_id: Mapped[int] = mapped_column(ForeignKey("upload.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")
    value: Mapped[str]
    unit: Mapped[str]
    declared: Mapped[str]

    lot: Mapped[LotRow] = relationship()
    upload: Mapped["Upload"] = relationship()
    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def public(self) -> str:
        """Its public number."""
        return declaration_number(self.year, self.number)

    @property
    def natural_key(self) -> str:
        """Lot and public number."""
        return f"{self.lot.lot}/{self.public}"


class PotencySource(Row):
    """A fit on which a declaration rests; a fit makes one declaration at the most."""

    __tablename__ = "potency_source"

    potency_declaration_id: Mapped[int] = refers_to("potency_declaration")
    potency_fit_id: Mapped[int] = mapped_column(ForeignKey("potency_fit.id"), unique=True)

    potency_declaration: Mapped[PotencyDeclaration] = relationship()
    potency_fit: Mapped[PotencyFit] = relationship()

    @property
    def natural_key(self) -> str:
        """Declaration and fit."""
        return f"{self.potency_declaration.natural_key}/{self.potency_fit.public}"


def declaration_number(year: int, number: int) -> str:
    """The public number of a declaration, which is also its run id."""
    return f"PD-{year}-{number:06d}"


def fit_by(session: Session, public: str) -> PotencyFit | None:
    """The fit of a public number such as ``PF-2026-000001``."""
    return numbered_by(session, PotencyFit, "PF", public)


def declaration_by(session: Session, public: str) -> PotencyDeclaration | None:
    """The declaration of a public number such as ``PD-2026-000001``."""
    return numbered_by(session, PotencyDeclaration, "PD", public)


def fits_of(session: Session, lot: LotRow) -> Sequence[PotencyFit]:
    """Every fit of a lot, oldest first."""
    return rows_by(session, PotencyFit, PotencyFit.lot_id, [lot.id])


def newest_fits(
    session: Session, runs: Iterable[int], *, sample: int | None = None
) -> dict[int, PotencyFit]:
    """The newest fit of each of some runs, by the run's surrogate id; or of one sample in them."""
    ids = set(runs)
    query = select(PotencyFit).where(PotencyFit.assay_run_id.in_(ids)).order_by(PotencyFit.id)
    if sample is not None:
        query = query.where(PotencyFit.sample_id == sample)
    return {one.assay_run_id: one for one in session.scalars(query)} if ids else {}


def declarations_of(session: Session, lot: LotRow) -> Sequence[PotencyDeclaration]:
    """Every declaration of a lot, oldest first."""
    return rows_by(session, PotencyDeclaration, PotencyDeclaration.lot_id, [lot.id])


def all_declarations(session: Session) -> Sequence[PotencyDeclaration]:
    """Every declaration, oldest first."""
    return session.scalars(select(PotencyDeclaration).order_by(PotencyDeclaration.id)).all()


def sources_of(
    session: Session, declarations: Iterable[PotencyDeclaration]
) -> Sequence[PotencySource]:
    """What some declarations rest on, in the order in which it was recorded."""
    ids = {one.id for one in declarations}
    if not ids:
        return []
    query = select(PotencySource).where(PotencySource.potency_declaration_id.in_(ids))
    return session.scalars(query.order_by(PotencySource.id)).all()


def wells_declared(session: Session, uploads: Iterable["Upload"]) -> dict[int, tuple[RunKey, ...]]:
    """The runs from whose wells some uploads were declared, by the surrogate id of the upload."""
    ids = {one.id for one in uploads if one.typed == COMPUTED}
    if not ids:
        return {}
    query = (
        select(PotencyDeclaration.upload_id, PotencyFit)
        .join(PotencySource, PotencySource.potency_declaration_id == PotencyDeclaration.id)
        .join(PotencyFit, PotencyFit.id == PotencySource.potency_fit_id)
        .where(PotencyDeclaration.upload_id.in_(ids))
        .order_by(PotencySource.id)
    )
    found: dict[int, tuple[RunKey, ...]] = {}
    for upload, fit in session.execute(query):
        found[upload] = (*found.get(upload, ()), fit.assay_run.run_key)
    return found
