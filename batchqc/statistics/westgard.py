"""Westgard multirules for assay controls, and the Levey-Jennings chart they are read on."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchqc.errors import InvalidInput
from batchqc.statistics.control_charts import ControlChart, Known, one_or_more
from batchqc.statistics.figures import Figure
from batchqc.statistics.individuals import individuals
from batchqc.statistics.run_rules import Rule, marks
from batchqc.statistics.values import Floats, enough, spread, with_gaps

#: Whether consecutive results are followed through all levels, in each level, or both.
Scope: TypeAlias = Literal["across", "within", "both"]

#: The rules of Westgard 1981; 1_2s warns, and any other rejects the run.
MULTIRULES: Final = ("1_2s", "1_3s", "2_2s", "R_4s", "4_1s", "10_x")

#: Results that a control should have before its own mean and sd are used (CLSI C24).
CONTROLS_FROM: Final = 20


@dataclass(frozen=True, slots=True)
class RunSignal:
    """A rule that fired in a run of controls.

    Args:
        rule: its name: ``2_2s``.
        run: counted from 1.
        z: of the levels in that run, in sigma; None where missing.
        warning: whether it only warns (1_2s); the others ask to reject the run.
    """

    rule: str
    run: int
    z: tuple[float | None, ...]
    warning: bool


def multirules(
    z: ArrayLike,
    rules: Sequence[str] = MULTIRULES,
    *,
    scope: Scope = "across",
    r4s_over: int = 1,
) -> dict[str, tuple[int, ...]]:
    """Runs in which each rule fires, counted from 1 (Westgard 1981, Clin. Chem. 27:493).

    ``k_Ls``: k consecutive results beyond L sigma on one side. ``k_x``: k consecutive on one side
    of the mean. ``mofk_Ls``: m of k consecutive beyond L sigma on one side. ``k_T``: k consecutive
    strictly rising or falling. ``2_2s``: two levels of one run, or one level in two consecutive
    runs, beyond 2 sigma on one side. ``R_4s``: one level above +2 and another below -2 sigma in
    one run. ``1_2s`` and ``1_3s``: any result, on either side. Inequalities are strict; a missing
    result breaks what must be consecutive.

    Args:
        z: (runs) or (runs, levels), in sigma of each level, in order of time.
        rules: names such as ``1_3s``, ``2of3_2s``, ``3_1s``, ``8_x``.
        scope: ``across``: consecutive results are counted through the levels, run by run, in the
            order of the columns; ``within``: each level for itself; ``both``: either.
        r4s_over: how many consecutive runs R_4s looks at together; 1 is within a run.

    Raises:
        InvalidInput: a rule is unknown, or z is no table of numbers.
    """
    table = _runs(z)
    if scope not in get_args(Scope):
        raise InvalidInput("BQC-STA-003", f"scope is across, within or both, not {scope!r}")
    if r4s_over < 1:
        raise InvalidInput("BQC-STA-003", f"R_4s over {r4s_over} runs is no rule")
    found = {}
    for name in rules:
        fired = (
            _particular(name, r4s_over)(table)
            if _is_particular(name)
            else _consecutive(table, _rule(name), scope)
        )
        found[name] = tuple(int(run) + 1 for run in np.flatnonzero(fired))
    return found


def run_signals(z: ArrayLike, rules: Sequence[str] = MULTIRULES) -> tuple[RunSignal, ...]:
    """Each rule and run of :func:`multirules` with the results of that run, by run."""
    table = _runs(z)
    found = [
        RunSignal(
            name,
            run,
            tuple(None if np.isnan(one) else float(one) for one in table[run - 1]),
            warning=_plain(name) == "1_2s",
        )
        for name, runs in multirules(table, rules).items()
        for run in runs
    ]
    return tuple(sorted(found, key=lambda one: one.run))


def scores(data: ArrayLike, mean: ArrayLike, sd: ArrayLike) -> Floats:
    """Results of controls in sigma of their level, for :func:`multirules`.

    Args:
        data: (runs) or (runs, levels); None or NaN where missing.
        mean: of the control, or of each level.
        sd: of the control, or of each level, above 0.

    Raises:
        InvalidInput: a value is no number, an sd is not above 0, or they do not fit the levels.
    """
    table = _runs(data)
    means, sds = (one_or_more(one, "mean and sd") for one in (mean, sd))
    fits = all(
        one.shape in ((1,), table.shape[1:]) and np.isfinite(one).all() for one in (means, sds)
    )
    if not fits or not np.all(sds > 0):
        raise InvalidInput("BQC-STA-003", f"{table.shape[1]} levels need a mean and an sd each")
    found: Floats = (table - means) / sds
    return found


def levey_jennings(
    data: ArrayLike, *, mean: float | None = None, sd: float | None = None, width: float = 3.0
) -> ControlChart:
    """Chart of one level of a control: mean ± width sd (Levey and Jennings 1950).

    Args:
        data: results in order of time; None or NaN where missing.
        mean: assigned, or from an earlier period; of the data where left out.
        sd: assigned, or from an earlier period; where left out, that of the data; with
            fewer than 20 results the limits are provisional, and the chart says so.
        width: of the limits, in sd.

    Raises:
        InvalidInput: a value is no number, or only one of mean and sd is given.
        NotEstimable: fewer than 2 results, or no variation, where mean and sd are not given.
    """
    if (mean is None) != (sd is None):
        raise InvalidInput("BQC-STA-003", "mean and sd of a control come together, or neither")
    if mean is not None and sd is not None:
        return replace(individuals(data, width=width, known=Known(mean, sd)), name="Levey-Jennings")
    found = with_gaps(data)
    present = spread(enough(found[~np.isnan(found)], "results", at_least=2), "results")
    n, s = present.size, float(present.std(ddof=1))
    chart = individuals(found, width=width, known=Known(float(present.mean()), s))
    few = () if n >= CONTROLS_FROM else (f"{n} results: limits are provisional below 20",)
    how = "of these results"
    return replace(
        chart,
        name="Levey-Jennings",
        figures={
            "centre": Figure("centre", float(present.mean()), f"mean {how}", n),
            "sigma": Figure("sigma", s, f"standard deviation {how}, n - 1", n, df=n - 1),
        },
        limitations=few,
    )


def _runs(z: ArrayLike) -> Floats:
    try:
        table = np.asarray(z, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput("BQC-STA-003", "z of controls are not all numbers") from None
    if table.ndim not in (1, 2):
        raise InvalidInput("BQC-STA-003", f"z have {table.ndim} dimensions, not (runs, levels)")
    return with_gaps(table.ravel(), "z").reshape(len(table), -1 if table.size else 1)


def _plain(name: str) -> str:
    return re.sub(r"[\s:\-]", "_", name.strip().casefold()).replace("xbar", "x").replace("xm", "x")


def _is_particular(name: str) -> bool:
    return _plain(name) in ("2_2s", "22s", "r_4s", "r4s")


def _particular(name: str, r4s_over: int) -> Callable[[Floats], NDArray[np.bool_]]:
    return _two if "2s" in _plain(name) else lambda table: _opposite(table, r4s_over)


def _two(table: Floats) -> NDArray[np.bool_]:
    fired = np.zeros(len(table), dtype=np.bool_)
    for out in (table > 2, table < -2):
        fired |= out.sum(axis=1) >= 2
        fired[1:] |= (out[1:] & out[:-1]).any(axis=1)
    return fired


def _opposite(table: Floats, over: int) -> NDArray[np.bool_]:
    high = np.asarray((table > 2).any(axis=1))
    low = np.asarray((table < -2).any(axis=1))
    fired = np.zeros(len(table), dtype=np.bool_)
    for at in np.flatnonzero(high | low):
        since = slice(max(0, at - over + 1), at + 1)
        fired[at] = high[since].any() and low[since].any()
    return fired


def _consecutive(table: Floats, rule: Rule, scope: Scope) -> NDArray[np.bool_]:
    fired = np.zeros(table.shape, dtype=np.bool_)
    if scope != "within":
        fired |= np.reshape(marks(table.ravel(), [rule])[rule.name], table.shape)
    if scope != "across":
        fired |= marks(table, [rule])[rule.name]
    return np.asarray(fired.any(axis=1), dtype=np.bool_)


def _rule(name: str) -> Rule:
    plain = _plain(name)
    if found := re.fullmatch(r"(\d+)of(\d+)_?(\d(?:\.\d+)?)s", plain):
        need, of, zone = int(found[1]), int(found[2]), float(found[3])
        return Rule(name, "beyond", of, need=need, zone=zone)
    if found := re.fullmatch(r"(\d+)_?(\d(?:\.\d+)?)s", plain):
        return Rule(name, "beyond", int(found[1]), zone=float(found[2]))
    if found := re.fullmatch(r"(\d+)_?([xt])", plain):
        pattern: Literal["beyond", "trend"] = "beyond" if found[2] == "x" else "trend"
        return Rule(name, pattern, int(found[1]))
    raise InvalidInput(
        "BQC-STA-003",
        f"{name!r} is no rule of Westgard's kind",
        hint="Names are such as 1_3s, 2_2s, R_4s, 2of3_2s, 3_1s, 4_1s, 8_x, 10_x, 7_T.",
    )
