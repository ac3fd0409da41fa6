"""Charts of many products or targets in short runs: deviations from nominal, Z and W."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.chart_constants import chart_constants
from batchqc.statistics.control_charts import ControlChart, Known, one_or_more
from batchqc.statistics.individuals import individuals, moving_range
from batchqc.statistics.moving_ranges import moving_ranges
from batchqc.statistics.values import Floats, with_gaps


def from_nominal(
    data: ArrayLike, nominal: ArrayLike | Mapping[str, float], *, part: Sequence[str] = ()
) -> Floats:
    """Deviations from nominal, for the charts of single values or of subgroups.

    All parts then share one chart, where their sigma is the same (Montgomery, section 10.1).

    Args:
        data: (lots) or (subgroups, values); None or NaN where missing.
        nominal: target of all, of each row, or of each part by its name.
        part: name of the part of each row, where targets are given by part.

    Raises:
        InvalidInput: a part has no target, or there are not as many targets as rows.
    """
    try:
        found = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput("BQC-STA-003", "values are not all numbers") from None
    if found.ndim not in (1, 2):
        raise InvalidInput("BQC-STA-003", f"values have {found.ndim} dimensions, not one or two")
    checked = with_gaps(found.ravel()).reshape(found.shape)
    target = _by_part(nominal, part) if isinstance(nominal, Mapping) else nominal
    wanted = one_or_more(target, "targets")
    if np.isnan(wanted).any() or wanted.size not in (1, len(found)):
        raise InvalidInput("BQC-STA-003", f"{len(found)} rows have no targets of their own each")
    result: Floats = (checked.T - wanted).T
    return result


@dataclass(frozen=True, slots=True)
class ZAndW:
    """Standardised individuals and their moving ranges.

    Args:
        z: values in sigma of their part, centre 0, limits ± width.
        w: ranges of neighbouring z, centre 1.128, limits 0 and 3.686 at 3 sigma.
        means: of each part, as used.
        sigmas: of each part, as used.
    """

    z: ControlChart
    w: ControlChart
    means: Mapping[str, float]
    sigmas: Mapping[str, float]


#: How sigma of the parts is found, in the words of each.
POOLING: Final = {
    "part": "each part has its own sigma: its mean moving range / d2",
    "common": "all parts have one sigma: the mean of all moving ranges / d2",
    "relative": "sigma grows with the mean: from moving ranges of logarithms",
}


def z_and_w(
    data: ArrayLike,
    part: Sequence[str],
    *,
    known: Mapping[str, Known] | None = None,
    pooling: str = "part",
    width: float = 3.0,
) -> ZAndW:
    """Standardised Z and W charts of single values (Farnum 1992; Montgomery, section 10.1).

    Each value minus the mean of its part, over the sigma of its part. Moving ranges for sigma are
    taken between values of one part that follow each other, whatever parts lie between them. W is
    taken over a change of part.

    Args:
        data: values in order; None or NaN where missing.
        part: name of the part (product, cytokine, donor) of each value.
        known: centre and sigma of parts that were fixed before; the others are estimated.
        pooling: ``part``, ``common`` or ``relative`` (values above 0; z is then of logarithms).
        width: of the limits, in sigma.

    Raises:
        InvalidInput: parts are not as many as values, or an option is unknown.
        NotEstimable: a part has no two neighbouring values, or no variation.
    """
    found = with_gaps(data)
    names = [str(one) for one in part]
    if len(names) != found.size:
        raise InvalidInput("BQC-STA-003", f"{found.size} values have {len(names)} parts")
    if pooling not in POOLING:
        raise InvalidInput("BQC-STA-003", f"pooling is {', '.join(POOLING)}; not {pooling!r}")
    if pooling == "relative":
        found = _logarithms(found)
    fixed = known or {}
    means, sigmas = {}, {}
    common = None if pooling == "part" else _sigma(found, names, sorted(set(names) - set(fixed)))
    for name in dict.fromkeys(names):
        own = np.array([one == name for one in names])
        one = fixed.get(name)
        means[name] = one.centre if one else _mean(found[own], name)
        given = one.sigma if one else None
        sigmas[name] = given or common or _sigma(found, names, [name])
    score = (found - [means[one] for one in names]) / [sigmas[one] for one in names]
    unit = Known(0.0, 1.0)
    return ZAndW(
        individuals(score, known=unit, width=width),
        moving_range(score, known=unit, width=width),
        means,
        sigmas,
    )


def _by_part(nominal: Mapping[str, float], part: Sequence[str]) -> list[float]:
    missing = sorted({str(one) for one in part} - set(nominal))
    if missing or not part:
        raise InvalidInput("BQC-STA-003", f"parts without a target: {', '.join(missing) or 'all'}")
    return [nominal[str(one)] for one in part]


def _mean(found: Floats, name: str) -> float:
    present = found[~np.isnan(found)]
    if not present.size:
        raise NotEstimable("BQC-STA-001", f"part {name} has no value")
    return float(present.mean())


def _sigma(found: Floats, names: Sequence[str], parts: Sequence[str]) -> float:
    """From moving ranges of neighbours of one part, whatever parts lie between them."""
    ranges = [
        moving_ranges(found[np.array([one == name for one in names], dtype=np.bool_)])
        for name in parts
    ]
    every = np.concatenate(ranges) if ranges else np.empty(0)
    every = every[~np.isnan(every)]
    if not every.size or not np.any(every > 0):
        raise NotEstimable("BQC-STA-001", f"no variation within {', '.join(parts) or 'any part'}")
    return float(every.mean()) / chart_constants(2).d2


def _logarithms(found: Floats) -> Floats:
    if np.any(found <= 0):
        raise InvalidInput("BQC-STA-003", "relative pooling needs values above 0")
    result: Floats = np.log(found)
    return result
