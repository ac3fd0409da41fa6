"""Outlines of marks around their place, for a half width of 1; y grows downwards.

``ring`` and ``circle`` are round; ``cross``, ``up`` and ``down`` are strokes that nothing fills.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from batchqc.documents.plots.scene import Place, Shape

ROUND: Final[frozenset[Shape]] = frozenset({"circle", "ring"})
CLOSED: Final[Mapping[Shape, Sequence[Place]]] = MappingProxyType(
    {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "triangle": ((0, -1.15), (1.1, 0.85), (-1.1, 0.85)),
        "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
        "wedge": ((0, 1.15), (-1.1, -0.85), (1.1, -0.85)),
        "hexagon": ((-0.6, -1), (0.6, -1), (1.15, 0), (0.6, 1), (-0.6, 1), (-1.15, 0)),
        "bar": ((-0.45, -1.3), (0.45, -1.3), (0.45, 1.3), (-0.45, 1.3)),
        "hourglass": ((-1, -1.1), (1, -1.1), (-1, 1.1), (1, 1.1)),
    }
)
STROKES: Final[Mapping[Shape, Sequence[Sequence[Place]]]] = MappingProxyType(
    {
        "cross": (((-1, -1), (1, 1)), ((-1, 1), (1, -1))),
        "up": (((0, -1), (0, -3.6)), ((-0.9, -2.5), (0, -3.6), (0.9, -2.5))),
        "down": (((0, 1), (0, 3.6)), ((-0.9, 2.5), (0, 3.6), (0.9, 2.5))),
    }
)
