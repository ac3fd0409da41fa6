"""The folder that backups lie in.

- ``store/ab/abcdef…``: stored files, write-once, of all backups in the folder together;
- ``backups/20261122T151100Z/``: one backup: ``database.sqlite`` or ``database.dump``, ``store.txt``
  (the stored files that belong to it, by hash), ``public/`` (certificates and public keys);
- in it ``manifest.json``, ``manifest.sig`` (over its bytes, SHA-256) and ``manifest.pem``, the
  certificate of the seal that signed: ``openssl dgst -sha256 -verify`` reads them.

A backup has its name only once it is whole; until then it is called ``.part-…``.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from batchqc.core.backups import Manifest
from batchqc.documents.archive import FolderArchive
from batchqc.documents.signing_keys import SigningKey
from batchqc.documents.verifier.chains import (
    check_purpose,
    check_validity,
    path_to_root,
    read_roots,
    verify_signature,
)
from batchqc.documents.verifier.findings import Failed
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound

LIST: Final = "store.txt"
PUBLIC: Final = "public"
PART: Final = ".part-"
"""What the name of a backup begins with until it is whole."""
_MANIFEST, _SIGNATURE, _CERTIFICATE = "manifest.json", "manifest.sig", "manifest.pem"


def store_of(folder: Path) -> FolderArchive:
    """The stored files of all backups in a folder."""
    return FolderArchive(folder / "store")


def begin(folder: Path, name: str) -> Path:
    """The folder of a new backup, under another name until it is whole.

    Raises:
        Conflict: BQC-BAK-010 there is one of this name.
        InvalidInput: the folder cannot be written.
    """
    if (folder / "backups" / name).exists():
        raise Conflict("BQC-BAK-010", f"there is a backup {name} already", hint="Try again.")
    part = folder / "backups" / f"{PART}{name}"
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(mode=0o700, parents=True)  # password hashes and donors are in it
    except OSError as error:
        said = f"{folder} cannot be written: {error.strerror}"
        raise InvalidInput("BQC-CSV-002", said) from error
    return part


def finish(part: Path, manifest: Manifest, key: SigningKey, certificate: x509.Certificate) -> Path:
    """Write the manifest with its signature, and give the backup its name."""
    data = manifest.data
    (part / _MANIFEST).write_bytes(data)
    (part / _SIGNATURE).write_bytes(key.sign(data))
    (part / _CERTIFICATE).write_bytes(certificate.public_bytes(Encoding.PEM))
    for file in (*part.rglob("*"), part):
        _sync(file)
    whole = part.with_name(manifest.name)
    part.rename(whole)
    _sync(whole.parent)
    return whole


def backups_in(folder: Path) -> list[str]:
    """The names of the backups that are whole, oldest first."""
    found = (folder / "backups").glob("[0-9]*")
    return sorted(one.name for one in found if (one / _MANIFEST).is_file())


def the_backup(folder: Path, name: str = "") -> Path:
    """A backup by its name; the newest where none is given.

    Raises:
        NotFound: BQC-BAK-001 there is none.
    """
    names = backups_in(folder)
    if not names or (name and name not in names):
        raise NotFound(
            "BQC-BAK-001",
            f"there is no backup {name} in {folder}".replace("  ", " "),
            hint=f"There are: {', '.join(names)}" if names else "Make one: `batchqc backup`.",
        )
    return folder / "backups" / (name or names[-1])


def read_backup(backup: Path, *, root_pem: bytes) -> Manifest:
    """The manifest of a backup, once its seal and each of its parts were verified.

    Raises:
        IntegrityFailure: BQC-BAK-002: each part that is changed or missing is a reason.
    """
    problems = list(_seal_problems(backup, root_pem))
    if not problems:
        data = (backup / _MANIFEST).read_bytes()
        manifest = Manifest.read(json.loads(data))
        problems = list(_part_problems(backup, manifest))
        if manifest.name != backup.name:  # an older one, given the name of a newer one
            problems.append(f"it calls itself {manifest.name}: its folder was renamed")
        if not problems:
            return manifest
    raise IntegrityFailure(
        "BQC-BAK-002",
        f"the backup {backup.name} is not whole",
        reasons=problems,
        hint="Nothing was restored. Take another backup, or another copy of this one.",
    )


def listed(backup: Path) -> list[str]:
    """The hashes of the stored files that belong to a backup."""
    return (backup / LIST).read_text("ascii").split()


def sha256_of_file(path: Path) -> str:
    """The hash of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parts_of(backup: Path) -> dict[str, str]:
    """The hash of each part of a backup by its path, without the manifest."""
    own = {_MANIFEST, _SIGNATURE, _CERTIFICATE}
    found = (one for one in sorted(backup.rglob("*")) if one.is_file())
    names = {one.relative_to(backup).as_posix(): one for one in found}
    return {name: sha256_of_file(one) for name, one in names.items() if name not in own}


def _seal_problems(backup: Path, root_pem: bytes) -> Iterator[str]:
    """Whether a seal of the site signed the manifest, while its certificate was valid."""
    try:
        data = (backup / _MANIFEST).read_bytes()
        made_at = datetime.fromisoformat(json.loads(data)["made at"])
        _, _, der = pem.unarmor((backup / _CERTIFICATE).read_bytes())
        certificate = asn1_x509.Certificate.load(der, strict=True)
        check_purpose(certificate)
        check_validity(path_to_root(certificate, (), read_roots(root_pem)), made_at)
        verify_signature(certificate, (backup / _SIGNATURE).read_bytes(), data, digest="sha256")
    except FileNotFoundError as problem:
        yield f"{Path(problem.filename).name} is missing"
    except Failed as problem:
        yield f"manifest.json: {problem}"
    except (ValueError, KeyError, TypeError):
        yield "manifest.json, manifest.sig or manifest.pem cannot be read"


def _part_problems(backup: Path, manifest: Manifest) -> Iterator[str]:
    found = parts_of(backup)
    for name in sorted(manifest.files.keys() - found.keys()):
        yield f"{name} is missing"
    for name in sorted(found.keys() - manifest.files.keys()):
        yield f"{name} does not belong to it"
    for name in sorted(manifest.files.keys() & found.keys()):
        if manifest.files[name] != found[name]:
            yield f"{name} was changed"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
