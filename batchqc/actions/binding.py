"""Which specifications judge a lot: bound at registration, and looked at again at each decision."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from batchqc.core.effectivity import in_force
from batchqc.core.specifications import Stage
from batchqc.errors import Conflict
from batchqc.records.specifications import SpecificationVersion, approved_versions
from batchqc.records.transaction import Transaction

#: Stages whose results exist when a lot is decided; a failed one forbids its release.
BESIDE = (Stage.DONOR, Stage.CELL_BANK, Stage.IN_PROCESS, Stage.POST_THAW, Stage.STABILITY)


@dataclass(frozen=True, slots=True)
class Bound:
    """The version that judges a lot, and why it is this one."""

    version: SpecificationVersion
    because: str


def bind(
    session: Session, *, product: str, stage: str, market: str, manufactured_on: date
) -> Bound | None:
    """The approved version in force on the date of manufacture, or ``None``.

    A specification of the market comes before the one that is for every market.
    """
    for place in dict.fromkeys((market, "")):
        approved = approved_versions(session, product=product, stage=stage, market=place)
        found = in_force(approved, manufactured_on)
        if found is not None:
            version, where = found.version, f" for {place}" if place else ""
            return Bound(
                version,
                f"in force{where} on the date of manufacture {manufactured_on}"
                f" (from {version.effective})",
            )
    return None


def hold_versions(tx: Transaction, product: str) -> None:
    """Let nobody approve or withdraw a version of a product while a lot is bound, or at once."""
    tx.lock(f"specifications of {product}")


def bind_release(session: Session, *, product: str, market: str, manufactured_on: date) -> Bound:
    """The specification that decides over a lot.

    Raises:
        Conflict: where no version was in force.
    """
    stage = Stage.RELEASE
    found = bind(
        session, product=product, stage=stage, market=market, manufactured_on=manufactured_on
    )
    if found is None:
        where = f" and {market}" if market else ""
        raise Conflict(
            "BQC-SPC-007",
            f"no approved specification of {product} for {stage}{where} was in force on"
            f" {manufactured_on}",
            hint="Import one that applies from then or earlier, and have QA approve it.",
        )
    return found


def bind_beside(
    session: Session, *, product: str, market: str, manufactured_on: date
) -> tuple[Bound, ...]:
    """The specifications of the other stages that judge a lot as well."""
    found = [
        bind(session, product=product, stage=stage, market=market, manufactured_on=manufactured_on)
        for stage in BESIDE
    ]
    return tuple(one for one in found if one is not None)
