"""Numbers in columns: as they are stored, with their decimal points below each other.

What has no point has it behind its last digit, before an exponent: ``2E6`` stands below ``1.8E8``.
"""

import re
from collections.abc import Iterable
from typing import Final

from markupsafe import Markup, escape

_BEGINS: Final = frozenset("0123456789<>≤≥-+.")
_TAIL: Final = re.compile(r"[.Ee].*|$")
_MOST: Final = 14
"""So many classes of padding the style has."""


def is_number(text: str) -> bool:
    """Whether a result is a number, to be aligned with others, and no word."""
    return text[:1] in _BEGINS and text != ""


def tail(text: str) -> int:
    """How many characters a number has from its decimal point on; of words none count."""
    found = _TAIL.search(text) if is_number(text) else None
    return len(found[0]) if found else 0


def room(texts: Iterable[str]) -> int:
    """How many characters a column leaves from the point on."""
    return min(max(map(tail, texts), default=0), _MOST)


def number(text: str, decimals: int = 0) -> Markup:
    """A number as it is stored, moved to the left so that points stand below each other.

    Args:
        text: the number; words stay as they are.
        decimals: how many characters the column leaves from the point on.
    """
    if not is_number(text):
        return escape(text)
    shown = f'<span class="num pad-{max(0, decimals - tail(text))}">{escape(text)}</span>'
    return Markup(shown)  # noqa: S704 - a count and what was escaped
