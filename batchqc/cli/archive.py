"""``batchqc archive``: what is stored is read again, restored, and kept for its time."""

from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.raw_objects import protect, raw_hashes
from batchqc.actions.scrubs import Found, ScrubWanted, open_damage, restore, scrub
from batchqc.cli import retention
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.documents.stored import CHUNK
from batchqc.errors import IntegrityFailure, InvalidInput
from batchqc.records.transaction import SYSTEM, reading, transaction

app = typer.Typer(help="The archive: read it again, restore files, retention, hold, disposal.")
app.command()(retention.due)
app.command()(retention.rule)
app.command()(retention.hold)
app.command("release-hold")(retention.release_hold)
app.command()(retention.dispose)
app.command("finish-disposals")(retention.finish)

_SHOWN = 20


@app.command("scrub")
def scrub_(
    context: typer.Context,
    *,
    sample: Annotated[int, typer.Option(min=0, help="Read so many: the next in turn.")] = 0,
    everything: Annotated[bool, typer.Option("--all", help="Read everything.")] = False,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what was stored since.")
    ] = None,
) -> None:
    """Read what records name again; exit status 7 where something is missing or damaged.

    To be run every day with --sample. What stopped goes on where it was, with the same options.
    """
    if bool(sample) == everything:
        raise InvalidInput("BQC-ARC-016", "say either --sample N or --all")
    place = workplace(context)
    wanted = ScrubWanted(sample, since.date() if since else None)
    checked, found = 0, list[Found]()
    for part in scrub(place.engine, place.archive, wanted, actor=SYSTEM, clock=place.now):
        checked += part.checked
        found += part.found
        _tell("named by no record, which harms nothing", part.orphans)
        _tell("left behind by a crash, which harms nothing", part.leftovers)
    say(f"{checked} files were read again; {len(found)} are missing or damaged.")
    if found:
        raise IntegrityFailure(
            "BQC-ARC-017",
            f"{len(found)} archived files are missing or damaged",
            reasons=[_told(one) for one in found],
            hint="Find the originals, then `batchqc archive restore FILE`.",
        )


@app.command()
def damage(context: typer.Context) -> None:
    """What is missing or damaged and not mended, with the lots concerned."""
    with reading(workplace(context).engine) as session:
        rows = [
            (one.sha256, one.problem, f"{one.archive_scrub.scrubbed_at:%Y-%m-%d}", ", ".join(lots))
            for one, lots in open_damage(session)
        ]
    table(
        ("File", "Is", "Found", "Lots"), rows, empty="Nothing that was read is missing or damaged."
    )


@app.command("restore")
def restore_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The original.", exists=True, dir_okay=False)],
    user: User,
    reason: Reason,
) -> None:
    """Put an original back where it is missing or damaged; its hash is what a record names."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_ARCHIVE)
    with file.open("rb") as stream:
        sha256 = file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        with transaction(place.engine, actor, place.now()) as tx:
            chunks = iter(lambda: stream.read(CHUNK), b"")
            restore(tx, place.archive, sha256=sha256, chunks=chunks, reason=reason)
    say(f"{sha256} is in the archive again.")


@app.command("protect")
def protect_(context: typer.Context) -> None:
    """Have the store itself keep raw data for its retention, and under legal holds.

    To be run every day where the store is S3; a folder knows no locks.
    """
    place = workplace(context)
    if not str(place.settings.store).startswith("s3://"):
        say("The store is a folder, which knows no locks: nothing is protected.")
        return
    with reading(place.engine) as session:
        hashes = list(raw_hashes(session))
    for sha256 in hashes:
        protect(place.engine, place.archive, sha256)
    say(f"{len(hashes)} files are kept by the store as long as the records say.")


def _tell(what: str, names: tuple[str, ...]) -> None:
    if names:
        say(f"{len(names)} {what}:")
    for name in names[:_SHOWN]:
        say(f"  {name}")


def _told(one: Found) -> str:
    lots = f"lots {', '.join(one.lots)}" if one.lots else "no lot"
    return f"{one.sha256} is {one.problem}; it concerns {lots}"
