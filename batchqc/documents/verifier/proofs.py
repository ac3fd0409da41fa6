"""A proof file: what the transparency log says of a certificate, and how the certificate stands.

JSON, ``batchqc/certificate-proof/1``: ``issue`` and further ``events`` are entries of the audit
trail with their proofs, ``timestamp`` (base64, may be absent) is what a timestamp service answered
about the checkpoint of ``issue``, and ``status`` (may be absent) is a note that the log's key
signed: how the certificate stood, and since when. Where the first timestamp came long after the
issue, ``later`` has it, with a further proof of the same entry against its checkpoint; so has
that of a newer key, without a timestamp, where the key of the first was lost.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from batchqc.documents.verifier.findings import Failed, demand
from batchqc.documents.verifier.signed_log import LogKey, genuine_note, moment_of, proved_entry

_PROOF_TYPE: Final = "batchqc/certificate-proof/1"
_STATUS_TYPE: Final = "batchqc/certificate-status/1"
_ENTRY_TYPE: Final = "batchqc/audit-entry/1"
_LARGEST: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Issue:
    """The entry of an issue: what it says, its place, and the checkpoint that covers it."""

    sequence: int
    at: datetime
    origin: str
    size: int
    signed_at: datetime
    note: bytes
    answer: bytes
    later: tuple[bytes, bytes] | None
    """Note and answer of a later checkpoint; the answer may be blank."""
    lost: datetime | None = None
    """Since when the key of the first checkpoint is lost, where the later one is not by another."""


@dataclass(frozen=True, slots=True)
class Stated:
    """How a certificate stood: "counts" or why it does not, as of when, over how many entries."""

    standing: str
    at: datetime
    size: int


def read_json(data: bytes) -> Any:
    """Plain JSON, in which no key stands twice and no number is broken.

    Raises:
        Failed: it is something else.
    """
    demand(len(data) <= _LARGEST, "the data are too large")
    try:
        return json.loads(data, object_pairs_hook=_object, parse_float=_no_float)
    except (ValueError, RecursionError) as problem:
        raise Failed("the data are no JSON") from problem


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    demand(len(found) == len(pairs), "the data have a key twice")
    return found


def _no_float(text: str) -> Any:
    raise Failed(f"the data hold {text}, which is not written as a text")


def check_issue(
    proof: Mapping[str, Any],
    keys: Sequence[LogKey],
    *,
    number: str,
    documents: Sequence[str],
    content: str,
) -> Issue:
    """The issue of this certificate is in the log.

    Args:
        proof: the file.
        keys: of the log, that the verifier holds.
        number: of the certificate.
        documents: SHA-256 of the file, and of what it was before evidence was added.
        content: SHA-256 of its content.

    Raises:
        Failed: it is not, or the proof is about something else.
    """
    demand(proof.get("type") == _PROOF_TYPE, "the proof is no proof of a certificate")
    told, (sequence, head, note) = _entry(proof["issue"], keys)
    demand(told["what"] == "certificate issued", "the proof is not of an issue")
    demand(f"certificate:{number}" in told["subjects"], "the proof is of another certificate")
    after = told["after"]
    demand(after["document sha256"] in documents, "the log names another document of this number")
    demand(after["content sha256"] == content, "the log names another content of this number")
    answer = base64.b64decode(proof.get("timestamp", ""), validate=True)
    at = moment_of(told["at"])
    later, lost = _later(proof, keys, head.lost)
    return Issue(sequence, at, head.origin, head.size, head.at, note.encode(), answer, later, lost)


def _later(
    proof: Mapping[str, Any], keys: Sequence[LogKey], lost: datetime | None
) -> tuple[tuple[bytes, bytes] | None, datetime | None]:
    """The later checkpoint; and since when keys are lost, where those of both are."""
    part = proof.get("later")
    if not part:
        return None, lost
    _, head, note = proved_entry(proof["issue"]["entry"], part["proof"], keys)
    answer = base64.b64decode(part.get("timestamp", ""), validate=True)
    return (note.encode(), answer), lost and head.lost


def check_standing(
    proof: Mapping[str, Any], keys: Sequence[LogKey], *, number: str, documents: Sequence[str]
) -> Stated | None:
    """How the certificate stood when the statement was signed; ``None`` without a statement.

    Without ``documents`` it is about a rendition of the certificate. An event that is in the log
    speaks for itself, also where the statement does not tell it.

    Raises:
        Failed: a statement or an event is not genuine, or about something else.
    """
    told = [_entry(one, keys)[0] for one in proof.get("events", ())]
    ended = [_ended(one, number) for one in told]
    if any(ended):
        raise Failed(next(one for one in ended if one))
    if not proof.get("status"):
        return None
    lines = genuine_note(proof["status"], keys).splitlines()
    demand(lines[:1] == [_STATUS_TYPE], "the statement is about something else")
    said = dict(line.partition(" ")[::2] for line in lines[1:])
    demand(said["certificate"] == number, "the statement is about another certificate")
    same = not documents or said["document"] in documents
    demand(same, "the statement is about another document")
    return Stated(said["standing"], moment_of(said["at"]), int(said["entries"]))


def _ended(told: Mapping[str, Any], number: str) -> str:
    """Why an entry says that a certificate counts no more, or nothing."""
    if told["what"] == "certificate withdrawn" and f"certificate:{number}" in told["subjects"]:
        return f"it was withdrawn on {told['at'][:10]}: {told['why']}"
    if told["what"] == "certificate issued" and told["after"].get("supersedes") == number:
        newer = next(one for one in told["subjects"] if one.startswith("certificate:"))
        return f"it is superseded by {newer.partition(':')[2]} since {told['at'][:10]}"
    return ""


def _entry(part: Mapping[str, Any], keys: Sequence[LogKey]) -> tuple[Any, tuple[int, Any, str]]:
    """An entry of the audit trail, and where the log has it."""
    found = proved_entry(part["entry"], part["proof"], keys)
    told = read_json(part["entry"].encode())
    demand(told["type"] == _ENTRY_TYPE, "the proof is not of an entry of the audit trail")
    return told, found
