"""The one clock, and new unguessable tokens. Only doors import it; everyone else is handed both."""

import secrets
from datetime import UTC, datetime


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one clock


def new_token() -> str:
    """A new token of 256 random bits, for a session."""
    return secrets.token_urlsafe(32)
