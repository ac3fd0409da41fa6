"""Frozen control limits with their approval, and phases that QA began."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, bindparam, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.trends import Attribute
from batchqc.records.absent import there
from batchqc.records.base import Row, refers_to
from batchqc.records.once import once
from batchqc.records.registers import LotRow, Product
from batchqc.records.signatures import SignatureRow


class LimitSet(Row):
    """Limits of an attribute, computed from chosen lots and frozen.

    ``content_sha`` names the canonical content in the store: lots, exclusions, scale, method,
    centre, sigma and limits. ``first`` is the lot with which its phase began. A later number
    supersedes, for ``reason``.
    """

    __tablename__ = "limit_set"

    product_id: Mapped[int] = refers_to("product")
    stage: Mapped[str]
    market: Mapped[str]
    criterion: Mapped[str]
    number: Mapped[int]
    first: Mapped[str]
    content_sha: Mapped[str]
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]

    product: Mapped[Product] = relationship()
    __table_args__ = (UniqueConstraint("product_id", "stage", "market", "criterion", "number"),)

    @property
    def attribute(self) -> Attribute:
        """Whose limits they are."""
        return Attribute(self.product.code, self.stage, self.market, self.criterion)

    @property
    def natural_key(self) -> str:
        """Attribute and the how many-th."""
        return f"{self.attribute.name}/{self.number}"


class LimitSetApproval(Row):
    """The signed approval of a limit set; there is one at the most."""

    __tablename__ = "limit_set_approval"

    limit_set_id: Mapped[int] = mapped_column(ForeignKey("limit_set.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")

    limit_set: Mapped[LimitSet] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the limit set."""
        return self.limit_set.natural_key


class TrendPhase(Row):
    """That a phase of an attribute begins with a lot, by QA's signed reason."""

    __tablename__ = "trend_phase"

    product_id: Mapped[int] = refers_to("product")
    stage: Mapped[str]
    market: Mapped[str]
    criterion: Mapped[str]
    lot_id: Mapped[int] = refers_to("lot")
    reason: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")

    product: Mapped[Product] = relationship()
    lot: Mapped[LotRow] = relationship()
    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("product_id", "stage", "market", "criterion", "lot_id"),)

    @property
    def attribute(self) -> Attribute:
        """Of what."""
        return Attribute(self.product.code, self.stage, self.market, self.criterion)

    @property
    def natural_key(self) -> str:
        """Attribute and lot."""
        return f"{self.attribute.name}/{self.lot.lot}"


_LIMIT_SETS: Final = (
    select(LimitSet, LimitSetApproval)
    .join(Product, Product.id == LimitSet.product_id)
    .outerjoin(LimitSetApproval, LimitSetApproval.limit_set_id == LimitSet.id)
    .where(Product.code == bindparam("product"))
    .order_by(LimitSet.id)
)


def limit_sets_of(
    session: Session, product: str, attribute: Attribute | None = None
) -> Sequence[tuple[LimitSet, LimitSetApproval | None]]:
    """Every limit set of a product, or of one attribute of it, with its approval; oldest first."""
    found = _limit_sets(session, product)
    return [one for one in found if attribute is None or _is_of(one[0], attribute)]


@once
def _limit_sets(
    session: Session, product: str
) -> Sequence[tuple[LimitSet, LimitSetApproval | None]]:
    found = session.execute(_LIMIT_SETS, {"product": product})
    return [(row, approval) for row, approval in found]


_PHASES: Final = (
    select(TrendPhase)
    .join(Product, Product.id == TrendPhase.product_id)
    .where(Product.code == bindparam("product"))
    .order_by(TrendPhase.id)
)


def phases_begun(
    session: Session, product: str, attribute: Attribute | None = None
) -> Sequence[TrendPhase]:
    """The phases that QA began for a product, or for one attribute of it; oldest first."""
    found = _phases(session, product)
    return [one for one in found if attribute is None or _is_of(one, attribute)]


@once
def _phases(session: Session, product: str) -> Sequence[TrendPhase]:
    return session.scalars(_PHASES, {"product": product}).all()


def _is_of(row: LimitSet | TrendPhase, attribute: Attribute) -> bool:
    return (row.stage, row.market, row.criterion) == attribute[1:]


def newest_product(session: Session) -> str:
    """The product of the lot that was registered last, or ``""``."""
    query = select(Product.code).join(LotRow, LotRow.product_id == Product.id)
    return session.scalar(query.order_by(LotRow.id.desc()).limit(1)) or ""


def first_lots(session: Session, product: str, limit: int) -> Sequence[int]:
    """The surrogate ids of the lots of a product that were registered first."""
    query = select(LotRow.id).join(Product, Product.id == LotRow.product_id)
    query = query.where(Product.code == product).order_by(LotRow.id).limit(limit)
    return session.scalars(query).all()


@once
def lots_made(session: Session, product: str) -> int:
    """How many lots of a product are registered."""
    query = select(func.count()).select_from(LotRow).join(Product, Product.id == LotRow.product_id)
    return session.scalar(query.where(Product.code == product)) or 0


def trend_rows(session: Session, product: Product) -> list[Row]:
    """Every limit set and phase of a product, with the signatures on them."""
    rows: list[Row] = []
    has_sets = there(session, LimitSet.product_id, [product.id])
    for row, approval in limit_sets_of(session, product.code) if has_sets else ():
        rows.append(row)
        if approval is not None:
            rows += [approval, approval.signature]
    has_phases = there(session, TrendPhase.product_id, [product.id])
    for begun in phases_begun(session, product.code) if has_phases else ():
        rows += [begun, begun.signature]
    return rows
