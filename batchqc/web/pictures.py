"""Small pictures, drawn once: icons, and the sign of a verdict with its shape and word."""

from functools import cache
from typing import Final

from markupsafe import Markup

from batchqc.web.wording import _

_SHAPES: Final = {
    "ok": '<path d="m3.2 8.4 3.1 3.1 6.5-7"/>',
    "bad": '<path d="m4 4 8 8m0-8-8 8"/>',
    "open": '<path class="dots" d="M3.5 8h.01M8 8h.01M12.5 8h.01"/>',
    "trend": '<path d="M8 2.6 14.2 13.4H1.8Z"/><path d="M8 6.6v3M8 11.5h.01"/>',
    "info": '<circle cx="8" cy="8" r="6"/><path d="M8 7.4v3.4M8 5.2h.01"/>',
    "lock": '<rect x="3.2" y="7" width="9.6" height="6.6" rx="1.4"/>'
    '<path d="M5.4 7V5a2.6 2.6 0 0 1 5.2 0v2"/>',
    "hold": '<path d="M5.6 3.6v8.8M10.4 3.6v8.8"/>',
    "clock": '<circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.4 1.6"/>',
    "search": '<circle cx="7" cy="7" r="4.4"/><path d="m10.4 10.4 3.4 3.4"/>',
    "down": '<path d="M8 2.8v8m-3.4-3.2L8 11l3.4-3.4M3 13.4h10"/>',
    "next": '<path d="m6 3.4 4.6 4.6L6 12.6"/>',
    "up-order": '<path d="M8 13V3.4M4.2 7.2 8 3.4l3.8 3.8"/>',
    "down-order": '<path d="M8 3v9.6M4.2 8.8 8 12.6l3.8-3.8"/>',
    "any-order": '<path d="M5 6.4 8 3.4l3 3M5 9.6l3 3 3-3"/>',
    "box": '<rect x="2.6" y="2.6" width="10.8" height="10.8" rx="2"/>',
}


@cache
def icon(name: str) -> Markup:
    """A picture of 16 by 16 in the colour of the text; it says nothing that no word says."""
    return Markup(  # noqa: S704 - shapes of our own
        '<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"'
        f' focusable="false">{_SHAPES.get(name, "")}</svg>'
    )


@cache
def verdict(sign: str) -> Markup:
    """How a result stands, in colour, shape and word."""
    words = {
        "ok": _("Conforms"),
        "bad": _("Does not conform"),
        "open": _("Cannot be judged"),
        "trend": _("Conforms, trend alert"),
    }
    word = words.get(sign, _("For information"))
    return Markup('<span class="sign {}">{}{}</span>').format(sign, icon(sign), word)
