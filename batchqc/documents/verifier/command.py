"""The command: files and options in, a line for each check out, and an exit status for scripts.

0: every check that was made holds, of every file. 1: one does not; with ``--strict`` also where one
was not made. 2: the command was not understood, or a file cannot be read.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path as FilePath
from typing import Any, Final

from batchqc.documents.verifier.case import LATE, Question
from batchqc.documents.verifier.examination import Step, examine
from batchqc.documents.verifier.findings import (
    CheckReport,
    Failed,
    escape_what_cannot_be_shown,
    plain,
)
from batchqc.documents.verifier.signed_log import moment_of

_MARKS: Final = {"ok": "ok", "failed": "FAILED", "not examined": "--"}
_LABEL: Final = "Compare the lot with the label of what you hold.\n"
_PAGES: Final = (
    "What is printed on the pages is under the seal, and is not read here: compare it with\n"
    "certificate.json inside, or use `batchqc certificate verify`.\n"
)


def main(
    arguments: Sequence[str],
    *,
    now: datetime,
    prog: str | None = None,
    further: Sequence[Step] = (),
) -> int:
    """Verify certificates, also by ``further`` checks; the exit status."""
    parser = _parser(prog)
    asked = parser.parse_args(arguments)
    escape_what_cannot_be_shown()
    try:
        question = question_from(asked, now=now)
        files = [(path, path.read_bytes()) for path in asked.files]
    except (OSError, OverflowError, UnicodeDecodeError, Failed) as problem:
        parser.error(str(problem))
    reports = [(str(path), examine(pdf, question, further=further)) for path, pdf in files]
    if asked.json:
        sys.stdout.write(json.dumps([as_json(*one) for one in reports], indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(as_text(*one, strict=asked.strict) for one in reports))
        sys.stdout.write(("" if asked.lot else _LABEL) + ("" if further else _PAGES))
    good = all(one.complete if asked.strict else one.passed for _, one in reports)
    return 0 if good else 1


def _parser(prog: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog, description="Verify certificates, offline.")
    given = parser.add_argument
    given("files", nargs="+", type=FilePath, metavar="FILE", help="the PDF as received")
    given("--root", type=FilePath, required=True, help="root.pem, from the site itself")
    given("--lot", help="the lot that it must be about, as on the label")
    given("--number", help="the number that it must have")
    given("--content", metavar="SHA256", help="the content hash that it must have")
    given("--tsa-root", type=FilePath, help="roots of timestamp services (PEM)")
    given("--crl", type=FilePath, action="append", default=[], help="a revocation list")
    given("--proof", type=FilePath, action="append", default=[], help="proof from the log (JSON)")
    given("--log-key", type=FilePath, help="log.vkey, from the site itself")
    given("--at", help="judge as of this time instead of now (RFC 3339)")
    given("--late", type=int, default=LATE.days, metavar="DAYS", help="how late it may be proven")
    given("--strict", action="store_true", help="fail also where a check was not made")
    given("--json", action="store_true", help="for machines")
    return parser


def question_from(asked: argparse.Namespace, *, now: datetime) -> Question:
    """The question that a command line asks.

    Raises:
        OSError: a file cannot be read.
        OverflowError: a number of days is too large.
        Failed: a time is none.
    """
    return Question(
        root_pem=asked.root.read_bytes(),
        at=moment_of(asked.at) if asked.at else now,
        number=asked.number,
        lot=asked.lot,
        content_sha256=asked.content,
        tsa_roots=asked.tsa_root.read_bytes() if asked.tsa_root else b"",
        crls=tuple(path.read_bytes() for path in asked.crl),
        proofs=tuple(path.read_bytes() for path in asked.proof),
        log_keys=asked.log_key.read_text("utf-8") if asked.log_key else "",
        late=timedelta(days=asked.late),
    )


def as_text(name: str, report: CheckReport, *, strict: bool = False) -> str:
    """A report for people: a line for each check, and what it comes to."""
    name, lot = plain(name), plain(report.lot)
    rows = [f"{_MARKS[one.outcome]:<7}{one.name:<11} {plain(one.reason)}" for one in report.checks]
    if not report.passed:
        said = f"{name} DOES NOT VERIFY."
    elif strict and not report.complete:
        said = f"{name} IS NOT VERIFIED WHOLLY: what was not examined (--) fails, too (--strict)."
    else:
        said = f"{name} is genuine: certificate {plain(report.number)}, lot {lot}."
        if report.rendition:
            said = f"{name} is genuine: {plain(report.rendition)}; lot {lot}."
        said += f"\nContent SHA-256 {report.content_sha256}"
    return "\n".join([f"{name}:", *rows, said, ""])


def as_json(name: str, report: CheckReport) -> dict[str, Any]:
    """A report for machines."""
    return {
        "file": name,
        "passed": report.passed,
        "complete": report.complete,
        "certificate": report.number,
        "lot": report.lot,
        "rendition": report.rendition,
        "content_sha256": report.content_sha256,
        "checks": [
            {"name": one.name, "outcome": one.outcome, "reason": one.reason}
            for one in report.checks
        ],
    }
