"""Verify an auditor's bundle, without batchqc and without a network.

    python verify/verify_bundle.py --root root.pem --log-key log.vkey [--tsa-root tsa-root.pem]
                                   [--checkpoint FILE]...

Give your own copies of the anchors: without them those of the bundle are used, and told. Every
check has a line; exit status 0 where all hold, 1 where one does not, 2 where it was called wrongly.

Checked are the manifests and the note over them, every checkpoint against the hashes of all
entries (so that each extends the one before), their timestamps, every entry of the slices, every
certificate by itself, its proof, its date against the checkpoints before it, its data, and whether
what it rests on is here. Nothing is computed anew: no verdict, no result. ``index.html`` and the
CSV files stand in the manifests only.
"""

import sys
from functools import partial

if __name__ == "__main__":
    sys.dont_write_bytecode = True  # the bundle stays as it is

import argparse
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchqc.documents.bundle.bundle_lots import lot_problems
from batchqc.documents.bundle.bundle_trail import Trail, stamp_told
from batchqc.documents.verifier.findings import Failed, escape_what_cannot_be_shown, plain
from batchqc.documents.verifier.signed_log import (
    LogKey,
    TreeHead,
    genuine_note,
    read_log_keys,
    read_tree_head,
)

NOTE = "bundle.note"
TAGS, PAYLOAD = "tagmanifest-sha256.txt", "manifest-sha256.txt"
_CHUNK = 1 << 20
# What reading ends in where bytes are hostile, or JSON has another form than it should.
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RuntimeError, OSError)


@dataclass
class Bundle:
    """A bundle in a folder, the anchors by which it is verified, and what was found so far."""

    folder: Path
    root: bytes
    tsa_roots: bytes
    keys: tuple[LogKey, ...]
    own: list[str]
    hashes: dict[str, str] = field(default_factory=dict)
    trail: Trail = field(default_factory=lambda: Trail(()))
    checkpoints: dict[int, tuple[TreeHead, str]] = field(default_factory=dict)
    size: int = 0
    failed: int = 0

    def text(self, path: str) -> str:
        """A file of the bundle as text."""
        try:
            return (self.folder / path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Failed(f"{path} cannot be read: {type(error).__name__}") from error

    def check(self, name: str, problems: Callable[[], Iterator[str]]) -> None:
        """Run one check, and tell every problem that it finds."""
        found: list[str] = []
        try:
            found += problems()
        except Failed as problem:
            found.append(str(problem))
        except UNREADABLE as error:
            found.append(f"it cannot be read: {type(error).__name__} {error}")
        self.failed += bool(found)
        say(f"{'FAILED' if found else 'ok    '}  {plain(name)}")
        for one in found:
            say(f"          - {plain(one)}")


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{text}\n")


def verify(bundle: Bundle) -> bool:
    """Run every check; whether all hold."""
    bundle.check("signed by the site", lambda: _note(bundle))
    bundle.check("every file as listed, none added, none missing", lambda: _files(bundle))
    bundle.check("checkpoints are signed, and each extends the one before", lambda: _log(bundle))
    bundle.check("timestamps", lambda: _stamps(bundle))
    try:
        lines = bundle.text("data/lots.jsonl").splitlines()
        lots: list[dict[str, Any]] = [json.loads(line) for line in lines]
        certificates = sum(len(lot["certificates"]) for lot in lots)
        names = [f"lot {lot['lot']}" for lot in lots]
    except (Failed, *UNREADABLE) as problem:
        say(f"FAILED  the list of lots\n          - {plain(f'{type(problem).__name__} {problem}')}")
        return False
    for name, lot in zip(names, lots, strict=True):
        bundle.check(name, partial(lot_problems, bundle, lot))
    bundle.check("what was counted", lambda: _counted(bundle, len(lots), certificates))
    return not bundle.failed


def _note(bundle: Bundle) -> Iterator[str]:
    """The site signed the list of everything that explains and lists the rest."""
    lines = genuine_note(bundle.text(NOTE), bundle.keys).split("\n")
    kind, sha256, log, _ = lines
    if kind != "batchqc/bundle/1":
        yield f"{NOTE} is about something else"
    if _hash(bundle.folder / TAGS) != sha256:
        yield f"{TAGS} is not the one that the site signed: files were listed anew"
    bundle.size = int(log.rpartition(" ")[2])


def _files(bundle: Bundle) -> Iterator[str]:
    listed = _listed(bundle, TAGS) | _listed(bundle, PAYLOAD)
    if bundle.text("bagit.txt") != "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n":
        yield "bagit.txt does not say that this is a BagIt folder"
    for path, file in _found(bundle.folder):
        if path in {TAGS, NOTE}:
            continue
        if file.is_symlink():
            yield f"{path} is a link"
        elif path not in listed:
            yield f"{path} was added: it is not listed"
        else:
            bundle.hashes[path] = _hash(file)
            if bundle.hashes[path] != listed[path]:
                yield f"{path} was changed: it is not as listed"
    for path in sorted(listed.keys() - bundle.hashes.keys()):
        yield f"{path} is missing: it is listed"


def _listed(bundle: Bundle, manifest: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in bundle.text(manifest).splitlines():
        sha256, blank, path = line.partition("  ")
        inside = path.startswith("data/") == (manifest == PAYLOAD)
        if not blank or path in found or not inside or ".." in Path(path).parts:
            raise Failed(f"{manifest} cannot be read: {line[:80]}")
        found[path] = sha256
    return found


def _found(folder: Path) -> Iterator[tuple[str, Path]]:
    for where, folders, names in os.walk(folder):
        links = [one for one in folders if (Path(where) / one).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(where) / name
            yield path.relative_to(folder).as_posix(), path


def _log(bundle: Bundle) -> Iterator[str]:
    """Every checkpoint is signed, and speaks of the entries whose hashes are here."""
    yield from _checkpoints(bundle)
    with (bundle.folder / "data/log/entries.txt").open(encoding="ascii") as lines:
        bundle.trail = Trail(lines)
    yield from _sizes(bundle)
    yield from _held(bundle)
    said = bundle.checkpoints
    for size, root in bundle.trail.roots(said):
        head, note = said[size]
        if head.root != root:
            yield f"the checkpoint of {size} entries speaks of other entries than are here"
        if f"\naudit-head {bundle.trail.head(size)}\n" not in note:
            yield f"the checkpoint of {size} entries names another head of the audit trail"


def _checkpoints(bundle: Bundle) -> Iterator[str]:
    for path in sorted((bundle.folder / "data/log/checkpoints").glob("*.txt")):
        try:
            note = path.read_bytes().decode()
            one = read_tree_head(note, bundle.keys)
        except (Failed, UnicodeDecodeError) as problem:
            yield f"{path.name}: {problem}"
            continue
        if path.name != f"{one.size:012d}.txt":
            yield f"{path.name} is a checkpoint of {one.size} entries: it was swapped"
        bundle.checkpoints[one.size] = one, note


def _held(bundle: Bundle) -> Iterator[str]:
    """The checkpoints that the auditor holds are of this log."""
    for note in bundle.own:
        one = read_tree_head(note, bundle.keys)
        if one.size > len(bundle.trail):
            yield f"your checkpoint has {one.size} entries: the bundle is older, or was cut"
        elif bundle.checkpoints.setdefault(one.size, (one, note))[0].root != one.root:
            yield f"your checkpoint of {one.size} entries says something else: another log"


def _sizes(bundle: Bundle) -> Iterator[str]:
    most, many = max(bundle.checkpoints, default=0), len(bundle.trail)
    asked = json.loads(bundle.text("data/export.json"))
    newest = bundle.checkpoints.get(most)
    if not most == many == asked["entries"] == bundle.size:
        yield (
            f"the newest checkpoint has {most} entries, there are hashes of {many}, the export is"
            f" of {asked['entries']} and was signed for {bundle.size}"
        )
    elif newest and (newest[0].root.hex(), newest[0].origin) != (asked["root"], asked["log"]):
        yield "export.json speaks of another log"


def _stamps(bundle: Bundle) -> Iterator[str]:
    """What a timestamp service saw is what was signed; that is not later than it says."""
    paths = sorted((bundle.folder / "data/log/checkpoints").glob("*.tsr"))
    if paths and not bundle.tsa_roots:
        yield "there are timestamps, and no root of the service: give --tsa-root"
        return
    for path in paths:
        said = bundle.checkpoints.get(int(path.stem))
        problem, note = stamp_told(path, bundle.tsa_roots, said[0].at if said else None)
        if note:
            say(f"note    {path.name} {note}")
        if problem:
            yield f"{path.name}{problem}"


def _counted(bundle: Bundle, lots: int, certificates: int) -> Iterator[str]:
    asked = json.loads(bundle.text("data/export.json"))
    counts = asked["counts"]
    if (counts["lots"], counts["certificates"]) != (lots, certificates):
        yield f"{lots} lots and {certificates} certificates are listed; the export says {counts}"
    if asked["lots.jsonl sha256"] != _hash(bundle.folder / "data/lots.jsonl"):
        yield "lots.jsonl is not the list that the site put on record"


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Verify the bundle that this script lies in.")
    here = Path(__file__).resolve().parents[1]
    parser.add_argument("folder", nargs="?", type=Path, default=here, help="another bundle")
    parser.add_argument("--root", type=Path, help="your copy of root.pem")
    parser.add_argument("--log-key", type=Path, help="your copy of log.vkey")
    parser.add_argument("--tsa-root", type=Path, help="root of the timestamp service, PEM")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="one you hold")
    return parser.parse_args(given)


def _anchor(given: Path | None, own: Path) -> bytes:
    """An anchor of trust; where none is given, that of the bundle, which is told."""
    if given is None and own.is_file():
        data = own.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        say(
            f"note    {own.name} is the bundle's own copy; compare its SHA-256 with yours: {sha256}"
        )
        return data
    return given.read_bytes() if given else b""


def main(given: list[str] | None = None) -> int:
    """Verify, and say what was found.

    Returns:
        0 where every check holds, 1 where one does not, 2 where an anchor cannot be read.
    """
    asked = _arguments(given)
    escape_what_cannot_be_shown()
    trust = asked.folder / "data/trust"
    try:
        bundle = Bundle(
            asked.folder,
            _anchor(asked.root, trust / "root.pem"),
            _anchor(asked.tsa_root, trust / "tsa-root.pem"),
            read_log_keys(_anchor(asked.log_key, trust / "log.vkey").decode()),
            [path.read_text("utf-8") for path in asked.checkpoint],
        )
    except (OSError, ValueError, Failed) as error:
        say(f"an anchor or a checkpoint cannot be read: {error}")
        return 2
    holds = verify(bundle)
    say("Everything holds." if holds else "NOT VERIFIED: see what failed above.")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
