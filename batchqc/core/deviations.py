"""Deviations from procedure: references to the site's own quality system.

A deviation that is open and blocking stands against the release. One that is closed, whatever it
concluded, takes nothing back: a failed specification stays failed (requirement 2.22).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from batchqc.core.gates import Against


class State(StrEnum):
    """How a deviation stands in the site's quality system."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Deviation:
    """A deviation as the site's quality system names it."""

    id: str
    title: str
    state: State
    is_blocking: bool


def deviations_against(found: Iterable[Deviation]) -> Against:
    """What the deviations of a lot say of its release."""
    stops, remarks = [], []
    for one in found:
        if one.state is State.OPEN and one.is_blocking:
            stops.append(f"deviation {one.id} is open: {one.title}")
        else:
            kind = "" if one.is_blocking else ", and does not block"
            remarks.append(f"deviation {one.id} is {one.state}{kind}: {one.title}")
    return Against(tuple(stops), tuple(remarks))
