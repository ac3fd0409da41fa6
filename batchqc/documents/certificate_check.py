"""Is this the certificate that the site sealed? An independent answer.

Shares no code with the sealer: neither pyHanko nor ``batchqc.documents.pades`` is imported. The
checks go from the bytes to the meaning:

- *coverage*: one signature over every byte of the file but its own gap, and nothing after it;
- *container, digest, signature, binding*: the signature is about these bytes, by this certificate;
- *root, issuer, purpose, validity*: the certificate is the seal of the given root;
- *document, field, number, lot, content, pages*: the PDF says what was expected, on every page.

A check whose ground failed is not examined and counts as failed; the PDF is read only after its
seal was proven. Nothing raises: whatever cannot be read fails its check.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from asn1crypto import x509

from batchqc.documents.certificate_pages import Pages, read_pages
from batchqc.documents.certificate_seal import (
    Extracted,
    Failed,
    Seal,
    check_binding,
    check_digest,
    check_issuer,
    check_purpose,
    check_signature,
    check_validity,
    extract,
    read_container,
    read_root,
)
from batchqc.errors import InvalidInput

SEAL_FIELD = "QARelease"
SUB_FILTER = "/ETSI.CAdES.detached"

_TITLE = "Certificate of analysis "
_SUBJECT = "Lot "
_KEYWORDS = re.compile(r"batchqc-certificate/1 content-sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, whether it holds, and why."""

    name: str
    ok: bool
    reason: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Every check in order, and what a proven document calls itself ("" where none was read)."""

    checks: tuple[Check, ...]
    number: str
    lot: str
    content_sha256: str

    @property
    def passed(self) -> bool:
        """Whether every check holds; without checks, nothing does."""
        return bool(self.checks) and all(check.ok for check in self.checks)


@dataclass(slots=True)
class _Case:
    """The question, then what *coverage*, *container*, *root* and *document* found."""

    pdf: bytes
    root_pem: bytes
    at: datetime
    expected_number: str | None
    expected_lot: str | None
    expected_content: str | None
    extracted: Extracted = field(init=False)
    seal: Seal = field(init=False)
    root: x509.Certificate = field(init=False)
    pages: Pages = field(init=False)
    number: str = ""
    lot: str = ""
    content_sha256: str = ""


class _Step(NamedTuple):
    name: str
    says: str
    rests_on: tuple[str, ...]
    run: Callable[[_Case], None]


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
    case = _Case(pdf, root_pem, at, number, lot, content_sha256)
    checks: dict[str, Check] = {}
    for step in _STEPS:
        checks[step.name] = _examined(step, case, checks)
    return CheckReport(tuple(checks.values()), case.number, case.lot, case.content_sha256)


def extract_signature(pdf: bytes) -> Extracted:
    """The one signature that covers the whole file; nothing is verified yet.

    Raises:
        InvalidInput: BQC-CRT-020 where there is none, several, or one of a part only.
    """
    try:
        return extract(pdf)
    except Failed as problem:
        raise InvalidInput("BQC-CRT-020", f"the file has no complete seal: {problem}") from problem


def _examined(step: _Step, case: _Case, done: dict[str, Check]) -> Check:
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


def _coverage(case: _Case) -> None:
    case.extracted = extract(case.pdf)


def _container(case: _Case) -> None:
    case.seal = read_container(case.extracted.cms)


def _root(case: _Case) -> None:
    case.root = read_root(case.root_pem)


def _validity(case: _Case) -> None:
    check_validity(case.seal.certificate, case.at)
    check_validity(case.root, case.at)


def _document(case: _Case) -> None:
    case.pages = read_pages(case.pdf)
    if not case.pages.texts:
        raise Failed("the document has no pages")


def _field(case: _Case) -> None:
    fields = case.pages.fields
    if [one.name for one in fields] != [SEAL_FIELD]:
        named = ", ".join(one.name for one in fields) or "none"
        raise Failed(f"the signature fields are {named}, instead of {SEAL_FIELD} alone")
    if fields[0].sub_filter != SUB_FILTER:
        raise Failed(f"the signature's format is {fields[0].sub_filter}, not {SUB_FILTER}")
    found = fields[0].contents.rstrip(b"\0"), fields[0].byte_range
    if found != (case.extracted.cms.rstrip(b"\0"), case.extracted.byte_range):
        raise Failed(f"{SEAL_FIELD} holds another signature than the one that covers the file")


def _number(case: _Case) -> None:
    if not case.pages.title.startswith(_TITLE):
        raise Failed("the document does not call itself a certificate of analysis")
    case.number = case.pages.title.removeprefix(_TITLE)
    _expect("certificate", case.number, case.expected_number)


def _lot(case: _Case) -> None:
    if not case.pages.subject.startswith(_SUBJECT):
        raise Failed("the document does not name its lot")
    case.lot = case.pages.subject.removeprefix(_SUBJECT)
    _expect("lot", case.lot, case.expected_lot)


def _content(case: _Case) -> None:
    named = _KEYWORDS.fullmatch(case.pages.keywords)
    if not named:
        raise Failed("the document does not name the hash of its content")
    case.content_sha256 = named[1]
    _expect("content", case.content_sha256, case.expected_content)


def _expect(what: str, found: str, expected: str | None) -> None:
    if not found:
        raise Failed(f"the document names an empty {what}")
    if expected is not None and found != expected:
        raise Failed(f"this is {what} {found}, not {what} {expected}")


def _every_page(case: _Case) -> None:
    total = len(case.pages.texts)
    for page in range(1, total + 1):
        for words in (
            f"Certificate {case.number} · Lot {case.lot}",
            f"Page {page} of {total}",
            f"Content SHA-256 {case.content_sha256}",
        ):
            if not case.pages.shows(page, words):
                raise Failed(f"page {page} does not show “{words}”")


_PROVEN = ("coverage", "digest", "signature", "binding", "issuer", "purpose")
_NAMED = ("number", "lot", "content")

_STEPS = (
    _Step("coverage", "one signature covers the whole file", (), _coverage),
    _Step("container", "it is one PAdES signature and nothing else", ("coverage",), _container),
    _Step(
        "digest",
        "the file is as it was when it was sealed",
        ("container",),
        lambda case: check_digest(case.seal, case.extracted.signed),
    ),
    _Step(
        "signature",
        "it was made with the key of the certificate inside",
        ("container",),
        lambda case: check_signature(case.seal),
    ),
    _Step(
        "binding",
        "it names that certificate",
        ("container",),
        lambda case: check_binding(case.seal),
    ),
    _Step("root", "the given root is a certificate authority", (), _root),
    _Step(
        "issuer",
        "the given root issued the seal",
        ("container", "root"),
        lambda case: check_issuer(case.seal.certificate, case.root),
    ),
    _Step(
        "purpose",
        "the seal is meant for documents",
        ("container",),
        lambda case: check_purpose(case.seal.certificate),
    ),
    _Step("validity", "seal and root were valid", ("container", "root"), _validity),
    _Step("document", "the document can be read", _PROVEN, _document),
    _Step("field", f"the signature is the field {SEAL_FIELD}", ("document",), _field),
    _Step("number", "it is this certificate", ("document",), _number),
    _Step("lot", "it is about this lot", ("document",), _lot),
    _Step("content", "it renders this content", ("document",), _content),
    _Step("pages", "every page says which certificate and lot it is of", _NAMED, _every_page),
)
