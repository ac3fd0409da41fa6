"""Which attribute a page of trends is about, and what stands at the head of each of its pages."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field
from sqlalchemy.orm import Session

from batchqc.api.doors import Call
from batchqc.api.trends import known
from batchqc.core.specifications import Stage
from batchqc.core.trends import Attribute
from batchqc.statistics.lot_series import Trend, is_censored
from batchqc.web.addresses import BLANK_IS_NONE, Address, part


class Where(Address):
    """The stage and the market that an address means."""

    path: ClassVar[str] = ""

    stage: Stage = Stage.RELEASE
    market: str = Field("", max_length=100)

    def attribute(self, product: str, criterion: str) -> Attribute:
        """The attribute that it means together with a path."""
        return Attribute(product, self.stage.value, self.market, criterion)


class Done(Where):
    """The same, with what was done just before the page is shown."""

    did: Literal["", "propose", "approve", "phase"] = ""


class Window(Where):
    """Which lots a page shows: the latest of those that were made from a day to a day."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True)

    begins: Annotated[date | None, BLANK_IS_NONE] = Field(None, alias="from")
    ends: Annotated[date | None, BLANK_IS_NONE] = Field(None, alias="to")
    last: Literal["20", "50", "100", "300"] = "50"

    def lots(self, trend: Trend) -> list[str]:
        """The lots of a series, oldest first."""
        first = self.begins.isoformat() if self.begins else ""
        found = [
            one.lot.lot
            for one in trend.lots
            if one.lot.manufactured_on >= first
            and (self.ends is None or one.lot.manufactured_on <= self.ends.isoformat())
        ]
        return found[-int(self.last) :]


class Subject:
    """An attribute as the pages about it name it."""

    def __init__(self, trend: Trend, where: Where) -> None:
        """Of a series; ``where`` is its stage and market as an address has them."""
        found = trend.attribute
        self.product, self.criterion = found.product, found.criterion
        self.stage, self.market = found.stage, found.market
        self.title = trend.criterion.title
        self.unit, self.acceptance = trend.criterion.unit, trend.criterion.acceptance
        self.lots = len(trend.lots)
        self.path = f"/trends/{part(found.product)}/{part(found.criterion)}"
        self.query = Where(stage=where.stage, market=where.market).query()

    def at(self, view: str) -> str:
        """The address of a page about it."""
        return f"{self.path}{view}" + (f"?{self.query}" if self.query else "")


def address(where: Where, path: tuple[str, str], view: str, did: str) -> str:
    """Where to go on to after something was done."""
    product, criterion = map(part, path)
    query = where.model_copy(update={"did": ""}).query(did=did)
    return f"/trends/{product}/{criterion}{view}?{query}"


def measured_in(trend: Trend) -> int:
    """How many lots of the newest phase have a number that is no bound."""
    own = (trend.by_lot[one.lot] for one in trend.phases[-1].lots)
    return sum(one.value is not None and not is_censored(one) for one in own)


def subject_of(
    session: Session, call: Call, where: Where, path: tuple[str, str]
) -> tuple[Trend, Subject]:
    """The series of a product and a criterion, and its head.

    Raises:
        NotFound: there is no such product, or no lot is judged by such a criterion.
    """
    attribute = known(session, where.attribute(*path))
    trend = call.door.trends.of(session, call.door.archive, attribute)
    return trend, Subject(trend, where)
