"""Starting values of curves, from the data alone."""

import numpy as np

from batchqc.statistics.curve_models import PARAMETERS, Model
from batchqc.statistics.values import Floats


def starts(model: Model, log_dose: Floats, y: Floats) -> list[Floats]:
    """Inner parameters (b, c, d, ln e, ln f) from which a fit may begin, best guess first.

    Args:
        model: its fixed parameters stay as they are.
        log_dose: n; minus infinity for dose 0.
        y: n responses.
    """
    doses, place = np.unique(log_dose, return_inverse=True)
    means = np.bincount(place, y) / np.bincount(place)
    low, high = float(means.min()), float(means.max())
    room = 0.02 * (high - low)
    finite = np.isfinite(doses)
    line, level = doses[finite], means[finite]
    rises = bool(np.polyfit(np.arange(doses.size), means, 1)[0] > 0) if doses.size > 1 else True
    sign = 1.0 if rises != model.shape.falls else -1.0
    middle = _crossing(line, level, (low + high) / 2)
    width = max(float(np.ptp(line)), 1e-3)
    steep = [sign * s * 4 / width for s in (1.0, 2.5, 0.5, 6.0)]
    middles = [middle, float(np.median(line)), float(line.min()), float(line.max())]
    guesses = [(b, e) for e in middles for b in steep]
    bends = (0.0, 1.0, -1.0) if "f" in model.free else (0.0,)
    return [
        _held(model, np.array([b, low - room, high + room, e - _shift(model, b, bend), bend]))
        for bend in bends
        for b, e in guesses[: 12 if len(bends) == 1 else 8]
    ]


def _shift(model: Model, b: float, bend: float) -> float:
    """Of the parameter e from the dose of half the response."""
    return float(model.shape.inverse(0.5, np.exp(bend)) / b)


def _crossing(line: Floats, level: Floats, half: float) -> float:
    above = level > half
    places = np.flatnonzero(above[1:] != above[:-1])
    if not places.size:
        return float(np.median(line))
    n = places[places.size // 2]
    share = (half - level[n]) / (level[n + 1] - level[n])
    return float(line[n] + share * (line[n + 1] - line[n]))


def _held(model: Model, inner: Floats) -> Floats:
    for name, value in model.fixed.items():
        inner[PARAMETERS.index(name)] = np.log(value) if name in {"e", "f"} else value
    return inner
