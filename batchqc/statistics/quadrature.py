"""Nodes and weights of numerical integration, computed once."""

from functools import cache

import scipy

from batchqc.statistics.values import Floats


@cache
def legendre(count: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights on -1 to 1, read-only.

    From the banded matrix: that of ``numpy.polynomial`` is dense, and 400 nodes take it seconds.
    """
    nodes, weights = scipy.special.roots_legendre(count)
    nodes.setflags(write=False)
    weights.setflags(write=False)
    return nodes, weights
