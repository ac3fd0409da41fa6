"""Is a whole installation sound? Everything that can be verified, together, and nothing is changed.

In order: the schema, the database itself, whether the store is the one, whether the database waits
for its disk, the audit trail with every record and stored file that it witnesses, that records of
different kinds agree, the log against its key and its witness, certificates by the verifier, the
clock, how old the newest backup is, and what lies in the store without a record.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, exc
from sqlalchemy.orm import Session

from batchqc.actions.agreement import STOP, agreement_findings
from batchqc.actions.backup_age import backup_findings
from batchqc.actions.certificates import document_of
from batchqc.actions.checkpoints import check_log, is_covered
from batchqc.actions.clock_evidence import clock_findings
from batchqc.actions.codes import check_component_key
from batchqc.actions.log_against import compare
from batchqc.actions.log_proofs import prove_record
from batchqc.actions.orphans import orphan_findings
from batchqc.actions.verification import verify_audit_trail
from batchqc.core.audit import Link
from batchqc.core.signed_notes import key_of
from batchqc.core.soundness import Finding, Grade, is_clean
from batchqc.documents.archive import Archive
from batchqc.documents.certificate_check import PAGES
from batchqc.documents.log_key import LogSigner
from batchqc.documents.store_marker import NOT_OWN
from batchqc.documents.verifier.case import Question
from batchqc.documents.verifier.examination import examine
from batchqc.documents.verifier.findings import FAILED, OPEN
from batchqc.documents.witness import read_witness
from batchqc.errors import BatchqcError, InvalidInput, SigningUnavailable, StoreUnavailable
from batchqc.records.database import lacking_tables, revision_of, revisions_in, unknown_to
from batchqc.records.database_check import database_findings, hasty_settings
from batchqc.records.decisions import CertificateIssue, certificates_of, issue_of
from batchqc.records.log import log_keys
from batchqc.records.transaction import reading

_MENDED: Final = ("table ", "the index ")
"""What problems of the audit trail begin with of which no record is lost."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What is examined.

    Args:
        engine: of the database.
        archive: the store.
        migrations: the folder of the migrations of this version.
        question: root, roots of timestamps and revocation lists by which certificates are verified.
        log_key: the key of the log; ``None`` where keys are kept elsewhere.
        witness: folder of the witness; ``None`` where there is none.
        component_key: file of the key of authenticators; ``None`` where keys are kept elsewhere.
        goes_on: whether the store knows more than the database, as after a restore beside it.
        is_trial: whether its records do not count, so that nothing need wait for the disk.
        is_restored: whether it was just restored, so that its trail ends before its backup.
        no_list: why certificates cannot be compared with the list of revoked seals; blank if so.
    """

    engine: Engine
    archive: Archive
    migrations: Path
    question: Question
    log_key: Callable[[], LogSigner] | None = None
    witness: Path | None = None
    component_key: Path | None = None
    goes_on: bool = False
    is_trial: bool = False
    is_restored: bool = False
    no_list: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found; how far the audit trail goes, and how many certificates were verified."""

    findings: tuple[Finding, ...]
    revision: str
    head: Link | None = None
    certificates: int = 0
    verified: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing is more than harmless."""
        return is_clean(self.findings)


def examine_installation(what: Installation, *, sample: int = 0) -> Examined:
    """Examine everything; of certificates that many, spread over all of them, or all where it is 0.

    Raises:
        StoreUnavailable: the store cannot be reached.
    """
    revision = revision_of(what.engine)
    if found := list(_schema(what, revision)):
        return Examined(tuple(found), revision)
    try:
        found += database_findings(what.engine)
        found += _store(what.archive)
        if not is_clean(found):
            return Examined((*found, _UNREAD), revision)
        found += _hasty(what)
        with reading(what.engine) as session:
            trail = verify_audit_trail(session, what.archive)
            found += [_of_trail(problem) for problem in trail.problems]
            found += _readable(agreement_findings(session, what.archive))
            found += clock_findings(session, what.question.at)
            found += [] if what.is_restored else backup_findings(session, what.question.at)
            found += _log(session, what)
            issues = _issued(session)
            chosen = issues[:: -(-len(issues) // sample)] if sample and issues else issues
            if issues and not what.question.root_pem:
                chosen = []
                found.append(_NO_ROOT)
            if issues and what.no_list:
                found.append(Finding(what.no_list, "revoked seals", Grade.MEND, _NO_LIST))
            for issue in chosen:
                found += (
                    one for one in _certificate(session, what, issue)
                    if one is not _NO_STAMPS or one not in found
                )  # fmt: skip
        if not what.goes_on:
            found += orphan_findings(what.engine, what.archive, lambda pdf: _number_of(what, pdf))
    except (exc.DBAPIError, ValueError) as problem:  # the latter: what was read is no such value
        said = str(getattr(problem, "orig", problem)).splitlines()[0]
        found.append(Finding(f"it cannot be read: {said}", "the database", Grade.LOSS, STOP))
        return Examined(tuple(found), revision)
    return Examined(tuple(found), revision, trail.head, len(issues), len(chosen))


_UNREAD: Final = Finding(
    "nothing else was examined, because of what was found before", "the installation",
    Grade.MEND, "Mend what is named, and run this again.",
)  # fmt: skip


_NO_LIST: Final = "`batchqc pki status` tells what is to be done. Nothing is sealed until then."
_NO_ROOT: Final = Finding(
    "root.pem is not there, so that no certificate was verified", "the folder trust",
    Grade.MEND, "Copy the root.pem that `batchqc init` made where BATCHQC_TRUST says.",
)  # fmt: skip


_NO_STAMPS: Final = Finding(
    "the root of the timestamp service is not there, so that no timestamp was verified",
    "certificates with timestamps", Grade.MEND,
    "Let BATCHQC_TIMESTAMP_ROOT name its PEM file; an earlier service's root belongs into it, too.",
)  # fmt: skip


def _schema(what: Installation, revision: str) -> Iterator[Finding]:
    known = revisions_in(what.migrations)
    if later := unknown_to(what.engine, what.migrations):
        yield Finding(
            f"it is of a later version of batchqc: {later}", "the schema of the database",
            Grade.MEND, "Install the version of batchqc that wrote it.",
        )  # fmt: skip
    elif (revision and revision != known[-1]) or lacking_tables(what.engine):
        yield Finding(
            f"it is of an earlier version of batchqc: revision {revision or 'unknown'}, and this"
            f" version has {known[-1]}",
            "the schema of the database", Grade.MEND,
            "Stop the servers, `batchqc backup`, then `batchqc migrate`.",
        )  # fmt: skip


def _hasty(what: Installation) -> Iterator[Finding]:
    grade = Grade.HARMLESS if what.is_trial else Grade.MEND
    for one in hasty_settings(what.engine):
        yield Finding(
            f"it does not wait for its disk ({one}): what was acknowledged can be lost",
            "the database", grade,
            "Switch it on again (`ALTER SYSTEM RESET`, and look at what the role and the database"
            " set), restart the database, and assess what a power cut since then may have taken.",
        )  # fmt: skip


def _store(archive: Archive) -> Iterator[Finding]:
    """A store that is not the one lacks everything: that says nothing of the records."""
    try:
        archive.check_own()
    except StoreUnavailable as problem:
        if problem.code not in NOT_OWN:
            raise
        yield Finding(problem.message, "the store", Grade.MEND, problem.hint)


def _of_trail(problem: str) -> Finding:
    if problem.startswith(_MENDED):
        todo = "Find out who did it; then mend it as the owner of the database, from a backup."
        return Finding(problem, "the database", Grade.MEND, todo)
    return Finding(problem, "the audit trail and what it witnesses", Grade.LOSS, STOP)


def _readable(found: Iterator[Finding]) -> Iterator[Finding]:
    """Findings; where somebody wrote what nobody can read, that is one more, and ends them."""
    try:
        yield from found
    except (ValueError, TypeError, LookupError, AttributeError, InvalidInput) as error:
        said = f"one of them cannot be read, and what follows it was not looked at: {error}"
        yield Finding(said, "whether records agree", Grade.LOSS, STOP)


def _log(session: Session, what: Installation) -> Iterator[Finding]:
    """The log against its key, and against what the witness holds; the key of authenticators."""
    try:
        if what.log_key is not None:
            check_log(session, what.log_key())
    except BatchqcError as problem:
        todo = problem.hint or STOP
        yield Finding(problem.message, "the key of the log", Grade.MEND, todo)
    try:
        if what.component_key is not None:
            check_component_key(session, what.component_key)
    except SigningUnavailable as problem:
        yield Finding(problem.message, "the key of authenticators", Grade.MEND, problem.hint)
    if what.witness is None:
        return
    where = f"the witness {what.witness}"
    try:
        keys = what.question.log_keys.splitlines() or [one.vkey for one in log_keys(session)]
        compared = compare(session, read_witness(what.witness), map(key_of, keys))
    except BatchqcError as problem:
        yield Finding(problem.message, where, Grade.MEND, problem.hint or STOP)
        return
    for said in compared.problems:
        yield Finding(said, where, Grade.LOSS, STOP)


def _issued(session: Session) -> list[CertificateIssue]:
    """Newest first."""
    issues = [one for row in certificates_of(session) if (one := issue_of(session, row))]
    return issues[::-1]


def _certificate(
    session: Session, what: Installation, issue: CertificateIssue
) -> Iterator[Finding]:
    """Its document by the verifier, and that its issue is in the log."""
    number = issue.natural_key
    try:
        pdf = document_of(session, what.archive, number=number)
        if is_covered(session, issue.key):
            prove_record(session, issue.key)
    except BatchqcError as problem:
        yield Finding(problem.message, issue.key, Grade.LOSS, STOP)
        return
    asked = what.question
    report = examine(
        pdf,
        Question(
            asked.root_pem, asked.at, number, issue.certificate.lot.lot,
            issue.certificate.content_sha, asked.tsa_roots, asked.crls,
        ),
        further=(PAGES,),
    )  # fmt: skip
    for one in report.checks:
        if one.outcome == FAILED:
            yield Finding(f"{one.name}: {one.reason}", issue.key, Grade.LOSS, STOP)
        if (one.name, one.outcome) == ("timestamp", OPEN) and "bears timestamps" in one.reason:
            yield _NO_STAMPS


def _number_of(what: Installation, pdf: bytes) -> str:
    return examine(pdf, what.question).number
