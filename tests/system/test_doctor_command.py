"""``batchqc doctor``, over a copy of the demonstration's records."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from batchqc.errors import IntegrityFailure
from tests.system.test_command_line import refused
from tests.system.test_laboratory_commands import batchqc, done, home

__all__ = ["home"]  # a fixture


def test_a_sound_installation_a_harmless_file_and_a_damaged_page(home: Path):
    assert "Everything agrees." in done(home, "doctor", "--sample", "2")
    (home / "store" / ".incoming-x").write_bytes(b"half of a file")
    told = done(home, "doctor", "--sample", "1")
    assert "harmless: store: .incoming-x" in told
    assert "1 of 9 verified" in told
    found = json.loads(done(home, "doctor", "--json", "--sample", "1"))
    assert (found["clean"], found["verified"], found["schema"][:2]) == (True, 1, "00")
    assert [one["grade"] for one in found["findings"]] == ["harmless"]
    with closing(sqlite3.connect(home / "batchqc.db")) as database:
        (size,) = database.execute("PRAGMA page_size").fetchone()
        name = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_sample_lot_id'"
        (page,) = database.execute(name).fetchone()
    with (home / "batchqc.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\x0a" + b"\0" * 200)  # an index without entries
    error = refused(batchqc(home, "doctor"), IntegrityFailure, "BQC-SYS-008")
    assert any("LOSS: the file of the database" in one for one in error.reasons)
    damaged = batchqc(home, "doctor", "--json")
    assert not json.loads(damaged.output)["clean"]


def test_certificates_that_no_list_of_revoked_seals_was_asked_of_are_told(home: Path):
    (home / "keys" / "root.crl").unlink()
    error = refused(batchqc(home, "doctor"), IntegrityFailure, "BQC-SYS-008")
    assert [one[:42] for one in error.reasons] == ["mend: revoked seals: whether the seal is r"]


def test_of_a_site_without_a_database_nothing_is_examined(home: Path):
    (home / "batchqc.db").unlink()
    assert batchqc(home, "doctor").exit_code != 0
    assert not (home / "batchqc.db").exists()
