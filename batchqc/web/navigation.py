"""The places that the frame leads to. Whoever adds a screen adds its place here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from batchqc.core.permissions import Permission, Role, is_permitted


@dataclass(frozen=True, slots=True)
class Place:
    """A screen: its name, its path, the key after ``g``, and what one must be permitted.

    It stands in the main navigation, or in the menu of the person. What lies below ``also`` is part
    of it.
    """

    name: str
    path: str
    key: str
    permission: Permission = Permission.READ
    is_in_menu: bool = False
    also: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether a page is of this place."""
        own = (self.path, *self.also) if self.path != "/" else self.also
        return path == self.path or any(f"{path}/".startswith(f"{one}/") for one in own)


def gettext_later(text: str) -> str:
    """Mark a text for the catalogue; it is looked up when it is shown."""
    return text


_ = gettext_later
PLACES: Final = (
    Place(_("My work"), "/", "w", also=("/reviews", "/corrections", "/second-entries", "/jobs")),
    Place(_("Lots"), "/lots", "l", also=("/products", "/certifications")),
    Place(_("Uploads"), "/uploads", "u", also=("/manual",)),
    Place(_("Investigations"), "/investigations", "i", also=("/deviations", "/system-stops")),
    Place(_("Trends"), "/trends", "t", also=("/quality-reviews",)),
    Place(_("Specifications"), "/specifications", "s"),
    Place(_("Donors"), "/donors", "d", also=("/banks", "/look-backs", "/genealogy")),
    Place(_("Certificates"), "/certificates", "c", also=("/archive", "/exports")),
    Place(_("Audit trail"), "/audit-trail", "a"),
    Place(_("Administration"), "/administration", "m", is_in_menu=True),
    Place(_("Guide"), "/guide", "h", is_in_menu=True),
)


#: Lists below those places, as the palette finds them by a part of their name.
FURTHER: Final = (
    (_("Reviews"), "/reviews"), (_("Corrections"), "/corrections"), (_("Jobs"), "/jobs"),
    (_("Products"), "/products"), (_("Register of certifications"), "/certifications"),
    (_("Upload a file"), "/uploads/new"), (_("Typed results"), "/manual"),
    (_("Patterns"), "/investigations/patterns"), (_("Deviations"), "/deviations"),
    (_("System stops"), "/system-stops"), (_("Quality reviews"), "/quality-reviews"),
    (_("Methods"), "/methods"), (_("Profiles"), "/profiles"), (_("Layouts"), "/layouts"),
    (_("Donor panels"), "/donor-panels"), (_("Cell banks"), "/banks"),
    (_("Look-backs"), "/look-backs"), (_("Exports"), "/exports"), (_("Archive"), "/archive"),
    (_("Verify a file"), "/verify"), (_("New lot"), "/lots/new"),
    (_("Your account"), "/account"), (_("Change password"), "/password"),
    (_("Training"), "/administration/training"), (_("Instruments"), "/administration/instruments"),
    (_("Materials"), "/administration/materials"), (_("Rules"), "/administration/rules"),
    (_("Keys and log"), "/administration/keys"), (_("Webhooks"), "/administration/webhooks"),
)  # fmt: skip


def places_of(roles: Iterable[Role]) -> tuple[Place, ...]:
    """The places that somebody with these roles may go to."""
    held = frozenset(roles)
    return tuple(one for one in PLACES if is_permitted(held, one.permission))
