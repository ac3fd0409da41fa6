"""Which specifications judge a lot: bound at registration, and looked at again at each decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from batchqc.core.effectivity import for_market
from batchqc.core.specifications import Stage
from batchqc.errors import Conflict
from batchqc.records.corrections import made_on_dates
from batchqc.records.specifications import (
    Approved,
    SpecificationVersion,
    approved_by_stage,
    approved_versions,
    markets_of,
)
from batchqc.records.transaction import Transaction

#: Stages whose results exist when a lot is decided; a failed one forbids its release.
BESIDE = (Stage.DONOR, Stage.CELL_BANK, Stage.IN_PROCESS, Stage.POST_THAW, Stage.STABILITY)


@dataclass(frozen=True, slots=True)
class Bound:
    """The version that judges a lot, and why it is this one."""

    version: SpecificationVersion
    because: str


def bind(session: Session, *, product: str, market: str, manufactured_on: date) -> dict[str, Bound]:
    """The approved versions in force on the date of manufacture, by stage.

    A specification of the market comes before the one that is for every market.
    """
    approved = approved_by_stage(session, product=product, markets={market, ""})
    return {
        stage: Bound(found.version, _because(found.version, manufactured_on))
        for stage, by_market in approved.items()
        if (found := for_market(by_market, market, manufactured_on)) is not None
    }


def _because(version: SpecificationVersion, day: date) -> str:
    where = f" for {version.market}" if version.market else ""
    return f"in force{where} on the date of manufacture {day} (from {version.effective})"


def taken_lots(session: Session, row: SpecificationVersion) -> list[str]:
    """Registered lots that ``row``, once approved, would judge: each with its date of manufacture.

    Dates are those with approved corrections laid over them.
    """
    by_market = _by_market(session, row)
    new = Approved(row, None)
    by_market[row.market] = [*by_market.get(row.market, ()), new]
    return [
        f"{lot} of {made_on}"
        for lot, market, made_on in made_on_dates(session, row.product)
        if for_market(by_market, market, made_on) is new
    ]


def lots_without(session: Session, row: SpecificationVersion, from_day: date) -> list[str]:
    """Registered lots that ``row`` judges and that were made on ``from_day`` or later."""
    by_market = _by_market(session, row)
    found = []
    for lot, market, made_on in made_on_dates(session, row.product):
        own = for_market(by_market, market, made_on) if made_on >= from_day else None
        if own is not None and own.version.id == row.id:
            found.append(f"{lot} of {made_on}")
    return found


def _by_market(session: Session, row: SpecificationVersion) -> dict[str, Sequence[Approved]]:
    """The approved versions of a product and stage, by market."""
    return {
        place: approved_versions(session, product=row.product, stage=row.stage, market=place)
        for place in markets_of(session, row.product) | {""}
    }


def hold_versions(tx: Transaction, product: str) -> None:
    """Let nobody approve or withdraw a version of a product while a lot is bound, or at once."""
    tx.lock(f"specifications of {product}")


def bind_lot(
    session: Session, *, product: str, market: str, manufactured_on: date
) -> tuple[Bound, tuple[Bound, ...]]:
    """The specification that decides over a lot, and those of the other stages that judge it too.

    Raises:
        Conflict: where no version that decides was in force.
    """
    found = bind(session, product=product, market=market, manufactured_on=manufactured_on)
    if Stage.RELEASE not in found:
        where = f" and {market}" if market else ""
        raise Conflict(
            "BQC-SPC-007",
            f"no approved specification of {product} for {Stage.RELEASE}{where} was in force on"
            f" {manufactured_on}",
            hint="Import one that applies from then or earlier, and have QA approve it.",
        )
    return found[Stage.RELEASE], tuple(found[stage] for stage in BESIDE if stage in found)
