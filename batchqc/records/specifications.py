"""Specification versions as imported, and their approval. The bytes stand in the store."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import ForeignKey, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.records.among import among
from batchqc.records.base import Row, added_later, refers_to
from batchqc.records.once import once
from batchqc.records.rows_by import rows_by
from batchqc.records.signatures import SignatureRow


class Approved(NamedTuple):
    """An approved version, and from which day on it is withdrawn."""

    version: "SpecificationVersion"
    withdrawn: str | None

    @property
    def effective(self) -> date:
        """From which date of manufacture it applies."""
        return date.fromisoformat(self.version.effective)

    @property
    def withdrawn_from(self) -> date | None:
        """From which date of manufacture it no longer applies."""
        return None if self.withdrawn is None else date.fromisoformat(self.withdrawn)


class SpecificationVersion(Row):
    """One version: what identifies it, and the hash of its bytes, which are the record."""

    __tablename__ = "specification_version"

    specification: Mapped[str]
    version: Mapped[int]
    product: Mapped[str] = mapped_column(index=True)
    stage: Mapped[str]
    title: Mapped[str]
    effective: Mapped[str]
    file: Mapped[str]
    sha256: Mapped[str]
    author: Mapped[str]
    imported_at: Mapped[datetime]
    market: Mapped[str] = added_later()

    __table_args__ = (UniqueConstraint("specification", "version"),)

    @property
    def natural_key(self) -> str:
        """Id and version."""
        return f"{self.specification}/{self.version}"

    @property
    def reference(self) -> str:
        """Id and version as people write it."""
        return f"{self.specification} v{self.version}"


class SpecificationApproval(Row):
    """The signed approval of a version; there is one at the most."""

    __tablename__ = "specification_approval"

    specification_version_id: Mapped[int] = refers_to("specification_version")
    signature_id: Mapped[int] = refers_to("signature")

    content_sha: Mapped[str] = added_later()

    specification_version: Mapped[SpecificationVersion] = relationship()
    signature: Mapped[SignatureRow] = relationship(lazy="joined")
    __table_args__ = (UniqueConstraint("specification_version_id"),)

    @property
    def natural_key(self) -> str:
        """Of the version."""
        return self.specification_version.natural_key


class SpecificationSubmission(Row):
    """A draft that its author gave up for review; there is one at the most."""

    __tablename__ = "specification_submission"

    specification_version_id: Mapped[int] = mapped_column(
        ForeignKey("specification_version.id"), unique=True
    )
    submitted_by: Mapped[str]
    submitted_at: Mapped[datetime]

    specification_version: Mapped[SpecificationVersion] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the version."""
        return self.specification_version.natural_key


class SpecificationWithdrawal(Row):
    """The signed withdrawal of a version: lots made from ``from_day`` on are not judged by it."""

    __tablename__ = "specification_withdrawal"

    specification_version_id: Mapped[int] = mapped_column(
        ForeignKey("specification_version.id"), unique=True
    )
    from_day: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")

    specification_version: Mapped[SpecificationVersion] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the version."""
        return self.specification_version.natural_key


class ImpactReport(Row):
    """What a version would do to every past lot, as data and as a document in the store.

    ``runs`` is the number of assay runs on record when it was made: more runs make it out of date.
    """

    __tablename__ = "impact_report"

    specification_version_id: Mapped[int] = refers_to("specification_version")
    number: Mapped[int]
    content_sha: Mapped[str]
    document_sha: Mapped[str]
    runs: Mapped[int]
    made_by: Mapped[str]
    made_at: Mapped[datetime]

    specification_version: Mapped[SpecificationVersion] = relationship()
    __table_args__ = (UniqueConstraint("specification_version_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Version and the how many-th."""
        return f"{self.specification_version.natural_key}/{self.number}"


def version_by(session: Session, specification: str, version: int) -> SpecificationVersion | None:
    """One version."""
    query = select(SpecificationVersion).where(
        SpecificationVersion.specification == specification, SpecificationVersion.version == version
    )
    return session.scalar(query)


def approval_of(session: Session, version: SpecificationVersion) -> SpecificationApproval | None:
    """The approval of a version."""
    approval, _ = _recorded_of(session, version)
    return approval


def submission_of(
    session: Session, version: SpecificationVersion
) -> SpecificationSubmission | None:
    """The submission of a version for review."""
    query = select(SpecificationSubmission)
    return session.scalar(
        query.where(SpecificationSubmission.specification_version_id == version.id)
    )


def withdrawal_of(
    session: Session, version: SpecificationVersion
) -> SpecificationWithdrawal | None:
    """The withdrawal of a version."""
    of = SpecificationWithdrawal
    return next(iter(rows_by(session, of, of.specification_version_id, [version.id])), None)


def all_versions(session: Session) -> Sequence[SpecificationVersion]:
    """Every version, by id and version."""
    order = (SpecificationVersion.specification, SpecificationVersion.version)
    return session.scalars(select(SpecificationVersion).order_by(*order)).all()


def approved_versions(
    session: Session, *, product: str, stage: str, market: str
) -> Sequence[Approved]:
    """The approved versions for a product, stage and market, by the date from which they apply."""
    query = _APPROVED.where(
        SpecificationVersion.stage == stage, SpecificationVersion.market == market
    )
    found = session.execute(query, {"of_product": product})
    return [Approved(version, withdrawn) for version, withdrawn in found]


@once
def approved_by_stage(
    session: Session, *, product: str, markets: Iterable[str]
) -> dict[str, dict[str, list[Approved]]]:
    """The approved versions for a product in some markets: by stage, market and date, as above."""
    found: dict[str, dict[str, list[Approved]]] = {}
    asked = {"of_product": product, "markets": sorted(markets)}
    for version, withdrawn in session.execute(_APPROVED_IN, asked):
        by_market = found.setdefault(version.stage, {})
        by_market.setdefault(version.market, []).append(Approved(version, withdrawn))
    return found


#: Approved versions, by the date from which they apply, and whence each is withdrawn.
_APPROVED: Final = (
    select(SpecificationVersion, SpecificationWithdrawal.from_day)
    .join(
        SpecificationApproval,
        SpecificationApproval.specification_version_id == SpecificationVersion.id,
    )
    .outerjoin(
        SpecificationWithdrawal,
        SpecificationWithdrawal.specification_version_id == SpecificationVersion.id,
    )
    .where(SpecificationVersion.product == bindparam("of_product"))
    .order_by(SpecificationVersion.effective, SpecificationVersion.version)
)
_APPROVED_IN: Final = _APPROVED.where(among(SpecificationVersion.market, "markets"))


@once
def history_of(session: Session, version: SpecificationVersion) -> list[Row]:
    """Everything recorded of a version, signatures among it."""
    approval, others = _recorded_of(session, version)
    found = list(others)
    for signed in (approval, withdrawal_of(session, version)):
        if signed is not None:
            found += [signed, signed.signature]
    return found


_RECORDED: Final = (
    select(SpecificationApproval, SpecificationSubmission, ImpactReport)
    .select_from(SpecificationVersion)
    .outerjoin(
        SpecificationApproval,
        SpecificationApproval.specification_version_id == SpecificationVersion.id,
    )
    .outerjoin(
        SpecificationSubmission,
        SpecificationSubmission.specification_version_id == SpecificationVersion.id,
    )
    .outerjoin(ImpactReport, ImpactReport.specification_version_id == SpecificationVersion.id)
    .where(SpecificationVersion.id == bindparam("version"))
    .order_by(ImpactReport.id)
)


@once
def _recorded_of(
    session: Session, version: SpecificationVersion
) -> tuple[SpecificationApproval | None, Sequence[Row]]:
    """The approval of a version, and its submission with its impact reports, by one statement."""
    rows = session.execute(_RECORDED, {"version": version.id}).all()
    others: dict[Row | None, None] = dict.fromkeys(one for _, *some in rows for one in some)
    return (rows[0][0] if rows else None), [one for one in others if one is not None]


def reports_of(session: Session, version: SpecificationVersion) -> Sequence[ImpactReport]:
    """Every impact report of a version, oldest first."""
    query = select(ImpactReport).where(ImpactReport.specification_version_id == version.id)
    return session.scalars(query.order_by(ImpactReport.number)).all()


def markets_of(session: Session, product: str) -> set[str]:
    """The markets for which a product has an approved specification of its own."""
    query = (
        select(SpecificationVersion.market)
        .join(SpecificationApproval)
        .where(SpecificationVersion.product == product)
    )
    return {market for market in session.scalars(query.distinct()) if market}
