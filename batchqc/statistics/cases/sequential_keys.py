"""Keys of cases of sequential and multivariate charts, as different sources spell them."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.cases.check import Given
from batchqc.statistics.cusum import Baseline, baseline_of

DATA: Final = ("x", "X", "y", "data", "values", "means", "xbar")
CENTER: Final = ("target", "center", "centre", "mu0", "mu", "mean", "T")
SIGMA: Final = ("sigma", "sd", "std_dev", "std.dev", "stddev", "sigma0")
WEIGHT: Final = ("lam", "lambda", "lambda_", "l", "weight", "r")
SHIFT: Final = ("delta", "deltas", "shift", "shifts", "d", "mu", "mu1")
ARL0: Final = ("arl0", "ARL0", "L0", "target_arl", "arl", "ARL")
WIDTH: Final = ("L", "c", "width", "nsigmas", "cE")
DECISION: Final = ("h", "decision_interval", "decision.interval")
HEADSTART: Final = ("headstart", "head_start", "hs", "S0", "C0")


def first_of(given: Given, *names: str, default: Any = None) -> Any:
    """What stands under the first of some keys that is there."""
    return next((given[name] for name in names if given.get(name) is not None), default)


def needed(given: Given, *names: str) -> Any:
    """As `first_of`, where the method cannot do without.

    Raises:
        InvalidInput: none of the keys is there.
    """
    found = first_of(given, *names)
    if found is None:
        raise InvalidInput("BQC-STA-003", f"the case gives none of {', '.join(names)}")
    return found


def each(value: Any, compute: Callable[[float], object]) -> object:
    """The same for one number, or for each of a list."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [each(one, compute) for one in value]
    return compute(float(value))


def listed(value: Any) -> list[Any]:
    """One number as a list of one."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def numbered(name: str, values: Sequence[object]) -> dict[str, object]:
    """A list, and each of its values under its own 1-based key."""
    return {name: list(values), **{f"{name}_{i}": one for i, one in enumerate(values, 1)}}


def possible(compute: Callable[[], object]) -> object:
    """What was computed; the reason where these data do not allow it."""
    try:
        return compute()
    except (NotEstimable, InvalidInput) as refusal:
        return refusal.message


def series_of(given: Given) -> tuple[Any, Any]:
    """Values and sizes; of subgroups, their means."""
    groups = first_of(given, "subgroups", "samples")
    sizes = first_of(given, "sizes", "n", "size")
    if groups is None:
        return needed(given, *DATA), sizes
    return [float(np.mean(one)) for one in groups], [len(one) for one in groups]


def baseline_in(given: Given, *, sigma: float | None = None) -> Baseline:
    """Centre and sigma of a case; what it does not give is estimated from its data.

    Args:
        given: of the case.
        sigma: where the centre is given, and the sigma is not.
    """
    center, found = first_of(given, *CENTER), first_of(given, *SIGMA)
    if found is None and center is not None:
        found = sigma
    if center is None or found is None:
        estimated = baseline_of(series_of(given)[0])
        center = estimated.center if center is None else center
        found = estimated.sigma if found is None else found
    return Baseline(center, found)


def sides_of(given: Given, default: str = "two") -> Any:
    """``one`` or ``two``."""
    found = str(first_of(given, "sides", "sided", default=default)).casefold()
    return "one" if found in {"1", "one", "one-sided", "upper"} else "two"


def alpha_of(given: Given, default: float) -> float:
    """Chance of a false alarm, however it is told."""
    level = first_of(given, "conf", "confidence", "confidence.level", "confidence_level", "level")
    return float(first_of(given, "alpha", default=default if level is None else 1 - level))


def headstart_of(given: Given, h: float, unit: float = 1.0) -> float:
    """In sigmas; ``fir`` alone is half the limit, and as a number that share of it."""
    start = first_of(given, *HEADSTART)
    share = first_of(given, "headstart_share", "headstart_fraction", "fir", "FIR", "fir_fraction")
    if start is not None or not share:
        return float(start or 0.0) / unit
    return h / 2 if share is True else float(share) * h
