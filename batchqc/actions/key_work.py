"""Open work that no record tells: a seal, a root or its list that ends soon, or cannot be used."""

from datetime import datetime
from typing import TYPE_CHECKING

from batchqc.actions.certificates import Press
from batchqc.core.open_work import Item, Work
from batchqc.errors import SigningUnavailable

if TYPE_CHECKING:
    from batchqc.documents.key_states import KeyState


def key_work(press: Press, now: datetime) -> list[Item]:
    """What is to be renewed or mended before the site can go on sealing.

    A seal that cannot be opened here is told by the readiness of the server: it may be used
    elsewhere.
    """
    return [_item(one) for one in states_of_seal(press, now) if one.is_due(now)]


def states_of_seal(press: Press, now: datetime) -> "list[KeyState]":
    """The states of seal, root and list; none where the seal cannot be opened here."""
    from batchqc.documents.key_states import seal_states  # noqa: PLC0415 - a second, once

    try:
        key = press.seal_key()
    except SigningUnavailable:
        return []
    return list(seal_states(press.sealing, key, at=now))


def _item(one: "KeyState") -> Item:
    what = f"{one.what}: {one.wrong}" if one.wrong or one.until is None else f"the {one.what} ends"
    due = None if one.wrong or one.until is None else one.until.date()
    return Item(Work.KEY, "", what, None, due, "/site")
