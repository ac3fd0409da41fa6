"""What must be registered before anything is measured: site, products, donors, lots, samples."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Final

from sqlalchemy import Index, Select, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from batchqc.core.identifiers import fold
from batchqc.core.lots import Sample
from batchqc.records.among import among
from batchqc.records.base import Row, added_later, refers_to
from batchqc.records.once import once, tell
from batchqc.records.rows_by import rows_by
from batchqc.records.specifications import SpecificationVersion


class Site(Row):
    """Who makes and issues: name, address (lines), IANA time zone, series of its certificates.

    ``statements`` (lines) stand on every certificate. Where ``specimen`` is not empty, certificates
    are for show, and each page says so and carries this sentence.
    """

    __tablename__ = "site"

    name: Mapped[str]
    address: Mapped[str]
    time_zone: Mapped[str]
    series: Mapped[str] = mapped_column(unique=True)
    specimen: Mapped[str]
    statements: Mapped[str]
    created_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """Its series."""
        return self.series


class Product(Row):
    """What is made."""

    __tablename__ = "product"

    code: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    form: Mapped[str]
    storage: Mapped[str]
    registered_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """Its code."""
        return self.code


class DonorRow(Row):
    """A donor, by code only."""

    __tablename__ = "donor"

    code: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    tissue_source: Mapped[str]
    registered_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """Its code."""
        return self.code


class LotRow(Row):
    """A lot as registered; corrections are laid over it when it is read."""

    __tablename__ = "lot"
    __table_args__ = tuple(
        Index(f"ix_lot_{date}", date, "id") for date in ("manufactured_on", "expires_on")
    )

    lot: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    product_id: Mapped[int] = refers_to("product")
    site_id: Mapped[int] = refers_to("site")
    manufactured_on: Mapped[str]
    expires_on: Mapped[str]
    specification_version_id: Mapped[int] = refers_to("specification_version")
    bound_because: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]
    market: Mapped[str] = added_later()

    product: Mapped[Product] = relationship()
    site: Mapped[Site] = relationship()
    specification_version: Mapped[SpecificationVersion] = relationship()

    @property
    def natural_key(self) -> str:
        """The lot id as registered."""
        return self.lot

    @property
    def dates(self) -> tuple[date, date]:
        """Manufacture and expiry as registered."""
        return date.fromisoformat(self.manufactured_on), date.fromisoformat(self.expires_on)


class LotSpecification(Row):
    """A specification of another stage that a lot is judged by beside the one that decides."""

    __tablename__ = "lot_specification"
    __table_args__ = (UniqueConstraint("lot_id", "specification_version_id"),)

    lot_id: Mapped[int] = refers_to("lot")
    specification_version_id: Mapped[int] = refers_to("specification_version")
    bound_because: Mapped[str]

    lot: Mapped[LotRow] = relationship()
    specification_version: Mapped[SpecificationVersion] = relationship()

    @property
    def natural_key(self) -> str:
        """Lot and version."""
        return f"{self.lot.lot}/{self.specification_version.natural_key}"


class LotDonor(Row):
    """A donor of a lot; a pooled lot has several."""

    __tablename__ = "lot_donor"
    __table_args__ = (UniqueConstraint("lot_id", "donor_id"),)

    lot_id: Mapped[int] = refers_to("lot")
    donor_id: Mapped[int] = refers_to("donor")

    lot: Mapped[LotRow] = relationship()
    donor: Mapped[DonorRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Lot and donor."""
        return f"{self.lot.lot}/{self.donor.code}"


class SampleRow(Row):
    """A sample: stage, container, and when it was taken, with the text as typed."""

    __tablename__ = "sample"

    sample: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    lot_id: Mapped[int] = refers_to("lot")
    stage: Mapped[str]
    container: Mapped[str]
    taken_text: Mapped[str]
    taken_at: Mapped[datetime]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    lot: Mapped[LotRow] = relationship()

    @property
    def natural_key(self) -> str:
        """The sample id as registered."""
        return self.sample


_Given = tuple[LotRow, LotDonor | None, DonorRow | None]
_SITE: Final = select(Site).order_by(Site.id).limit(1)


@once
def the_site(session: Session) -> Site | None:
    """The site of this database."""
    return session.scalar(_SITE)


@once
def product_by(session: Session, code: str) -> Product | None:
    """The product of a code."""
    return session.scalar(select(Product).where(Product.folded == fold(code)))


@once
def donor_by(session: Session, code: str) -> DonorRow | None:
    """The donor of a code."""
    return session.scalar(select(DonorRow).where(DonorRow.folded == fold(code)))


def lot_by(session: Session, lot: str) -> LotRow | None:
    """The lot of an id, compared without case, with what every look at a lot asks of it."""
    rows = _with_donors(session, fold(lot))
    if not rows:
        return None
    tell(session, the_site, rows[0][0].site)
    return rows[0][0]


@once
def _with_donors(session: Session, folded: str) -> Sequence[_Given]:
    """A lot, with each of its donors, by code; ``None`` where there is none, or it was removed."""
    return [(*row,) for row in session.execute(_lot_by(), {"folded": folded})]


@cache
def _lot_by() -> Select[*_Given]:
    around = (LotRow.product, LotRow.site, LotRow.specification_version)
    query = select(LotRow, LotDonor, DonorRow).where(LotRow.folded == bindparam("folded"))
    query = query.outerjoin(LotDonor, LotDonor.lot_id == LotRow.id).outerjoin(LotDonor.donor)
    query = query.order_by(DonorRow.code, LotDonor.id)
    return query.options(*map(joinedload, around))


_LOTS: Final = select(LotRow).where(among(LotRow.folded, "folded"))


def lots_by(session: Session, folded: Iterable[str]) -> Sequence[LotRow]:
    """All lots of a set of folded ids."""
    return session.scalars(_LOTS, {"folded": sorted(folded)}).all()


def sample_by(session: Session, sample: str) -> SampleRow | None:
    """The sample of an id, compared without case."""
    return session.scalar(select(SampleRow).where(SampleRow.folded == fold(sample)))


def samples_by(session: Session, folded: Iterable[str]) -> Sequence[SampleRow]:
    """All samples of a set of folded ids."""
    ids = sorted(folded)
    if not ids:
        return ()
    return session.scalars(select(SampleRow).where(SampleRow.folded.in_(ids))).all()


def donors_of(session: Session, lot: LotRow) -> Sequence[DonorRow]:
    """The donors of a lot, by code."""
    return [donor for _, _, donor in _with_donors(session, lot.folded) if donor is not None]


def lot_donors_of(session: Session, lot: LotRow) -> Sequence[LotDonor]:
    """Which donors a lot has, as registered."""
    found = (row for _, row, _ in _with_donors(session, lot.folded) if row is not None)
    return sorted(found, key=lambda row: row.id)


def samples_of(session: Session, lots: Iterable[LotRow]) -> Sequence[SampleRow]:
    """The samples of some lots, by id."""
    ids = (lot.id for lot in lots)
    return rows_by(session, SampleRow, SampleRow.lot_id, ids, SampleRow.sample)


def sample_facts(
    session: Session, lots: Iterable[LotRow]
) -> tuple[dict[str, Sample], dict[str, int]]:
    """The samples of very many lots by folded id, and their surrogate ids by id as registered."""
    names = {lot.id: lot.lot for lot in lots}
    query = select(
        SampleRow.id, SampleRow.folded, SampleRow.lot_id, SampleRow.sample, SampleRow.stage,
        SampleRow.container, SampleRow.taken_text,
    ).where(SampleRow.lot_id.in_(list(names)))  # fmt: skip
    samples, ids = {}, {}
    for number, folded, lot, sample, stage, container, taken in session.execute(query):
        moment = datetime.fromisoformat(taken)
        samples[folded] = Sample(sample, names[lot], stage, container, moment)
        ids[sample] = number
    return samples, ids


@once
def other_specifications_of(session: Session, lot: LotRow) -> Sequence[LotSpecification]:
    """What a lot is judged by beside the specification that decides, by id."""
    return rows_by(session, LotSpecification, LotSpecification.lot_id, [lot.id])


def other_specifications_among(
    session: Session, lots: Iterable[int]
) -> dict[int, list[LotSpecification]]:
    """What each of some lots, by its id, is judged by beside the specification that decides."""
    query = select(LotSpecification).where(LotSpecification.lot_id.in_(list(lots)))
    found: dict[int, list[LotSpecification]] = {}
    for one in session.scalars(query.order_by(LotSpecification.id)):
        found.setdefault(one.lot_id, []).append(one)
    return found


def lot_donors_among(
    session: Session, lots: Iterable[int]
) -> tuple[Sequence[tuple[int, int]], Sequence[DonorRow]]:
    """Pairs of lot id and donor id, of lots by their ids, and those donors."""
    query = select(LotDonor.lot_id, LotDonor.donor_id).where(LotDonor.lot_id.in_(list(lots)))
    pairs = [(lot, donor) for lot, donor in session.execute(query.order_by(LotDonor.id))]
    ids = {donor for _, donor in pairs}
    return pairs, session.scalars(select(DonorRow).where(DonorRow.id.in_(ids))).all()
