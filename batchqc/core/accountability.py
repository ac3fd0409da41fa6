"""The statement of accountability that everybody accepts before they sign (requirement 1.10).

A change of the text is a new version: it is accepted anew before the next signature.
"""

from dataclasses import dataclass
from typing import Final

from batchqc.core.canonical import sha256_of
from batchqc.core.signatures import Refusal


@dataclass(frozen=True, slots=True)
class Statement:
    """A version of the statement."""

    version: int
    text: str

    @property
    def key(self) -> str:
        """What a signature under it names as its record."""
        return f"statement_of_accountability:{self.version}"

    @property
    def sha256(self) -> str:
        """The hash that such a signature binds."""
        return sha256_of(
            {"type": "batchqc/accountability/1", "version": self.version, "text": self.text}
        )


STATEMENT: Final = Statement(
    1,
    "My electronic signature in this system binds me as my handwritten signature does. "
    "I answer for everything that is done under it. "
    "I share my password, my authenticator and my sign-in with nobody, and sign for nobody else. "
    "When I suspect that somebody else can use them, I report it at once.",
)
NOT_ACCEPTED: Final = Refusal(
    "BQC-SIG-010",
    "you have not accepted the statement of accountability",
    "Read and accept it: GET and POST /api/v1/accountability, or `batchqc user accept`.",
)
