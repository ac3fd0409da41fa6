"""The control chart of one attribute: what signals, by which limits, and the numbers."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request, Response
from sqlalchemy.orm import Session

from batchqc.api import trends as api
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.trends import is_numeric
from batchqc.records.trends import LimitSet, limit_sets_of
from batchqc.statistics.control_charts import LIMITS_FROM
from batchqc.statistics.frozen_limits import Frozen
from batchqc.statistics.lot_figures import named, rules_in_force
from batchqc.statistics.lot_series import Trend, part_of
from batchqc.web.calls import Visit
from batchqc.web.charts import control_svg
from batchqc.web.moving_range_charts import moving_range_svg
from batchqc.web.numbers import room
from batchqc.web.rendering import page
from batchqc.web.trend_subjects import Window, measured_in, subject_of

router = Routes()


@dataclass(frozen=True, slots=True)
class InForce:
    """What judges the next lot: its frozen set, or none, and how rarely its rules alarm falsely."""

    by: str
    rules: str
    alarms: int
    method: str
    frozen: Frozen | None
    approved: LimitSet | None
    approver: str


@router.get("/trends/{product}/{criterion}.csv")
def lots_csv(
    call: Visit, product: str, criterion: str, window: Annotated[Window, Query()]
) -> Response:
    """Every lot of the series, as the API answers it."""
    return api.trend_csv(call, window.attribute(product, criterion))


@router.get("/trends/{product}/{criterion}")
def show(
    request: Request, call: Visit, product: str, criterion: str, window: Annotated[Window, Query()]
) -> Response:
    """The chart of the lots that the address means, and what is said of them."""
    with call.reading() as session:
        trend, subject = subject_of(session, call, window, (product, criterion))
        lots = window.lots(trend)
        part = part_of(trend, frozenset(lots))
        numeric = is_numeric(trend.criterion)
        waiting, force = _limits(session, trend, numeric=numeric)
    return page(
        request,
        "trend_chart.html",
        subject=subject,
        window=window,
        numeric=numeric,
        chart=control_svg(part) if lots else None,
        ranges=moving_range_svg(part) if lots and numeric else None,
        rows=list(reversed(part.lots)),
        signals=[one for lot in reversed(part.lots) for one in lot.signals],
        phases=trend.phases,
        limitations=part.limitations,
        force=force,
        waiting=waiting,
        measured=measured_in(trend),
        needed=LIMITS_FROM,
        may_propose=is_permitted(call.person.roles, Permission.PROPOSE_LIMITS),
        decimals=room(one.lot.observed.text for one in part.lots),
        outside=len(trend.lots) - len(lots),
    )


def _limits(
    session: Session, trend: Trend, *, numeric: bool
) -> tuple[list[LimitSet], InForce | None]:
    """Proposals that wait for approval, and what judges the next lot."""
    if not numeric:
        return [], None
    sets = limit_sets_of(session, trend.attribute.product, trend.attribute)
    approved = max((row.number for row, by in sets if by is not None), default=0)
    waiting = [row for row, by in sets if by is None and row.number > approved]
    by, rules, average = rules_in_force(trend)
    frozen = next((one for one in trend.sets if by == f"limit set {one.number}"), None)
    row, signed = next(
        ((row, by) for row, by in sets if frozen and row.number == frozen.number), (None, None)
    )
    return waiting, InForce(
        by, named(rules), round(average.value), average.method, frozen, row,
        signed.signature.name if signed else "",
    )  # fmt: skip
