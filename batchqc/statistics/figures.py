"""A figure: one number with all that a reader needs to judge it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was estimated, from how many values, by which method, and how far it can be trusted.

    Args:
        name: of what was estimated, as people print it: ``Ppk``.
        value: of the estimate, unrounded.
        method: its name and source: ``exact, noncentral t (Chou, Owen and Borrego 1990)``.
        n: how many values it rests on.
        lower: end of its interval; None where the interval has no such end.
        upper: end of its interval; None where the interval has no such end.
        confidence: of the interval, between 0 and 1; 0 where there is none.
        df: degrees of freedom of the estimate of variation, where there is one.
        assumptions: what must hold for it to mean what it says.
        limitations: what these data do not allow to be said.
    """

    name: str
    value: float
    method: str
    n: int
    lower: float | None = None
    upper: float | None = None
    confidence: float = 0.0
    df: float | None = None
    assumptions: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()

    @property
    def row(self) -> Mapping[str, object]:
        """As a row of a table, for pandas and CSV."""
        return {
            "name": self.name,
            "value": self.value,
            "lower": self.lower,
            "upper": self.upper,
            "confidence": self.confidence or None,
            "n": self.n,
            "df": self.df,
            "method": self.method,
            "assumptions": "; ".join(self.assumptions),
            "limitations": "; ".join(self.limitations),
        }
