"""Lots on which work is open, in portions: soonest to expire first, never all of them at once.

Behind the last of them follow decided lots on which something is left (:mod:`.lots_left`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, exists, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from batchqc.core.identifiers import fold
from batchqc.core.lot_states import UNDECIDED
from batchqc.records.among import constants
from batchqc.records.corrections import Correction, CorrectionDecision
from batchqc.records.decisions import DispositionRow
from batchqc.records.lists import as_corrected
from batchqc.records.registers import LotRow, Product, lot_by, other_specifications_among

LOTS_AT_ONCE: Final = 200
#: What stands in the place of a day behind the lots at work.
DECIDED: Final = "decided"
#: How ``last`` of a portion is written.
PLACE: Final = r"^((\d{4}-\d\d-\d\d|decided)/[A-Za-z0-9._-]{1,40})?$"


class _Found(NamedTuple):
    """A lot with its last usable day as corrected."""

    expires_on: str
    id: int
    lot: str
    product: str
    version: int
    market: str

    @property
    def place(self) -> tuple[str, int]:
        """Soonest to expire first, then as they were registered."""
        return self.expires_on, self.id


class LotAtWork(NamedTuple):
    """A lot, its product and last usable day as corrected, and versions as registered, by id."""

    id: int
    lot: str
    product: str
    expires_on: date
    versions: tuple[int, ...]
    market: str


@dataclass(frozen=True, slots=True)
class Among:
    """Which lots are looked at.

    Args:
        after: where the portion before ended, as its ``last`` told it; "" begins.
        lot: only this one, by its id as registered.
        part: only those whose id has this in it.
        product: only those of a product, by its code.
    """

    after: str = ""
    lot: str = ""
    part: str = ""
    product: str = ""

    def fits(self) -> Iterator[ColumnElement[bool]]:
        """What a lot and its product have to be like, wherever it stands."""
        if self.lot:
            yield LotRow.folded == fold(self.lot)
        if self.part:
            yield LotRow.folded.contains(fold(self.part), autoescape=True)
        if self.product:
            yield Product.code == self.product


@dataclass(frozen=True, slots=True)
class Portion:
    """Some lots at work, or decided ones with something left. What is of no lot is told first.

    ``left`` are the decided ones, by surrogate id. ``last`` is where it ends if others follow.
    """

    asked: Among
    lots: tuple[LotAtWork, ...] = ()
    last: str = ""
    left: tuple[int, ...] = ()

    @property
    def is_first(self) -> bool:
        """Whether no portion is before it."""
        return not self.asked.after

    @property
    def end(self) -> str:
        """The place behind its last lot at work."""
        return f"{self.lots[-1].expires_on}/{self.lots[-1].lot}"

    def has(self, lot: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Whether a record is of a lot of it, by the surrogate id of the lot."""
        return lot.in_([one.id for one in self.lots])

    def is_left(self, lot: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Whether a record is of a decided lot of it."""
        return lot.in_(self.left)

    def tells(self, lot: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Whether a record is of a lot of it, decided or not."""
        return lot.in_([*(one.id for one in self.lots), *self.left])


def is_decided(lot: Any) -> ColumnElement[bool]:
    """Whether a lot, by its surrogate id, has a decision that leaves nothing open."""
    decision = aliased(DispositionRow)
    is_final = decision.disposition.not_in(constants(UNDECIDED))
    return exists().where(decision.lot_id == lot, is_final)


def portion_at_work(session: Session, asked: Among) -> Portion:
    """The lots at work behind a place, so many at the most, soonest to expire first."""
    if asked.after.startswith(DECIDED):
        return Portion(asked)
    behind = _behind(session, asked)
    query, corrected = _wanted(asked), _corrected(session)
    named = [fold(key.removeprefix("lot:")) for key in corrected]
    by_hand = [
        _Found(*row)._replace(expires_on=corrected[f"lot:{row.lot}"])
        for row in session.execute(query.where(LotRow.folded.in_(named)))
    ]
    here = tuple_(LotRow.expires_on, LotRow.id) > tuple_(*map(literal, behind))
    others = query.where(here, LotRow.id.not_in([one.id for one in by_hand]))
    rows = session.execute(others.order_by(LotRow.expires_on, LotRow.id).limit(LOTS_AT_ONCE + 1))
    found = [*(_Found(*row) for row in rows), *(one for one in by_hand if one.place > behind)]
    found.sort(key=lambda one: one.place)
    shown = _with_versions(session, found[:LOTS_AT_ONCE])
    portion = Portion(asked, shown)
    return replace(portion, last=portion.end) if len(found) > LOTS_AT_ONCE else portion


def products_and_expiries(session: Session, named: Iterable[str]) -> dict[str, tuple[str, date]]:
    """Product and last usable day, as corrected, of some lots, by their id as registered."""
    query = (
        select(LotRow.lot, Product.code, as_corrected("expires_on", LotRow.expires_on))
        .join(Product, Product.id == LotRow.product_id)
        .where(LotRow.folded.in_(sorted({fold(one) for one in named})))
    )
    return {lot: (product, date.fromisoformat(day)) for lot, product, day in session.execute(query)}


def _behind(session: Session, asked: Among) -> tuple[str, int]:
    """Day and surrogate id of the lot with which the portion before ended."""
    day, _, lot = asked.after.partition("/")
    row = lot_by(session, lot) if lot else None
    return day, row.id if row else 0


def _corrected(session: Session) -> dict[str, str]:
    """The last usable days that were corrected, by the key of the lot; there are few of them."""
    query = (
        select(Correction.subject, Correction.after)
        .join(CorrectionDecision, CorrectionDecision.correction_id == Correction.id)
        .where(Correction.field == "expires_on", CorrectionDecision.approved == 1)
        .order_by(Correction.year, Correction.number)
    )
    return {subject: day for subject, day in session.execute(query)}  # noqa: C416 - rows are no pairs


def _wanted(asked: Among) -> Select[*tuple[Any, ...]]:
    return (
        select(
            LotRow.expires_on,
            LotRow.id,
            LotRow.lot,
            Product.code,
            LotRow.specification_version_id,
            LotRow.market,
        )
        .join(Product, Product.id == LotRow.product_id)
        .where(~is_decided(LotRow.id), *asked.fits())
    )


def _with_versions(session: Session, found: Iterable[_Found]) -> tuple[LotAtWork, ...]:
    rows = list(found)
    beside = other_specifications_among(session, [one.id for one in rows])
    return tuple(
        LotAtWork(
            one.id,
            one.lot,
            one.product,
            date.fromisoformat(one.expires_on),
            (one.version, *(each.specification_version_id for each in beside.get(one.id, ()))),
            one.market,
        )
        for one in rows
    )
