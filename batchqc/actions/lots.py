"""Lots and their samples: registered once, bound to the specifications that judge them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.binding import bind_lot, hold_versions
from batchqc.actions.donors_today import no_new_lots
from batchqc.actions.origins import GENEALOGY, lot_origin
from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not, refuse_all, the_donor, the_product
from batchqc.actions.setup import own_site
from batchqc.actions.times import is_long_ago
from batchqc.core.identifiers import fold, id_problem, line_problem
from batchqc.core.permissions import Permission
from batchqc.core.specifications import Stage
from batchqc.errors import Conflict
from batchqc.records.base import Row
from batchqc.records.cell_banks import Derivation
from batchqc.records.corrections import corrected_lot, corrections_of
from batchqc.records.once import each_once
from batchqc.records.registers import (
    LotDonor,
    LotRow,
    LotSpecification,
    SampleRow,
    donors_of,
    lot_by,
    sample_by,
)
from batchqc.records.specifications import markets_of
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewSample:
    """A sample to register: id, stage, container, and when it was taken, with its offset."""

    id: str
    stage: str
    container: str
    taken_at: str


@dataclass(frozen=True, slots=True)
class NewLot:
    """A lot to register, with its donors and its first samples.

    ``made_of`` are the banks or donations that it is made of; one that names them has exactly the
    donors that these come from.
    """

    id: str
    product: str
    manufactured_on: date
    expires_on: date
    donors: tuple[str, ...]
    samples: tuple[NewSample, ...] = ()
    market: str = ""
    made_of: tuple[str, ...] = ()


def register_lot(tx: Transaction, new: NewLot) -> LotRow:
    """Register a lot with donors and samples; it begins in quarantine.

    The specification that was in force on the date of manufacture is bound to it.

    Raises:
        InvalidInput: with everything that is wrong.
        Conflict: the id is taken, no specification was in force, or it cannot be of these cells.
    """
    require(tx, Permission.REGISTER_LOT)
    tx.lock(GENEALOGY)  # before it is asked whether the id is taken
    (row,) = _register(tx, [new])
    return row


def register_lots(tx: Transaction, lots: Sequence[NewLot]) -> list[LotRow]:
    """Register several lots, all or none; each as by itself.

    What they share is held first, in the order in which everybody holds it.

    Raises:
        InvalidInput, Conflict: as ``register_lot`` says of one of them.
    """
    require(tx, Permission.REGISTER_LOT)
    tx.lock(GENEALOGY)
    donors = {code for new in lots for code in new.donors}
    for key in sorted({the_donor(tx.session, code).key for code in donors}):
        tx.lock(key)
    for code in sorted(
        {the_product(tx.session, one).code for one in {new.product for new in lots}}
    ):
        hold_versions(tx, code)
    return _register(tx, lots)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a new lot."""

    lot: LotRow
    donors: list[LotDonor]
    beside: list[LotSpecification]
    made_of: list[Derivation]

    @property
    def every(self) -> list[Row]:
        """All of them."""
        return [self.lot, *self.donors, *self.beside, *self.made_of]


def _register(tx: Transaction, lots: Sequence[NewLot]) -> list[LotRow]:
    found = _rows_of(tx.session, tx, lots)
    tx.add(*(row for one in found for row in one.every))
    for new, rows in zip(lots, found, strict=True):
        tx.audit(
            "lot registered",
            rows=rows.every,
            about=[
                *(one.donor.key for one in rows.donors),
                *(one.parent for one in rows.made_of),
            ],
            after={
                "specification": rows.lot.specification_version.reference,
                "bound because": rows.lot.bound_because,
                "beside": [one.specification_version.reference for one in rows.beside],
            },
        )
        if new.samples:
            _add_samples(tx, rows.lot, new.samples, made_on=new.manufactured_on)
    return [one.lot for one in found]


@each_once
def _rows_of(_: Session, tx: Transaction, lots: Sequence[NewLot]) -> list[_Rows]:
    """The rows of new lots; what these share is asked once, since nothing is written meanwhile."""
    found, taken = [], set[str]()
    for new in lots:
        if fold(new.id) in taken:
            raise _is_taken(new)
        found.append(_rows_of_one(tx, new))
        taken.add(fold(new.id))
    return found


def _rows_of_one(tx: Transaction, new: NewLot) -> _Rows:
    site = own_site(tx.session)
    today = tx.now.astimezone(ZoneInfo(site.time_zone)).date()
    refuse_all("BQC-REG-006", "the lot cannot be registered", _lot_problems(new, today))
    if lot_by(tx.session, new.id) is not None:
        raise _is_taken(new)
    product = the_product(tx.session, new.product)
    donors = [the_donor(tx.session, code) for code in new.donors]
    made_on, market = new.manufactured_on, new.market.strip().upper()
    made_of = lot_origin(tx, lot=new.id, made_on=made_on, donors=donors, made_of=new.made_of)
    for donor in sorted(donors, key=lambda one: one.code):
        tx.lock(donor.key)
    refuse_all("BQC-REG-006", "the lot cannot be registered", no_new_lots(tx.session, donors))
    hold_versions(tx, product.code)
    known = markets_of(tx.session, product.code)
    if market and market not in known:
        told = f"; there are: {', '.join(sorted(known))}" if known else ""
        reason = f'no specification of {product.code} is for market "{market}"{told}'
        refuse_all("BQC-REG-006", "the lot cannot be registered", [reason])
    bound, others = bind_lot(
        tx.session, product=product.code, market=market, manufactured_on=made_on
    )
    lot = LotRow(
        lot=new.id,
        folded=fold(new.id),
        product=product,
        site=site,
        manufactured_on=new.manufactured_on.isoformat(),
        expires_on=new.expires_on.isoformat(),
        specification_version=bound.version,
        bound_because=bound.because,
        registered_by=tx.actor.user_id,
        registered_at=tx.now,
        market=market,
    )
    return _Rows(
        lot,
        [LotDonor(lot=lot, donor=donor) for donor in donors],
        [
            LotSpecification(lot=lot, specification_version=one.version, bound_because=one.because)
            for one in others
        ],
        made_of,
    )


def _is_taken(new: NewLot) -> Conflict:
    return Conflict("BQC-REG-007", f"lot {new.id} is registered already; ids are never reused")


def register_samples(tx: Transaction, *, lot: str, samples: Sequence[NewSample]) -> list[SampleRow]:
    """Register samples of a lot, whatever became of it: those of its stability come later."""
    require(tx, Permission.REGISTER_LOT)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    made_on = corrected_lot(row, corrections_of(tx.session, [row.key])).manufactured_on
    return _add_samples(tx, row, samples, made_on=made_on)


def lock_lot(tx: Transaction, lot: LotRow) -> None:
    """Let nobody else change what a decision over this lot rests on, its donors among it."""
    lock_lots(tx, [lot])


def lock_lots(tx: Transaction, lots: Iterable[LotRow]) -> list[LotRow]:
    """The same of several lots; they, in the order in which they were locked.

    Every lot comes before any donor: who holds a donor, and waits for a lot whose holder waits for
    that donor, would wait for ever.
    """
    ordered = sorted(lots, key=lambda one: one.folded)
    for lot in ordered:
        tx.lock(f"lot:{lot.folded}")
    for key in sorted({donor.key for lot in ordered for donor in donors_of(tx.session, lot)}):
        tx.lock(key)
    return ordered


def the_lot(session: Session, lot: str) -> LotRow:
    """The lot of an id, or NotFound."""
    return found_or_not(lot_by(session, lot), "BQC-REG-012", f"there is no lot {lot}")


def _lot_problems(new: NewLot, today: date) -> list[str]:
    problems = [problem for problem in (id_problem(new.id),) if problem]
    if new.expires_on < new.manufactured_on:
        problems.append(f"it would expire ({new.expires_on}) before it was made")
    if new.manufactured_on > today:
        problems.append(f"the date of manufacture {new.manufactured_on} lies in the future")
    if not new.donors:
        problems.append("a lot has at least one donor")
    if len({fold(code) for code in new.donors}) < len(new.donors):
        problems.append("a donor is named twice")
    return problems


def _add_samples(
    tx: Transaction, lot: LotRow, samples: Sequence[NewSample], *, made_on: date
) -> list[SampleRow]:
    tx.lock("sample ids")
    problems = [problem for new in samples for problem in _sample_problems(tx, lot, new, made_on)]
    if not samples or len({fold(new.id) for new in samples}) < len(samples):
        problems.append("name at least one sample, and each one once")
    refuse_all("BQC-REG-009", "the samples cannot be registered", problems)
    rows = [
        SampleRow(
            sample=new.id,
            folded=fold(new.id),
            lot=lot,
            stage=new.stage,
            container=new.container.strip(),
            taken_text=new.taken_at,
            taken_at=datetime.fromisoformat(new.taken_at),
            registered_by=tx.actor.user_id,
            registered_at=tx.now,
        )
        for new in samples
    ]
    tx.add(*rows)
    tx.audit("samples registered", rows=rows, about=[lot.key])
    return rows


def _sample_problems(tx: Transaction, lot: LotRow, new: NewSample, made_on: date) -> list[str]:
    problems = [f"sample {new.id}: {problem}" for problem in (id_problem(new.id),) if problem]
    if sample_by(tx.session, new.id) is not None:
        problems.append(f"sample {new.id} is registered already; ids are never reused")
    if new.stage not in set(Stage):
        problems.append(f'sample {new.id}: "{new.stage}" is not a stage: {", ".join(Stage)}')
    container = line_problem("the container", new.container)
    if container:
        problems.append(f"sample {new.id}: {container}")
    try:
        taken = datetime.fromisoformat(new.taken_at)
    except ValueError:
        return [*problems, f'sample {new.id}: "{new.taken_at}" is not an ISO 8601 time']
    if taken.tzinfo is None:
        return [*problems, f"sample {new.id}: the time needs its offset, such as +07:00"]
    if taken > tx.now + timedelta(minutes=1):
        return [*problems, f"sample {new.id} was taken in the future"]
    zone = ZoneInfo(lot.site.time_zone)
    if is_long_ago(taken) or taken.astimezone(zone).date() < made_on:
        problems.append(f"sample {new.id} was taken before the lot was made")
    return problems
