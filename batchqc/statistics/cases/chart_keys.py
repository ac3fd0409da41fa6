"""The keys under which cases of control charts give data and want answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from batchqc.errors import NotEstimable
from batchqc.statistics.cases.check import Given
from batchqc.statistics.control_charts import ControlChart, Known
from batchqc.statistics.run_rules import NELSON, WESTERN_ELECTRIC, completing
from batchqc.statistics.scales import ScaledChart

#: Cases ask for the arithmetic of a source, not for the least number of lots of this house.
_LIMITS_FROM: Final = 1
_CENTRES: Final = ("known_center", "center", "centre", "target", "mean", "mu", "mean0", "mu0")
_SIGMAS: Final = ("known_sigma", "sigma", "sd", "sigma0", "std_dev", "std.dev", "stdev")
#: Keys that name an estimator of sigma.
SIGMA_METHOD: Final = (
    "sigma_method",
    "sigma_from",
    "estimator",
    "std_dev",
    "std.dev",
    "method",
    "sigma",
)
_WIDTHS: Final = ("L", "nsigmas", "nsigma", "n_sigma", "width", "k_sigma", "multiplier")


def first(given: Given, names: Sequence[str], otherwise: object = None) -> Any:
    """What stands under the first of several names that a case has."""
    return next((given[name] for name in names if given.get(name) is not None), otherwise)


def number(given: Given, names: Sequence[str]) -> float | None:
    """The first of several names under which a number stands."""
    for name in names:
        one = given.get(name)
        if isinstance(one, int | float) and not isinstance(one, bool):
            return float(one)
    return None


def text(given: Given, names: Sequence[str]) -> str:
    """The first of several names under which text stands, in small letters."""
    return next((given[name].casefold() for name in names if isinstance(given.get(name), str)), "")


def options(given: Given) -> dict[str, Any]:
    """What every chart takes: width, known lines, and no least number of lots."""
    found: dict[str, Any] = {"limits_from": int(given.get("limits_from", _LIMITS_FROM))}
    if (width := number(given, _WIDTHS)) is not None:
        found["width"] = width
    centre = number(given, _CENTRES)
    if centre is not None:
        found["known"] = Known(centre, number(given, _SIGMAS))
    return found


def kept(given: Given, data: Sequence[Any]) -> list[Any]:
    """The data with a gap in place of each lot that is to be left out (counted from 1)."""
    out = set(first(given, ("exclude", "excluded", "omit", "removed"), ()))
    return [None if at in out else one for at, one in enumerate(data, 1)]


def constants(given: Given) -> dict[str, Any]:
    """Whether a printed table is to be used."""
    return {"constants": "table"} if text(given, ("constants",)) == "table" else {}


def available(make: Callable[[], Any]) -> Any:
    """What is made, or None where the data do not allow it: not available."""
    try:
        return make()
    except NotEstimable:
        return None


def line(values: Any, *, each: bool) -> object:
    """A line of a chart: one number where it is level, unless each point is asked for."""
    if values is None:
        return None
    found = np.asarray(values, dtype=np.float64)
    present = found[~np.isnan(found)]
    if not each and present.size and np.ptp(present) == 0:
        return float(present[0])
    return [None if np.isnan(one) else float(one) for one in found]


def lines(
    chart: ControlChart | ScaledChart | None, *, each: bool = False, prefix: str = ""
) -> dict[str, object]:
    """Centre, limits and points beyond, under the names in use; None where not available."""
    centre = line(chart.centre, each=False) if chart else None
    lower, upper = (line(one, each=each) if chart else None for one in _limits(chart))
    beyond = list(chart.beyond) if chart else None
    limits = [lower, upper] if chart else None
    answers = {
        ("center", "centre", "cl", "CL", "center_line", "centre_line"): centre,
        ("ucl", "UCL", "upper"): upper,
        ("lcl", "LCL", "lower"): lower,
        ("limits",): limits,
        ("beyond", "out", "out_of_control", "signals", "violations"): beyond,
        ("n_out", "n_beyond"): None if beyond is None else len(beyond),
        ("first_signal", "first_out"): beyond[0] if beyond else None,
        ("points", "statistics"): line(chart.points, each=True) if chart else None,
    }
    return {prefix + name: value for names, value in answers.items() for name in names}


def rules_of(z: object, rules: Mapping[int, Any] = NELSON) -> dict[str, list[int]]:
    """Points that complete the patterns of numbered rules."""
    found = completing(z, [*rules.values()])  # type: ignore[arg-type]  # what a case gives is looked at there
    return {str(at): list(found[rule.name]) for at, rule in rules.items()}


def judged(chart: ControlChart | None) -> dict[str, object]:
    """Both sets of rules, on a chart."""
    if chart is None:
        return {}
    z = available(lambda: chart.z)
    if z is None:
        return {}
    nelson, western = rules_of(z), rules_of(z, WESTERN_ELECTRIC)
    return {
        "z": line(z, each=True),
        **dict.fromkeys(("nelson", "rules", "nelson_rules"), nelson),
        **dict.fromkeys(("western_electric", "we", "weco", "we_rules"), western),
        **{f"rule{at}": found for at, found in nelson.items()},
        **{f"nelson_{at}": found for at, found in nelson.items()},
        **{f"we_{at}": found for at, found in western.items()},
    }


def with_exact(answer: dict[str, object]) -> dict[str, object]:
    """Sources that print table values tell the exact ones apart; here they are the same."""
    return {**answer, "exact": answer, "published": answer}


def _limits(chart: ControlChart | ScaledChart | None) -> tuple[object, object]:
    return (chart.lower, chart.upper) if chart else (None, None)
