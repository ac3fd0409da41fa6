"""The checks of the verifier in words, in the order in which people ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from batchqc.api.verification_shapes import CheckOut, VerificationOut
from batchqc.web.navigation import gettext_later as _

#: What each check of the verifier asks; a test compares the names.
QUESTIONS: Final[Mapping[str, str]] = {
    "coverage": _("The seals cover every byte"),
    "container": _("Each seal is a PAdES signature"),
    "digest": _("Unchanged since it was sealed"),
    "signature": _("Sealed with the key of its certificate"),
    "binding": _("Each seal names that certificate"),
    "evidence": _("What is kept for later can be read"),
    "root": _("The root of the site is an authority"),
    "issuer": _("The seal is of this site"),
    "purpose": _("The seal is meant for documents"),
    "document": _("The document can be read"),
    "content": _("It shows its frozen content"),
    "number": _("The number is its own"),
    "lot": _("The lot is its own"),
    "field": _("It bears the seals of its kind, and no other"),
    "data": _("The data inside are what it shows"),
    "timestamp": _("Timestamps hold"),
    "log": _("Its issue is in the transparency log"),
    "time": _("Nobody dated it back"),
    "validity": _("The seal was valid"),
    "revocation": _("The seal was not revoked"),
    "status": _("Nothing came since that ends it"),
    "pages": _("Every page names certificate and lot"),
}
_SIGNS: Final = {"ok": "ok", "failed": "bad", "not examined": "open"}
_RESTS: Final = "not examined, because "
#: What the verifier says to people at a terminal.
_OPTIONS: Final = (" (--proof)", " (--crl)", " (--tsa-root)", " (--log-key)")


@dataclass(frozen=True, slots=True)
class Line:
    """A check: its sign, what it asks, and what came out."""

    sign: str
    asks: str
    says: str


@dataclass(frozen=True, slots=True)
class Told:
    """A verification as a page tells it: what failed, what was not examined, and what holds.

    ``resting`` are checks that were not made because what they rest on failed; they fail, too.
    """

    found: VerificationOut
    failed: Sequence[Line]
    resting: Sequence[Line]
    unexamined: Sequence[Line]
    held: Sequence[Line]


def told(found: VerificationOut) -> Told:
    """The checks by how they came out."""
    kinds: dict[str, list[Line]] = {"ok": [], "open": [], "bad": [], "rests": []}
    for one in found.checks:
        rests = one.outcome == "failed" and one.reason.startswith(_RESTS)
        kinds["rests" if rests else _SIGNS[one.outcome]].append(_line(one))
    return Told(found, kinds["bad"], kinds["rests"], kinds["open"], kinds["ok"])


def _line(one: CheckOut) -> Line:
    says = one.reason.removeprefix("not examined: ")
    for option in _OPTIONS:
        says = says.replace(option, "")
    return Line(_SIGNS[one.outcome], QUESTIONS.get(one.name, one.name), says)
