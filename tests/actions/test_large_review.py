"""Large files attacked: what is stated, other profiles, the other process."""

import csv
import os
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from sqlalchemy import select

from batchqc.actions import large_again, large_reading
from batchqc.actions.large_again import ReadAnew
from batchqc.errors import Conflict, IntegrityFailure
from batchqc.intake.contract import Asked
from batchqc.records.uploads import Upload
from tests.actions.large_files import Large, large
from tests.actions.state import counts, grown
from tests.intake.files import HEADER
from tests.records.house import LOT, PROFILE, House, adopt_profile, good, table


@pytest.fixture
def big(house: House, tmp_path: Path) -> Large:
    return Large(house, tmp_path)


@pytest.fixture
def by_process(big: Large) -> None:
    big.by_process = True


def without(data: bytes, name: str) -> bytes:
    keep = [index for index, one in enumerate(HEADER) if one != name]
    out = StringIO(newline="")
    rows = csv.reader(StringIO(data.decode(), newline=""))
    csv.writer(out).writerows([row[index] for index in keep] for row in rows)
    return out.getvalue().encode()


def replicates() -> bytes:
    return table(
        [
            {"lot_id": LOT, "sample_id": f"{LOT}-S01"} | good("viability") | {"replicate": str(n)}
            for n in range(1, 700)
        ]
    )


@pytest.mark.parametrize("run", ["R\\7", 'R"7', "R 7"])
def test_a_stated_run_is_hashed_as_it_is_verified(big: Large, house: House, run: str):
    report = big.upload(without(replicates(), "run_id"), asked=Asked({"run_id": run}))
    assert report.accepted, report.reading.problems[:3]
    assert house.verify().problems == ()


def test_the_same_bytes_by_another_profile_are_a_conflict(big: Large, house: House):
    big.upload(large())
    reference = adopt_profile(house, PROFILE)
    with pytest.raises(Conflict):
        house.upload(large(), profile=reference)
    with pytest.raises(Conflict):
        big.upload(large(), profile=reference)
    with pytest.raises(Conflict):
        big.preview(large(), profile=reference)


def test_the_same_bytes_with_another_run_stated_are_a_conflict(big: Large):
    data, first = without(replicates(), "run_id"), Asked({"run_id": "R-1"})
    number = big.upload(data, asked=first).number
    assert big.upload(data, asked=first).number == number
    assert big.upload(data).number == number
    with pytest.raises(Conflict):
        big.upload(data, asked=Asked({"run_id": "R-2"}))
    with pytest.raises(Conflict):
        big.preview(data, asked=Asked({"run_id": "R-2"}))


def test_where_the_reading_process_is_killed_in_a_piece(
    big: Large, house: House, by_process: None, monkeypatch
):
    real = large_reading.received

    def short(answers):
        data = answers.read()
        return real(BytesIO(data[: len(data) // 3]))

    monkeypatch.setattr(large_reading, "received", short)
    before, stored = counts(house.engine), big.stored()
    with pytest.raises(IntegrityFailure) as refused:
        big.upload(large())
    assert refused.value.code == "BQC-UPL-007"
    assert grown(house.engine, before) == {}
    assert big.stored() == stored


def test_modules_beside_the_file_are_not_run(
    big: Large, house: House, by_process: None, tmp_path, monkeypatch
):
    folder = tmp_path / "share"
    folder.mkdir()
    for name in ("pickle", "csv", "sqlalchemy", "batchqc"):
        (folder / f"{name}.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\nraise SystemExit(3)\n"
        )
    monkeypatch.chdir(folder)
    try:
        assert big.upload(large()).accepted
    finally:
        assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_what_was_accepted_as_a_small_file_is_read_anew_whatever_its_encoding(
    big: Large, house: House, monkeypatch, encoding
):
    assert house.upload(large().decode().encode(encoding)).accepted
    with house.reading() as session:
        upload = session.scalars(select(Upload)).one()
        whole = ReadAnew(session, house.archive, upload, BytesIO()).of_lot(LOT)
        monkeypatch.setattr(large_again, "LARGE", 0)
        assert ReadAnew(session, house.archive, upload, BytesIO()).of_lot(LOT) == whole


@pytest.mark.only_on("postgresql", "SQLite has one writer: nobody approves meanwhile")
def test_a_profile_approved_meanwhile_is_not_the_one_on_record(big: Large, house: House):
    first, done = adopt_profile(house, PROFILE), []

    def approve(*_: int) -> None:
        if not done:
            done.append(adopt_profile(house, PROFILE.replace(b"version = 1", b"version = 2")))

    data = without(replicates().replace(b"93.40", b'"93,40"'), "method_id")
    report = big.upload(
        data, profile=first.split(" ")[0], asked=Asked({"method_id": "SOP-QC-014 v3"}),
        progress=approve,
    )  # fmt: skip
    assert report.accepted, report.reading.problems[:3]
    assert done == [first.replace(" v1", " v2")]
    with house.reading() as session:
        assert session.scalars(select(Upload)).one().profile == first


def test_no_process_is_left(big: Large, by_process: None):
    def cancel(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        big.upload(large(), progress=cancel)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
