"""What is said of an attribute beside its chart: figures, further plots, controls, profiles."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Response

from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import After, Limit, rest_of
from batchqc.api.trend_shapes import ControlOut, LotProfileOut, ProfilesOut
from batchqc.api.trends import AtStage, Market, asked, known
from batchqc.api.upload_files import csv_answer
from batchqc.core.specifications import Stage
from batchqc.core.trends import Attribute

router = Routes(PREFIX, tags=["trends"], responses=PROBLEMS)

_JSON: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}}
}
_PLOT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "image/svg+xml": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
        }
    }
}


class Plot(StrEnum):
    """A further plot as SVG, and its numbers as CSV."""

    EWMA = "ewma.svg"
    EWMA_CSV = "ewma.csv"
    CUSUM = "cusum.svg"
    CUSUM_CSV = "cusum.csv"
    HISTOGRAM = "histogram.svg"
    HISTOGRAM_CSV = "histogram.csv"
    PROBABILITY = "probability.svg"
    PROBABILITY_CSV = "probability.csv"
    DONORS = "donors.svg"
    DONORS_CSV = "donors.csv"


@router.get(
    "/trends/{product}/{criterion}/figures",
    summary="Capability, normality, variance components and donors of one attribute",
    response_class=Response,
    responses=_JSON,
)
def figures(call: SignedIn, wanted: Annotated[Attribute, Depends(asked)]) -> Response:
    """Of the newest phase. Each figure with n, method, assumptions and interval; else why not."""
    with call.reading() as session:
        attribute = known(session, wanted)
        data = call.door.trends.page(session, call.door.archive, attribute, kind="figures")
    return Response(data, media_type="application/json")


@router.get(
    "/trends/{product}/{criterion}/plots/{plot}",
    summary="EWMA, CUSUM, histogram, normal probability plot or results by donor",
    response_class=Response,
    responses=_PLOT,
)
def plot(call: SignedIn, wanted: Annotated[Attribute, Depends(asked)], plot: Plot) -> Response:
    """Of the newest phase, with its text alternative; results in words have none."""
    with call.reading() as session:
        attribute = known(session, wanted)
        data = call.door.trends.page(session, call.door.archive, attribute, kind=plot.value)
    if plot.value.endswith(".csv"):
        return csv_answer(data, f"{attribute.product}_{attribute.criterion}_{plot.value}")
    return Response(data, media_type="image/svg+xml; charset=utf-8")


@router.get("/trends/{product}/{criterion}/controls", summary="Controls of the assays, by history")
def controls(call: SignedIn, wanted: Annotated[Attribute, Depends(asked)]) -> list[ControlOut]:
    """Levey-Jennings lines, Westgard rules and precision of each control and standard."""
    from batchqc.actions.trend_controls import controls_of  # noqa: PLC0415 - numerics
    from batchqc.actions.trend_parts import part_data  # noqa: PLC0415 - numerics

    with call.reading() as session:
        attribute = known(session, wanted)
        call.door.trends.of(session, call.door.archive, attribute)  # not found where it is not
        found = controls_of(session, call.door.archive, attribute)
    return [
        ControlOut(
            name=one.name,
            unit=one.unit,
            lower=one.lines[0] if one.lines else None,
            centre=one.lines[1] if one.lines else None,
            upper=one.lines[2] if one.lines else None,
            runs=[
                {"run": run, "day": day, "mean": mean, "z": z}
                for run, day, mean, z in zip(one.runs, one.days, one.means, one.z, strict=True)
            ],
            signals=[
                {"rule": each.rule, "run": one.runs[each.run - 1], "warning": each.warning}
                for each in one.signals
            ],
            part=part_data(one.part),
        )
        for one in found
    ]


@router.get("/trend-profiles/{product}", summary="Lots by all attributes together")
def profiles(
    call: SignedIn,
    product: str,
    stage: AtStage = Stage.RELEASE,
    market: Market = "",
    after: After = "",
    limit: Limit = 50,
) -> ProfilesOut:
    """T² of each lot against all others, and the attributes that drive an odd one."""
    from batchqc.actions.trend_overview import trends_at  # noqa: PLC0415 - numerics
    from batchqc.actions.trend_parts import profile_data  # noqa: PLC0415 - numerics
    from batchqc.statistics.lot_profiles import profiles_of  # noqa: PLC0415 - numerics

    with call.reading() as session:
        found = trends_at(
            session,
            call.door.archive,
            product=product,
            stage=stage.value,
            market=market,
            trends=call.door.trends,
        )
        told = profile_data(profiles_of([trend for _, trend in found]))
    lots = [LotProfileOut(**one) for one in told["lots"]]
    rest = rest_of(lots, [one.lot for one in lots], after)
    more = rest[limit - 1].lot if len(rest) > limit else None
    others = {name: one for name, one in told.items() if name != "lots"}
    return ProfilesOut(**others, items=rest[:limit], next=more)
