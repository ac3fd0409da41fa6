"""What a certificate says that several of its outputs put in the same words."""

from typing import TYPE_CHECKING, cast

from batchqc.core.certificates import CertificateContent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def changes_of(content: CertificateContent) -> list[str]:
    """What it says otherwise than the certificate that it replaces, a sentence each."""
    replaced = cast("Mapping[str, object]", content["supersedes"] or {})
    changes = cast("Iterable[Mapping[str, str]]", replaced.get("changes", ()))
    return [f"{one['what']}: “{one['before']}” became “{one['after']}”." for one in changes]
