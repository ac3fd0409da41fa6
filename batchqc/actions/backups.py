"""A backup while the system runs, and the way back, verified.

The database is copied first, then the files that the copy names: each was stored before the row
that names it. So a backup is one state between two commits, whoever writes meanwhile.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Engine, inspect
from sqlalchemy.orm import Session

from batchqc import __version__
from batchqc.actions.backup_age import MADE
from batchqc.actions.own_store import installation_of
from batchqc.actions.removals import tombstone_of
from batchqc.actions.stored_names import named_after
from batchqc.core.backups import Manifest, unlike
from batchqc.documents.archive import Archive, FolderArchive
from batchqc.documents.backup_folder import (
    LIST,
    PART,
    PUBLIC,
    begin,
    finish,
    listed,
    parts_of,
    store_of,
)
from batchqc.documents.pades import SealKey
from batchqc.errors import Conflict, Disposed, IntegrityFailure, InvalidInput, StoreUnavailable
from batchqc.records.database import revisions_in
from batchqc.records.database_copy import contents_of, copied, copy_back
from batchqc.records.retention import disposed_objects
from batchqc.records.transaction import SYSTEM, reading, transaction

_PORTION: Final = 1000


class Source(NamedTuple):
    """What is copied: database and store, and the address of a store that is not copied, or ""."""

    engine: Engine
    archive: Archive
    kept_at: str = ""


class Made(NamedTuple):
    """A backup that was made: where, what it says, and how many files were new in the folder."""

    path: Path
    manifest: Manifest
    new: int


def make_backup(
    what: Source, seal: SealKey, *, folder: Path, public: Mapping[str, Path], now: datetime
) -> Made:
    """Make a backup, and put on record that it was made.

    Args:
        what: database and store.
        seal: signs the manifest.
        folder: that backups lie in.
        public: files that are no secrets, by their path in the new home.
        now: the moment.

    Raises:
        InvalidInput: BQC-BAK-013 the folder's store is that of the installation: nothing is copied.
        Conflict: BQC-BAK-010 there is a backup of this moment.
        StoreUnavailable: the store or the programs of PostgreSQL cannot be used, or BQC-BAK-014 the
            folder is full; nothing of the backup is left.
        SigningUnavailable: the seal is not valid now.
    """
    _check_apart(what.archive, folder)
    seal.check_valid(now)
    name = f"{now:%Y%m%dT%H%M%SZ}"
    part = begin(folder, name)
    try:
        made = _written(what, seal, part, folder=folder, public=public, now=now)
    except OSError as error:
        raise StoreUnavailable(
            "BQC-BAK-014",
            f"no backup was made: {error.strerror or error}",
            hint="See that there is room in its folder. Nothing of it is left; make it again.",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)  # what is whole has another name
    contents, lacking = made.manifest.contents, made.manifest.lacking
    with transaction(what.engine, SYSTEM, now) as tx:
        tx.audit(
            MADE,
            after={
                "backup": name, "entries": contents.entries, "head": contents.head,
                "files": len(listed(made.path)), "lacking": len(lacking),
            },
        )  # fmt: skip
    return made


def _written(
    what: Source,
    seal: SealKey,
    part: Path,
    *,
    folder: Path,
    public: Mapping[str, Path],
    now: datetime,
) -> Made:
    """A backup that is whole."""
    for to, file in public.items():
        part.joinpath(PUBLIC, to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, part.joinpath(PUBLIC, to))
    with copied(what.engine, part) as session:
        contents, names = contents_of(session), list(_named(session, what.archive))
    new, lacking, kept = 0, list[str](), store_of(folder)
    if not what.kept_at:
        new, lacking = _copied(what.archive, kept, names)
        names = [one for one in names if one in lacking or kept.stored_at(one) is not None]
    part.joinpath(LIST).write_text("".join(f"{one}\n" for one in names), "ascii")
    kind, parts = what.engine.dialect.name, parts_of(part)
    name = part.name.removeprefix(PART)
    manifest = Manifest(name, now, __version__, kind, contents, what.kept_at, parts, tuple(lacking))
    return Made(finish(part, manifest, seal.key, seal.certificate), manifest, new)


def check_fits(
    manifest: Manifest, backup: Path, *, engine: Engine, to: Path, migrations: Path
) -> None:
    """Refuse to restore where something is in the way, with every reason.

    Raises:
        Conflict: BQC-BAK-004 it is of another version; BQC-BAK-009 of another kind of database;
            BQC-BAK-003 the target is not empty.
        IntegrityFailure: BQC-BAK-002 stored files are missing.
    """
    if manifest.contents.schema != revisions_in(migrations)[-1]:
        raise Conflict(
            "BQC-BAK-004",
            f"the backup is of schema {manifest.contents.schema}, made by batchqc"
            f" {manifest.software}: this version has another one",
            hint="Restore with the version of batchqc that made it; then `batchqc migrate`.",
        )
    if manifest.kind != engine.dialect.name:
        raise Conflict(
            "BQC-BAK-009", f"the backup is of {manifest.kind}, and the target {engine.dialect.name}"
        )
    if full := list(_in_the_way(engine, to)):
        raise Conflict(
            "BQC-BAK-003",
            "the target is not empty",
            reasons=full,
            hint="Name a new folder, and for PostgreSQL a new database. Nothing was changed.",
        )
    kept = store_of(backup.parent.parent)
    names = [] if manifest.store else listed(backup)
    gone = [one for one in names if one not in manifest.lacking and kept.stored_at(one) is None]
    if gone:
        raise IntegrityFailure(
            "BQC-BAK-002",
            f"the backup {backup.name} is not whole",
            reasons=[f"store: {one} is missing" for one in gone],
            hint="Nothing was restored. Take another backup, or another copy of this one.",
        )


def restore_backup(
    backup: Path, manifest: Manifest, *, engine: Engine, archive: Archive, to: Path
) -> None:
    """Restore a backup that fits, and compare what came of it with what it says.

    Args:
        backup: its folder.
        manifest: what it says, verified.
        engine: of the empty database.
        archive: the empty store; where the backup's files are kept elsewhere, the store itself.
        to: the new home.

    Raises:
        IntegrityFailure: BQC-BAK-008: rows, or the end of the audit trail, are not what the backup
            says, or stored files are damaged; each is a reason.
    """
    copy_back(backup, engine)
    if backup.joinpath(PUBLIC).is_dir():
        shutil.copytree(backup.joinpath(PUBLIC), to, dirs_exist_ok=True)
    problems = []
    if not manifest.store:
        with reading(engine) as session:  # it is empty, and knows itself what it is
            for installation in installation_of(session):
                archive.mark(installation)
        names = [one for one in listed(backup) if one not in manifest.lacking]
        _, damaged = _copied(store_of(backup.parent.parent), archive, names)
        problems = [f"store: {one} is damaged in the backup" for one in damaged]
    with reading(engine) as session:
        problems += unlike(manifest.contents, contents_of(session))
        if not manifest.store:
            for row in disposed_objects(session):
                if archive.stored_at(row.sha256) is None:  # else something kept it since
                    archive.dispose(tombstone_of(row))
    if problems:
        raise IntegrityFailure(
            "BQC-BAK-008",
            "what was restored is not what the backup says",
            reasons=problems,
            hint="Do not work with it. Take another backup, or another copy of this one.",
        )


def _check_apart(archive: Archive, folder: Path) -> None:
    kept = store_of(folder).root.resolve()
    if isinstance(archive, FolderArchive) and archive.root.resolve() in (kept, *kept.parents):
        raise InvalidInput(
            "BQC-BAK-013",
            f"{kept} is the store of this installation: no stored file would be copied",
            hint="Name a folder on a disk of another machine.",
        )


def _named(session: Session, archive: Archive) -> Iterator[str]:
    """Every stored file that records name, but what was disposed of and is gone.

    What was disposed of is there still where a legal hold was laid before it went.
    """
    after = ""
    while names := named_after(session, after, limit=_PORTION):
        gone = {one.sha256 for one in disposed_objects(session, names)}
        yield from (one for one in names if one not in gone or archive.stored_at(one) is not None)
        after = names[-1]


def _copied(source: Archive, to: Archive, names: Iterable[str]) -> tuple[int, list[str]]:
    """Copy files that are not there yet, each verified; how many, and those that are not sound.

    What is disposed of meanwhile is neither.
    """
    new, unsound = 0, []
    for name in names:
        if to.stored_at(name) is not None:
            continue
        try:
            to.put_stream(source.chunks(name))
            new += 1
        except Disposed:
            continue
        except IntegrityFailure:
            unsound.append(name)
    return new, unsound


def _in_the_way(engine: Engine, to: Path) -> Iterator[str]:
    if engine.dialect.name == "sqlite":
        for beside in ("", "-wal", "-journal"):  # SQLite would play back what another left behind
            if Path(f"{engine.url.database}{beside}").exists():
                yield f"there is {engine.url.database}{beside}"
    elif tables := inspect(engine).get_table_names():
        yield f"the database has {len(tables)} tables"
    for one in ("store", "keys", "trust"):
        place = to.joinpath(one)
        if place.is_file() or (place.is_dir() and any(place.iterdir())):
            yield f"there is {place}"
