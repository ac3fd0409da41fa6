"""A lot dossier as a file from elsewhere: everything in it is as its manifests and its note say.

Nothing is unpacked by the names inside. What is not listed, listed twice, or not as listed is
refused, with every other problem of the file. An export compresses nothing: so no small file can be
made that is read without end.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from batchqc.core.signed_notes import NoteKey, key_of, note_of
from batchqc.documents.bag import NOTE, NOTE_TYPE
from batchqc.documents.log_key import verify_ed25519
from batchqc.errors import BatchqcError, IntegrityFailure, InvalidInput

_PAYLOAD: Final = "manifest-sha256.txt"
_TAGS: Final = "tagmanifest-sha256.txt"
_CHUNK: Final = 1 << 16
# What reading ends in: a ZIP file of a later form and JSON without end are RuntimeErrors.
_UNREADABLE: Final = (
    OSError, zipfile.BadZipFile, EOFError, KeyError, TypeError, ValueError,
    NotImplementedError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DossierFile:
    """An open dossier whose every file was compared with its manifests."""

    content: Mapping[str, Any]
    files: Mapping[str, str]
    _zip: zipfile.ZipFile
    _folder: str

    def lines(self, path: str) -> Iterator[str]:
        """The lines of a file under ``data/``, without their ends."""
        with self.stream(path) as file:
            for line in file:
                yield line.decode().removesuffix("\n")

    def stream(self, path: str) -> IO[bytes]:
        """A file under ``data/``."""
        return self._zip.open(f"{self._folder}/data/{path}")

    def chunks(self, path: str) -> Iterator[bytes]:
        """The same in chunks."""
        with self.stream(path) as file:
            yield from iter(lambda: file.read(_CHUNK), b"")

    @property
    def stored(self) -> list[str]:
        """The hashes of what belongs into the store."""
        return sorted(one.removeprefix("data/store/") for one in self.files if "/store/" in one)


@contextmanager
def opened_dossier(path: Path, keys: str = "") -> Iterator[DossierFile]:
    """A dossier, once everything in it was compared.

    Args:
        path: of the file.
        keys: the keys of the log of the instance that it is of, as its site hands them out; where
            none are given, those inside are believed.

    Raises:
        InvalidInput: BQC-IMP-001 it is no dossier.
        IntegrityFailure: BQC-IMP-003 it is not what was signed; every problem is a reason.
    """
    try:
        with zipfile.ZipFile(path) as file:
            if packed := [one.filename for one in file.infolist() if _is_packed(one)]:
                raise not_as_said(f"{one} is compressed or encrypted" for one in packed)
            names = [one for one in file.namelist() if not one.endswith("/")]
            folder = names[0].partition("/")[0] if names else ""
            content = json.loads(file.read(f"{folder}/data/dossier.json"))
            own = "\n".join(map(str, content["log_keys"]))
            problems = [*_problems(file, folder, names, keys or own)]
            if problems:
                raise not_as_said(problems)
            yield DossierFile(content, _listed(file, folder, _PAYLOAD), file, folder)
    except _UNREADABLE as error:
        raise _none(path, error) from error


def not_as_said(problems: Iterable[str]) -> IntegrityFailure:
    """A dossier is not what it says."""
    return IntegrityFailure(
        "BQC-IMP-003",
        "the dossier is not what was exported; nothing was imported",
        reasons=list(problems),
        hint="Get it again from the site, and keep this file as it is.",
    )


def _none(path: Path, error: Exception) -> InvalidInput:
    return InvalidInput(
        "BQC-IMP-001", f"{path} is no dossier of a lot: {type(error).__name__} {error}"
    )


def _is_packed(one: zipfile.ZipInfo) -> bool:
    return one.compress_type != zipfile.ZIP_STORED or bool(one.flag_bits & 1)


def _problems(file: zipfile.ZipFile, folder: str, names: list[str], keys: str) -> Iterator[str]:
    yield from _note_problems(file, folder, keys)
    listed = _listed(file, folder, _PAYLOAD) | _listed(file, folder, _TAGS)
    found = set()
    for name in names:
        path = name.removeprefix(f"{folder}/")
        if path in found or path not in listed.keys() | {_TAGS, NOTE}:
            yield f"{name} is not listed, or is there twice"
        elif path in listed and _hash(file, name) != listed[path]:
            yield f"{name} is not as listed"
        found.add(path)
    yield from (f"{path} is missing" for path in sorted(listed.keys() - found))


def _note_problems(file: zipfile.ZipFile, folder: str, keys: str) -> Iterator[str]:
    try:
        note = note_of(file.read(f"{folder}/{NOTE}").decode())
        note.signed_by(_keys(keys), verify_ed25519)
    except BatchqcError as error:
        yield error.message
        return
    kind, sha256, *_ = note.text.split("\n")
    if (kind, sha256) != (NOTE_TYPE, _hash(file, f"{folder}/{_TAGS}")):
        yield "its list of files is not the one that the site signed"


def _keys(text: str) -> list[NoteKey]:
    return [key_of(line) for line in text.splitlines() if line.strip()]


def _listed(file: zipfile.ZipFile, folder: str, name: str) -> dict[str, str]:
    lines = file.read(f"{folder}/{name}").decode().splitlines()
    return {path: sha256 for sha256, _, path in (line.partition("  ") for line in lines)}


def _hash(file: zipfile.ZipFile, name: str) -> str:
    with file.open(name) as stream:
        digest = hashlib.sha256()
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()
