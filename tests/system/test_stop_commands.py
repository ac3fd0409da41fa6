"""``batchqc stop``, ``batchqc lot form`` and late entries, over the demonstration's records."""

import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

from pypdf import PdfReader

from batchqc import clock
from batchqc.cli.demo_cast import APPROVER, RELEASER
from batchqc.errors import Conflict, InvalidInput
from tests.system.test_laboratory_commands import batchqc, done, home

__all__ = ["home"]  # a fixture


def newest_entry(home: Path) -> datetime:
    """When the demonstration was done: its entries stand in no stop, however slow the machine."""
    with closing(sqlite3.connect(home / "batchqc.db")) as database:
        (at,) = database.execute("SELECT max(at) FROM audit_entry").fetchone()
    return datetime.fromisoformat(at)


def test_a_stop_is_recorded_and_what_was_signed_in_it_is_entered_late(home: Path, tmp_path: Path):
    lot = done(home, "lot", "list").split("UCM-")[1].split()[0]
    lot, why = f"UCM-{lot}", ("--reason", "The power was cut")
    began = newest_entry(home).replace(microsecond=0) + timedelta(seconds=1)
    within, ended_at = began + timedelta(seconds=1), began + timedelta(seconds=2)
    while clock.now() <= ended_at:
        time.sleep(0.1)  # commands go by the real clock: a stop has to have ended
    assert "Stop 1 is recorded" in done(
        home, "stop", "add", began.isoformat(), *why, who=APPROVER
    )  # fmt: skip
    late = ("--late", within.isoformat(), "F-7")
    hold = ("lot", "hold", lot, *late, *why)
    assert isinstance(batchqc(home, *hold, who=RELEASER).exception, InvalidInput)
    ended = ended_at.isoformat()
    assert "ended at" in done(home, "stop", "end", "1", ended, *why, who=APPROVER)
    assert "1/2" in done(home, "stop", "list")
    assert "is on hold" in done(home, *hold, who=RELEASER)
    kept = batchqc(home, "stop", "withdraw", "1", *why, who=APPROVER).exception
    assert isinstance(kept, Conflict)
    done(home, "stop", "add", ended, *why, who=APPROVER)
    assert "is withdrawn" in done(home, "stop", "withdraw", "2", *why, who=APPROVER)
    assert "withdrawn" in done(home, "stop", "list").partition("2/2")[2]
    form = tmp_path / "form.pdf"
    done(home, "lot", "form", lot, "--to", form)
    (page,) = PdfReader(BytesIO(form.read_bytes())).pages
    assert f"Blank form: lot {lot}" in page.extract_text()
    assert isinstance(batchqc(home, "lot", "form", lot, "--to", form).exception, Conflict)
