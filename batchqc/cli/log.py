"""``batchqc log``: checkpoints of the transparency log, proofs, the witness, the key."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.checkpoints import change_key, sign_checkpoint
from batchqc.actions.log_proofs import (
    Proved,
    prove_consistency,
    prove_entry,
    prove_record,
    the_checkpoint,
)
from batchqc.actions.setup import own_site
from batchqc.actions.witnessing import export, put_witness_on_record, stamp_newest
from batchqc.cli import log_verify
from batchqc.cli.csv_out import write_new
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, Workplace, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.documents.log_key import (
    create_log_key,
    load_log_key,
    log_name,
    next_log_key,
    publish,
    put_in_place,
)
from batchqc.documents.timestamps import Service
from batchqc.errors import BatchqcError, InvalidInput, SigningUnavailable
from batchqc.records.log import checkpoints_after, key_lines, log_keys, timestamp_of
from batchqc.records.transaction import SYSTEM, reading, transaction

app = typer.Typer(help="The transparency log: checkpoints, proofs, the witness, the key.")
app.command()(log_verify.verify)
app.command()(log_verify.extends)

Size = Annotated[int, typer.Option(help="Of how many entries; the newest where none is given.")]
_To = Annotated[Path, typer.Option(help="The file to write; an existing one is not replaced.")]


@app.command()
def checkpoint(context: typer.Context) -> None:
    """Sign a checkpoint; have it stamped and drop it at the witness, where these are configured.

    To be run every day. What was done stands, also where a later step fails.
    """
    place = workplace(context)
    with transaction(place.engine, SYSTEM, place.now()) as tx:
        row = sign_checkpoint(tx, place.press.log_key())
        say(f"A checkpoint of {row.size} entries is signed.")
    failed = [problem for step in (_stamp, _export) if (problem := _tried(step, place))]
    if failed:
        raise SigningUnavailable(
            "BQC-LOG-018",
            "the checkpoint is signed, and did not get everywhere",
            reasons=failed,
            hint="Mend what is named, and run this again: it takes up what is missing.",
        )


@app.command()
def witness(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Its folder, which whoever keeps it has made.")],
    *,
    anew: Annotated[bool, typer.Option(help="It held the log, and may begin empty.")] = False,
) -> None:
    """Drop at a witness what it does not hold yet. It changes nothing to do it again."""
    _drop(workplace(context), folder, anew=anew)


@app.command("list")
def list_(
    context: typer.Context,
    after: Annotated[int, typer.Option(help="Only of more entries than this.")] = 0,
    limit: Annotated[int, typer.Option(help="How many at the most.")] = 50,
) -> None:
    """Checkpoints, oldest first."""
    with reading(workplace(context).engine) as session:
        rows = []
        for one in checkpoints_after(session, after, limit=limit):
            stamp = timestamp_of(session, one)
            stamped = f"{stamp.stamped_at:%Y-%m-%d %H:%M:%S}Z" if stamp else ""
            key = one.log_key.note_key.key_id.hex()
            rows.append((one.size, f"{one.signed_at:%Y-%m-%d %H:%M:%S}Z", key, stamped))
    table(("Entries", "Signed (UTC)", "Key", "Timestamp"), rows, empty="No checkpoint.")


@app.command()
def show(context: typer.Context, to: _To, size: Size = 0) -> None:
    """Write a checkpoint to a file."""
    with reading(workplace(context).engine) as session:
        note = the_checkpoint(session, size).note
    _write(to, note)


@app.command()
def prove(
    context: typer.Context,
    to: _To,
    entry: Annotated[int, typer.Option(help="By its sequence in the audit trail.")] = 0,
    record: Annotated[str, typer.Option(help="Or the first one of a record: lot:UCM-P1-T1")] = "",
    certificate: Annotated[str, typer.Option(help="Or the issue of a certificate.")] = "",
    size: Size = 0,
) -> None:
    """Write the proof that an entry is in the log, and the entry beside it (FILE.json)."""
    if sum(map(bool, (entry, record, certificate))) != 1:
        raise InvalidInput("BQC-LOG-019", "name one of --entry, --record, --certificate")
    key = f"certificate_issue:{certificate.upper()}" if certificate else record
    with reading(workplace(context).engine) as session:
        found: Proved = (
            prove_record(session, key, size=size) if key else prove_entry(session, entry, size=size)
        )
    _write(to, found.proof.text)
    _write(to.with_name(f"{to.name}.json"), found.entry)


@app.command()
def consistency(
    context: typer.Context,
    first: Annotated[int, typer.Argument(help="Entries of the earlier checkpoint.")],
    to: _To,
    second: Annotated[int, typer.Option(help="Of the later one; else of the newest.")] = 0,
) -> None:
    """Write the proof that the log of a later checkpoint begins with that of an earlier one."""
    with reading(workplace(context).engine) as session:
        found = prove_consistency(session, first, second)
    _write(to, found.text)


@app.command()
def key(
    context: typer.Context,
    user: User,
    reason: Reason,
    *,
    lost: Annotated[bool, typer.Option(help="The old key is lost, or signs no more.")] = False,
) -> None:
    """Make a new key of the log; with the old one, it signs a checkpoint of both.

    Hand trust/log.vkey anew to whoever verifies.
    """
    place = workplace(context)
    path = place.settings.log_key
    actor = at_keyboard(place, user).acting(Permission.KEEP_LOG)
    with reading(place.engine) as session:
        keys = log_keys(session)
        name = keys[-1].note_key.name if keys else log_name(own_site(session).name)
        newest = keys[-1].vkey if keys else ""
    first = not newest and not path.exists()
    signer = create_log_key(path, name=name) if first else next_log_key(path, name=name)
    if signer.key.text != newest:  # else it was put on record, and only its file was not moved
        old = load_log_key(path) if newest and not lost else None
        with transaction(place.engine, actor, place.now()) as tx:
            change_key(tx, signer, old=old, reason=reason)
    put_in_place(path)
    with reading(place.engine) as session:
        every = publish(place.settings.trust, signer.key, told=key_lines(session))
    say(f"The log is signed with {signer.key.key_id.hex()} from now on. Hand out {every}.")


def _tried(step: Callable[[Workplace], None], place: Workplace) -> str:
    try:
        step(place)
    except BatchqcError as error:
        return f"{error.code}: {error.message}"
    except OSError as error:  # a witness that is full, or cannot be written
        return str(error)
    return ""


def _stamp(place: Workplace) -> None:
    of = Service(place.settings.timestamp_url, place.settings.timestamp_root)
    if of.url and stamp_newest(place.engine, place.archive, of, clock=place.now):
        say(f"{of.shown} stamped it.")


def _export(place: Workplace) -> None:
    folder = place.settings.witness
    if folder is not None:
        _drop(place, folder)


def _drop(place: Workplace, folder: Path, *, anew: bool = False) -> None:
    with reading(place.engine) as session:
        size = export(session, place.archive, folder, anew=anew)
    with transaction(place.engine, SYSTEM, place.now()) as tx:
        put_witness_on_record(tx, folder, size, anew=anew)
    say(f"{folder} holds the log of {size} entries.")


def _write(path: Path, text: str) -> None:
    write_new(path, text.encode())
    say(f"{path} is written.")
