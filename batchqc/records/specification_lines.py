"""Versions of specifications as a list shows them: one query for all, one for the lots they judge.

Nothing of their content is read.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batchqc.core.identifiers import fold
from batchqc.records.bindings import REBOUND, rebound_lots
from batchqc.records.corrections import Correction, CorrectionDecision
from batchqc.records.registers import LotRow, LotSpecification
from batchqc.records.signatures import SignatureRow
from batchqc.records.specifications import (
    SpecificationApproval,
    SpecificationSubmission,
    SpecificationVersion,
    SpecificationWithdrawal,
)


class VersionLine(NamedTuple):
    """A version, and how far it is; blank and ``None`` where it did not come to that."""

    version: SpecificationVersion
    submitted_by: str | None
    approved_by: str | None
    approved_at: datetime | None
    withdrawn: str | None

    @property
    def effective(self) -> date:
        """From which date of manufacture it applies."""
        return date.fromisoformat(self.version.effective)

    @property
    def withdrawn_from(self) -> date | None:
        """From which date of manufacture it no longer applies."""
        return None if self.withdrawn is None else date.fromisoformat(self.withdrawn)

    @property
    def key(self) -> tuple[str, str, str]:
        """Product, stage and market, of which one version at a time is in force."""
        return self.version.product, self.version.stage, self.version.market


@dataclass(frozen=True, slots=True)
class VersionsWanted:
    """Which versions; blank is every one. ``text`` is in the id, the title or the product."""

    text: str = ""
    product: str = ""
    stage: str = ""


def version_lines(session: Session, wanted: VersionsWanted) -> Sequence[VersionLine]:
    """The versions that are wanted, by product, stage, market, and from which day they apply."""
    row = SpecificationVersion
    query = (
        select(
            row, SpecificationSubmission.submitted_by, SignatureRow.name, SignatureRow.at,
            SpecificationWithdrawal.from_day,
        )
        .outerjoin(
            SpecificationSubmission, SpecificationSubmission.specification_version_id == row.id
        )
        .outerjoin(SpecificationApproval, SpecificationApproval.specification_version_id == row.id)
        .outerjoin(SignatureRow, SignatureRow.id == SpecificationApproval.signature_id)
        .outerjoin(
            SpecificationWithdrawal, SpecificationWithdrawal.specification_version_id == row.id
        )
        .order_by(row.product, row.stage, row.market, row.effective, row.version)
    )  # fmt: skip
    if wanted.product:
        query = query.where(row.product == wanted.product)
    if wanted.stage:
        query = query.where(row.stage == wanted.stage)
    found = [VersionLine(*one) for one in session.execute(query)]
    sought = fold(wanted.text)
    return [
        one
        for one in found
        if sought in fold(f"{one.version.reference}\n{one.version.title}\n{one.version.product}")
    ]


def lots_bound(session: Session, versions: Collection[SpecificationVersion]) -> Mapping[int, int]:
    """How many lots each version judges today, by the version's id: as registered or as rebound."""
    ids = [one.id for one in versions]
    counted: Counter[int] = Counter()
    for table in (LotRow, LotSpecification):
        own = table.specification_version_id
        query = select(own, func.count()).where(own.in_(ids)).group_by(own)
        counted.update(dict(session.execute(query).all()))
    for product in _rebound_products(session, {one.product for one in versions}):
        _rebind(session, counted, rebound_lots(session, product))
    return counted


def _rebound_products(session: Session, products: Collection[str]) -> set[str]:
    """The products of which a lot may have been rebound."""
    corrected = (
        select(Correction.subject)
        .join(CorrectionDecision, CorrectionDecision.correction_id == Correction.id)
        .where(Correction.field == REBOUND)
    )
    lots = [fold(one.removeprefix("lot:")) for one in session.scalars(corrected.distinct())]
    if not lots:
        return set()
    query = (
        select(SpecificationVersion.product)
        .join(LotRow, LotRow.specification_version_id == SpecificationVersion.id)
        .where(LotRow.folded.in_(lots), SpecificationVersion.product.in_(products))
    )
    return set(session.scalars(query.distinct()))


def _rebind(
    session: Session,
    counted: Counter[int],
    rebound: Mapping[str, Sequence[SpecificationVersion]],
) -> None:
    """Take rebound lots from the versions of before, and count them where they are bound now."""
    lots = [fold(one) for one in rebound]
    before = select(LotRow.specification_version_id).where(LotRow.folded.in_(lots))
    beside = (
        select(LotSpecification.specification_version_id)
        .join(LotRow, LotRow.id == LotSpecification.lot_id)
        .where(LotRow.folded.in_(lots))
    )
    for query in (before, beside):
        counted.subtract(session.scalars(query))
    for versions in rebound.values():
        counted.update(one.id for one in versions)
