"""``batchqc genealogy``, ``container``, ``shipment`` and ``look-back`` over the demonstration."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from batchqc.cli.demo_cast import APPROVER, DONOR_OFFICER
from batchqc.errors import Conflict, NotFound
from tests.records.donors import DIN
from tests.system.test_laboratory_commands import batchqc, done

WHY = ("--reason", "As the procedure has it")


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


def test_a_dose_is_kept_shipped_given_and_looked_back_for(home: Path):
    database = sqlite3.connect(home / "batchqc.db")
    lot, donor, tissue = database.execute(
        "SELECT lot.lot, donor.code, donor.tissue_source FROM lot"
        " JOIN disposition ON disposition.lot_id = lot.id AND disposition.disposition = 'released'"
        " JOIN lot_donor ON lot_donor.lot_id = lot.id JOIN donor ON donor.id = donor_id LIMIT 1"
    ).fetchone()
    done(
        home, "donor", "donation", donor, DIN, "--kind", "DIN", "--donated-on", "2020-04-01",
        "--establishment", "Maternity", "--address", "2 Pier", "--tissue", tissue,
        who=DONOR_OFFICER,
    )  # fmt: skip
    days = ("--made", "2020-05-01", "--expires", "2040-05-01")
    rest = ("--where", "Tank 1", "--containers", "40", "--passage", "2")
    basis = ("--basis", "P0: first confluence")
    bank = ("genealogy", "bank", "MCB-UC-01", "--kind", "MCB", "--of", DIN)
    done(home, *bank, *days, *rest, *basis, who=APPROVER)
    assert "MCB-UC-01" in done(home, "genealogy", "banks")
    grown = ("--seeded", "1E6", "--harvested", "8E6", "--on", "2020-05-01")
    done(home, "genealogy", "passage", "MCB-UC-01", "1", *grown, who=APPROVER)
    second = ("genealogy", "bank", "MCB-UC-02", "--kind", "MCB", "--of", DIN)
    done(home, *second, *days, *rest, *basis, who=APPROVER)
    done(home, "genealogy", "parents", "MCB-UC-02", "--of", "MCB-UC-01", *WHY, who=APPROVER)
    done(home, "genealogy", "status", "MCB-UC-02", "quarantined", *WHY, who=APPROVER)
    vials = [f"VIAL-{one:03}" for one in (1, 2, 3)]
    filled = ("--kind", "vial", "--filled", "1E7 cells", "--where", "Tank 3")
    done(home, "container", "add", lot, *vials, *filled, who=APPROVER)
    where = ("--where", "Lab 2", "--at", "2026-06-01T07:00-05:00")
    done(home, "container", "move", "broken", vials[2], *where, *WHY, who=APPROVER)
    assert "2 in storage, 1 broken" in done(home, "container", "list", lot)
    keep = ("--kind", "final product", "--amount", "3", "--unit", "vials", "--until", "2058-01-01")
    done(home, "container", "retain", "RET-001", lot, *keep, "--where", "Tank 7", "--to", "QC",
         who=APPROVER)  # fmt: skip
    done(home, "container", "hand", "RET-001", "--by", "QC", "--to", "Stability", "--where",
         "Lab 1", "--left", "2", *WHY, who=APPROVER)  # fmt: skip
    clinic = ("--name", "Clinic", "--address", "2 Road", "--contact", "pharmacy")
    done(home, "shipment", "site", "CH01", *clinic, who=APPROVER)
    _give(home, lot, donor, vials)
    _look_back(home, lot, donor)


def _give(home: Path, lot: str, donor: str, vials: list[str]) -> None:
    """Ship two vials: one is given, one comes back."""
    database = sqlite3.connect(home / "batchqc.db")
    by = ("--courier", "C 7", "--temperature", "LOG-1")
    day = database.execute("SELECT max(recorded_at) FROM container_event").fetchone()[0][:10]
    done(
        home, "donor", "eligibility", donor, "--basis", "Tests of the mother", *WHY,
        who=DONOR_OFFICER,
    )  # fmt: skip
    sent = done(home, "shipment", "send", "CH01", *vials[:2], "--on", day, *by, who=APPROVER)
    number = next(line.split(": ")[-2] for line in sent.splitlines() if "SHP-" in line)
    done(home, "shipment", "receive", number, "--on", day, "--condition", "Frozen", "--by",
         "Ward 3", who=APPROVER)  # fmt: skip
    done(home, "shipment", "give", vials[0], "CH01-001", "--site", "CH01", "--on", day, "--by",
         "Ward 3", who=APPROVER)  # fmt: skip
    done(home, "shipment", "return", number, vials[1], "--on", day, "--where", "Tank 9", *WHY,
         who=APPROVER)  # fmt: skip
    assert vials[1] in done(home, "shipment", "list")
    told = done(home, "genealogy", "trace", "recipient:CH01-001", "--direction", "back")
    assert f"lot:{lot}" in told
    assert f"donor:{donor}" in told


def _look_back(home: Path, lot: str, donor: str) -> None:
    """Both doses are found."""
    database = sqlite3.connect(home / "batchqc.db")
    day = database.execute("SELECT max(shipped_on) FROM shipment").fetchone()[0]
    start = ("look-back", "start", f"donor:{donor}", "--cause", "late seroconversion", *WHY)
    assert "LB-" in done(home, *start, who=DONOR_OFFICER)
    newest = "SELECT year, number FROM look_back ORDER BY id DESC"
    found = database.execute(newest).fetchone()
    look_back = f"LB-{found[0]}-{found[1]:06d}"
    shown = done(home, "look-back", "show", look_back)
    assert f"VIAL-001 of lot:{lot}: administered, CH01; shipped to CH01 on {day}" in shown
    assert "given to CH01-001" in shown
    assert "look-back" in done(home, "lot", "readiness", lot)
    closed = ("look-back", "close", look_back, "--conclusion", "The test was false", *WHY)
    assert "is closed" in done(home, *closed, who=APPROVER)
    assert "closed" in done(home, "look-back", "list")
    assert isinstance(batchqc(home, *closed, who=APPROVER).exception, Conflict)
    assert isinstance(batchqc(home, "genealogy", "trace", "NONE-1").exception, NotFound)
