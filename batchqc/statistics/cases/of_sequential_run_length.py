"""Cases of run lengths of CUSUM and EWMA charts, and of their designs for a wanted one."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.sequential_keys import (
    ARL0,
    DECISION,
    HEADSTART,
    SHIFT,
    WEIGHT,
    WIDTH,
    each,
    first_of,
    headstart_of,
    listed,
    needed,
    possible,
    sides_of,
)
from batchqc.statistics.cusum_run_length import (
    cusum_allowance,
    cusum_limit,
    cusum_run_length,
    cusum_steady_run_length,
)
from batchqc.statistics.ewma_run_length import (
    ewma_design,
    ewma_one_sided_run_length,
    ewma_run_length,
    ewma_steady_run_length,
    ewma_width,
)
from batchqc.statistics.run_length import RunLength

_STEADY: Final = ("steady", "steady_state", "ad")
_EXACT: Final = ("exa", "vac", "tim", "var")


def _cusum_arl(given: Given) -> Answer:
    h, k = first_of(given, *DECISION, "H"), first_of(given, "k", "K")
    if h is None or k is None:
        return _cusum_design(given)
    shift = first_of(given, *SHIFT, default=0.0)
    answer: dict[str, object] = {}
    for limit in listed(h):
        _add(answer, (f"h{limit:g}",), _cusum_arls(given, k, limit, shift), shift)
        answer.setdefault("arl0", _cusum_arls(given, k, limit, 0.0)[""])
    _add_list(answer, h, "h")
    return answer


def _cusum_arls(given: Given, k: float, h: float, shift: Any) -> dict[str, object]:
    sides, start = sides_of(given), headstart_of(given, h)

    def run(side: Any, begin: float) -> object:
        return _over(shift, lambda d: _cusum_at(k, h, d, side, begin))

    steady = _over(shift, partial(_late, k, h))
    return {
        "": steady if first_of(given, *_STEADY) else run(sides, start),
        "_one_sided": run("one", start),
        "_two_sided": run("two", start),
        "_fir": run(sides, h / 2),
        "_no_fir": run(sides, 0.0),
        "_steady": steady,
        "_sd": _sd_over(k, h, shift, start),
    }


def _cusum_at(k: float, h: float, shift: float, sides: Any, start: float) -> RunLength:
    return cusum_run_length(k, h, shift=shift, sides=sides, headstart=start)


def _late(k: float, h: float, shift: float) -> RunLength:
    return cusum_steady_run_length(k, h, shift=shift)


def _sd_over(k: float, h: float, shift: Any, start: float) -> object:
    def sd(one: float) -> object:
        return cusum_run_length(k, h, shift=one, sides="one", headstart=start).sd

    return possible(lambda: each(shift, sd))


def _over(shift: Any, run: Callable[[float], RunLength]) -> object:
    """Average run length at a shift, or at each of a list."""

    def average(one: float) -> object:
        return run(one).average.value

    return possible(lambda: each(shift, average))


def _add(answer: dict[str, object], names: Any, found: dict[str, object], shift: Any) -> None:
    """Under the name of the chart, and of the first chart under general names."""
    for ending, value in found.items():
        for name in names:
            answer[f"{name}{ending}"] = value
        for whole in ("arl", "ARL", "arl0" if shift == 0 else "arl1"):
            answer.setdefault(f"{whole}{ending}", value)
        answer.setdefault(ending.removeprefix("_") or "value", value)


def _add_list(answer: dict[str, object], charts: Any, name: str) -> None:
    """Where a case gives a list of charts, the list of their run lengths."""
    if isinstance(charts, list):
        every = [answer[f"{name}{one:g}"] for one in charts]
        answer.update(dict.fromkeys(("arl", "ARL", "value"), every))


def _cusum_design(given: Given) -> Answer:
    wanted, sides = needed(given, *ARL0), sides_of(given)
    k, h = first_of(given, "k", "K"), first_of(given, *DECISION, "H")
    if k is None and h is not None:
        return {"k": each(wanted, lambda one: cusum_allowance(h, one, sides=sides))}
    if k is None:
        k = each(needed(given, *SHIFT), lambda d: d / 2)
    share = headstart_of(given, 1.0)

    def limits(side: Any) -> object:
        return each(wanted, lambda one: each(k, lambda a: _limit(a, one, side, share)))

    both, own = {name: limits(name) for name in ("one", "two")}, limits(sides)
    return {
        "h": own,
        "H": own,
        "k": k,
        "h_one_sided": both["one"],
        "h_two_sided": both["two"],
        **both,
    }


def _limit(k: float, wanted: float, sides: Any, share: float) -> object:
    return possible(lambda: cusum_limit(k, wanted, sides=sides, headstart_share=share))


def _ewma_arl(given: Given) -> Answer:
    weight, width = first_of(given, *WEIGHT), first_of(given, *WIDTH)
    if weight is None or width is None:
        return _ewma_width(given)
    shift = first_of(given, *SHIFT, default=0.0)
    answer: dict[str, object] = {}
    for one, L in _pairs(weight, width):
        found = _ewma_arls(given, one, L, shift)
        _add(answer, (f"lam{one:g}", f"L{L:g}", f"lambda{one:g}"), found, shift)
        answer.setdefault("arl0", _ewma_arls(given, one, L, 0.0)[""])
    _add_list(answer, weight, "lam")
    return answer


def _pairs(weight: Any, width: Any) -> list[tuple[float, float]]:
    if isinstance(weight, list) and isinstance(width, list):
        return list(zip(weight, width, strict=True))
    return [(one, L) for one in listed(weight) for L in listed(width)]


def _ewma_arls(given: Given, weight: float, width: float, shift: Any) -> dict[str, object]:
    start = first_of(given, *HEADSTART, "z0", default=0.0)
    barrier = first_of(given, "barrier", "zr", default=0.0)
    found = {
        "": _over(shift, lambda d: ewma_run_length(weight, width, shift=d, start=start)),
        "_exact": _over(shift, lambda d: ewma_run_length(weight, width, shift=d, limits="exact")),
        "_one_sided": _over(
            shift,
            lambda d: ewma_one_sided_run_length(
                weight, width, shift=d, barrier=barrier, start=max(start, barrier)
            ),
        ),
        "_steady": _over(shift, lambda d: ewma_steady_run_length(weight, width, shift=d)),
    }
    limits = str(first_of(given, "limits", default="fix"))[:3]
    if sides_of(given) == "one":
        found[""] = found["_one_sided"]
    elif first_of(given, *_STEADY):
        found[""] = found["_steady"]
    elif limits in _EXACT:
        found[""] = found["_exact"]
    return found


def _ewma_width(given: Given) -> Answer:
    wanted, weight = needed(given, *ARL0), first_of(given, *WEIGHT)
    if weight is None:
        best, width = ewma_design(needed(given, *SHIFT), wanted)
        return {"lam": best, "lambda": best, "L": width}

    def widths(limits: Any) -> object:
        def width(lam: float, one: float) -> object:
            return possible(lambda: ewma_width(lam, one, limits=limits))

        return each(wanted, lambda one: each(weight, lambda lam: width(lam, one)))

    found = {name: widths(name) for name in ("asymptotic", "exact")}
    own = found["exact" if str(given.get("limits", "fix"))[:3] in _EXACT else "asymptotic"]
    return {**dict.fromkeys(WIDTH, own), **found}


def _as_named(run: Callable[[Given], Answer], **said: object) -> Callable[[Given], Answer]:
    """What the name of a method says, where its input does not say it."""
    return lambda given: run({**said, **given})


_ASKED: Final = ("arl", "run length", "design")
_SAID: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("one-sided", {"sided": "one"}),
    ("one sided", {"sided": "one"}),
    ("steady", {"steady": True}),
    ("fast initial", {"fir": True}),
)

METHODS: Final = (
    *(CaseMethod(("cusum", word), _cusum_arl) for word in _ASKED),
    *(CaseMethod(("ewma", word), _ewma_arl) for word in _ASKED),
    *(
        CaseMethod((chart, word, name), _as_named(run, **said))
        for chart, run in (("cusum", _cusum_arl), ("ewma", _ewma_arl))
        for word in _ASKED
        for name, said in _SAID
        if chart == "cusum" or name != "fast initial"
    ),
)
