"""Which version of a specification judges a lot, and how a version stands.

A version applies to lots made from its effective date until the day before the next version's, or
before it was withdrawn. One that was withdrawn before it applied never did.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Protocol, TypeVar


class State(StrEnum):
    """How a version stands, from its draft to its end."""

    DRAFT = "draft"
    IN_REVIEW = "in review"
    APPROVED = "approved"
    EFFECTIVE = "effective"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class Dated(Protocol):
    """An approved version with its dates, which are those of the site."""

    @property
    def effective(self) -> date:
        """The first date of manufacture that it judges."""

    @property
    def withdrawn_from(self) -> date | None:
        """The first date of manufacture that it no longer judges."""


Version = TypeVar("Version", bound=Dated)


def in_force(approved: Iterable[Version], day: date) -> Version | None:
    """The one approved version that judges a lot made on ``day``, or ``None``."""
    begun = [one for one in approved if one.effective <= day and not never_applied(one)]
    if not begun:
        return None
    newest = max(begun, key=lambda one: one.effective)
    ended = newest.withdrawn_from is not None and newest.withdrawn_from <= day
    return None if ended else newest


def has_begun(approved: Iterable[Version], day: date) -> bool:
    """Whether a version ever applied by ``day``, ended or not."""
    return any(one.effective <= day and not never_applied(one) for one in approved)


def for_market(
    by_market: Mapping[str, Sequence[Version]], market: str, day: date
) -> Version | None:
    """The version that judges a lot for a market: the market's own, else that for every market.

    A market whose own version has ended has none until the next: it does not fall back.
    """
    for place in dict.fromkeys((market, "")):
        approved = by_market.get(place, ())
        if has_begun(approved, day):
            return in_force(approved, day)
    return None


def state_of_approved(one: Version, approved: Iterable[Version], today: date) -> State:
    """How an approved version stands among the approved versions of its key."""
    if one.withdrawn_from is not None and (one.withdrawn_from <= today or never_applied(one)):
        return State.WITHDRAWN
    if one.effective > today:
        return State.APPROVED
    return State.EFFECTIVE if in_force(approved, today) == one else State.SUPERSEDED


def never_applied(one: Dated) -> bool:
    """Whether a version was withdrawn before it applied to anything."""
    return one.withdrawn_from is not None and one.withdrawn_from <= one.effective
