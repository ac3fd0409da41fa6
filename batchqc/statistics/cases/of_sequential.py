"""Cases of EWMA, CUSUM and self-starting charts, and of their run lengths and designs."""

from typing import Any, Final

import numpy as np

from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.sequential_keys import (
    ARL0,
    DATA,
    HEADSTART,
    SHIFT,
    WEIGHT,
    baseline_in,
    each,
    first_of,
    listed,
    needed,
    numbered,
    possible,
    series_of,
    sides_of,
)
from batchqc.statistics.cusum import Baseline, CusumChart, cusum_chart
from batchqc.statistics.cusum_run_length import (
    cusum_allowance,
    cusum_limit,
    cusum_run_length,
    cusum_steady_run_length,
)
from batchqc.statistics.ewma import ewma_chart
from batchqc.statistics.ewma_run_length import (
    ewma_design,
    ewma_one_sided_run_length,
    ewma_run_length,
    ewma_steady_run_length,
    ewma_width,
)
from batchqc.statistics.self_starting import q_chart, self_starting_cusum

_WIDTH: Final = ("L", "c", "width", "nsigmas", "cE")
_DECISION: Final = ("h", "decision_interval", "decision.interval")
_STEADY: Final = ("steady", "steady_state", "ad")


def _ewma(given: Given) -> Answer:
    x, sizes = series_of(given)
    limits = "asymptotic" if str(given.get("limits", "exact"))[:3] in {"asy", "fix"} else "exact"
    chart = ewma_chart(
        x,
        baseline_in(given),
        weight=needed(given, *WEIGHT),
        width=first_of(given, *_WIDTH, default=3.0),
        limits="asymptotic" if limits == "asymptotic" else "exact",
        sizes=sizes,
    )
    both = list(zip(chart.lower, chart.upper, strict=True))
    last = {"ucl": chart.last_limits[1], "lcl": chart.last_limits[0]}
    signals = list(chart.signals)
    return {
        **numbered("z", chart.average),
        **numbered("ucl", chart.upper),
        **numbered("lcl", chart.lower),
        **numbered("sigma_z", chart.sigma),
        **(last if limits == "asymptotic" else {}),
        **{f"{key}_{name}": last[key] for key in last for name in ("asymptotic", "steady", "inf")},
        **{name: list(chart.average) for name in ("y", "ewma", "EWMA", "w")},
        **{name: signals for name in ("out", "signals", "beyond", "violations")},
        **{name: chart.center for name in ("center", "centre", "cl")},
        "sigma": baseline_in(given).sigma,
        "limits": [list(one) for one in both],
        "first_signal": chart.first_signal,
        "n_out": len(signals),
    }


def _cusum(given: Given) -> Answer:
    x, sizes = series_of(given)
    center, sigma = baseline_in(given, sigma=1.0)
    sigma = sigma / np.sqrt(sizes if isinstance(sizes, int | float) else listed(sizes or 1)[0])
    unit = sigma if "H" in given or "K" in given else 1.0
    k, h = first_of(given, "k", "se_shift", "se.shift"), first_of(given, *_DECISION)
    if "k" not in given and k is not None:
        k = k / 2
    k = given["K"] / sigma if "K" in given else first_of({"k": k}, "k", default=0.5)
    h = given["H"] / sigma if "H" in given else first_of({"h": h}, "h", default=5.0)
    chart = cusum_chart(
        x,
        Baseline(center, sigma),
        k=k,
        h=h,
        headstart=_headstart(given, h, unit),
        restart=bool(first_of(given, "restart", "reset", default=False)),
    )
    return _sums(chart)


def _self_starting_cusum(given: Given) -> Answer:
    h = first_of(given, *_DECISION, "H", default=4.0)
    k = first_of(given, "k", "K", default=0.5)
    x, start = needed(given, *DATA), _headstart(given, h)
    scale = self_starting_cusum(x, k=k, h=h, headstart=start, of="scale")
    return {
        **_sums(self_starting_cusum(x, k=k, h=h, headstart=start)),
        **_q(given),
        "scale": _sums(scale),
    }


def _sums(chart: CusumChart) -> dict[str, object]:
    sigma = chart.baseline.sigma
    upper = [one.place for one in chart.signals if one.side == "upper"]
    lower = [one.place for one in chart.signals if one.side == "lower"]
    both = sorted({*upper, *lower})
    answer: dict[str, object] = {
        **{"signals_upper": upper, "signals_lower": lower, "violations": {}},
        **{name: both for name in ("signals", "out", "beyond")},
        "violations": {"upper": upper, "lower": lower},
        "first_signal": chart.first_signal,
        "first_signal_upper": upper[0] if upper else None,
        "first_signal_lower": lower[0] if lower else None,
        "max_c_plus_below_H": max(chart.upper, default=0.0) < chart.limit,
        "max_c_minus_below_H": max(chart.lower, default=0.0) < chart.limit,
        "pos": [one / sigma for one in chart.upper],
        "neg": [-one / sigma for one in chart.lower],
        "H": chart.limit,
        "K": chart.allowance,
    }
    for names, values in (
        (("c_plus", "C_plus", "c_upper", "upper", "sh", "Sh"), chart.upper),
        (("c_minus", "C_minus", "c_lower", "lower", "sl", "Sl"), chart.lower),
        (("n_plus", "N_plus"), chart.since_upper),
        (("n_minus", "N_minus"), chart.since_lower),
    ):
        for name in names:
            answer.update(numbered(name, values))
    if chart.signals:
        one = chart.signals[0]
        names = ("last_in_control", "change_point", "change_after", "tau", "tau_hat")
        answer.update(dict.fromkeys(names, one.last_before))
        answer.update(dict.fromkeys(("change_start", "first_out"), one.last_before + 1))
        answer.update(dict.fromkeys(("new_mean", "mean_estimate", "mu_hat", "mu1"), one.mean))
        answer["side"] = one.side
    return answer


def _headstart(given: Given, h: float, unit: float = 1.0) -> float:
    """In sigmas; ``fir`` alone is half the limit, a share of it below 1 is that share."""
    share = first_of(given, "headstart_share", "headstart_fraction", "fir", "FIR", "fir_fraction")
    if share is True:
        return h / 2
    return float(share * h if share else first_of(given, *HEADSTART, default=0.0) / unit)


def _q(given: Given) -> dict[str, object]:
    mean, sigma = first_of(given, "mu", "mean", "mu0"), first_of(given, "sigma", "sigma0")
    limit = first_of(given, "limit", "L", "nsigmas", default=3.0)
    chart = q_chart(needed(given, *DATA), mean=mean, sigma=sigma, limit=limit)
    signals = list(chart.signals)
    return {
        **numbered("Q", chart.q),
        **numbered("q", chart.q),
        **{f"Q{i}": one for i, one in enumerate(chart.q, 1)},
        "last": chart.q[-1] if chart.q else None,
        "Q_last": chart.q[-1] if chart.q else None,
        "n_beyond": len(signals),
        **{name: signals for name in ("out", "signals", "beyond", "beyond3", "flagged")},
    }


def _q_chart(given: Given) -> Answer:
    return _q(given)


def _cusum_arl(given: Given) -> Answer:
    h, k = first_of(given, *_DECISION, "H"), first_of(given, "k", "K")
    if h is None or k is None:
        return _cusum_design(given)
    shift, sides = first_of(given, *SHIFT, default=0.0), sides_of(given)
    answer: dict[str, object] = {}
    for limit in listed(h):
        start = _headstart(given, limit)
        found = {
            name: _cusum_arls(k, limit, shift, side, begin)
            for name, side, begin in (
                ("", sides, start),
                ("_one_sided", "one", start),
                ("_two_sided", "two", start),
                ("_fir", sides, limit / 2),
                ("_no_fir", sides, 0.0),
            )
        }
        late = possible(lambda limit=limit: each(shift, lambda d: _late(k, limit, d)))
        found["_steady"] = late
        if first_of(given, *_STEADY):
            found[""] = late
        for name, value in found.items():
            answer[f"h{limit:g}{name}"] = value
            for whole in ("arl", "ARL", "arl0" if shift == 0 else "arl1"):
                answer.setdefault(f"{whole}{name}", value)
            answer.setdefault(name.removeprefix("_") or "value", value)
        answer.setdefault("arl0", _cusum_arls(k, limit, 0.0, sides, start))
        answer.setdefault("sd", _cusum_sd(k, limit, shift, start))
    return answer


def _cusum_arls(k: float, h: float, shift: Any, sides: Any, start: float) -> object:
    return possible(
        lambda: each(
            shift,
            lambda d: cusum_run_length(k, h, shift=d, sides=sides, headstart=start).average.value,
        )
    )


def _cusum_sd(k: float, h: float, shift: Any, start: float) -> object:
    return possible(
        lambda: each(
            shift, lambda d: cusum_run_length(k, h, shift=d, sides="one", headstart=start).sd
        )
    )


def _late(k: float, h: float, shift: float) -> float:
    return cusum_steady_run_length(k, h, shift=shift).average.value


def _cusum_design(given: Given) -> Answer:
    wanted, sides = needed(given, *ARL0), sides_of(given)
    k, h = first_of(given, "k", "K"), first_of(given, *_DECISION, "H")
    if k is None and h is not None:
        return {"k": each(wanted, lambda one: cusum_allowance(h, one, sides=sides))}
    if k is None:
        k = each(needed(given, *SHIFT), lambda d: d / 2)
    share = _headstart(given, 1.0)
    h = each(wanted, lambda one: each(k, lambda a: _limit(a, one, sides, share)))
    one_sided = each(wanted, lambda one: each(k, lambda a: _limit(a, one, "one", share)))
    return {"h": h, "H": h, "k": k, "h_one_sided": one_sided, "one": one_sided, "two": h}


def _limit(k: float, wanted: float, sides: Any, share: float) -> object:
    return possible(lambda: cusum_limit(k, wanted, sides=sides, headstart_share=share))


def _ewma_arl(given: Given) -> Answer:
    weight, width = first_of(given, *WEIGHT), first_of(given, *_WIDTH)
    if weight is None or width is None:
        return _ewma_width(given)
    shift = first_of(given, *SHIFT, default=0.0)
    limits = str(first_of(given, "limits", default="fix"))
    start = first_of(given, *HEADSTART, "z0", default=0.0)
    pairs = _pairs(weight, width)
    answer: dict[str, object] = {}
    for one, L in pairs:
        found = _ewma_arls(one, L, shift, start)
        if sides_of(given) == "one":
            found[""] = found["_one_sided"]
        elif limits[:3] in {"exa", "vac", "tim", "var"}:
            found[""] = found["_exact"]
        if first_of(given, *_STEADY):
            found[""] = found["_steady"]
        for name, value in found.items():
            answer[f"lam{one:g}{name}"] = value
            answer[f"L{L:g}{name}"] = value
            for whole in ("arl", "ARL", "arl0" if shift == 0 else "arl1"):
                answer.setdefault(f"{whole}{name}", value)
            answer.setdefault(name.removeprefix("_") or "value", value)
        answer.setdefault("arl0", _ewma_arls(one, L, 0.0, start)[""])
    if isinstance(weight, list):
        arls = [_ewma_arls(*pair, shift, start)[""] for pair in pairs]
        answer.update({"arl": arls, "ARL": arls})
    return answer


def _pairs(weight: Any, width: Any) -> list[tuple[float, float]]:
    if isinstance(weight, list) and isinstance(width, list):
        return list(zip(weight, width, strict=True))
    return [(one, L) for one in listed(weight) for L in listed(width)]


def _ewma_arls(weight: float, width: float, shift: Any, start: float) -> dict[str, object]:
    runs = {
        "": lambda d: ewma_run_length(weight, width, shift=d, start=start),
        "_exact": lambda d: ewma_run_length(weight, width, shift=d, limits="exact"),
        "_one_sided": lambda d: ewma_one_sided_run_length(weight, width, shift=d, start=start),
        "_steady": lambda d: ewma_steady_run_length(weight, width, shift=d),
    }
    return {
        name: possible(lambda run=run: each(shift, lambda d: run(d).average.value))
        for name, run in runs.items()
    }


def _ewma_width(given: Given) -> Answer:
    wanted, weight = needed(given, *ARL0), first_of(given, *WEIGHT)
    if weight is None:
        weight, width = ewma_design(needed(given, *SHIFT), wanted)
        return {"lam": weight, "lambda": weight, "L": width}
    exact = str(given.get("limits", "fix"))[:3] in {"exa", "vac", "tim", "var"}
    asymptotic = each(wanted, lambda one: each(weight, lambda lam: ewma_width(lam, one)))
    width = asymptotic
    if exact:
        width = each(
            wanted, lambda one: each(weight, lambda lam: ewma_width(lam, one, limits="exact"))
        )
    return {**dict.fromkeys(_WIDTH, width), "asymptotic": asymptotic}


METHODS: Final = (
    CaseMethod(("ewma",), _ewma),
    CaseMethod(("cusum",), _cusum),
    *(CaseMethod(("cusum", word), _cusum_arl) for word in ("arl", "run length", "design")),
    *(CaseMethod(("ewma", word), _ewma_arl) for word in ("arl", "run length", "design")),
    *(CaseMethod((word, "cusum"), _self_starting_cusum) for word in ("self-starting", "q chart")),
    *(CaseMethod((word,), _q_chart) for word in ("q chart", "q-chart", "quesenberry")),
    *(CaseMethod((word,), _q_chart) for word in ("self-starting", "q statistic")),
)
