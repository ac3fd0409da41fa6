"""An owner of the database who makes everything in it agree: what others hold tells, and names.

The owner writes the whole trail anew, with links, events and subtrees, and removes every
checkpoint, since only the key of the log signs one. The database alone then shows nothing.
"""

# ruff: noqa: S608 - statements are made of our own names

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.log_against import compare
from batchqc.actions.witnessing import export
from batchqc.cli.main import app
from batchqc.core.audit import Entry
from batchqc.documents.log_key import LogSigner, create_log_key, publish
from batchqc.documents.witness import read_witness
from batchqc.errors import IntegrityFailure
from batchqc.records.audit import AuditEntry, AuditLink, newest_link
from batchqc.records.chain import write_entries
from batchqc.records.log import CheckpointRow, LogSubtree, new_subtrees
from batchqc.records.transaction import SYSTEM, transaction
from tests.records.house import ANA, House
from tests.records.tampering import tamper, tampering

Trail = list[Entry]
Change = Callable[[Trail, int], Trail]
_EMPTIED = (
    "checkpoint_timestamp", "checkpoint", "log_key", "log_subtree", "event", "audit_subject",
    "audit_link", "audit_entry",
)  # fmt: skip
OF_LOG = ("checkpoint of the log signed", "key of the log put on record")
NOTES = 40


def note(house: House, first: int, last: int) -> None:
    with house.alone(ANA) as tx:
        for number in range(first, last):
            tx.audit("noted", reason=f"Note {number}")


def sign(house: House, signer: LogSigner) -> int:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        return sign_checkpoint(tx, signer).size


def drop(house: House, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with house.reading() as session:
        export(session, house.archive, folder)


@pytest.fixture
def witness(house: House, log_signer: LogSigner, tmp_path: Path) -> Path:
    """What somebody else holds; the trail went on since."""
    folder = tmp_path / "witness"
    note(house, 0, NOTES // 2)
    sign(house, log_signer)
    drop(house, folder)
    note(house, NOTES // 2, NOTES)
    sign(house, log_signer)
    drop(house, folder)
    note(house, NOTES, NOTES + 5)
    return folder


def place(house: House, number: int) -> int:
    """The sequence of a note."""
    with house.reading() as session:
        query = select(AuditLink.sequence, AuditEntry.text).join(
            AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256
        )
        return next(
            at for at, text in session.execute(query)
            if json.loads(text)["why"] == f"Note {number}"
        )  # fmt: skip


def entry_of(text: str) -> Entry:
    said = json.loads(text)
    return Entry(
        said["who"], said["role"], datetime.fromisoformat(said["at"]), said["offset_minutes"],
        said["what"], said["why"], tuple(said["subjects"]), said["before"], said["after"],
        said["records"],
    )  # fmt: skip


def rewrite(house: House, change: Callable[[Trail], Trail]) -> None:
    """Write the whole trail anew, as ``change`` makes it; nothing of checkpoints is left."""
    with house.reading() as session:
        links = select(AuditEntry.text).join(AuditLink, AuditLink.entry_sha256 == AuditEntry.sha256)
        texts = session.scalars(links.order_by(AuditLink.sequence)).all()
    trail = change([entry_of(text) for text in texts])
    with tampering(house.engine) as connection, Session(connection) as session:
        for table in _EMPTIED:
            connection.exec_driver_sql(f"DELETE FROM {table}")
        write_entries(session, trail)
        session.commit()
    with tampering(house.engine) as connection, Session(connection) as session:
        head = newest_link(session)
        assert head is not None
        for _, rows in new_subtrees(session, head.sequence):
            session.add_all(LogSubtree(level=a, place=b, sha256=c) for a, b, c in rows)
            session.flush()
        session.commit()


def without_log(trail: Trail) -> Trail:
    return [one for one in trail if one.action not in OF_LOG]


def told(house: House, held: Path, signer: LogSigner) -> tuple[str, ...]:
    with house.reading() as session:
        return compare(session, read_witness(held), [signer.key]).problems


def edited(trail: Trail, at: int) -> Trail:
    return [*trail[: at - 1], replace(trail[at - 1], reason="Another"), *trail[at:]]


def deleted(trail: Trail, at: int) -> Trail:
    return [*trail[: at - 1], *trail[at:]]


def inserted(trail: Trail, at: int) -> Trail:
    return [*trail[: at - 1], replace(trail[at - 1], reason="Added"), *trail[at - 1 :]]


def reordered(trail: Trail, at: int) -> Trail:
    return [*trail[: at - 1], trail[at], trail[at - 1], *trail[at + 1 :]]


def rolled_back(trail: Trail, at: int) -> Trail:
    return trail[: at - 1]


def gone_on_otherwise(trail: Trail, at: int) -> Trail:
    last = trail[at - 1]
    return [*trail[: at - 1], *(replace(last, reason=f"Other {one}") for one in range(60))]


#: What the attack does, and how it is named: {0} is the entry, {1} the one after it.
ATTACKS: dict[str, tuple[Change, str]] = {
    "edited": (edited, 'entry {0} is another one than was held (there now: "noted" by ana'),
    "deleted": (deleted, "entry {0} is gone"),
    "inserted": (inserted, 'entry {0} was put in between (there now: "noted" by ana'),
    "reordered": (reordered, "entry {0} is out of its order: it stands as entry {1}"),
    "rolled back": (rolled_back, "the log was rolled back: entries {0} to"),
    "gone on otherwise": (gone_on_otherwise, "entries {0} to"),
}


@pytest.mark.requirement("1.05")
@pytest.mark.requirement("10.05")
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_an_owner_did_to_the_whole_trail_is_named_by_what_others_hold(
    house: House, log_signer: LogSigner, witness: Path, attack: str
):
    change, said = ATTACKS[attack]
    first, second = sorted((witness / "checkpoints").iterdir())
    at, size = place(house, 25), int(second.stem)
    assert told(house, witness, log_signer) == ()
    rewrite(house, lambda trail: change(trail, at))
    found = told(house, witness, log_signer)
    assert found[0].startswith(said.format(at, at + 1)), found

    rewrite(house, without_log)  # and all that speaks of checkpoints is gone, too
    assert house.verify().problems == ()  # which is why somebody else must hold one
    assert told(house, witness, log_signer)
    (alone,) = told(house, second, log_signer)
    assert alone.startswith(
        f"the log was rolled back: a checkpoint covers {size} entries"
        if attack == "rolled back"
        else f"entries 1 to {size} are not those that the checkpoint of {size} entries covers"
    )
    assert told(house, first, log_signer) == ()  # what it covers stands as it was


def test_between_two_checkpoints_is_said_where_it_was_done(
    house: House, log_signer: LogSigner, witness: Path, tmp_path: Path
):
    first, second = sorted((witness / "checkpoints").iterdir())
    for tile in (witness / "tile").rglob("*"):
        if tile.is_file():
            tile.unlink()
    rewrite(house, lambda trail: edited(trail, place(house, 25)))
    (found,) = told(house, witness, log_signer)
    assert found.startswith(f"entries {int(first.stem) + 1} to {int(second.stem)} are not those")


def test_a_trail_of_other_entries_altogether_is_named(
    house: House, log_signer: LogSigner, witness: Path
):
    def new(trail: Trail) -> Trail:
        return [replace(one, reason=f"New {at}") for at, one in enumerate(without_log(trail))]

    rewrite(house, new)
    size = int(max((witness / "checkpoints").iterdir()).stem)
    assert told(house, witness, log_signer)[0].startswith(f"entries 1 to {size} are others")


def test_who_stole_the_key_too_is_found_by_what_was_held_before(
    house: House, log_signer: LogSigner, witness: Path, tmp_path: Path
):
    at = place(house, 5)
    rewrite(house, lambda trail: without_log(edited(trail, at)))
    sign(house, log_signer)
    assert house.verify().problems == ()
    assert told(house, witness, log_signer)[0].startswith(f"entry {at} is another one")
    with pytest.raises(IntegrityFailure) as refused:
        drop(house, witness)
    assert refused.value.code == "BQC-LOG-012"


def test_who_signs_with_another_key_is_not_believed(
    house: House, log_signer: LogSigner, witness: Path, tmp_path: Path
):
    rewrite(house, lambda trail: without_log(edited(trail, place(house, 5))))
    forged = create_log_key(tmp_path / "forged.key", name=log_signer.key.name)
    sign(house, forged)
    other = tmp_path / "other"
    drop(house, other)
    with pytest.raises(IntegrityFailure, match="none of the keys that you hold"):
        told(house, other, log_signer)
    with pytest.raises(IntegrityFailure, match="none of the keys that you hold"):
        drop(house, witness)


def test_a_checkpoint_that_was_changed_in_the_database_is_named(
    house: House, log_signer: LogSigner, witness: Path
):
    size = sign(house, log_signer)
    with tampering(house.engine) as connection:
        row = select(CheckpointRow.note).where(CheckpointRow.size == size)
        said = connection.execute(row).scalar_one().replace("\nsigned-at 2026", "\nsigned-at 2025")
        table = CheckpointRow.__table__
        connection.execute(table.update().where(table.c.size == size).values(note=said))  # type: ignore[attr-defined]
    found = [one for one in house.verify().problems if "checkpoint" in one]
    assert any("does not hold" in one for one in found)


SUBTREES = {
    "entries 17 to 32 are not those that the log holds": (
        "UPDATE log_subtree SET sha256 = 'x' WHERE level = 4 AND place = 1"
    ),
    "the log does not hold its subtree over entries 17 to 32": (
        "DELETE FROM log_subtree WHERE level = 4 AND place = 1"
    ),
    "the log holds entries 14401 to 14416, which are not there": (
        "INSERT INTO log_subtree (level, place, sha256) SELECT level, 900, sha256 FROM log_subtree"
        " WHERE level = 4 AND place = 0"
    ),
    "the log holds entries 3 to 4, which are not there": (
        "INSERT INTO log_subtree (level, place, sha256) SELECT 1, 1, sha256 FROM log_subtree"
        " WHERE level = 4 AND place = 0"
    ),
}


def test_a_subtree_that_was_changed_removed_or_put_in_is_named(house: House, witness: Path):
    for statement in SUBTREES.values():
        tamper(house.engine, statement)
        said = [one for one, change in SUBTREES.items() if change == statement]
        assert set(said) <= set(house.verify().problems)


def test_a_chain_that_was_changed_under_its_entries_is_named(
    house: House, log_signer: LogSigner, witness: Path
):
    size = int(max((witness / "checkpoints").iterdir()).stem)
    tamper(house.engine, f"UPDATE audit_link SET sha256 = 'x' WHERE sequence = {size}")
    (found,) = told(house, witness, log_signer)
    assert f"to {size} are not those that the checkpoint" in found


def test_a_checkpoint_that_was_filed_under_another_size_is_named(house: House, witness: Path):
    size = int(max((witness / "checkpoints").iterdir()).stem)
    tamper(house.engine, f"UPDATE checkpoint SET size = size + 1 WHERE size = {size}")
    told = f"checkpoint:{size + 1}: it speaks of another log, or of another size"
    assert told in house.verify().problems


@pytest.mark.parametrize("what", ["changed", "missing"])
def test_a_damaged_folder_of_a_witness_is_not_taken_for_a_damaged_trail(
    house: House, log_signer: LogSigner, witness: Path, what: str
):
    tile = max(one for one in (witness / "tile" / "0").rglob("*") if one.is_file())
    data = tile.read_bytes()
    tile.chmod(0o600)
    tile.write_bytes(b"x" + data[1:] if what == "changed" else data[:-1])
    (found,) = told(house, witness, log_signer)
    assert "the witness's folder is damaged" in found


@pytest.mark.only_on("sqlite", "a command leaves its connection to the end of its process")
def test_the_command_names_it_and_fails(
    house: House, log_signer: LogSigner, witness: Path, tmp_path: Path
):
    every = publish(tmp_path / "trust", log_signer.key)
    environment = {
        "BATCHQC_DATABASE": house.engine.url.render_as_string(hide_password=False),
        "BATCHQC_STORE": str(house.archive.root),
    }

    def verify() -> tuple[int, str]:
        command = ["audit", "verify", "--against", str(witness), "--key", str(every)]
        done = CliRunner().invoke(app, command, env=environment)
        return done.exit_code, done.output + str(done.exception)

    code, said = verify()
    assert (code, "They extend the checkpoint of" in said) == (0, True), said
    at = place(house, 5)
    rewrite(house, lambda trail: without_log(edited(trail, at)))
    code, said = verify()
    assert code
    assert f"entry {at} is another one than was held" in said
