"""``batchqc donor`` and ``batchqc donor-panel``, over a copy of the demonstration's records."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from batchqc.cli.demo_cast import APPROVER, DONOR_OFFICER
from batchqc.errors import Conflict, NotFound
from batchqc.settings import shipped_panels
from tests.records.donors import DIN, MARKERS
from tests.system.test_laboratory_commands import batchqc, done

WHY = ("--reason", "As the procedure has it")


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


def test_a_donor_is_kept_from_donation_to_determination(home: Path, tmp_path: Path):
    database = sqlite3.connect(home / "batchqc.db")
    donor, tissue = database.execute("SELECT code, tissue_source FROM donor LIMIT 1").fetchone()
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"signed by hand")
    panel = shipped_panels() / "us-1271-v1.toml"
    assert "Shipped as a proposal" in done(home, "donor-panel", "list")
    done(home, "donor-panel", "import", panel, who=DONOR_OFFICER)
    assert "draft" in done(home, "donor-panel", "list")
    done(home, "donor-panel", "approve", "US-1271", "1", *WHY, who=APPROVER)
    assert "Treponema pallidum" in done(home, "donor-panel", "show", "US-1271", "1")
    done(
        home, "donor", "donation", donor, DIN, "--kind", "DIN", "--donated-on", "2025-04-01",
        "--establishment", "Maternity", "--address", "2 Pier", "--tissue", tissue, "--tested",
        "birth mother", who=DONOR_OFFICER,
    )  # fmt: skip
    assert "no result of HBsAg" in done(home, "donor", "evaluate", donor, "--panel", "US-1271")
    done(
        home, "donor", "test", donor, DIN, *(f"{one}=nonreactive" for one in MARKERS), "--person",
        "birth mother", "--specimen", "SP-1", "--taken-at", "2025-04-02T09:00-05:00",
        "--laboratory", "Blood Center", "--statement", "CLIA 14D0000000", "--kit", "Licensed",
        "--document", paper, who=DONOR_OFFICER,
    )  # fmt: skip
    done(
        home, "donor", "consent", donor, "2.0", "clinical", "--given-on", "2025-04-01",
        "--document", paper, who=DONOR_OFFICER,
    )  # fmt: skip
    told = done(home, "donor", "evaluate", donor, "--panel", "US-1271")
    assert "US-1271 v1 is fulfilled" in told
    determine = ("donor", "eligibility", donor, "--basis", "Tests of the mother", *WHY)
    assert "is eligible" in done(home, *determine, "--panel", "US-1271", who=DONOR_OFFICER)
    found = json.loads(done(home, "donor", "records", donor, "--json"))
    assert found["determinations"][-1]["panel"] == "US-1271/1"
    assert "nonreactive" in done(home, "donor", "records", donor)
    done(home, "donor", "withdraw", donor, "--withdrawn-on", "2026-01-01", *WHY, who=DONOR_OFFICER)
    refused = batchqc(home, *determine, "--panel", "US-1271", who=DONOR_OFFICER)
    assert isinstance(refused.exception, Conflict)
    pool = ("donor", "pool", "POOL-1", DIN, "DON-9", "--kind", "local", "--pooled-on", "2026-01-01")
    assert isinstance(batchqc(home, *pool, *WHY, who=DONOR_OFFICER).exception, NotFound)
