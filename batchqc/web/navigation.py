"""The places that the frame leads to. Whoever adds a screen adds its place here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from batchqc.core.permissions import Permission, Role, is_permitted


@dataclass(frozen=True, slots=True)
class Place:
    """A screen: its name, its path, the key after ``g``, and what one must be permitted."""

    name: str
    path: str
    key: str
    permission: Permission = Permission.READ


def gettext_later(text: str) -> str:
    """Mark a text for the catalogue; it is looked up when it is shown."""
    return text


_ = gettext_later
PLACES: Final = (
    Place(_("My work"), "/", "w"),
    Place(_("Lots"), "/lots", "l"),
)


def places_of(roles: Iterable[Role]) -> tuple[Place, ...]:
    """The places that somebody with these roles may go to."""
    held = frozenset(roles)
    return tuple(one for one in PLACES if is_permitted(held, one.permission))
