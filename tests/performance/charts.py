"""Charts, signals and capability of 10,000 lots x 20 attributes, against bare NumPy and R's qcc.

    python tests/performance/charts.py

For each attribute: individuals and moving range charts with limits, Nelson's rules 1 to 8, EWMA,
CUSUM, and the indices of capability with exact intervals. The peer is the same arithmetic on bare
arrays, all attributes at once, without a check, a gap, the members of a signal, or the words of a
figure; it solves for the intervals from a close guess. Both are run in turn on fresh numbers, and
what they find is compared before anything is timed. Prints each figure
with its limit and whether it holds, and writes it into the guide.
"""

import math
import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from peer_workload import ROOT, Figure
from scipy import special
from scipy.optimize import brentq
from scipy.signal import lfilter
from scipy.stats import chi2, norm

from batchqc.clock import now
from batchqc.statistics.capability import SpecLimits, capability
from batchqc.statistics.cusum import Baseline, cusum_chart
from batchqc.statistics.ewma import ewma_chart
from batchqc.statistics.individuals import individuals, moving_range
from batchqc.statistics.run_rules import NELSON, marks
from batchqc.statistics.self_starting import QState

LOTS, ATTRIBUTES, TIMES = 10_000, 20, 7
LOW, HIGH = 90.0, 100.0
RULES: Final = tuple(NELSON.values())
D2, D4 = 2 / math.sqrt(math.pi), 1 + 3 * math.sqrt(math.pi / 2 - 1)
WEIGHT, K, H = 0.2, 0.5, 5.0
LONGEST: Final = max(rule.of for rule in RULES)

NODES_200, NODES_240 = (np.polynomial.legendre.leggauss(count) for count in (200, 240))

Table = NDArray[np.float64]


def numbers(seed: int) -> Table:
    return np.random.default_rng(seed).normal(95, 1, (LOTS, ATTRIBUTES))


def ours(x: Table) -> list[tuple[Any, ...]]:
    return [_attribute(column) for column in x.T]


def able(x: Table) -> list[Any]:
    return [capability(column, SpecLimits(LOW, HIGH)) for column in x.T]


def _attribute(column: Table) -> tuple[Any, ...]:
    chart = individuals(column)
    process = Baseline(float(chart.centre[0]), float(chart.sigma[0]))
    return (
        chart, moving_range(column).beyond, chart.signals(RULES),
        ewma_chart(column, process, weight=WEIGHT), cusum_chart(column, process, k=K, h=H),
        capability(column, SpecLimits(LOW, HIGH)),
    )  # fmt: skip


def bare(x: Table) -> dict[str, Any]:
    """The same arithmetic, with nothing around it."""
    ranges = np.abs(np.diff(x, axis=0))
    centre, average = x.mean(axis=0), ranges.mean(axis=0)
    sigma = average / D2
    z = (x - centre) / sigma
    moving = lfilter([WEIGHT], [1, WEIGHT - 1], x, axis=0, zi=(1 - WEIGHT) * centre[None])[0]
    steps = np.arange(1, len(x) + 1)
    reach = 3 * np.sqrt(WEIGHT / (2 - WEIGHT) * (1 - (1 - WEIGHT) ** (2 * steps)))[:, None] * sigma
    above, below = x - centre - K * sigma, centre - x - K * sigma
    up, down = np.empty_like(x), np.empty_like(x)
    high = low = np.zeros(x.shape[1])
    for lot in range(len(x)):
        high = up[lot] = np.maximum(high + above[lot], 0)
        low = down[lot] = np.maximum(low + below[lot], 0)
    return {
        "rules": _rules(z), "ranges": ranges > D4 * average,
        "ewma": moving, "beyond": np.abs(moving - centre) > reach,
        "up": up, "down": down, "crossed": (up > H * sigma) | (down > H * sigma),
        **_able(x),
    }  # fmt: skip


def _able(x: Table) -> dict[str, Any]:
    centre = x.mean(axis=0)
    sd = x.std(axis=0, ddof=1)
    pp, upper, lower = (one / (3 * sd) for one in ((HIGH - LOW) / 2, HIGH - centre, centre - LOW))
    least = np.minimum(upper, lower)
    cpm = pp / np.sqrt(1 + ((centre - (LOW + HIGH) / 2) / sd) ** 2)
    of_upper, of_lower = _ends(upper), _ends(lower)
    worst = np.array([_worst(one) for one in least])
    return {
        "Ppu": (upper, *of_upper), "Ppl": (lower, *of_lower),
        "Ppk": (least, np.where(upper < lower, of_upper[0], of_lower[0]), worst),
        "Pp": (pp, *_by_chi_square(pp, LOTS - 1)),
        "Ppm": (cpm, *_by_chi_square(cpm, LOTS * (pp / cpm) ** 4 / (2 * (pp / cpm) ** 2 - 1))),
        "fractions": [norm.sf(3 * one) for one in (upper, lower, *of_upper, *of_lower)],
    }  # fmt: skip


def _by_chi_square(index: Table, df: Table | int) -> tuple[Table, Table]:
    low, high = (index * np.sqrt(chi2.ppf(one, df) / df) for one in (0.025, 0.975))
    return low, high


def _ends(indices: Table) -> tuple[Table, Table]:
    """The exact interval of one-sided indices."""
    low, high = (
        np.array([_root(lambda true, i=i, c=c: _noncentral(i, true) - c, i) for i in indices])
        for c in (0.975, 0.025)
    )
    return low, high


def _worst(index: float) -> float:
    """The upper end of Ppk: that of a process in the middle (Pearn and Lin 2004)."""
    root, f = math.sqrt(LOTS), LOTS - 1

    def excess(true: float) -> float:
        high = min(3 * true, 9 / root)
        t = high / 2 * (NODES_200[0] + 1)
        density = 2 * root * np.exp(-((root * t) ** 2) / 2) / math.sqrt(2 * math.pi)
        inside = special.chdtr(f, f * ((3 * true - t) / (3 * index)) ** 2)
        return float(1 - high / 2 * NODES_200[1] @ (density * inside) - 0.025)

    return _root(excess, index)


def _noncentral(index: float, true: float) -> float:
    root, f = 3 * math.sqrt(LOTS), LOTS - 1
    t, shift = root * index, root * true
    low, high = max(-9.0, -shift), min(9.0, t * math.sqrt(special.chdtri(f, 1e-18) / f) - shift)
    z = (high - low) / 2 * NODES_240[0] + (high + low) / 2
    beyond = special.chdtrc(f, f * ((z + shift) / t) ** 2)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return float(special.ndtr(-shift) + (high - low) / 2 * NODES_240[1] @ (density * beyond))


def _root(excess: Callable[[float], float], near: float) -> float:
    return float(brentq(excess, near - 0.08, near + 0.08, xtol=1e-12))


def _rules(z: Table) -> dict[str, NDArray[np.bool_]]:
    def of(hit: NDArray[np.bool_], window: int) -> NDArray[np.int64]:
        total = np.cumsum(hit, axis=0)
        total[window:] = total[window:] - total[:-window]
        return total

    def crowd(zone: float, need: int, window: int) -> NDArray[np.bool_]:
        return np.logical_or.reduce(
            [hit & (of(hit, window) >= need) for hit in (z > zone, z < -zone)]
        )

    rose, fell = np.diff(z, axis=0) > 0, np.diff(z, axis=0) < 0
    trend, turned = np.zeros((2, *z.shape), dtype=np.bool_)
    trend[1:] = (of(rose, 5) == 5) | (of(fell, 5) == 5)
    turned[2:] = of((rose[1:] & fell[:-1]) | (fell[1:] & rose[:-1]), 12) == 12
    far = np.abs(z) > 1
    mixed = of(z > 1, 8) % 8 > 0
    return {
        "Nelson 1": np.abs(z) > 3, "Nelson 2": crowd(0, 9, 9), "Nelson 3": trend,
        "Nelson 4": turned, "Nelson 5": crowd(2, 2, 3), "Nelson 6": crowd(1, 4, 5),
        "Nelson 7": of(np.abs(z) < 1, 15) == 15, "Nelson 8": (of(far, 8) == 8) & mixed,
    }  # fmt: skip


def compared(x: Table) -> int:
    """How much of what both find differs."""
    found, peer = ours(x), bare(x)
    wrong = 0
    for column, (_, ranges, signals, moving, sums, able) in enumerate(found):
        counted = Counter(one.rule for one in signals)
        wrong += sum(counted[name] != hit[:, column].sum() for name, hit in peer["rules"].items())
        wrong += len(ranges) != peer["ranges"][:, column].sum()
        wrong += len(moving.signals) != peer["beyond"][:, column].sum()
        wrong += len(sums.signals) != peer["crossed"][:, column].sum()
        wrong += not np.allclose(moving.average, peer["ewma"][:, column], rtol=1e-12)
        for side, name in ((sums.upper, "up"), (sums.lower, "down")):
            wrong += not np.allclose(side, peer[name][:, column], rtol=0, atol=1e-8)
        for name in ("Pp", "Ppk", "Ppl", "Ppu", "Ppm"):
            one = able.indices[name]
            seen = [end[column] for end in peer[name]]
            wrong += not np.allclose([one.value, one.lower, one.upper], seen, rtol=1e-9, atol=0)
    return wrong


def seconds_of(work: Callable[[Table], object], x: Table) -> float:
    began = time.perf_counter()
    work(x)
    return time.perf_counter() - began


def one_more(x: Table) -> tuple[float, int]:
    """Milliseconds for one more lot of all attributes, and in how many its flags differ.

    Centre and sigma are frozen: the rules look back as far as the longest of them, and the
    self-starting chart holds its sums.
    """
    history, lot = x[:-1], x[-1]
    centre, sigma = history.mean(axis=0), history.std(axis=0, ddof=1)
    z = (x - centre) / sigma
    states = []
    for column in history.T:
        state = QState()
        for value in column.tolist():
            state, _ = state.update(value)
        states.append(state)
    spent = []
    for _ in range(TIMES):
        began = time.perf_counter()
        seen = marks(z[-LONGEST:], RULES)
        for state, value in zip(states, lot.tolist(), strict=True):
            state.update(value)
        spent.append(time.perf_counter() - began)
    whole = marks(z, RULES)
    wrong = sum(int(np.sum(seen[name][-1] != fired[-1])) for name, fired in whole.items())
    return median(spent) * 1000, wrong


QCC = """
suppressMessages(library(qcc))
x <- as.matrix(read.csv("x.csv", header = FALSE))
began <- proc.time()[["elapsed"]]
for (j in seq_len(ncol(x))) {
  chart <- qcc(x[, j], type = "xbar.one", plot = FALSE)
  shewhart.rules(chart)
  ewma(x[, j], lambda = 0.2, nsigmas = 3, plot = FALSE)
  cusum(x[, j], plot = FALSE)
}
cat(proc.time()[["elapsed"]] - began)
"""


def of_qcc(x: Table) -> str:
    """What R's qcc needs for its charts of the same numbers, in words."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return "R's qcc: not measured, R is not installed"
    with tempfile.TemporaryDirectory() as folder:
        np.savetxt(Path(folder) / "x.csv", x, delimiter=",", fmt="%.17g")
        found = subprocess.run(
            [rscript, "-e", QCC], cwd=folder, capture_output=True, text=True, check=False
        )
    if found.returncode:
        return "R's qcc: not measured, R has no package qcc that runs"
    return f"R's qcc, charts and runs, no capability: {float(found.stdout):.2f} s"


def main() -> None:
    wrong = compared(numbers(0))
    mine, peer, mine_able, peer_able = [], [], [], []
    for seed in range(1, TIMES + 1):
        x = numbers(seed)
        mine.append(seconds_of(ours, x))
        peer.append(seconds_of(bare, x))
        fresh = numbers(-seed % 1000)  # what is solved once is remembered
        mine_able.append(seconds_of(able, fresh))
        peer_able.append(seconds_of(_able, fresh))
    full = median(mine)
    ratio = median(one / other for one, other in zip(mine, peer, strict=True))
    lot, missed = one_more(numbers(99))
    figures = [
        Figure("found otherwise than NumPy", wrong, 0.5, ""),
        Figure("all anew, to bare NumPy", ratio, 2.0, "times"),
        Figure("all anew", full, 0.5, "s"),
        Figure("one more lot, 20 attributes", lot, 1.0, "ms"),
        Figure("flags of it that differ", missed, 0.5, ""),
    ]
    told = (
        f"{LOTS:,} lots x {ATTRIBUTES} attributes: {full:.3f} s, bare NumPy {median(peer):.3f} s"
        f" (medians of {TIMES} runs); one more lot takes {full * 1000 / lot:,.0f} times less"
    )
    parts = (
        f"of it capability with its intervals: {median(mine_able):.3f} s, bare NumPy"
        f" {median(peer_able):.3f} s, which solves the same equations with more steps"
    )
    lines = [*map(str, figures), told, parts, of_qcc(numbers(1))]
    print("\n".join(lines))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    title = "# Charts, signals and capability of 10,000 lots x 20 attributes"
    when = f"Measured {now():%Y-%m-%d} at commit {commit}, {os.cpu_count()} cores, by `make long`."
    measured = ROOT / "batchqc" / "guide" / "measured" / "charts.md"
    measured.write_text("\n".join([title, "", when, "", "```", *lines, "```", ""]))
    if any(figure.value > figure.limit for figure in figures):
        raise SystemExit("a limit does not hold")


if __name__ == "__main__":
    main()
