"""Cases of relative potency, all kinds."""

from typing import Final

from batchqc.statistics.cases import of_combination, of_curves, of_lines, of_quantal

METHODS: Final = (
    *of_lines.METHODS,
    *of_curves.METHODS,
    *of_quantal.METHODS,
    *of_combination.METHODS,
)
