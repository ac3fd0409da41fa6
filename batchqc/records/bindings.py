"""Which specifications judge a lot: as registered, or as a signed correction rebound it."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.identifiers import fold
from batchqc.records.corrections import Correction, CorrectionDecision
from batchqc.records.registers import (
    LotRow,
    LotSpecification,
    Product,
    other_specifications_of,
)
from batchqc.records.specifications import SpecificationVersion, all_versions

#: The field of a lot whose correction binds it to other versions.
REBOUND: Final = "specification"
_BETWEEN: Final = ", "


class Binding(NamedTuple):
    """What judges a lot, the deciding version first, and why it is these."""

    versions: tuple[SpecificationVersion, ...]
    because: str

    @property
    def text(self) -> str:
        """Every version, as a correction names them."""
        return binding_text(self.versions)


def binding_text(versions: Iterable[SpecificationVersion]) -> str:
    """Versions as a correction names them: ``UC-MSC-REL v2, UC-MSC-DONOR v1``."""
    return _BETWEEN.join(version.reference for version in versions)


def binding_of(
    session: Session,
    lot: LotRow,
    corrections: Iterable[tuple[Correction, CorrectionDecision | None]],
    beside: Iterable[LotSpecification] | None = None,
) -> Binding:
    """What judges a lot, with its corrections as they stand.

    A correction that names what is not on record was tampered with: the audit trail tells of it,
    and the lot is shown as it was registered. ``beside`` is what it was registered with beside the
    specification that decides, where that is at hand.
    """
    rebound = [
        one
        for one, decision in corrections
        if (one.subject, one.field) == (lot.key, REBOUND)
        and decision is not None
        and decision.approved
    ]
    for newest in rebound[-1:]:
        if versions := _named(newest.after, all_versions(session)):
            return Binding(versions, f"{newest.natural_key}: {newest.reason}")
    others = other_specifications_of(session, lot) if beside is None else beside
    versions = (lot.specification_version, *(one.specification_version for one in others))
    return Binding(versions, lot.bound_because)


def rebound_lots(session: Session, product: str) -> dict[str, tuple[SpecificationVersion, ...]]:
    """The versions of every lot of a product that a correction rebound."""
    approved = (
        select(Correction.subject, Correction.after)
        .join(CorrectionDecision, CorrectionDecision.correction_id == Correction.id)
        .where(Correction.field == REBOUND, CorrectionDecision.approved == 1)
        .order_by(Correction.year, Correction.number)
    )
    after = {row.subject.removeprefix("lot:"): row.after for row in session.execute(approved)}
    of_product = (
        select(LotRow.lot)
        .join(Product, Product.id == LotRow.product_id)
        .where(Product.code == product, LotRow.folded.in_([fold(lot) for lot in after]))
    )
    newest = {lot: after[lot] for lot in session.scalars(of_product)}
    versions = all_versions(session)
    named = {lot: _named(after, versions) for lot, after in newest.items()}
    return {lot: versions for lot, versions in named.items() if versions}


def _named(text: str, versions: Iterable[SpecificationVersion]) -> tuple[SpecificationVersion, ...]:
    """The versions of a text, or none where one of them is not on record."""
    known = {version.reference: version for version in versions}
    names = text.split(_BETWEEN)
    return tuple(known[name] for name in names) if known.keys() >= set(names) else ()
