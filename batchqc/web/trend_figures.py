"""What is said of an attribute beside its chart: figures, further plots, controls, profiles."""

import json
from functools import partial
from typing import Annotated, Literal

from fastapi import Query, Request, Response

from batchqc.actions.registers import the_product
from batchqc.actions.trend_controls import controls_of
from batchqc.actions.trend_overview import trends_at
from batchqc.api import trend_figures as api
from batchqc.api.routes import Routes
from batchqc.core.trends import is_numeric
from batchqc.documents.trend_pages.of_controls import control_pictures
from batchqc.documents.trend_pages.of_profiles import profile_chart, said_of
from batchqc.statistics.control_history import LINES_FROM, RULES
from batchqc.statistics.lot_profiles import profiles_of
from batchqc.web.calls import Visit
from batchqc.web.charts import coloured, within
from batchqc.web.rendering import page
from batchqc.web.trend_subjects import Where, subject_of

router = Routes()

PLOTS = ("histogram", "probability", "donors", "ewma", "cusum")


class Plotted(Where):
    """Which further plot is looked at."""

    plot: Literal["histogram", "probability", "donors", "ewma", "cusum"] = "histogram"


@router.get("/trends/{product}/profile")
def profile(
    request: Request, call: Visit, product: str, where: Annotated[Where, Query()]
) -> Response:
    """Lots by all attributes together: T² of each, and what drives those that are odd."""
    with call.reading() as session:
        product = the_product(session, product).code  # as registered
        found = trends_at(
            session, call.door.archive, product=product, stage=where.stage.value,
            market=where.market, trends=call.door.trends,
        )  # fmt: skip
        names = {one.attribute.criterion: one.criterion.title for one, _ in found}
        profiles = profiles_of([trend for _, trend in found])
    return page(
        request,
        "trend_profile.html",
        product=product,
        where=where,
        titles=names,
        profiles=profiles,
        odd=[one for one in profiles.lots if one.is_odd],
        said=said_of(profiles),
        chart=within(profile_chart(profiles), name="profile") if profiles.lots else None,
    )


@router.get("/trends/{product}/{criterion}/figures")
def figures(
    request: Request, call: Visit, product: str, criterion: str, asked: Annotated[Plotted, Query()]
) -> Response:
    """Capability or tolerance, normality, components of variance and donors of the newest phase."""
    with call.reading() as session:
        trend, subject = subject_of(session, call, asked, (product, criterion))
        made = partial(call.door.trends.page, session, call.door.archive, trend.attribute)
        told = json.loads(made(kind="figures"))
        numeric = is_numeric(trend.criterion)
        drawn = coloured(made(kind=f"{asked.plot}.svg").decode()) if numeric else None
    return page(
        request, "trend_figures.html", subject=subject, asked=asked, told=told, drawn=drawn,
        plots=PLOTS,
    )  # fmt: skip


@router.get("/trends/{product}/{criterion}/plots/{plot}")
def plot(
    call: Visit, product: str, criterion: str, plot: api.Plot, where: Annotated[Where, Query()]
) -> Response:
    """One further plot as SVG, or its numbers as CSV, as the API answers it."""
    return api.plot(call, where.attribute(product, criterion), plot)


@router.get("/trends/{product}/{criterion}/controls")
def controls(
    request: Request, call: Visit, product: str, criterion: str, where: Annotated[Where, Query()]
) -> Response:
    """Levey-Jennings charts of the controls and standards, with the rules of Westgard."""
    with call.reading() as session:
        trend, subject = subject_of(session, call, where, (product, criterion))
        found = controls_of(session, call.door.archive, trend.attribute)
    drawn = [
        within(picture, name=f"control-{number}") if picture else None
        for number, picture in enumerate(control_pictures(found), 1)
    ]
    return page(
        request, "trend_controls.html", subject=subject, rules=RULES, needed=LINES_FROM,
        found=list(zip(found, drawn, strict=True)),
    )  # fmt: skip
