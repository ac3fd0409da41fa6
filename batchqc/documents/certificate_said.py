"""What a certificate says that several of its outputs put in the same words."""

import re
from typing import TYPE_CHECKING, cast

from batchqc.core.certificates import CertificateContent, CorrectionPart, SpecificationPart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def changes_of(content: CertificateContent) -> list[str]:
    """What it says otherwise than the certificate that it replaces, a sentence each."""
    replaced = cast("Mapping[str, object]", content["supersedes"] or {})
    changes = cast("Iterable[Mapping[str, str]]", replaced.get("changes", ()))
    return [f"{one['what']}: “{one['before']}” became “{one['after']}”." for one in changes]


def marked(value: str, *, of: str, by: "Sequence[CorrectionPart]") -> str:
    """The value, marked where a correction of the record ``of`` made it what it is (1.33)."""
    record = re.compile(rf"\w+[: ]{re.escape(of)}")  # its key, such as lot:UCM-P1-T1
    marks = [
        f" [C{number}]"
        for number, change in enumerate(by, 1)
        if change["after"] == value and record.fullmatch(change["subject"])
    ]
    return value + "".join(marks)


def rebound(rules: SpecificationPart, *, by: "Sequence[CorrectionPart]") -> str:
    """The marks of corrections that bound the lot to this version; they name every version."""
    bound = f"{rules['id']} v{rules['version']}"
    return "".join(
        f" [C{number}]"
        for number, change in enumerate(by, 1)
        if change["field"] == "specification" and bound in change["after"].split(", ")
    )
