"""Is this the certificate that the site sealed? An independent answer.

Shares no code with the sealer: neither pyHanko nor ``batchqc.documents.pades`` is imported. The
checks go from the bytes to the meaning:

- *coverage*: the last signature is over every byte of the file but its own gap, nothing is after
  it, and one before it is over every byte that was there then;
- *container, digest, signature, binding*: each is about these bytes, by this certificate;
- *root, issuer, purpose, validity*: the certificates are the seal of the given root;
- *document, number, lot, content, field, data, pages*: the PDF says what was expected, in exactly
  the signature fields of its kind, in the data inside it, and on every page.

A check whose ground failed is not examined and counts as failed; the PDF is read only after its
seal was proven. Nothing raises: whatever cannot be read fails its check.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from batchqc.documents import certificate_meaning as meaning
from batchqc.documents.certificate_bytes import Extracted, Failed, extract
from batchqc.documents.certificate_meaning import Case
from batchqc.documents.certificate_seal import (
    Seal,
    check_binding,
    check_digest,
    check_issuer,
    check_purpose,
    check_signature,
    check_validity,
    read_container,
    read_root,
)
from batchqc.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, whether it holds, and why."""

    name: str
    ok: bool
    reason: str


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
        """Whether every check holds; without checks, nothing does."""
        return bool(self.checks) and all(check.ok for check in self.checks)


class _Step(NamedTuple):
    name: str
    says: str
    rests_on: tuple[str, ...]
    run: Callable[[Case], None]


def check(
    pdf: bytes,
    *,
    root_pem: bytes,
    lot: str | None = None,
    number: str | None = None,
    content_sha256: str | None = None,
    at: datetime,
) -> CheckReport:
    """Check a certificate of analysis. Never raises.

    Args:
        pdf: the file as received.
        root_pem: the root, from the site and not from the file.
        lot: the lot that it must be about; ``None`` leaves the comparison to the reader.
        number: the certificate number that it must have.
        content_sha256: the hash of the content that it must render.
        at: when the seal must have been valid; with a time zone. Without a timestamp from a third
            party, the file itself cannot prove when it was sealed.
    """
    case = Case(pdf, root_pem, at, number, lot, content_sha256)
    checks: dict[str, Check] = {}
    for step in _STEPS:
        checks[step.name] = _examined(step, case, checks)
    found = tuple(checks.values())
    return CheckReport(found, case.number, case.lot, case.content_sha256, case.rendition)


def extract_signature(pdf: bytes) -> Extracted:
    """The signature that covers the whole file; nothing is verified yet.

    Raises:
        InvalidInput: BQC-CRT-020 where there is none, or one of a part only.
    """
    return extract_signatures(pdf)[-1]


def extract_signatures(pdf: bytes) -> tuple[Extracted, ...]:
    """The signatures in the order in which they were made; nothing is verified yet.

    Raises:
        InvalidInput: BQC-CRT-020 where there is none, or the last does not cover the whole file.
    """
    try:
        return extract(pdf)
    except Failed as problem:
        raise InvalidInput("BQC-CRT-020", f"the file has no complete seal: {problem}") from problem


def _examined(step: _Step, case: Case, done: dict[str, Check]) -> Check:
    for ground in step.rests_on:
        if not done[ground].ok:
            return Check(step.name, ok=False, reason=f"not examined, because {ground} failed")
    try:
        step.run(case)
    except Failed as problem:
        return Check(step.name, ok=False, reason=str(problem))
    except Exception as problem:  # noqa: BLE001 - hostile bytes: what cannot be read is refused
        why = str(problem).split("\n")[0] or type(problem).__name__
        return Check(step.name, ok=False, reason=f"it cannot be read: {why}")
    return Check(step.name, ok=True, reason=step.says)


def _coverage(case: Case) -> None:
    case.extracted = extract(case.pdf)


def _container(case: Case) -> None:
    case.seals = tuple(read_container(one.cms) for one in case.extracted)


def _digest(case: Case) -> None:
    for seal, extracted in zip(case.seals, case.extracted, strict=True):
        check_digest(seal, extracted.signed)


def _each(examine: Callable[[Seal], None]) -> Callable[[Case], None]:
    def run(case: Case) -> None:
        for seal in case.seals:
            examine(seal)

    return run


def _issuer(case: Case) -> None:
    for seal in case.seals:
        check_issuer(seal.certificate, case.root)


def _root(case: Case) -> None:
    case.root = read_root(case.root_pem)


def _validity(case: Case) -> None:
    for seal in case.seals:
        check_validity(seal.certificate, case.at)
    check_validity(case.root, case.at)


_PROVEN = ("coverage", "digest", "signature", "binding", "issuer", "purpose")
_NAMED = ("number", "lot", "content")
_DATA = (*_NAMED, "field")

_STEPS = (
    _Step("coverage", "a signature covers the whole file", (), _coverage),
    _Step("container", "each seal is one PAdES signature, no more", ("coverage",), _container),
    _Step(
        "digest",
        "the file is as it was when it was sealed",
        ("container",),
        _digest,
    ),
    _Step(
        "signature",
        "each was made with the key of the certificate inside",
        ("container",),
        _each(check_signature),
    ),
    _Step(
        "binding",
        "each names that certificate",
        ("container",),
        _each(check_binding),
    ),
    _Step("root", "the given root is a certificate authority", (), _root),
    _Step(
        "issuer",
        "the given root issued the seal",
        ("container", "root"),
        _issuer,
    ),
    _Step(
        "purpose",
        "the seal is meant for documents",
        ("container",),
        _each(lambda seal: check_purpose(seal.certificate)),
    ),
    _Step("validity", "seal and root were valid", ("container", "root"), _validity),
    _Step("document", "the document can be read", _PROVEN, meaning.document),
    _Step("number", "it is this certificate", ("document",), meaning.number),
    _Step("lot", "it is about this lot", ("document",), meaning.lot),
    _Step("content", "it renders this content", ("document",), meaning.content),
    _Step("field", "the signature fields are those of its kind", ("content",), meaning.fields),
    _Step("data", "the data inside, which came with kind 2, are this content", _DATA, meaning.data),
    _Step("pages", "every page says of which certificate and lot it is", _NAMED, meaning.on_pages),
)
