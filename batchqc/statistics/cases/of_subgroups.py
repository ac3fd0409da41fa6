"""Cases of charts of subgroups."""

from functools import partial
from typing import Any, Final

import numpy as np

from batchqc.statistics.cases.chart_keys import (
    SIGMA_METHOD,
    available,
    constants,
    first,
    judged,
    line,
    lines,
    options,
    text,
    with_exact,
)
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.subgroup_charts import deviations, ranges, xbar
from batchqc.statistics.subgroups import Subgroups, sigma_within, subgroups_of

_WITHIN: Final = {
    "uwave-r": "range", "range": "range", "r": "range", "rbar": "range",
    "mvlue-r": "range-weighted",
    "uwave-sd": "sd", "sd": "sd", "s": "sd", "sbar": "sd", "mvlue-sd": "sd-weighted",
    "rmsdf": "pooled-unbiased", "pooled": "pooled",
}  # fmt: skip


def _of_ranges(given: Given) -> Answer:
    return subgroup_answer(given, "range")


def _of_deviations(given: Given) -> Answer:
    return subgroup_answer(given, "sd")


def _range_chart(given: Given) -> Answer:
    """The chart of ranges alone: its own lines, under the plain names."""
    found = subgroup_answer(given, "range")
    return _alone(found, "R_")


def _deviation_chart(given: Given) -> Answer:
    """The chart of standard deviations alone."""
    return _alone(subgroup_answer(given, "sd"), "S_")


def _alone(found: Answer, prefix: str) -> Answer:
    own = {key.removeprefix(prefix): one for key, one in found.items() if key.startswith(prefix)}
    return {**found, **own}


def subgroup_answer(given: Given, within: str) -> Answer:
    """Charts of means, ranges and standard deviations, sigma within as named unless told."""
    found = _read(given)
    drawn: dict[str, Any] = {**options(given), **constants(given)}
    drawn["within"] = _WITHIN.get(text(given, SIGMA_METHOD), within)
    each = len(set(found.sizes[found.sizes > 0].tolist())) > 1
    has_r, has_s = (not np.isnan(one).all() for one in (found.ranges, found.deviations))
    means = available(lambda: xbar(found, **drawn))
    r = available(lambda: ranges(found, **drawn)) if has_r else None
    s = available(lambda: deviations(found, **drawn)) if has_s else None
    answer: dict[str, object] = {
        **lines(means, each=each),
        **lines(means, each=each, prefix="xbar_"),
        **(_twice("R", "r", r, each) if has_r else {}),
        **(_twice("S", "s", s, each) if has_s else {}),
        **judged(means),
        **_later(given, means),
        "sigma": means.figures["sigma"] if means else None,
        "xbar": line(found.means, each=True),
        **dict.fromkeys(("R", "ranges"), line(found.ranges, each=True)),
        **dict.fromkeys(("S", "s", "sds"), line(found.deviations, each=True)),
        **dict.fromkeys(("xbarbar", "xbar_bar", "grand_mean"), found.grand_mean),
        **dict.fromkeys(("Rbar", "rbar", "R_bar"), r and line(r.centre, each=False)),
        **dict.fromkeys(("Sbar", "sbar", "S_bar", "s_bar"), s and line(s.centre, each=False)),
    }
    for name, method in _WITHIN.items():
        if has_r if method.startswith("range") else has_s:
            sure: Any = method
            value = available(partial(sigma_within, found, within=sure))
            answer |= dict.fromkeys((f"sigma_{name}", f"sigma_{name.upper()}"), value)
    return with_exact(answer)


def _later(given: Given, means: Any) -> dict[str, object]:
    """Lines of phase I on means of later subgroups, of the size of the first ones."""
    new = first(given, ("new", "newdata", "new_subgroups", "phase2"))
    if new is None or means is None or len(set(np.asarray(means.sigma).tolist())) > 1:
        return {}
    applied = means.applied_to([float(np.mean(one)) for one in new])
    return lines(applied, prefix="new_")


def _twice(name: str, small: str, chart: Any, each: bool) -> dict[str, object]:  # noqa: FBT001 - as its case says it
    """Sources write R and r, S and s."""
    return {
        **lines(chart, each=each, prefix=f"{name}_"),
        **lines(chart, each=each, prefix=f"{small}_"),
    }


def _read(given: Given) -> Subgroups:
    means = first(given, ("means", "xbar", "xbars", "xbarbar"))
    if means is not None:
        means = np.atleast_1d(np.asarray(means, dtype=np.float64))
        gone = np.full(means.shape, np.nan)
        kept = [first(given, names, gone) for names in (
            ("ranges", "R", "rbar", "Rbar", "r"), ("sds", "S", "s", "sbar", "Sbar"),
        )]  # fmt: skip
        sizes = first(given, ("n", "size", "sizes", "subgroup_size"))
        return Subgroups(
            np.broadcast_to(np.asarray(sizes, dtype=np.float64), means.shape),
            means,
            *(np.atleast_1d(np.asarray(one, dtype=np.float64)) for one in kept),
        )
    data = first(given, ("subgroups", "groups", "samples", "data", "x", "y"))
    labels = first(given, ("sample", "subgroup", "group", "lot", "labels"))
    if labels is not None:
        return subgroups_of(
            [[y for y, own in zip(data, labels, strict=True) if own == one]
             for one in dict.fromkeys(labels)]
        )  # fmt: skip
    return subgroups_of(data)


METHODS: Final = (
    *(
        CaseMethod(words, _of_ranges, frozenset())
        for words in (
            ("xbar",), ("x-bar",), ("xbar", "r chart"), ("x-bar", "r chart"),
        )
    ),
    CaseMethod(("r chart",), _range_chart),
    CaseMethod(("range chart",), _range_chart),
    CaseMethod(("s chart",), _deviation_chart),
    CaseMethod(("standard deviation chart",), _deviation_chart),
    *(
        CaseMethod(words, _of_deviations, frozenset())
        for words in (
            ("xbar-s",), ("x-bar-s",), ("x-bar", "s chart"), ("xbar", "s chart"), ("xbar and s",),
            ("x-bar and s",), ("xbar/s",),
        )
    ),
)  # fmt: skip
