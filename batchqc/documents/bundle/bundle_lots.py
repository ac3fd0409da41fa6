"""The lots of a bundle: their entries of the audit trail, certificates, and what these rest on."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from batchqc.documents.bundle.bundle_trail import Trail
from batchqc.documents.verifier.case import LATE, Question
from batchqc.documents.verifier.examination import examine
from batchqc.documents.verifier.findings import FAILED, Failed
from batchqc.documents.verifier.signed_log import LogKey, TreeHead, proved_entry

Lot = Mapping[str, Any]
Issue = tuple[int, str]
"""Place and text of an entry."""


class Held(Protocol):
    """What of a bundle is looked at."""

    folder: Path
    root: bytes
    tsa_roots: bytes
    keys: tuple[LogKey, ...]
    hashes: dict[str, str]
    trail: Trail
    checkpoints: dict[int, tuple[TreeHead, str]]

    def text(self, path: str) -> str:
        """A file of it as text."""


@dataclass
class Told:
    """What the entries of a lot tell of its certificates, by number, and what was disposed of."""

    reserved: dict[str, datetime] = field(default_factory=dict)
    issued: dict[str, Issue] = field(default_factory=dict)
    withdrawn: dict[str, str] = field(default_factory=dict)
    disposed: set[str] = field(default_factory=set)


def lot_problems(bundle: Held, lot: Lot) -> Iterator[str]:
    """Everything that is wrong with a lot and its certificates."""
    told = Told()
    yield from _entries(bundle, f"data/{lot['folder']}/audit.tsv", told)
    for one in lot["specifications"]:
        path = f"data/{one['file'].removesuffix('.toml')}.tsv"
        yield from _entries(bundle, path, Told())
        yield from _stored(bundle, one["reference"], one, Told())
    for one in lot["uploads"]:
        for file in (one, *one["attachments"]):
            yield from _stored(bundle, f"{one['number']} {file['name']}", file, told)
    listed = {one["number"]: one for one in lot["certificates"]}
    for number in sorted(told.reserved.keys() - listed.keys()):
        yield f"certificate {number} is on record and is not in the bundle: it was left out"
    contents = {}
    for number, one in listed.items():
        yield from _certificate(bundle, lot, one, told)
        contents[number] = _content(bundle, lot, one)
        yield from _rests_on(lot, number, contents[number])
    yield from _standing(listed, contents, told)


def _entries(bundle: Held, path: str, told: Told) -> Iterator[str]:
    """Each entry is the one that stands at its place in the log."""
    last = 0
    for line in bundle.text(path).split("\n")[:-1]:
        place, sha256, previous, link, text = line.split("\t", 4)
        sequence = int(place)
        if sequence <= last:
            yield f"{path}: entry {sequence} is out of its order"
        last = sequence
        if hashlib.sha256(text.encode()).hexdigest() != sha256:
            yield f"{path}: entry {sequence} was changed: its text has another hash"
        elif bundle.trail.entry(sequence) != sha256:
            yield f"{path}: entry {sequence} is not the one that the log holds there"
        elif (sequence > 1 and bundle.trail.head(sequence - 1) != previous) or (
            bundle.trail.head(sequence) != link
        ):
            yield f"{path}: entry {sequence} does not follow from the one before it"
        else:
            _note(told, sequence, text)


def _note(told: Told, sequence: int, text: str) -> None:
    entry = json.loads(text)
    for key in entry["records"]:
        kind, _, number = key.partition(":")
        if kind == "certificate":
            told.reserved.setdefault(number, datetime.fromisoformat(entry["at"]))
        elif kind == "certificate_issue":
            told.issued[number] = (sequence, text)
        elif kind == "certificate_withdrawal":
            told.withdrawn[number] = entry["why"]
        elif kind == "disposed_object":
            told.disposed.add(number)


def _certificate(bundle: Held, lot: Lot, one: Mapping[str, Any], told: Told) -> Iterator[str]:
    number = one["number"]
    path = f"data/{lot['folder']}/{number}"
    if bundle.hashes.get(f"{path}.json") != one["content_sha256"]:
        yield f"{number}: its data are not those that were frozen"
    if number not in told.reserved:
        yield f"{number}: no entry of the audit trail tells of it"
    if number in told.issued:
        yield from _issued(bundle, lot, one, told)
    elif one["status"] == "issued" or f"{path}.pdf" in bundle.hashes:
        yield f"{number}: no entry of the audit trail tells that it was issued"


def _issued(bundle: Held, lot: Lot, one: Mapping[str, Any], told: Told) -> Iterator[str]:
    """The PDF is the one that the entry tells of, in the log and by itself."""
    number = one["number"]
    path = f"data/{lot['folder']}/{number}"
    sequence, text = told.issued[number]
    entry = json.loads(text)
    at = datetime.fromisoformat(entry["at"])
    said = (entry["after"]["document sha256"], entry["after"]["content sha256"])
    if one["status"] != "issued" or sequence != one["sequence"]:
        yield f"{number}: entry {sequence} tells that it was issued, and the list says otherwise"
    if said != (one["document_sha256"], one["content_sha256"]):
        yield f"{number}: the list names another document than entry {sequence}"
    if f"{path}.pdf" not in bundle.hashes:
        yield f"{number}: entry {sequence} tells that it was issued, and its PDF was left out"
        return
    if bundle.hashes[f"{path}.pdf"] != said[0]:
        yield f"{number}: the PDF is not the one that entry {sequence} tells of"
    yield from _dated_back(bundle, number, sequence, at)
    yield from _proof(bundle, f"{path}.tlog-proof", number, text)
    question = Question(
        bundle.root, at, number, lot["lot"], one["content_sha256"], bundle.tsa_roots,
        late=LATE + (at - told.reserved.get(number, at)),  # so long it waited for its seal
    )  # fmt: skip
    for check in examine((bundle.folder / f"{path}.pdf").read_bytes(), question).checks:
        if check.outcome == FAILED and not check.reason.startswith("not examined"):
            yield f"{number}: {check.name}: {check.reason}"


def _dated_back(bundle: Held, number: str, sequence: int, at: datetime) -> Iterator[str]:
    """The entry is not older than what the log held before it."""
    before = [head.at for size, (head, _) in bundle.checkpoints.items() if size < sequence]
    if before and max(before) - at > LATE:
        yield (
            f"{number}: entry {sequence} is of {at:%Y-%m-%d}, and stands behind a checkpoint that"
            f" was signed on {max(before):%Y-%m-%d}: it was dated back"
        )


def _proof(bundle: Held, path: str, number: str, text: str) -> Iterator[str]:
    try:
        _, head, _ = proved_entry(text, bundle.text(path), bundle.keys)
    except Failed as problem:
        yield f"{number}: its proof: {problem}"
        return
    if head.size != len(bundle.trail):
        yield f"{number}: its proof is of a checkpoint of {head.size} entries, an older one"


def _content(bundle: Held, lot: Lot, one: Mapping[str, Any]) -> Mapping[str, Any]:
    content: dict[str, Any] = json.loads(bundle.text(f"data/{lot['folder']}/{one['number']}.json"))
    return content


def _rests_on(lot: Lot, number: str, content: Mapping[str, Any]) -> Iterator[str]:
    """Files and specification that a certificate names are here."""
    if (content["number"], content["lot"]["id"]) != (number, lot["lot"]):
        yield f"{number}: its data are of {content['number']}, lot {content['lot']['id']}"
    if content["specification"]["sha256"] not in {one["sha256"] for one in lot["specifications"]}:
        yield f"{number}: the specification that it names is not in the bundle"
    here = {(one["number"], one["sha256"]) for one in lot["uploads"]}
    named = {
        (source["upload"], source["sha256"])
        for line in content["lines"]
        for source in line["provenance"]
    }
    for upload, sha256 in sorted(named - here):
        yield f"{number}: {upload} ({sha256[:12]}…), from which it takes results, is not here"


def _standing(
    listed: Mapping[str, Any], contents: Mapping[str, Mapping[str, Any]], told: Told
) -> Iterator[str]:
    """What supersedes what, and what was withdrawn, is told as it is on record."""
    newer = {
        content["supersedes"]["number"]: number
        for number, content in contents.items()
        if content["supersedes"]
    }
    for number, one in listed.items():
        if one["superseded_by"] != newer.get(number, ""):
            yield f"{number}: it is superseded by {newer.get(number, 'nothing')}; the list differs"
        if one["withdrawn"] != told.withdrawn.get(number, ""):
            yield f"{number}: that it was withdrawn is not told as entries tell it"


def _stored(bundle: Held, name: str, file: Mapping[str, Any], told: Told) -> Iterator[str]:
    """A file is here as its hash says, or an entry tells that two people disposed of it."""
    here = bundle.hashes.get(f"data/{file['file']}")
    if here is None and file["sha256"] in told.disposed:
        return
    if file["sha256"] and here != file["sha256"]:
        yield f"{name}: the file is not the one that was received or approved"
