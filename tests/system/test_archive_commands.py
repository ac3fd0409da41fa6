"""``batchqc archive``, over a copy of the demonstration's records."""

import hashlib
import sqlite3
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batchqc.actions.lots import NewLot, NewSample, register_lot, register_samples
from batchqc.cli import retention
from batchqc.cli.demo_cast import APPROVER, RELEASER
from batchqc.cli.main import app
from batchqc.core.permissions import Permission
from batchqc.errors import (
    Conflict,
    Disposed,
    IntegrityFailure,
    InvalidInput,
    NotPermitted,
    StoreUnavailable,
)
from tests.records.house import ANA, DONOR, PRODUCT, QA1, QA2, House, results
from tests.records.house import PASSWORD as OWN
from tests.system.test_command_line import refused
from tests.system.test_laboratory_commands import batchqc, done, home

__all__ = ["home"]  # a fixture
WHY = ("--reason", "As the procedure has it")


def first_upload(home: Path) -> tuple[Path, str, str]:
    """The file of an upload in the store, its number, and a lot that it concerns."""
    with sqlite3.connect(home / "batchqc.db") as database:
        sha256, year, number, lot = database.execute(
            "SELECT sha256, upload.year, upload.number, lot.lot FROM upload"
            " JOIN assay_run ON upload_id = upload.id JOIN lot ON lot.id = lot_id LIMIT 1"
        ).fetchone()
    database.close()
    return home / "store" / sha256[:2] / sha256, f"U-{year}-{number:06d}", lot


def test_what_is_damaged_is_found_told_with_its_lots_and_restored(home: Path, tmp_path: Path):
    assert "0 are missing or damaged" in done(home, "archive", "scrub", "--all")
    assert "5 files were read again" in done(home, "archive", "scrub", "--sample", "5")
    for wrong in ((), ("--all", "--sample", "5")):
        refused(batchqc(home, "archive", "scrub", *wrong), InvalidInput, "BQC-ARC-016")
    place, _, lot = first_upload(home)
    original = tmp_path / "copy"
    place.rename(original)
    place.write_bytes(b"something else")
    error = refused(batchqc(home, "archive", "scrub", "--all"), IntegrityFailure, "BQC-ARC-017")
    assert "is damaged; it concerns lots" in error.reasons[0]
    assert lot in error.reasons[0]
    assert place.name in done(home, "archive", "damage")
    assert "is damaged" in done(home, "work", "--kind", "archive")
    other = tmp_path / "other"
    other.write_bytes(b"something else")
    refused(
        batchqc(home, "archive", "restore", str(other), *WHY, who=APPROVER),
        Conflict, "BQC-ARC-015",
    )  # fmt: skip
    said = done(home, "archive", "restore", str(original), *WHY, who=APPROVER)
    assert "is in the archive again" in said
    assert place.read_bytes() == original.read_bytes()
    assert "Nothing that was read" in done(home, "archive", "damage")
    (home / "store" / place.parent.name / ("f" * 64)).write_bytes(b"a row that was never written")
    told = done(home, "archive", "scrub", "--all", "--since", "2020-01-01")
    assert "1 named by no record" in told
    assert "entries verified" in done(home, "audit", "verify")


def test_raw_data_is_kept_by_the_rule_and_by_holds(home: Path):
    _, upload, lot = first_upload(home)
    years = ("--after-expiry", "30", "--after-manufacture", "5")
    assert "no rule" in done(home, "archive", "due", lot)
    assert "30 years after expiry" in done(home, "archive", "rule", *years, *WHY, who=APPROVER)
    due = done(home, "archive", "due", lot)
    assert upload in due
    assert "it is kept until" in due
    assert "nothing is protected" in done(home, "archive", "protect")
    laid = done(home, "archive", "hold", lot, *WHY, who=APPROVER)
    number = laid[laid.index("LH-") :].split()[0]
    kept = refused(
        batchqc(home, "archive", "dispose", "--lot", lot, *WHY, who=APPROVER),
        Conflict, "BQC-RET-005",
    )  # fmt: skip
    assert any("legal hold" in one for one in kept.reasons)
    assert "lies no longer" in done(home, "archive", "release-hold", number, *WHY, who=RELEASER)
    refused(batchqc(home, "archive", "dispose", *WHY, who=APPROVER), InvalidInput, "BQC-RET-010")
    assert "0 files were removed" in done(home, "archive", "finish-disposals")


def test_a_hold_that_is_on_record_is_told_though_the_store_is_away(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("BQC-ARC-013", "the store does not answer")

    *_, lot = first_upload(home)
    monkeypatch.setattr(retention, "hold_in_store", away)
    laid = batchqc(home, "archive", "hold", lot, *WHY, who=APPROVER)
    refused(laid, StoreUnavailable, "BQC-ARC-013")
    number = laid.output[laid.output.index("LH-") :].split()[0]
    ended = batchqc(home, "archive", "release-hold", number, *WHY, who=RELEASER)
    refused(ended, StoreUnavailable, "BQC-ARC-013")
    assert f"{number} lies no longer" in ended.output


@pytest.mark.only_on("sqlite", "a command leaves its connection to the end of its process")
def test_two_people_dispose_of_the_raw_data_of_an_old_lot(house: House):
    lot = "MSC-20-0001"
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        old = NewLot(lot, PRODUCT, date(2020, 6, 1), date(2021, 6, 1), (DONOR,))
        register_lot(tx, old)
        taken = NewSample(f"{lot}-S01", "release", "cryovial", "2020-06-01T10:00:00-05:00")
        register_samples(tx, lot=lot, samples=[taken])
    data = results(lot=lot)
    assert house.upload(data).accepted

    def run(*arguments: str, who: str = "") -> Result:
        user = ("--user", who) if who else ()
        return CliRunner().invoke(
            app,
            ["archive", *arguments, *user],
            input=f"{OWN}\n" if who else "",
            env={
                "COLUMNS": "250",
                "BATCHQC_DATABASE": str(house.engine.url),
                "BATCHQC_STORE": str(house.archive.root),
            },
        )

    years = ("--after-expiry", "1", "--after-manufacture", "2")
    assert "From now on" in run("rule", *years, *WHY, who=QA1).output
    assert "2022-06-01" in run("due", lot).output
    assert run("due").output.splitlines()[-1].split() == [lot, "│", "1"]
    asked = run("dispose", "--lot", lot, *WHY, who=QA1).output
    number = asked[asked.index("DSP-") :].split()[0]
    assert "waits for another person" in asked
    refused(run("dispose", "--approve", number, *WHY, who=QA1), NotPermitted, "BQC-RET-007")
    gone = run("dispose", "--approve", number, *WHY, who=QA2)
    assert f"{number}: 1 files are gone" in gone.output, gone.exception
    with pytest.raises(Disposed):
        house.archive.get(hashlib.sha256(data).hexdigest())
    assert "The raw data of no lot is due" in run("due").output
    assert "0 are missing or damaged" in run("scrub", "--all").output
    assert house.verify().problems == ()
