"""The chart of T² of a product, and in words what it rests on."""

from batchqc.documents.plots.scene import Picture
from batchqc.documents.plots.series import ControlSeries, Phase, Point, Signal
from batchqc.documents.plots.t_squared import Drivers, t_squared_chart
from batchqc.statistics.lot_profiles import Profiles


def profile_chart(found: Profiles) -> Picture:
    """T² of each lot against the others, and what drives those beyond the limit."""
    count = len(found.lots)
    series = ControlSeries(
        "Profile of all attributes",
        "",
        "T²",
        [Point(one.lot, one.t2, shown=f"{one.t2:.4g}") for one in found.lots],
        [Phase("others", count, upper=found.lots[0].limit, n=count - 1,
               method=found.method)],
        [Signal(at, "T²") for at, one in enumerate(found.lots, 1) if one.is_odd],
        notes=[f"n = {count - 1} other lots; {'; '.join(found.assumptions)}", *found.said],
    )  # fmt: skip
    shares = {at: one.drivers for at, one in enumerate(found.lots, 1) if one.drivers}
    return t_squared_chart(Drivers(series, shares))


def said_of(found: Profiles) -> list[str]:
    """Method, n and chance of a false alarm; lots whose profile is odd; and what was left out."""
    if not found.lots:
        return ["No lot is told by all attributes together:", *found.said]
    rests = (
        f"Of {', '.join(found.attributes)}: {found.method}, n = {len(found.lots)} lots;"
        f" {'; '.join(found.assumptions)}; a lot in control lies beyond with chance"
        f" {found.alpha:g}."
    )
    return [
        rests,
        *(
            f"Lot {one.lot} has an odd profile: T² {one.t2:.4g} beyond {one.limit:.4g}"
            f" (p = {one.p:.2g}), driven by "
            + ", ".join(f"{name} ({share:.4g})" for name, share in one.drivers)
            + "."
            for one in found.lots
            if one.is_odd
        ),
        *found.said,
    ]
