"""Method versions as imported, and their approval. The bytes stand in the store."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.records.absent import there
from batchqc.records.among import among
from batchqc.records.base import Row, refers_to
from batchqc.records.once import once
from batchqc.records.rows_by import rows_by
from batchqc.records.signatures import SignatureRow
from batchqc.records.uploads import AssayRun, MeasurementRow


class MethodVersion(Row):
    """One version of a method: what identifies it, and the hash of its bytes."""

    __tablename__ = "method_version"

    method: Mapped[str] = mapped_column(index=True)
    version: Mapped[str]
    title: Mapped[str]
    effective: Mapped[str]
    file: Mapped[str]
    sha256: Mapped[str]
    author: Mapped[str]
    imported_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("method", "version"),)

    @property
    def natural_key(self) -> str:
        """Code and version."""
        return f"{self.method}/{self.version}"

    @property
    def reference(self) -> str:
        """Code and version as people write it."""
        return f"{self.method} v{self.version}"


class MethodApproval(Row):
    """The signed approval of a version; there is one at the most."""

    __tablename__ = "method_approval"

    method_version_id: Mapped[int] = mapped_column(ForeignKey("method_version.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")

    method_version: Mapped[MethodVersion] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the version."""
        return self.method_version.natural_key


def all_methods(session: Session) -> Sequence[MethodVersion]:
    """Every version, by code and the date from which it applies."""
    order = (MethodVersion.method, MethodVersion.effective, MethodVersion.id)
    return session.scalars(select(MethodVersion).order_by(*order)).all()


def method_by(session: Session, method: str, version: str) -> MethodVersion | None:
    """One version."""
    return session.scalar(
        select(MethodVersion).where(
            MethodVersion.method == method, MethodVersion.version == version
        )
    )


@once
def versions_of_methods(session: Session, codes: Iterable[str]) -> Sequence[MethodVersion]:
    """Every version of some methods, drafts included."""
    return rows_by(session, MethodVersion, MethodVersion.method, codes)


def method_approval_of(session: Session, version: MethodVersion) -> MethodApproval | None:
    """The approval of a version."""
    query = select(MethodApproval).where(MethodApproval.method_version_id == version.id)
    return session.scalar(query)


_APPROVALS: Final = (
    select(MethodApproval)
    .join(MethodVersion)
    .order_by(MethodVersion.method, MethodVersion.effective, MethodVersion.id)
)
_APPROVALS_OF: Final = _APPROVALS.where(among(MethodVersion.method, "codes"))


@once
def method_approvals(session: Session, codes: Iterable[str] | None = None) -> list[MethodApproval]:
    """The approvals of some methods, or of all, by the date from which each version applies."""
    if codes is None:
        return list(session.scalars(_APPROVALS))
    wanted = there(session, MethodVersion.method, codes)
    return list(session.scalars(_APPROVALS_OF, {"codes": sorted(wanted)})) if wanted else []


def measured_since(session: Session, method: str, day: date) -> bool:
    """Whether a result by a method is on record that was measured on a day or later.

    Times are compared as typed, with two days between them and the date at the site: no two zones
    are further apart.
    """
    text = (day - timedelta(days=2)).isoformat()
    query = select(
        exists().where(MeasurementRow.method == method, MeasurementRow.measured_text >= text)
    )
    return bool(session.scalar(query))


def runs_by_method(
    session: Session, codes: Iterable[str], *, lots: Sequence[int] | None = None
) -> Sequence[int]:
    """The ids of every run with a row that was measured by one of some methods.

    Args:
        session: only read.
        codes: of the methods.
        lots: the surrogate ids of the lots that are meant; ``None`` for all.
    """
    query = select(MeasurementRow.assay_run_id).where(MeasurementRow.method.in_(sorted(codes)))
    if lots is not None:
        own = select(AssayRun.id).where(AssayRun.lot_id.in_(lots))
        query = query.where(MeasurementRow.assay_run_id.in_(own))
    return session.scalars(query.distinct().order_by(MeasurementRow.assay_run_id)).all()


def with_siblings(session: Session, runs: Sequence[AssayRun]) -> Sequence[AssayRun]:
    """Some runs with what was stored of them for other lots: a control counts for every lot."""
    own = {(run.upload_id, run.test, run.run) for run in runs}
    if not own:
        return []
    uploads, tests, names = (set(part) for part in zip(*own, strict=True))
    query = select(AssayRun).where(
        AssayRun.upload_id.in_(uploads), AssayRun.test.in_(tests), AssayRun.run.in_(names)
    )
    found = session.scalars(query.order_by(AssayRun.id)).all()
    return [run for run in found if (run.upload_id, run.test, run.run) in own]
