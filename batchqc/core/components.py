"""The second component: when a code or a sign-in at the provider of single sign-on counts.

A code of an authenticator (RFC 6238) counts once, to come in or to sign: its time step is newer
than that of the last one that was accepted, and at most one step away from now, or none where the
site says so. A sign-in at the provider counts when it happened after it was asked for
(requirements 1.17, 1.19).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from typing import Final

STEP_SECONDS: Final = 30
DRIFT: Final = 1
VISIT_MINUTES: Final = 10
PROOF_MINUTES: Final = 3
#: How old a sign-in at the provider may be that begins a session; one that signs is made anew.
SIGN_IN_HOURS: Final = 12
#: What the clocks of provider and server may differ.
CLOCK_SECONDS: Final = 60


class Component(StrEnum):
    """With what a person proves who they are; the user id is asked for besides."""

    PASSWORD = ""
    CODE = "code"
    PROVIDER = "single sign-on"
    WITH_CODE = "password and code"

    @property
    def word(self) -> str:
        """As the audit trail names it: of both together neither is told apart."""
        return self.value or "password"


class CodeState(StrEnum):
    """What became of the secret of an authenticator."""

    OFFERED = "offered"
    CONFIRMED = "confirmed"
    REVOKED = "revoked"


class LinkState(StrEnum):
    """What became of the link of an account to a subject of the provider."""

    LINKED = "linked"
    CONFIRMED = "confirmed"
    REMOVED = "removed"


def step_of(now: datetime) -> int:
    """The time step that a moment lies in."""
    return int(now.timestamp()) // STEP_SECONDS


def steps_around(now: datetime, *, drift: int = DRIFT) -> range:
    """The time steps whose codes may count now: that of now, and so many before and after it."""
    return range(step_of(now) - drift, step_of(now) + drift + 1)


def accepted_step(code: str, expected: Mapping[int, str], *, last: int) -> int | None:
    """The time step that ``code`` belongs to, or ``None`` where it does not count.

    Args:
        code: as typed; authenticators show it in two groups, with a blank between.
        expected: the right code of each step that may count now.
        last: the step of the code that was accepted last; it and older ones count no more.
    """
    typed = "".join(code.split()).encode()
    right = [step for step, one in expected.items() if compare_digest(one.encode(), typed)]
    return next((step for step in right if step > last), None)


def sign_in_problem(authenticated: datetime | None, *, asked: datetime, now: datetime) -> str:
    """Why a sign-in at the provider is not the one that was asked for, or nothing.

    Args:
        authenticated: when the provider says that it saw the person.
        asked: when the person was sent there.
        now: when they came back.
    """
    tolerance = timedelta(seconds=CLOCK_SECONDS)
    if authenticated is None:
        return "the provider does not say when it saw the person"
    if authenticated < asked - tolerance:
        return "the provider did not ask the person anew"
    if authenticated > now + tolerance:
        return "the provider says that it saw the person later than now"
    return ""


def link_counts(state: str, *, has_password: bool) -> bool:
    """Whether a link opens the account.

    An administrator links; where the person has a password, only the person can make it count, so
    that no administrator alone becomes somebody else (requirement 1.20).
    """
    if has_password:
        return state == LinkState.CONFIRMED
    return state in {LinkState.LINKED, LinkState.CONFIRMED}
