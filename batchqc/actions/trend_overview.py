"""Which attributes there are, and lots against attributes at a glance."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
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
from batchqc.statistics.lot_series import Cell, Judged, Trend, cell_of


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


def rows_of(
    met: Sequence[tuple[Listed, Trend]],
    *,
    behind: tuple[str, str] | None = None,
    limit: int | None = None,
) -> list[Row]:
    """Lots in order against attributes.

    Args:
        met: the attributes, with their series.
        behind: the place of the lot with which an earlier page ended; ``None`` is the beginning.
        limit: at most so many lots; ``None`` is all.
    """
    found: dict[tuple[str, str], tuple[str, dict[str, Cell]]] = {}
    for one, trend in met:
        first = bisect_right(trend.lots, behind, key=_place) if behind else 0
        for lot in trend.lots[first : None if limit is None else first + limit]:
            place = found.setdefault(_place(lot), (lot.lot.disposition, {}))
            place[1][one.attribute.criterion] = cell_of(lot)
    return [
        Row(lot, day, disposition, cells)
        for (day, lot), (disposition, cells) in sorted(found.items())[:limit]
    ]


def place_of(met: Sequence[tuple[Listed, Trend]], lot: str) -> tuple[str, str] | None:
    """Where a lot stands among all that any of the attributes judges."""
    return next((_place(trend.by_lot[lot]) for _, trend in met if lot in trend.by_lot), None)


def _place(one: Judged) -> tuple[str, str]:
    return one.lot.place
