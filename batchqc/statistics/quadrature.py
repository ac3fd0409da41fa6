"""Nodes and weights of numerical integration, computed once."""

from functools import cache

import numpy as np

from batchqc.statistics.values import Floats


@cache
def legendre(count: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights on -1 to 1, read-only."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    nodes.setflags(write=False)
    weights.setflags(write=False)
    return nodes, weights
