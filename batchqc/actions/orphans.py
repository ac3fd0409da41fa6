"""Files in the store that no record names: what each is, and whether its records were lost.

A file is stored before the row that names it, so a stop between the two leaves a file without a
row, which harms nothing. The same is left where the database is older than the store: then
decisions and certificates among these files speak of an audit trail that goes on, or is another.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.scrubs import unnamed
from batchqc.core.soundness import Finding, Grade
from batchqc.documents.archive import Archive
from batchqc.errors import IntegrityFailure
from batchqc.records.audit import all_links
from batchqc.records.decisions import certificate_by
from batchqc.records.transaction import reading

_LEFT: Final = (
    "Nothing: it was refused, or the system stopped. It stays; copies of the store may lack it."
)
_LOST: Final = (
    "The database is older than the store, or records were removed. Stop releasing; compare with"
    " the witness (`batchqc audit verify --against`), and restore a newer backup of the database."
)

NumberOf = Callable[[bytes], str]
"""The number of the certificate that a sealed document of the site is of; "" where it is none."""


def orphan_findings(engine: Engine, archive: Archive, number_of: NumberOf) -> Iterator[Finding]:
    """Every file that no record names, and what a crash left behind."""
    names, leftovers = unnamed(engine, archive)
    for name in leftovers:
        yield Finding(
            "it was left behind by a stop while something was stored", f"store: {name}",
            Grade.HARMLESS, "Nothing; it may be removed while no server runs.",
        )  # fmt: skip
    if not names:
        return
    with reading(engine) as session:  # after the names: a file is stored after the head it names
        links = {one.sequence: one.sha256 for one in all_links(session)}
        for sha256 in names:
            what, grade = _told(session, archive, sha256, links, number_of)
            todo = _LEFT if grade is Grade.HARMLESS else _LOST
            yield Finding(what, f"archived file {sha256}", grade, todo)


def _told(
    session: Session,
    archive: Archive,
    sha256: str,
    links: Mapping[int, str],
    number_of: NumberOf,
) -> tuple[str, Grade]:
    try:
        data = archive.get(sha256)
    except IntegrityFailure as problem:
        return f"no record names it, and {problem.message}", Grade.HARMLESS
    number = number_of(data) if data.startswith(b"%PDF") else ""
    content = _content(data)
    sequence, head = _head_in(content)
    if number and certificate_by(session, number) is None:
        return f"it is certificate {number}, sealed, and no record knows it", Grade.LOSS
    if sequence > len(links):
        said = f"it was signed over an audit trail of {sequence} entries, and there are"
        return f"{said} {len(links)}", Grade.LOSS
    if sequence and links.get(sequence) != head:
        return f"it was signed over an audit trail with another entry {sequence}", Grade.LOSS
    what = f"a document of {number}" if number else _said(content)
    if sequence and sequence == len(links):
        what += ", over the newest entry (lost, if the database was restored to before it),"
    return f"no record names it: {what} was not recorded", Grade.HARMLESS


def _content(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _said(content: Any) -> str:
    """What a content is, so far as it says so: which decision over which lot."""
    try:
        return f"that lot {content['lot']['lot']} is {content['disposition']}"
    except (KeyError, TypeError):
        return "what it was stored for"


def _head_in(content: Any) -> tuple[int, str]:
    """The audit head that a decision, review or certificate content names."""
    try:
        audit = content["audit"]
        sequence, head = audit if isinstance(audit, list) else (audit["sequence"], audit["head"])
    except (ValueError, KeyError, TypeError):
        return 0, ""
    return (sequence, head) if isinstance(sequence, int) and isinstance(head, str) else (0, "")
