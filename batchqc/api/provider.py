"""Which provider of single sign-on an installation has: that of its settings, if they name one."""

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from batchqc.errors import NotFound, SigningUnavailable
from batchqc.settings import Settings

if TYPE_CHECKING:
    from batchqc.api.openid import Provider

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def provider_of(settings: Settings) -> "Provider | None":
    """The provider of the settings, where they name one.

    Raises:
        SigningUnavailable: a part of what it needs is missing, or its address is not encrypted.
    """
    if not settings.oidc_issuer:
        return None
    parts = urlsplit(settings.oidc_issuer)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    secret = settings.oidc_secret.get_secret_value()
    if not (is_safe and settings.oidc_client and secret and settings.oidc_redirect):
        raise SigningUnavailable(
            "BQC-ACC-042",
            "single sign-on is not set up: it needs an https issuer, client, secret and redirect",
            hint="Set BATCHQC_OIDC_ISSUER, _CLIENT, _SECRET and _REDIRECT, or none of them.",
        )
    from batchqc.api.openid import Provider  # noqa: PLC0415 - only where there is one

    return Provider(settings.oidc_issuer, settings.oidc_client, secret, settings.oidc_redirect)


def the_provider(provider: "Provider | None") -> "Provider":
    """The provider of the installation.

    Raises:
        NotFound: it has none.
    """
    if provider is None:
        raise NotFound("BQC-ACC-043", "this installation has no single sign-on")
    return provider
