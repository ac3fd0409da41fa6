"""What a site decides about its own procedure; each change is a signed, numbered record."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Policy(StrEnum):
    """What is decided."""

    QP_CERTIFIES = "qualified person certifies"
    SUPPLY_BY_EXCEPTION = "supply by exception"
    PUBLIC_ADDRESS = "public address"
    CODE_AT_SIGN_IN = "code at sign-in"


class Certifies(StrEnum):
    """For which lots the three steps of EU GMP Annex 16 apply."""

    EU_MARKET = "lots for the EU market"
    EVERY_LOT = "every lot"
    NO_LOT = "no lot"


class CodeAtSignIn(StrEnum):
    """Who needs a code besides the password to sign in."""

    WHO_HAS_ONE = "who has an authenticator"
    EVERYBODY = "everybody"


ON: Final = "on"
OFF: Final = "off"
NO_ADDRESS: Final = "none"

#: What each policy may be; the first is what holds until QA says otherwise. The public address may
#: be any https address besides: certificates that are frozen from then on name their status page.
VALUES: Final[Mapping[Policy, tuple[str, ...]]] = {
    Policy.QP_CERTIFIES: tuple(Certifies),
    Policy.SUPPLY_BY_EXCEPTION: (OFF, ON),
    Policy.PUBLIC_ADDRESS: (NO_ADDRESS,),
    Policy.CODE_AT_SIGN_IN: tuple(CodeAtSignIn),
}
EU: Final = "EU"
_ADDRESS: Final = re.compile(
    r"https://[a-z0-9.-]{1,60}(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]{1,20}){0,2}"
)


def may_be(policy: Policy, value: str) -> bool:
    """Whether a policy can have a value."""
    is_address = policy is Policy.PUBLIC_ADDRESS and _ADDRESS.fullmatch(value) is not None
    return is_address or value in VALUES[policy]


def choices(policy: Policy) -> tuple[str, ...]:
    """What a policy can be, in words."""
    further = ("an https address",) if policy is Policy.PUBLIC_ADDRESS else ()
    return (*VALUES[policy], *further)


def status_page(address: str, number: str) -> str:
    """Where the status of a certificate is asked, without the hash of its content; or empty."""
    return "" if address == NO_ADDRESS else f"{address}/status/{number}"


def needs_qp(certifies: str, market: str) -> bool:
    """Whether a qualified person certifies a lot for ``market`` (requirements 1.39, 2.20)."""
    if certifies == Certifies.EU_MARKET:
        return market == EU
    return certifies == Certifies.EVERY_LOT
