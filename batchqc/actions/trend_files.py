"""The pages of a product as files: overview, attributes, plots and their numbers."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from batchqc.actions.trend_controls import controls_of
from batchqc.actions.trend_overview import trends_at
from batchqc.actions.trends import Trends
from batchqc.documents.archive import Archive
from batchqc.documents.trend_pages.folder import folder, names_of
from batchqc.documents.trend_pages.of_lots import overview_of, page_of


def trend_files(
    session: Session,
    archive: Archive,
    *,
    product: str,
    stage: str,
    market: str = "",
    trends: Trends,
) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the files; ``index.html`` leads to all others.

    Raises:
        NotFound: there is no such product, or nothing judges it at the stage.
    """
    found = trends_at(session, archive, product=product, stage=stage, market=market, trends=trends)
    names = names_of([one.attribute.criterion for one, _ in found])
    pages = [
        (name, page_of(trend, name, controls_of(session, archive, one.attribute)))
        for name, (one, trend) in zip(names, found, strict=True)
    ]
    yield from folder(overview_of(product, [trend for _, trend in found], names), pages)
