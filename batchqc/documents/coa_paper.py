"""The papers of certificates: text is as wide on each, so that it wraps in the same places."""

from dataclasses import dataclass
from typing import Final

from reportlab.lib import pagesizes

MARGIN: Final = 50.0
WIDTH: Final[float] = pagesizes.A4[0] - 2 * MARGIN


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet, in points."""

    width: float
    height: float

    @property
    def shift(self) -> float:
        """How far to the right of where it stands on A4 everything stands on this paper."""
        return 0.0 if self is A4 else (self.width - WIDTH) / 2 - MARGIN


A4: Final = Paper(*pagesizes.A4)
LETTER: Final = Paper(*pagesizes.LETTER)
