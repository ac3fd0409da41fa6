"""Is this the certificate that the site sealed? Every check, from the bytes to the meaning.

- *coverage*: the seals are over every byte, and what follows the last is evidence and no more;
- *container, digest, signature, binding*: each is about these bytes, by this certificate;
- *evidence, root, issuer, purpose*: the certificates are the seal of the given root;
- *document, content, number, lot, field, data*: the PDF says what was expected, in exactly the
  signature fields of its kind and in the data inside it;
- *timestamp, log, time, validity, revocation, status*: when it was sealed, and what came since.

A check whose ground failed is not examined and counts as failed; what is asked of the document is
read only after its seal was proven. A check for which nobody gave what it needs is told as not
examined. Nothing raises: whatever cannot be read fails its check.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from batchqc.documents.verifier.case import Case, Question
from batchqc.documents.verifier.chains import check_purpose, read_roots
from batchqc.documents.verifier.containers import (
    Seal,
    check_binding,
    check_digest,
    check_signature,
    read_container,
)
from batchqc.documents.verifier.findings import (
    FAILED,
    OK,
    OPEN,
    Check,
    CheckReport,
    Failed,
    Unexamined,
)
from batchqc.documents.verifier.meaning import (
    check_content,
    check_data,
    check_fields,
    check_lot,
    check_number,
    find_document,
)
from batchqc.documents.verifier.signatures import extract
from batchqc.documents.verifier.times import (
    check_issuers,
    check_log,
    check_period,
    check_revocation,
    check_status,
    check_time,
    check_timestamps,
    find_evidence,
)


class Step(NamedTuple):
    """A check: what it says where it holds, unless it says more itself, and what it rests on."""

    name: str
    says: str
    rests_on: tuple[str, ...]
    run: Callable[[Case], str | None]


def examine(pdf: bytes, question: Question, *, further: Sequence[Step] = ()) -> CheckReport:
    """Check a certificate of analysis; ``further`` checks come last. Never raises."""
    case = Case(pdf, question)
    checks: dict[str, Check] = {}
    for step in (*_STEPS, *further):
        checks[step.name] = _examined(step, case, checks)
    found = tuple(checks.values())
    return CheckReport(found, case.number, case.lot, case.content_sha256, case.rendition)


def _examined(step: Step, case: Case, done: dict[str, Check]) -> Check:
    for ground in step.rests_on:
        if done[ground].outcome == FAILED:
            return Check(step.name, FAILED, f"not examined, because {ground} failed")
    try:
        said = step.run(case)
    except Unexamined as problem:
        return Check(step.name, OPEN, f"not examined: {problem}")
    except Failed as problem:
        return Check(step.name, FAILED, str(problem))
    except Exception as problem:  # noqa: BLE001 - hostile bytes: what cannot be read is refused
        why = str(problem).split("\n")[0] or type(problem).__name__
        return Check(step.name, FAILED, f"it cannot be read: {why}")
    return Check(step.name, OK, said or step.says)


def _coverage(case: Case) -> None:
    case.parts = extract(case.pdf)


def _container(case: Case) -> None:
    case.seals = tuple(read_container(one.cms) for one in case.parts.seals)


def _digest(case: Case) -> None:
    for seal, extracted in zip(case.seals, case.parts.seals, strict=True):
        check_digest(seal, extracted.signed)


def _each(check: Callable[[Seal], None]) -> Callable[[Case], None]:
    def run(case: Case) -> None:
        for seal in case.seals:
            check(seal)

    return run


def _root(case: Case) -> None:
    case.roots = read_roots(case.question.root_pem)


_PROVEN: Final = ("coverage", "digest", "signature", "binding", "issuer", "purpose")
_NAMED: Final = ("content", "number", "lot")

_STEPS: Final = (
    Step("coverage", "the seals cover the whole file", (), _coverage),
    Step("container", "each seal is one PAdES signature, no more", ("coverage",), _container),
    Step("digest", "the file is as it was when it was sealed", ("container",), _digest),
    Step(
        "signature",
        "each was made with the key of the certificate inside",
        ("container",),
        _each(check_signature),
    ),
    Step("binding", "each names that certificate", ("container",), _each(check_binding)),
    Step("evidence", "what is kept for later can be read", ("container",), find_evidence),
    Step("root", "the given root is a certificate authority", (), _root),
    Step("issuer", "the given root issued the seal", ("evidence", "root"), check_issuers),
    Step(
        "purpose",
        "the seal is meant for documents",
        ("container",),
        _each(lambda seal: check_purpose(seal.certificate)),
    ),
    Step("document", "the document can be read", _PROVEN, find_document),
    Step("content", "it renders this content", ("document",), check_content),
    Step("number", "it is this certificate", ("document",), check_number),
    Step("lot", "it is about this lot", ("document",), check_lot),
    Step("field", "the signature fields are those of its kind", ("content",), check_fields),
    Step(
        "data",
        "the data inside, which came with kind 2, are this content",
        (*_NAMED, "field"),
        check_data,
    ),
    Step("timestamp", "the timestamps hold", ("evidence", "digest"), check_timestamps),
    Step("log", "its issue is in the log", ("data",), check_log),
    Step("time", "its time is proven", ("data", "timestamp", "log"), check_time),
    Step("validity", "seal and root were valid", ("issuer", "timestamp"), check_period),
    Step("revocation", "the seal was not revoked", ("issuer", "timestamp"), check_revocation),
    Step("status", "it counts", ("data",), check_status),
)
