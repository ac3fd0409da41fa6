"""Is a file a certificate of this site, and does it count? The verifier answers, and the records.

The verifier says whether the file is genuine, and never raises; that a certificate waited long for
its seal, and is not dated back, the records tell. How the certificate stands is asked
of the records, only for a file that is genuine, and told without a person and without a reason.
A file whose seal proves nothing any more, and that the records have byte for byte as it was issued,
is told as that: not genuine by itself, and no forgery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final, Literal

from sqlalchemy.orm import Session

from batchqc.actions.certificate_life import status_as_recorded
from batchqc.actions.certificate_proofs import unlike_record
from batchqc.documents.certificate_check import PAGES
from batchqc.documents.verifier.case import LATE, Case, Question
from batchqc.documents.verifier.examination import Step, examine
from batchqc.documents.verifier.findings import FAILED, CheckReport
from batchqc.errors import IntegrityFailure
from batchqc.records.certificate_renewals import renewals_of
from batchqc.records.decisions import certificate_by, issue_of
from batchqc.records.layouts import renditions_of

Counts = Literal[
    "counts", "superseded", "withdrawn", "unclear", "unknown", "another document", "not asked"
]

_SINCE: Final = "status"
_ENDS: Final = frozenset({"timestamp", "validity", "revocation", _SINCE})
"""What can fail though not a byte was changed: the means by which a file proves itself ended."""
_THEN: Final = "not examined, because timestamp failed"
_LEFT: Final = "what it says"


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed, as the data inside say: name, role, meaning, and when, as it is printed."""

    name: str
    role: str
    meaning: str
    at: str


@dataclass(frozen=True, slots=True)
class Here:
    """How a certificate stands at this site; days are those of the site.

    ``counts`` is ``unknown`` where there is no such certificate, ``another document`` where the
    site issued another file under its number, ``unclear`` where its records were changed, and
    ``not asked`` of a file that is not genuine. ``superseded_by`` is the number and the content's
    hash of the one that counts instead.
    """

    counts: Counts
    issued_on: date | None = None
    withdrawn_on: date | None = None
    superseded_on: date | None = None
    superseded_by: tuple[str, str] | None = None


_NOT_ASKED: Final = Here("not asked")


@dataclass(frozen=True, slots=True)
class Verified:
    """What the verifier found of a file, and what a genuine one says of itself.

    It is genuine where everything that was examined holds, but for what came since it was sealed:
    a certificate that was superseded or withdrawn is genuine, and counts no more. ``on_record`` is
    of a file that is not: its seal ended or was taken back, and the records say that this very file
    was issued.
    """

    report: CheckReport
    document_sha256: str
    issuer: str
    issued: str
    conclusion: str
    specimen: str
    signed: tuple[Signed, ...]
    here: Here
    on_record: Here = _NOT_ASKED

    @property
    def is_genuine(self) -> bool:
        """Whether the site sealed this file, whatever came since."""
        return is_genuine(self.report)

    @property
    def is_on_record(self) -> bool:
        """Whether the records have this very file, which does not prove itself any more."""
        return self.on_record.counts in {"counts", "superseded", "withdrawn"}


def verify_file(session: Session, pdf: bytes, question: Question) -> Verified:
    """Verify a file, and where it is genuine, ask how it stands on record."""
    kept = list[Case]()
    step = Step(_LEFT, "", ("data",), kept.append)
    found = examine(pdf, question, further=(PAGES, step))
    if kept and "time" in _failed(found):
        late = LATE + _waited(session, found.number, kept[-1].documents)
        found = examine(pdf, replace(question, late=late), further=(PAGES, step))
    report = replace(found, checks=tuple(one for one in found.checks if one.name != _LEFT))
    whole = sha256(pdf).hexdigest()
    if not is_genuine(report) or not kept:
        documents = kept[-1].documents if kept else ()
        known = _on_record(session, report, whole, documents)
        return Verified(report, whole, "", "", "", "", (), _NOT_ASKED, known)
    told = kept[0].told
    return Verified(
        report,
        whole,
        _text(told, "issuer", "name"),
        _text(told, "issued", "shown"),
        _text(told, "conclusion"),
        _text(told, "specimen"),
        tuple(_signed(one) for one in told.get("signatures", ())),
        standing_here(session, report.number, kept[0].documents),
    )


def is_genuine(report: CheckReport) -> bool:
    """Whether every check that was made holds, but for what came since; without any, none does."""
    failed = _failed(report)
    return bool(report.checks) and set(failed) <= {_SINCE}


def _on_record(session: Session, report: CheckReport, whole: str, documents: Sequence[str]) -> Here:
    """How a file stands that proves itself no more; only where it is, byte for byte, on record."""
    failed = [one for one in report.checks if one.outcome == FAILED and one.reason != _THEN]
    ended = {one.name for one in failed}
    certificate = certificate_by(session, report.number) if documents and ended else None
    if certificate is None or not ended <= _ENDS:
        return _NOT_ASKED
    issue = issue_of(session, certificate)
    known = {issue.document_sha} if issue else set()
    known |= {one.document_sha for one in renditions_of(session, certificate)}
    known |= {one.document_sha for one in renewals_of(session, certificate)}
    if whole not in known:
        return _NOT_ASKED
    return standing_here(session, report.number, documents)


def _failed(report: CheckReport) -> list[str]:
    return [one.name for one in report.checks if one.outcome == FAILED]


def _waited(session: Session, number: str, documents: Sequence[str]) -> timedelta:
    """How long the certificate that a document is waited for its seal, as the records witness."""
    certificate, waited = certificate_by(session, number), timedelta(0)
    try:
        if certificate is not None and not unlike_record(session, certificate, documents):
            issue = issue_of(session, certificate)
            waited = issue.issued_at - certificate.reserved_at if issue else waited
    except IntegrityFailure:
        return timedelta(0)
    return waited


def standing_here(session: Session, number: str, documents: Sequence[str]) -> Here:
    """How the certificate of a genuine document stands.

    Args:
        session: of the records.
        number: of the certificate that the document is, or is a rendition of.
        documents: SHA-256 of the file, and of what it was before evidence was added.
    """
    certificate = certificate_by(session, number)
    if certificate is None:
        return Here("unknown")
    try:
        if unlike_record(session, certificate, documents):
            return Here("another document")
    except IntegrityFailure:
        return Here("unclear")
    status = status_as_recorded(session, certificate)
    if status.stands == "pending":
        return Here("unclear")
    counts: Counts = "counts" if status.stands == "issued" else _ended(status.stands)
    return Here(
        counts, status.issued_on, status.withdrawn_on, status.superseded_on, status.superseded_by
    )


def _ended(stands: str) -> Counts:
    return "superseded" if stands == "superseded" else "withdrawn"


def _signed(one: Mapping[str, Any]) -> Signed:
    return Signed(
        _text(one, "name"), _text(one, "role"), _text(one, "meaning"), _text(one, "signed", "shown")
    )


def _text(told: Mapping[str, Any], *names: str) -> str:
    """A text of the data inside; what is there otherwise is as good as missing."""
    found: Any = told
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
