"""A file as a table with its problems, and files that wait: without a browser."""

import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from batchqc.actions.received import ReceivedFile
from batchqc.api.bodies import StatedBeside
from batchqc.errors import IntegrityFailure, NotFound
from batchqc.intake.problems import Problem
from batchqc.web import waiting
from batchqc.web.upload_sheet import sheet
from batchqc.web.waiting import Beside, WaitingFiles
from tests.cast import NOW
from tests.records.house import ANA, BEN


def problem(row: int, column: str = "value", severity: str = "error") -> Problem:
    return Problem("E203", severity, row, row, column, "x", "not a number", "write one")


def test_ten_thousand_problems_are_a_page_at_a_time_and_errors_come_first():
    data = b"lot_id,value\r\n" + b"L,x\r\n" * 10_000 + b"L,x,y\r\n"
    found = [problem(2, severity="warning"), *map(problem, range(3, 10_003))]
    first = sheet(data, found, None, only_problems=True, page=1)
    assert (len(first.rows), first.pages, first.errors, first.remarks) == (50, 201, 10_000, 1)
    assert (first.rows[0].number, first.rows[0].sign, first.header) == (
        3,
        "bad",
        ("lot_id", "value"),
    )
    last = sheet(data, found, None, only_problems=True, page=999)
    assert [(one.number, one.sign) for one in last.rows] == [(2, "trend")]
    every = sheet(data, [], None, only_problems=False, page=201)
    assert [cell.text for cell in every.rows[-1].cells] == ["L", "x", "y"]


def test_a_file_that_cannot_be_shown_tells_its_problems_all_the_same():
    found = [problem(7), problem(0, ""), problem(1)]
    shown = sheet(None, found, None, only_problems=True, page=1)
    assert not shown.has_table
    assert [one.number for one in shown.rows] == [7]
    assert [one.row for one in shown.of_file] == [0, 1]
    assert not sheet(b"\xff\x00", [], None, only_problems=False, page=1).rows


def test_files_wait_an_hour_the_last_four_of_each_person_and_are_what_was_sent(tmp_path: Path):
    """One server keeps what another one finds; both know the folder alone."""
    folder = tmp_path / "site" / "waiting"
    files, other = WaitingFiles(folder), WaitingFiles(folder)
    beside = Beside(StatedBeside("P", ("analyst=ana",), ("A=B",)), "Misread", "INV-2026-000001")

    def put(owner: str, name: str, minutes: int = 0) -> str:
        file = ReceivedFile(name, 4, name.encode(), "tests")
        return files.put(owner, file=file, beside=beside, now=NOW + timedelta(minutes=minutes))

    def waits(owner: str, key: str, minutes: int = 0) -> bool:
        try:
            one = other.get(owner, key=key, now=NOW + timedelta(minutes=minutes))
        except NotFound:
            return False
        return one.file.data == one.file.name.encode() and one.beside == beside

    keys = [put(ANA, f"f{number}") for number in range(5)]
    assert [waits(ANA, key) for key in keys] == [False, True, True, True, True]
    assert not waits(BEN, keys[4])
    assert waits(BEN, put(BEN, "f9", 1), 61)
    assert not waits(ANA, keys[4], 61)
    key = put(ANA, "kept")
    (stored,) = folder.glob(f"*/{key}")
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert {stat.S_IMODE(one.stat().st_mode) for one in (folder, stored.parent)} == {0o700}
    whole = stored.read_bytes()
    for changed in (whole[:-1] + b"!", whole.replace(b"ana", b"ben"), b"{}\n", b"[]", b""):
        stored.write_bytes(changed)
        os.utime(stored, (NOW.timestamp(),) * 2)
        with pytest.raises(IntegrityFailure, match="not those that were sent"):
            files.get(ANA, key=key, now=NOW)
    for strange in ("../" + key, ".incoming-x", "", key + "/.."):
        assert not waits(ANA, strange)


def test_what_waits_takes_no_more_room_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waiting, "_IN_ALL", 2500)
    files, beside = WaitingFiles(tmp_path), Beside(StatedBeside("", (), ()))
    data = b"x" * 1000
    keys = [
        files.put(who, file=ReceivedFile(who, 1000, data, "tests"), beside=beside, now=NOW)
        for who in (ANA, BEN, "carl")
    ]
    assert {path.name for path in tmp_path.glob("*/*")} == set(keys[1:])


@pytest.mark.parametrize("back", [timedelta(minutes=30), timedelta(days=1)])
def test_what_is_sent_after_a_clock_is_set_back_waits(tmp_path: Path, back: timedelta):
    files, beside = WaitingFiles(tmp_path), Beside(StatedBeside("", (), ()))

    def put(name: str, now: datetime) -> str:
        return files.put(ANA, file=ReceivedFile(name, 1, b"x", "tests"), beside=beside, now=now)

    ahead = {put(f"ahead{number}", NOW) for number in range(4)}
    key = put("after", NOW - back)
    assert files.get(ANA, key=key, now=NOW - back).file.name == "after"
    others = {path.name for path in tmp_path.glob("*/*")} - {key}
    assert len(others) == (3 if back < timedelta(hours=1) else 0)
    assert others < ahead
