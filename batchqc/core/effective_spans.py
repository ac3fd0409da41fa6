"""From when to when each version judges what is made, and where none does.

Periods are ``[begins, ends)`` in dates of the site; approved versions of one product, stage and
market never overlap, since each ends where the next begins.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Generic

from batchqc.core.effectivity import Version, never_applied


@dataclass(frozen=True, slots=True)
class Span(Generic[Version]):
    """A period and the version that judges in it; ``None`` is a gap: no version does.

    ``ends`` is the first day that no longer belongs to it; ``None`` has no end.
    """

    version: Version | None
    begins: date
    ends: date | None


def spans(approved: Iterable[Version]) -> tuple[Span[Version], ...]:
    """The periods of approved versions with the gaps between and after them, from the first on.

    Args:
        approved: every approved version of one product, stage and market.
    """
    applied = sorted(
        (one for one in approved if not never_applied(one)), key=lambda one: one.effective
    )
    found: list[Span[Version]] = []
    for one, following in zip_longest(applied, applied[1:]):
        until = following.effective if following else None
        ended = one.withdrawn_from
        if ended is not None and (until is None or ended < until):
            found += [Span(one, one.effective, ended), Span(None, ended, until)]
        else:
            found.append(Span(one, one.effective, until))
    return tuple(found)
