"""Cases of Hotelling's T², its decomposition, Mahalanobis distance and MEWMA."""

from typing import Any, Final

import numpy as np

from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.sequential_keys import (
    ARL0,
    SHIFT,
    WEIGHT,
    alpha_of,
    each,
    first_of,
    listed,
    needed,
    numbered,
    possible,
)
from batchqc.statistics.decomposition import Decomposition, decompose, lot_distances
from batchqc.statistics.mewma import mewma_chart
from batchqc.statistics.mewma_run_length import mewma_limit, mewma_run_length
from batchqc.statistics.multivariate import T2Chart, t2_phase1, t2_phase2
from batchqc.statistics.references import (
    Reference,
    known_reference,
    reference_of,
    reference_of_subgroups,
)
from batchqc.statistics.t2_limits import t2_limit

_OF_NEW: Final = ("newdata", "X_new", "new", "x_new", "xnew", "lot", "Xnew", "phase2", "x0")
_COVARIANCE: Final = ("cov", "covariance", "S", "Sigma", "sigma")
_DISTANCE: Final = ("D", "distance")
_H4: Final = ("h4", "limit", "h", "H", "ucl", "cE")


def _t2(given: Given) -> Answer:
    data = _table(given)
    if data is None:
        return _of_known(given) if first_of(given, *_COVARIANCE) is not None else _limits(given)
    alpha = alpha_of(given, 1 - 0.9973 ** data.shape[-1])
    way: Any = "successive" if "succ" in str(given.get("covariance")) else "sample"
    chart = t2_phase1(data, alpha=alpha, covariance=way)
    known = chart.reference
    answer: dict[str, object] = {
        **_of_chart(chart),
        **_limits_of(known, alpha),
        "center": known.center,
        "mean": known.center,
        **dict.fromkeys(("cov", "S", "covariance"), known.covariance),
    }
    if data.ndim == 2:
        answer["distance"] = possible(lambda: [one.value for one in lot_distances(data)])
        answer.update(_contributions(chart, data, alpha))
    new = first_of(given, *_OF_NEW)
    if new is not None:
        answer.update(_of_new(new, known, alpha))
    return answer


def _of_known(given: Given) -> Answer:
    center, matrix = needed(given, "center", "mean", "mu", "centre"), needed(given, *_COVARIANCE)
    m, size = first_of(given, "m", "m_ref"), first_of(given, "size", "n", default=1)
    known = known_reference(center, matrix, size=size)
    known = Reference(known.center, known.covariance, m, size)
    alpha = alpha_of(given, 0.0027)
    new = needed(given, *_OF_NEW, "x", "X")
    answer = _of_new(new, known, alpha)
    return {**_limits_of(known, alpha), **answer, "T2": answer["T2_new"]}


def _of_new(new: Any, known: Reference, alpha: float) -> dict[str, object]:
    rows = np.asarray(new, dtype=float)
    single = rows.ndim == 1
    chart = t2_phase2(rows[None] if single else rows, known, alpha=alpha)
    found = chart.t2[0] if single else list(chart.t2)
    answer: dict[str, object] = {
        **dict.fromkeys(("T2_new", "t2_new", "newstats", "T2_phase2"), found),
        **dict.fromkeys(("p_value", "p"), chart.p_values[0] if single else list(chart.p_values)),
        "ucl": chart.limit,
        "out_new": list(chart.signals),
        "signal": bool(chart.signals),
    }
    if rows.ndim < 3 and not np.isnan(rows).any():
        parts = [decompose(one, known, alpha=alpha) for one in np.atleast_2d(rows)]
        for name, values in _parts(parts).items():
            answer[name] = values[0] if single else values
        answer["drivers"] = parts[0].drivers if single else [one.drivers for one in parts]
    return answer


def _parts(parts: list[Decomposition]) -> dict[str, list[object]]:
    given: list[object] = [[one.given_others for one in part.contributions] for part in parts]
    alone: list[object] = [[one.alone for one in part.contributions] for part in parts]
    return {
        **dict.fromkeys(("contributions", "d", "conditional", "given_others"), given),
        **dict.fromkeys(("unconditional", "alone", "individual"), alone),
        "steps": [list(part.steps) for part in parts],
        "z": [[one.sigmas for one in part.contributions] for part in parts],
    }


def _contributions(chart: T2Chart, data: Any, alpha: float) -> dict[str, object]:
    """Of each lot of phase I, against all of them."""
    if np.isnan(data).any():
        return {}
    return dict(_parts([decompose(one, chart.reference, alpha=alpha) for one in data]))


def _of_chart(chart: T2Chart) -> dict[str, object]:
    signals = list(chart.signals)
    return {
        **numbered("T2", chart.t2),
        **{key: list(chart.t2) for key in ("t2", "statistics")},
        **dict.fromkeys(("out", "signals", "beyond", "violations"), signals),
        **{key: list(chart.p_values) for key in ("p_values", "p_value")},
        "n_out": len(signals),
        "lcl": 0.0,
        "ucl": chart.limit,
    }


def _limits(given: Given) -> Answer:
    p, m = int(needed(given, "p")), first_of(given, "m", "n_lots")
    size = int(first_of(given, "size", "n", default=1))
    alphas = alpha_of(given, 0.0027)
    rows = [(int(one) if one is not None else None) for one in listed(m)]
    found = [_limits_at(p, one, size, alphas) for one in rows]
    if not isinstance(m, list):
        return found[0]
    return {name: [one[name] for one in found] for name in found[0]}


def _limits_of(known: Reference, alpha: float) -> dict[str, object]:
    return _limits_at(known.p, known.m, known.size, alpha)


def _limits_at(p: int, m: int | None, size: int, alpha: float) -> dict[str, object]:
    first = possible(lambda: t2_limit(p, m, size=size, phase=1, alpha=alpha))
    second = possible(lambda: t2_limit(p, m, size=size, phase=2, alpha=alpha))
    return {
        **dict.fromkeys(("ucl_phase1", "phase1", "ucl1", "beta"), first),
        **dict.fromkeys(("ucl_phase2", "phase2", "ucl2", "upl", "UPL", "F"), second),
        **dict.fromkeys(("ucl_chi2", "chi2"), t2_limit(p, None, alpha=alpha)),
    }


def _mahalanobis(given: Given) -> Answer:
    data = _table(given)
    if data is None or first_of(given, *_OF_NEW) is not None:
        answer = dict(_t2(given))
        square: Any = answer["T2_new"]
        return {**answer, "D2": square, "d2": square, **dict.fromkeys(_DISTANCE, np.sqrt(square))}
    found = [one.value for one in lot_distances(data)]
    squares = [one * one for one in found]
    return {**_t2(given), **dict.fromkeys(("D", "distance"), found), "D2": squares, "d2": squares}


def _table(given: Given) -> Any:
    """(m, p) or (m, n, p): under one key, or each attribute under its own."""
    whole = first_of(given, "X", "x", "data", "y", "subgroups")
    names = [key for key in given if key[:1] in "Xx" and key[1:].isdigit() and key[1:] != "0"]
    columns = [given[key] for key in sorted(names, key=lambda name: int(name[1:]))]
    if not columns and isinstance(first_of(given, "attributes"), dict):
        columns = list(given["attributes"].values())
    if columns:
        return np.stack([np.asarray(one, dtype=float) for one in columns], axis=-1)
    found = None if whole is None else np.asarray(whole, dtype=float)
    if found is None or found.ndim == 1:
        return None
    known = first_of(given, "center", "mean") is not None and first_of(given, *_COVARIANCE)
    return None if known else found


def _mewma(given: Given) -> Answer:
    raw = np.asarray(needed(given, "X", "x", "data"), dtype=float)
    if first_of(given, *_COVARIANCE) is not None:
        center = first_of(given, "center", "mean", "mu0", "mu", default=[0.0] * raw.shape[-1])
        known = known_reference(center, needed(given, *_COVARIANCE))
    else:
        known = reference_of(raw) if raw.ndim == 2 else reference_of_subgroups(raw)
    limits: Any = "asymptotic" if str(given.get("limits"))[:3] in {"asy", "fix"} else "exact"
    chart = mewma_chart(
        raw if raw.ndim == 2 else raw.mean(axis=1),
        known,
        weight=needed(given, *WEIGHT),
        limit=first_of(given, *_H4),
        arl0=first_of(given, *ARL0, default=200.0),
        limits=limits,
    )
    signals = list(chart.signals)
    return {
        **numbered("T2", chart.t2),
        "t2": list(chart.t2),
        **dict.fromkeys(("Z", "z"), chart.average),
        **dict.fromkeys(("h4", "ucl", "limit"), chart.limit),
        **dict.fromkeys(("out", "signals", "beyond"), signals),
        "first_signal": signals[0] if signals else None,
    }


def _mewma_arl(given: Given) -> Answer:
    weight, p = needed(given, *WEIGHT), first_of(given, "p", "n_attributes", default=2)
    limit = first_of(given, *_H4)
    if limit is None:
        wanted = needed(given, *ARL0)
        found = each(wanted, lambda one: _each_limit(weight, p, one))
        return dict.fromkeys((*_H4, "value"), found)
    shift = first_of(given, *SHIFT, default=0.0)
    found = each(shift, lambda d: mewma_run_length(weight, limit, p, shift=d).average.value)
    centred = possible(lambda: mewma_run_length(weight, limit, p).average.value)
    return {**dict.fromkeys(("arl", "ARL", "value", "arl1"), found), "arl0": centred}


def _each_limit(weight: Any, p: Any, wanted: float) -> object:
    """For each weight, or each number of attributes."""
    return each(weight, lambda one: each(p, lambda q: mewma_limit(one, int(q), wanted)))


METHODS: Final = (
    *(CaseMethod((word, "mewma"), _mewma_arl) for word in ("arl", "run length", "design")),
    *(CaseMethod((word, "mewma"), _mewma_arl) for word in ("limit", "h4", "crit")),
    *(CaseMethod((word, "ewma"), _mewma) for word in ("mewma", "multivariate")),
    CaseMethod(("mewma", "ewma", "arl"), _mewma_arl),
    CaseMethod(("mewma", "ewma", "chart"), _mewma),
    *(CaseMethod((word,), _t2) for word in ("t2", "hotelling", "t²", "t^2")),
    CaseMethod(("mahalanobis",), _mahalanobis),
    CaseMethod(("t2", "mahalanobis"), _mahalanobis),
)
