"""What a check finds: it holds, it fails, or it was not examined for want of what it needs."""

import sys
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Final, Literal

OK: Final = "ok"
FAILED: Final = "failed"
OPEN: Final = "not examined"

Outcome = Literal["ok", "failed", "not examined"]


class Failed(Exception):
    """A check does not hold; its text says why."""


class Unexamined(Exception):
    """A check cannot be made, because nobody gave what it needs; its text says what."""


def demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Fail a check with a sentence, unless something holds."""
    if not holds:
        raise Failed(otherwise)


def plain(text: str) -> str:
    """A text for a terminal: what is no letter, sign or blank stands as its escape.

    Names inside hostile files could else move the cursor, hide what follows or begin a new line.
    """
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def escape_what_cannot_be_shown() -> None:
    """Names in letters that the terminal does not know stand as their escapes, and stop nothing."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, what came out, and why."""

    name: str
    outcome: Outcome
    reason: str

    @property
    def ok(self) -> bool:
        """Whether it was made, and holds."""
        return self.outcome == OK


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Every check in order, and what a proven document calls itself ("" where none was read).

    ``rendition`` is "" of a certificate itself.
    """

    checks: tuple[Check, ...]
    number: str
    lot: str
    content_sha256: str
    rendition: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check that was made holds; without checks, nothing does."""
        return bool(self.checks) and all(one.outcome != FAILED for one in self.checks)

    @property
    def complete(self) -> bool:
        """Whether every check was made, and holds."""
        return bool(self.checks) and all(one.ok for one in self.checks)
