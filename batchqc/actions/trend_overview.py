"""Which attributes there are, and lots against attributes at a glance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.registers import the_product
from batchqc.actions.specifications import content_of
from batchqc.actions.trends import Trends
from batchqc.core.criteria import Criterion
from batchqc.core.trends import Attribute
from batchqc.documents.archive import Archive
from batchqc.errors import NotFound
from batchqc.records.specifications import approved_by_stage, markets_of
from batchqc.statistics.lot_series import Cell, Trend, cell_of


@dataclass(frozen=True, slots=True)
class Listed:
    """An attribute, with its criterion as the newest approved version has it."""

    attribute: Attribute
    criterion: Criterion


@dataclass(frozen=True, slots=True)
class Row:
    """A lot with its cells, by criterion; one without a cell is not judged by it."""

    lot: str
    manufactured_on: str
    disposition: str
    cells: Mapping[str, Cell]


def attributes_of(session: Session, archive: Archive, product: str) -> Iterator[Listed]:
    """Every attribute that an approved specification of a product has, by stage and market."""
    code = the_product(session, product).code
    found: dict[Attribute, Listed] = {}
    markets = {"", *markets_of(session, code)}
    for stage, by_market in approved_by_stage(session, product=code, markets=markets).items():
        for market, versions in sorted(by_market.items()):
            for approved in versions:
                for one in content_of(archive, approved.version).criteria:
                    attribute = Attribute(code, stage, market, one.id)
                    found[attribute] = Listed(attribute, one)
    yield from found.values()


def listed_at(
    session: Session, archive: Archive, *, product: str, stage: str, market: str
) -> list[Listed]:
    """The attributes of a product at one stage for one market.

    Raises:
        NotFound: there is no such product, or nothing judges it at the stage.
    """
    listed = [
        one
        for one in attributes_of(session, archive, product)
        if one.attribute[1:3] == (stage, market)
    ]
    if not listed:
        raise NotFound(
            "BQC-TRD-001",
            f"no approved specification judges {product} at {stage}",
            hint="See the list of attributes; name the stage and the market.",
        )
    return listed


def trends_at(
    session: Session,
    archive: Archive,
    *,
    product: str,
    stage: str,
    market: str = "",
    trends: Trends,
) -> list[tuple[Listed, Trend]]:
    """The attributes of a product at one stage that have judged a lot, with their series.

    Raises:
        NotFound: there is no such product, or nothing judges it at the stage.
    """
    found, listed = [], listed_at(session, archive, product=product, stage=stage, market=market)
    trends.prepare(session, archive, [one.attribute for one in listed])
    for one in listed:
        try:
            found.append((one, trends.of(session, archive, one.attribute)))
        except NotFound:
            continue  # it has judged no lot yet
    return found


def overview(
    session: Session,
    archive: Archive,
    *,
    product: str,
    stage: str,
    market: str = "",
    trends: Trends,
) -> tuple[list[Listed], list[Row]]:
    """Lots in order against attributes.

    Raises:
        NotFound: there is no such product, or nothing judges it at the stage.
    """
    met = trends_at(session, archive, product=product, stage=stage, market=market, trends=trends)
    found: dict[tuple[str, str], tuple[str, dict[str, Cell]]] = {}
    for one, trend in met:
        for lot in trend.lots:
            place = found.setdefault(lot.lot.place, (lot.lot.disposition, {}))
            place[1][one.attribute.criterion] = cell_of(lot)
    rows = [
        Row(lot, day, disposition, cells)
        for (day, lot), (disposition, cells) in sorted(found.items())
    ]
    return [one for one, _ in met], rows
