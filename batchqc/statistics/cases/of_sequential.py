"""Cases of EWMA, CUSUM and self-starting charts."""

from typing import Final

import numpy as np

from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.sequential_keys import (
    DATA,
    DECISION,
    WEIGHT,
    WIDTH,
    baseline_in,
    first_of,
    headstart_of,
    listed,
    needed,
    numbered,
    series_of,
)
from batchqc.statistics.cusum import Baseline, CusumChart, cusum_chart
from batchqc.statistics.ewma import ewma_chart
from batchqc.statistics.self_starting import q_chart, self_starting_cusum


def _ewma(given: Given) -> Answer:
    x, sizes = series_of(given)
    limits = "asymptotic" if str(given.get("limits", "exact"))[:3] in {"asy", "fix"} else "exact"
    chart = ewma_chart(
        x,
        baseline_in(given),
        weight=needed(given, *WEIGHT),
        width=first_of(given, *WIDTH, default=3.0),
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
        **dict.fromkeys(("out", "signals", "beyond", "violations"), signals),
        **dict.fromkeys(("center", "centre", "cl"), chart.center),
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
    k, h = first_of(given, "k", "se_shift", "se.shift"), first_of(given, *DECISION)
    if "k" not in given and k is not None:
        k = k / 2
    k = given["K"] / sigma if "K" in given else first_of({"k": k}, "k", default=0.5)
    h = given["H"] / sigma if "H" in given else first_of({"h": h}, "h", default=5.0)
    chart = cusum_chart(
        x,
        Baseline(center, sigma),
        k=k,
        h=h,
        headstart=headstart_of(given, h, unit),
        restart=bool(first_of(given, "restart", "reset", default=False)),
    )
    return _sums(chart)


def _self_starting_cusum(given: Given) -> Answer:
    h = first_of(given, *DECISION, "H", default=4.0)
    k = first_of(given, "k", "K", default=0.5)
    x, start = needed(given, *DATA), headstart_of(given, h)
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
        "signals_upper": upper,
        "signals_lower": lower,
        **dict.fromkeys(("signals", "out", "beyond"), both),
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
    columns: tuple[tuple[tuple[str, ...], tuple[float, ...]], ...] = (
        (("c_plus", "C_plus", "c_upper", "upper", "sh", "Sh"), chart.upper),
        (("c_minus", "C_minus", "c_lower", "lower", "sl", "Sl"), chart.lower),
        (("n_plus", "N_plus"), chart.since_upper),
        (("n_minus", "N_minus"), chart.since_lower),
    )
    for spelled, values in columns:
        for name in spelled:
            answer.update(numbered(name, values))
    if chart.signals:
        one = chart.signals[0]
        names = ("last_in_control", "change_point", "change_after", "tau", "tau_hat")
        answer.update(dict.fromkeys(names, one.last_before))
        answer.update(dict.fromkeys(("change_start", "first_out"), one.last_before + 1))
        answer.update(dict.fromkeys(("new_mean", "mean_estimate", "mu_hat", "mu1"), one.mean))
        answer["side"] = one.side
    return answer


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
        **dict.fromkeys(("out", "signals", "beyond", "beyond3", "flagged"), signals),
    }


def _q_chart(given: Given) -> Answer:
    return _q(given)


METHODS: Final = (
    CaseMethod(("ewma",), _ewma),
    CaseMethod(("cusum",), _cusum),
    *(CaseMethod((word, "cusum"), _self_starting_cusum) for word in ("self-starting", "q chart")),
    *(CaseMethod((word,), _q_chart) for word in ("q chart", "q-chart", "quesenberry")),
    *(CaseMethod((word,), _q_chart) for word in ("self-starting", "q statistic")),
)
