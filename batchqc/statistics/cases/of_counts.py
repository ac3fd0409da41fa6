"""Cases of charts of counts and of rare events."""

from collections.abc import Callable
from typing import Any, Final

from batchqc.statistics.attribute_charts import c_chart, np_chart, p_chart, u_chart
from batchqc.statistics.cases.chart_keys import (
    available,
    constants,
    first,
    judged,
    kept,
    line,
    lines,
    number,
    options,
    with_exact,
)
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.control_charts import ControlChart, Known
from batchqc.statistics.laney import laney_p, laney_u
from batchqc.statistics.rare_events import g_chart, t_chart, t_chart_exponential

_COUNTS: Final = (
    "D", "d", "c", "x", "count", "counts", "defects", "defective", "defectives", "events",
    "nonconforming", "np", "y", "X",
)  # fmt: skip
_SIZES: Final = ("n", "N", "size", "sizes", "sample_size", "units", "area")
_SHARES: Final = ("p", "p0", "pbar", "p_bar", "u0", "ubar", "c0", "cbar")
_TIMES: Final = ("x", "y", "between", "g", "t", "times", "days", "gaps", "counts")


def _count(chart: Callable[..., ControlChart], given: Given, *, sized: bool) -> Answer:
    data = kept(given, first(given, _COUNTS))
    sizes = [first(given, _SIZES)] if sized else []
    drawn = _options(given)
    found = available(lambda: chart(data, *sizes, **drawn))
    each = bool(sizes) and isinstance(sizes[0], list)
    centre = found.figures["centre"] if found else None
    factor = found.figures.get("sigma_z") if found else None
    answer: dict[str, object] = {
        **lines(found, each=each),
        **judged(found),
        "sigma": line(found.sigma, each=each) if found else None,
        **dict.fromkeys(("pbar", "p_bar", "cbar", "c_bar", "ubar", "u_bar"), centre),
        **dict.fromkeys(
            ("ci", "ci95", "center_ci"), [centre.lower, centre.upper] if centre else None
        ),
        **dict.fromkeys(("sigma_z", "sigmaz", "factor"), factor),
        **dict.fromkeys(
            ("p", "u", "rates", "shares"), line(found.points, each=True) if found else None
        ),
    }
    new = first(given, ("new", "newdata", "D_new", "d_new", "x_new", "c_new"))
    if centre is not None and new is not None:
        wanted = first(given, ("n_new", "sizes_new", "newsizes"), sizes and sizes[0])
        further = [wanted] if sizes else []
        later = chart(new, *further, **{**drawn, "known": Known(centre.value)})
        answer |= lines(later, each=each, prefix="new_")
    if found is not None and found.name == "np":
        answer |= dict.fromkeys(("center", "centre"), line(found.centre, each=each))
    return with_exact(answer)


def _options(given: Given) -> dict[str, Any]:
    drawn = options(given)
    if given.get("limits") in ("exact", "probability"):
        drawn["alpha"] = number(given, ("alpha",)) or 0.0027
    share = number(given, _SHARES)
    return {**drawn, "known": Known(share)} if share is not None and "known" not in drawn else drawn


def _p(given: Given) -> Answer:
    return _count(p_chart, given, sized=True)


def _np(given: Given) -> Answer:
    return _count(np_chart, given, sized=True)


def _c(given: Given) -> Answer:
    return _count(c_chart, given, sized=False)


def _u(given: Given) -> Answer:
    return _count(u_chart, given, sized=True)


def _laney_p(given: Given) -> Answer:
    return _count(_with_constants(laney_p, given), given, sized=True)


def _laney_u(given: Given) -> Answer:
    return _count(_with_constants(laney_u, given), given, sized=True)


def _with_constants(
    chart: Callable[..., ControlChart], given: Given
) -> Callable[..., ControlChart]:
    return lambda *data, **drawn: chart(*data, **drawn, **constants(given))


def _g(given: Given) -> Answer:
    data = first(given, _TIMES)
    drawn = {key: one for key, one in options(given).items() if key != "known"}
    least = int(number(given, ("a", "least", "min", "shift", "offset")) or 0)
    alpha: dict[str, Any] = {} if (one := number(given, ("alpha",))) is None else {"alpha": one}
    chance: Any = available(
        lambda: g_chart(data, least=least, limits="probability", **drawn, **alpha)
    )
    by = "probability" if given.get("limits") == "probability" else "sigma"
    kind: Any = by
    found = available(lambda: g_chart(data, least=least, limits=kind, **drawn, **alpha))
    return with_exact(
        {
            **lines(found),
            **lines(chance, prefix="probability_"),
            **dict.fromkeys(("gbar", "g_bar", "mean"), found and found.figures["mean"]),
            "sigma": line(found.sigma, each=False) if found else None,
            "p": found and found.figures["chance"],
        }
    )


def _t(given: Given) -> Answer:
    data = first(given, _TIMES)
    drawn = {key: one for key, one in options(given).items() if key != "known"}
    least = drawn["limits_from"]
    alpha: dict[str, Any] = {} if (one := number(given, ("alpha",))) is None else {"alpha": one}
    found = available(lambda: t_chart(data, **drawn))
    chance = available(lambda: t_chart_exponential(data, limits_from=least, **alpha))
    powers = found.chart if found else None
    by_chance = given.get("limits") in ("probability", "exponential")
    return with_exact(
        {
            **lines(chance if by_chance else found),
            **lines(powers, prefix="y_"),
            **lines(powers, prefix="transformed_"),
            **lines(chance, prefix="exponential_"),
            **lines(chance, prefix="probability_"),
            **dict.fromkeys(
                ("y", "transformed"), line(powers.points, each=True) if powers else None
            ),
            **dict.fromkeys(("mr_bar", "mrbar"), None),
            "sigma": powers.figures["sigma"] if powers else None,
            "mean": chance and chance.figures["mean"],
        }
    )


METHODS: Final = (
    *(CaseMethod(words, _np) for words in (("np", "chart"), ("np-chart",))),
    *(CaseMethod(words, _p) for words in (("p chart",), ("p-chart",), ("fraction", "chart"))),
    *(CaseMethod(words, _c) for words in (("c chart",), ("c-chart",))),
    *(CaseMethod(words, _u) for words in (("u chart",), ("u-chart",))),
    *(CaseMethod(words, _laney_p) for words in (("laney", "p"), ("laney", "p'"), ("p'", "chart"))),
    *(
        CaseMethod(words, _laney_u)
        for words in (("laney", "u'", "chart"), ("u'",), ("laney", "u", "prime"))
    ),
    *(CaseMethod(words, _g) for words in (("g chart",), ("g-chart",), ("geometric", "chart"))),
    *(CaseMethod(words, _t) for words in (("t chart",), ("t-chart",), ("time between", "chart"))),
)
