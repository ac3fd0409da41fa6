"""What an electronic signature says and binds (requirements 1.13, 1.15, 1.19).

A signature binds a person, a meaning, a time and the hash of one record. Its own hash covers all
of these, so that a copied row belongs to nothing else.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from batchqc.core.canonical import Json, sha256_of, utc_text

FAILURES_BEFORE_LOCK: Final = 5
LOCK_MINUTES: Final = 15
SHORTEST_REASON: Final = 4


class Meaning(StrEnum):
    """What the signer takes responsibility for."""

    AUTHORED = "authored"
    REVIEWED = "reviewed"
    VERIFIED = "verified"
    APPROVED = "approved"
    CERTIFIED = "certified"
    CERTIFIED_CONDITIONALLY = "certified conditionally"
    CHECKED = "checked"
    TRANSFERRED = "transferred to saleable stock"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    LET_GO = "let go"
    RECALLED = "recalled"
    SUPPLIED = "supplied by exception"
    DESTROYED = "destroyed"
    ACCEPTED = "accepted"
    DISPOSAL_REQUESTED = "disposal requested"
    DISPOSED = "disposed of"


@dataclass(frozen=True, slots=True)
class Signing:
    """A signature before it has an id: who signs what, as what, when and why.

    ``at`` is the time of entry. Of what was signed on paper before, ``happened_at`` is the true
    time (RFC 3339 with its offset) and ``paper`` the form; blank of what is signed as it happens.
    """

    user_id: str
    name: str
    role: str
    meaning: Meaning
    reason: str
    at: datetime
    record: str
    record_sha256: str
    happened_at: str = ""
    paper: str = ""

    @property
    def body(self) -> dict[str, Json]:
        """The signature as canonical content."""
        return {
            "type": "batchqc/signature/1",
            "user_id": self.user_id,
            "name": self.name,
            "role": self.role,
            "meaning": self.meaning.value,
            "reason": self.reason,
            "at": utc_text(self.at),
            "record": self.record,
            "record_sha256": self.record_sha256,
            **({"happened_at": self.happened_at} if self.happened_at else {}),
            **({"paper": self.paper} if self.paper else {}),
        }

    @property
    def sha256(self) -> str:
        """The hash that ties all parts of the signature together."""
        return sha256_of(self.body)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal that must be remembered: it is returned, so that its attempt is committed."""

    code: str
    message: str
    hint: str


def reason_problem(reason: str) -> str | None:
    """Why ``reason`` does not explain anything, or ``None`` (requirement 1.34)."""
    letters = [character for character in reason if character.isalnum()]
    if len(letters) < SHORTEST_REASON or len(set(letters)) < 3:
        return "give a reason that a stranger understands: at least one real word"
    return None
