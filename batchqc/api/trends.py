"""Trends: lots against each other by attribute, control limits that QA froze, and signals.

Trends describe. No verdict and no gate hangs on them.
"""

from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Query, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.evaluation import study
from batchqc.actions.lots import the_lot
from batchqc.actions.registers import the_product
from batchqc.actions.trend_signals import signals_of
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import After, Limit, Page, not_next, rest_of
from batchqc.api.trend_shapes import (
    AttributeOut,
    CellOut,
    LotAcross,
    LotSignals,
    Overview,
)
from batchqc.api.upload_files import CSV_ANSWER, csv_answer
from batchqc.core.criteria import Criterion
from batchqc.core.specifications import Stage
from batchqc.core.trends import Attribute, is_numeric
from batchqc.records.registers import Product

router = Routes(PREFIX, tags=["trends"], responses=PROBLEMS)

AtStage = Annotated[Stage, Query(description="Where in the life of a lot it is measured.")]
Market = Annotated[str, Query(description="Where lots go; empty for every market.")]


def asked(
    product: str, criterion: str, stage: AtStage = Stage.RELEASE, market: Market = ""
) -> Attribute:
    """The attribute that a path and its query name."""
    return Attribute(product, stage.value, market, criterion)


_SVG = "image/svg+xml"
_JSON: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}}
}


@router.get("/trends", summary="Every attribute of every product, or of one")
def attributes(
    call: SignedIn,
    product: Annotated[str, Query(description="Only of this product.")] = "",
    after: After = "",
    limit: Limit = 50,
) -> Page[AttributeOut]:
    """As the newest approved specification of each stage and market has it."""
    from batchqc.actions.trend_overview import attributes_of  # noqa: PLC0415 - numerics

    with call.reading() as session:
        codes = (
            [the_product(session, product).code]
            if product
            else session.scalars(select(Product.code).order_by(Product.code)).all()
        )
        found = [
            _attribute(one.attribute, one.criterion)
            for code in codes
            for one in attributes_of(session, call.door.archive, code)
        ]
    rest = rest_of(found, [_of(one).name for one in found], after)
    more = _of(rest[limit - 1]).name if len(rest) > limit else None
    return Page(items=rest[:limit], next=more)


@router.get("/trends/{product}", summary="Lots against attributes")
def across(
    call: SignedIn,
    product: str,
    stage: AtStage = Stage.RELEASE,
    market: Market = "",
    after: After = "",
    limit: Limit = 50,
) -> Overview:
    """Each lot with its value, flag and robust distance in every attribute. `after` is a lot."""
    from batchqc.actions.trend_overview import (  # noqa: PLC0415 - numerics
        place_of,
        rows_of,
        trends_at,
    )

    with call.reading() as session:
        met = trends_at(
            session,
            call.door.archive,
            product=product,
            stage=stage.value,
            market=market,
            trends=call.door.trends,
        )
    behind = place_of(met, after) if after else None
    if after and behind is None:
        raise not_next(after)
    rest = rows_of(met, behind=behind, limit=limit + 1)
    return Overview(
        attributes=[_attribute(one.attribute, one.criterion) for one, _ in met],
        items=[
            LotAcross(
                lot=one.lot,
                manufactured_on=date.fromisoformat(one.manufactured_on),
                disposition=one.disposition,
                cells={
                    name: CellOut(value=cell.value, flag=cell.flag, robust=cell.robust)
                    for name, cell in one.cells.items()
                },
            )
            for one in rest[:limit]
        ],
        next=rest[limit - 1].lot if len(rest) > limit else None,
    )


@router.get(
    "/trends/{product}/{criterion}.csv",
    summary="The lots of one attribute as CSV",
    response_class=Response,
    responses={200: CSV_ANSWER},
)
def trend_csv(
    call: SignedIn,
    wanted: Annotated[Attribute, Depends(asked)],
) -> Response:
    """Every judged lot, with what does not count beside it."""
    with call.reading() as session:
        attribute = known(session, wanted)
        data = call.door.trends.page(session, call.door.archive, attribute, kind="csv")
    return csv_answer(data, f"{attribute.product}_{attribute.criterion}.csv")


@router.get(
    "/trends/{product}/{criterion}.svg",
    summary="The control chart of one attribute as SVG",
    response_class=Response,
    responses={200: {"content": {_SVG: {"schema": {"type": "string"}}}}},
)
def trend_svg(
    call: SignedIn,
    wanted: Annotated[Attribute, Depends(asked)],
) -> Response:
    """With its text alternative; of words the share of lots that fail by quarter."""
    with call.reading() as session:
        attribute = known(session, wanted)
        data = call.door.trends.page(session, call.door.archive, attribute, kind="svg")
    return Response(data, media_type=f"{_SVG}; charset=utf-8")


@router.get(
    "/trends/{product}/{criterion}",
    summary="The lots of one attribute, with phases, limits and signals",
    response_class=Response,
    responses=_JSON,
)
def trend(
    call: SignedIn,
    wanted: Annotated[Attribute, Depends(asked)],
) -> Response:
    """Results as text, what is computed from them as numbers; null where there is none."""
    with call.reading() as session:
        attribute = known(session, wanted)
        data = call.door.trends.page(session, call.door.archive, attribute, kind="json")
    return Response(data, media_type="application/json")


@router.get("/lots/{lot}/trends", summary="What trends signal of a lot")
def of_lot(call: SignedIn, lot: str) -> LotSignals:
    """Beside its readiness: information for who decides, never a closed gate."""
    with call.reading() as session:
        door = call.door
        case = study(session, door.archive, lot=the_lot(session, lot), now=door.now())
        signals = signals_of(session, door.archive, case, door.trends)
        return LotSignals(lot=case.lot.id, signals=[said for _, said in signals])


def known(session: Session, wanted: Attribute) -> Attribute:
    """With the code of the product as registered."""
    return wanted._replace(product=the_product(session, wanted.product).code)


def _of(one: AttributeOut) -> Attribute:
    return Attribute(one.product, one.stage.value, one.market, one.criterion)


def _attribute(attribute: Attribute, criterion: Criterion) -> AttributeOut:
    return AttributeOut(
        product=attribute.product,
        stage=Stage(attribute.stage),
        market=attribute.market,
        criterion=attribute.criterion,
        title=criterion.title,
        unit=criterion.unit,
        acceptance=criterion.acceptance,
        is_numeric=is_numeric(criterion),
        link=f"/api/v1/trends/{quote(attribute.product, safe='')}/{attribute.criterion}"
        f"?stage={attribute.stage}&market={attribute.market}",
    )
