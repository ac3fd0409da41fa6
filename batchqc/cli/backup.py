"""``batchqc backup``, ``restore`` and ``drill``."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchqc import clock
from batchqc.actions.backups import Source, check_fits, make_backup, restore_backup
from batchqc.cli.csv_out import new_folder, write_new
from batchqc.cli.doctor import examined_at, refuse_unsound, show
from batchqc.cli.show import named, say
from batchqc.cli.workplace import Reason, User, Workplace, at_keyboard, workplace
from batchqc.core.backups import NOT_IN_IT
from batchqc.core.permissions import Permission
from batchqc.documents.backup_folder import PUBLIC, read_backup, the_backup
from batchqc.documents.stores import open_archive
from batchqc.errors import BatchqcError, IntegrityFailure, InvalidInput
from batchqc.records.transaction import reading
from batchqc.settings import Settings, bundled

if TYPE_CHECKING:
    from batchqc.actions.drills import Drill
    from batchqc.core.backups import Manifest

From = Annotated[Path, typer.Option("--from", help="The folder of the backups.", exists=True)]
Name = Annotated[str, typer.Option("--backup", help="Its name; the newest where none is given.")]
Database = Annotated[
    str, typer.Option("--database", help="PostgreSQL: the address of an empty database.")
]

_SAMPLE = 25
"""Certificates that are verified of what was restored, spread over all of them."""


def backup(
    context: typer.Context,
    to: Annotated[
        Path, typer.Option("--to", parser=named, help="The folder of the backups; made where none.")
    ],
) -> None:
    """Copy database, stored files and public keys while the system runs, and sign the manifest.

    To be run every day, on a disk of another machine. Keys and passphrases are not in it.
    """
    place = workplace(context)
    address = str(place.settings.store)
    source = Source(place.engine, place.archive, address if address.startswith("s3:") else "")
    seal = place.press.seal_key()
    made = make_backup(
        source, seal, folder=to, public=public_files(place.settings), now=place.now()
    )
    said = made.manifest
    say(f"{made.path} is written: {said.contents.entries} entries, {made.new} new stored files.")
    if said.store:
        say(f"Stored files are not in it: {said.store} keeps their versions.")
    say(f"Not in it, to be kept apart: {NOT_IN_IT}.")
    if said.lacking:
        raise IntegrityFailure(
            "BQC-BAK-007",
            f"{len(said.lacking)} stored files are missing or damaged, and so in the backup",
            reasons=said.lacking,
            hint="`batchqc archive scrub --all` tells the lots concerned.",
        )


def restore(
    folder: From,
    to: Annotated[Path, typer.Option("--to", parser=named, help="The new home; it is made.")],
    *,
    name: Name = "",
    database: Database = "",
    root: Annotated[
        Path | None, typer.Option(help="Your root.pem; without it that of the backup is taken.")
    ] = None,
    verify: Annotated[bool, typer.Option(help="Examine what was restored, as doctor does.")] = True,
) -> None:
    """Restore a backup into a new home, compare it with its manifest, and examine it."""
    chosen = the_backup(folder, name)
    trusted = root or chosen / PUBLIC / "trust" / "root.pem"
    if not trusted.is_file():
        raise InvalidInput("BQC-BAK-011", f"there is no {trusted}: give your root.pem as --root")
    manifest = read_backup(chosen, root_pem=trusted.read_bytes())
    with restored_at(chosen, manifest, to=to, database=database) as place:
        said = manifest.contents
        say(f"{chosen.name} is restored to {to}: {said.entries} entries, head {said.head}.")
        if root is None:
            say("The root was the backup's own: hold root.pem elsewhere, and give it as --root.")
        say(f"Put back from where they are kept apart: {NOT_IN_IT}.")
        if verify:
            from batchqc.actions.doctor import examine_installation  # noqa: PLC0415 - starts faster

            found = examine_installation(
                examined_at(place, restored=True, shared=bool(manifest.store)), sample=_SAMPLE
            )
            show(found)
            refuse_unsound(found)


def drill(
    context: typer.Context,
    folder: From,
    user: User,
    reason: Reason,
    *,
    name: Name = "",
    database: Database = "",
) -> None:
    """Restore a backup where nobody works, examine it, and put on record what came of it.

    By QA, as often as your procedure says. The entry and its proof are written beside the backups.
    """
    from batchqc.actions.doctor import examine_installation  # noqa: PLC0415 - others start faster
    from batchqc.actions.drills import Drill, check_of_own, record_drill  # noqa: PLC0415 - as above

    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_ARCHIVE)
    signer = place.press.log_key()
    chosen = the_backup(folder, name)
    records = folder / "drills"
    new_folder(records)  # before anything is on record
    done = Drill(chosen.name, place.now())
    try:
        manifest = read_backup(chosen, root_pem=(place.settings.trust / "root.pem").read_bytes())
        done = _begun(done, manifest)
        with reading(place.engine) as session:
            check_of_own(session, manifest)
        with (
            tempfile.TemporaryDirectory(prefix="batchqc-drill-") as scratch,
            restored_at(chosen, manifest, to=Path(scratch) / "home", database=database) as restored,
        ):
            found = examine_installation(
                examined_at(restored, restored=True, shared=bool(manifest.store)), sample=_SAMPLE
            )
        done = replace(done, examined=found)
        show(found)
    except Exception as problem:  # noqa: BLE001 - whatever it ended in is on record
        done = replace(done, problems=_problems(problem))
    proved = record_drill(place.engine, signer, done, actor=actor, reason=reason, clock=place.now)
    record = records / f"{chosen.name}-{proved.sequence}.json"
    write_new(record, proved.entry.encode())
    write_new(record.with_suffix(".tlog-proof"), proved.proof.text.encode())
    say(f"Entry {proved.sequence} of the audit trail is the record. {record} is written.")
    if not done.is_good:
        findings = done.examined.findings if done.examined else ()
        raise IntegrityFailure(
            "BQC-BAK-012",
            f"the drill with backup {chosen.name} failed",
            reasons=[*done.problems, *(f"{one.where}: {one.what}" for one in findings)],
            hint="Make a new backup and drill again; record a deviation.",
        )


def _begun(done: "Drill", manifest: "Manifest") -> "Drill":
    """A drill with a backup that is whole; who drills is told how old that is."""
    from batchqc.actions.backup_age import age_text  # noqa: PLC0415 - others start faster

    known = replace(done, manifest=manifest)
    say(f"Backup {manifest.name} was made {age_text(known.age)} ago.")
    return known


def _problems(problem: Exception) -> tuple[str, ...]:
    if isinstance(problem, BatchqcError):
        reasons = map(str, getattr(problem, "reasons", ()))
        return (f"{problem.code}: {problem.message}", *reasons)
    return (f"{type(problem).__name__}: {problem}".splitlines()[0],)


@contextmanager
def restored_at(
    chosen: Path,
    manifest: "Manifest",
    *,
    to: Path,
    database: str,
    now: Callable[[], datetime] = clock.now,
) -> Iterator[Workplace]:
    """A backup restored into a home; its connections are closed afterwards."""
    if manifest.kind == "postgresql" and not database:
        raise InvalidInput(
            "BQC-BAK-011", "the backup is of PostgreSQL: name an empty database as --database"
        )
    own = Settings.in_folder(to)
    settings = own.model_copy(update={"database": database}) if database else own
    place = Workplace.at(settings, now=now)
    if manifest.store:
        store = open_archive(
            manifest.store, endpoint=settings.store_endpoint, region=settings.store_region
        )
        place = replace(place, archive=store)
    try:
        check_fits(manifest, chosen, engine=place.engine, to=to, migrations=bundled("migrations"))
        new_folder(to)
        restore_backup(chosen, manifest, engine=place.engine, archive=place.archive, to=to)
        yield place
    finally:
        place.engine.dispose()


def public_files(settings: Settings) -> dict[str, Path]:
    """Files that are no secrets, by their path in a home."""
    roots = settings.sealing.root
    found = {f"trust/{one.name}": one for one in sorted(settings.trust.glob("*")) if one.is_file()}
    found |= {"keys/root.pem": roots.certificate, "keys/root.crl": roots.revocation_list}
    return {to: file for to, file in found.items() if file.is_file()}
