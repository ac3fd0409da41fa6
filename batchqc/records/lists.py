"""What people look for in lists of lots, certificates and uploads, as queries.

A filter that says nothing lets everything through; those that are given hold together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from batchqc.core.identifiers import fold
from batchqc.core.lot_states import Disposition
from batchqc.records.conditional import counts_no_more
from batchqc.records.containers import depleted_lots
from batchqc.records.corrections import Correction, CorrectionDecision
from batchqc.records.decisions import Certificate, CertificateIssue, DispositionRow
from batchqc.records.holds import Hold, HoldEnd
from batchqc.records.registers import DonorRow, LotDonor, LotRow, Product
from batchqc.records.uploads import AssayRun, Upload


@dataclass(frozen=True, slots=True)
class LotsWanted:
    """Which lots: days are dates of manufacture as corrected, ``text`` a part of id or product.

    ``expired_before`` asks for lots whose last usable day, as corrected, is before it.
    """

    product: str = ""
    disposition: Disposition | None = None
    donor: str = ""
    market: str = ""
    made_since: date | None = None
    made_until: date | None = None
    text: str = ""
    on_hold: bool = False
    expired_before: date | None = None
    depleted: bool = False


@dataclass(frozen=True, slots=True)
class CertificatesWanted:
    """Which certificates: ``since`` and ``until`` are moments at which the number was given."""

    lot: str = ""
    product: str = ""
    donor: str = ""
    status: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class UploadsWanted:
    """Which uploads: of whose lot, accepted or not, by whom."""

    lot: str = ""
    accepted: bool | None = None
    person: str = ""


def lots_wanted(wanted: LotsWanted) -> Select[LotRow]:
    """The lots. What a lot's progress adds to the filters belongs here, beside its disposition."""
    return select(LotRow).where(*_lot_conditions(wanted))


def certificates_wanted(wanted: CertificatesWanted) -> Select[Certificate]:
    """The certificates."""
    of_lots = LotsWanted(product=wanted.product, donor=wanted.donor)
    conditions = list(_lot_conditions(of_lots))
    if wanted.lot:
        conditions.append(LotRow.folded == fold(wanted.lot))
    if wanted.status:
        is_issued = exists().where(CertificateIssue.certificate_id == Certificate.id)
        void = counts_no_more() if wanted.status == "void" else ~counts_no_more()
        conditions += [is_issued] if wanted.status == "issued" else [~is_issued, void]
    if wanted.since is not None:
        conditions.append(Certificate.reserved_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Certificate.reserved_at < wanted.until)
    return select(Certificate).join(LotRow, LotRow.id == Certificate.lot_id).where(*conditions)


def uploads_wanted(wanted: UploadsWanted) -> Select[Upload]:
    """The uploads; a refused one belongs to no lot."""
    query = select(Upload)
    if wanted.lot:
        of_lot = select(AssayRun.upload_id).join(LotRow).where(LotRow.folded == fold(wanted.lot))
        query = query.where(Upload.id.in_(of_lot))
    if wanted.accepted is not None:
        query = query.where(Upload.accepted == int(wanted.accepted))
    if wanted.person:
        query = query.where(func.lower(Upload.uploaded_by) == fold(wanted.person))
    return query


def _lot_conditions(wanted: LotsWanted) -> Iterator[ColumnElement[bool]]:
    if wanted.product:
        of_product = select(Product.id).where(Product.folded == fold(wanted.product))
        yield LotRow.product_id.in_(of_product)
    if wanted.disposition is not None:
        yield newest_disposition() == wanted.disposition.value
    if wanted.donor:
        of_donor = select(LotDonor.lot_id).join(DonorRow)
        yield LotRow.id.in_(of_donor.where(DonorRow.folded == fold(wanted.donor)))
    if wanted.market:
        yield LotRow.market == wanted.market.strip().upper()
    if wanted.made_since is not None:
        yield _made_on() >= wanted.made_since.isoformat()
    if wanted.made_until is not None:
        yield _made_on() <= wanted.made_until.isoformat()
    if wanted.text:
        part = fold(wanted.text)
        of_products = select(Product.id).where(Product.folded.contains(part, autoescape=True))
        # Where no product is called so, no lot is asked which it is of.
        by_product = and_(of_products.exists(), LotRow.product_id.in_(of_products))
        yield or_(by_product, LotRow.folded.contains(part, autoescape=True))
    yield from _overlay_conditions(wanted)


def _overlay_conditions(wanted: LotsWanted) -> Iterator[ColumnElement[bool]]:
    if wanted.on_hold:
        yield LotRow.id.in_(select(Hold.lot_id).where(Hold.id.not_in(select(HoldEnd.hold_id))))
    if wanted.expired_before is not None:
        last = as_corrected("expires_on", LotRow.expires_on)
        yield last < wanted.expired_before.isoformat()
    if wanted.depleted:
        yield from depleted_lots()


def newest_disposition() -> ColumnElement[str]:
    """What the label of a lot says: quarantine before anything is decided."""
    newest = (
        select(DispositionRow.disposition)
        .where(DispositionRow.lot_id == LotRow.id)
        .order_by(DispositionRow.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(newest, Disposition.QUARANTINE.value)


def _made_on() -> ColumnElement[str]:
    return as_corrected("manufactured_on", LotRow.manufactured_on)


def as_corrected(field: str, registered: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """A date of a lot, as corrected."""
    corrected = (
        select(Correction.after)
        .join(CorrectionDecision, CorrectionDecision.correction_id == Correction.id)
        .where(
            Correction.subject == literal("lot:") + LotRow.lot,
            Correction.field + "" == field,  # by the index of subjects: a field has many
            CorrectionDecision.approved == 1,
        )
        .order_by(Correction.year.desc(), Correction.number.desc())
        .limit(1)
        .correlate(LotRow)
        .scalar_subquery()
    )
    return func.coalesce(corrected, registered)


def lots_corrected_in(field: str) -> Select[int]:
    """The surrogate ids of the lots that have an approved correction of a field."""
    named = func.lower(func.substr(Correction.subject, len("lot:") + 1))
    return (
        select(LotRow.id)
        .join_from(
            Correction, CorrectionDecision, CorrectionDecision.correction_id == Correction.id
        )
        .join(LotRow, LotRow.folded == named)
        .where(
            Correction.field == field,
            Correction.subject.startswith("lot:"),
            CorrectionDecision.approved == 1,
        )
    )
