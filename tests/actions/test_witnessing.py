"""Checkpoints leave the house: to a witness, once, and to a timestamp service."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from batchqc.actions.witnessing import export, put_witness_on_record, stamp_newest
from batchqc.core.merkle import over, root_of
from batchqc.documents.log_key import LogSigner
from batchqc.documents.timestamps import Service
from batchqc.documents.witness import read_witness
from batchqc.errors import IntegrityFailure, NotFound, SigningUnavailable
from batchqc.records.log import newest_checkpoint, timestamps
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.state import counts, grown
from tests.actions.test_checkpoints import leaves, sign
from tests.compliance.test_log_attacks import note
from tests.records.house import House
from tests.timestamp_service import TimestampService, timestamp_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimestampService]:
    with timestamp_service(tmp_path_factory.mktemp("tsa")) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a witness, empty."""
    found = tmp_path / "witness"
    found.mkdir()
    return found


def drop(house: House, folder: Path) -> int:
    with house.reading() as session:
        return export(session, house.archive, folder)


def files(folder: Path) -> dict[str, bytes]:
    found = {str(one.relative_to(folder)): one for one in folder.rglob("*") if one.is_file()}
    return {name: path.read_bytes() for name, path in found.items()}


def stamped(house: House, service: TimestampService) -> bool:
    of = Service(service.url, service.root)
    return stamp_newest(house.engine, house.archive, of, clock=house.now)


def test_a_witness_holds_every_checkpoint_and_every_leaf_and_again_changes_nothing(
    house: House, log_signer: LogSigner, folder: Path
):
    sizes = [sign(house, log_signer).size]
    assert drop(house, folder) == sizes[0]
    note(house, 0, 300)
    sizes += [sign(house, log_signer).size for _ in range(2)]
    assert drop(house, folder) == sizes[-1]
    before = files(folder)
    assert drop(house, folder) == sizes[-1]
    assert files(folder) == before
    held = read_witness(folder)
    assert list(held.checkpoints) == sizes
    assert list(held.leaves) == leaves(house)[: sizes[-1]]
    assert len(before["tile/0/000"]) == 256 * 32
    said = newest(house)
    assert root_of(len(held.leaves), over(held.leaves)) == said


def newest(house: House) -> bytes:
    with house.reading() as session:
        row = newest_checkpoint(session)
        assert row is not None
        return row.checkpoint.root


def test_a_witness_that_is_not_there_is_not_made(house: House, log_signer: LogSigner, folder: Path):
    sign(house, log_signer)
    with pytest.raises(NotFound, match="holds nothing of a witness"):
        drop(house, folder / "unmounted")
    assert files(folder) == {}
    with pytest.raises(NotFound):
        read_witness(folder)


def test_a_witness_that_held_the_log_and_is_empty_begins_anew_only_where_that_is_asked_for(
    house: House, log_signer: LogSigner, folder: Path, tmp_path: Path
):
    size = sign(house, log_signer).size
    assert drop(house, folder) == size
    record(house, folder, size)
    before = counts(house.engine)
    record(house, folder / ".." / "witness", size)  # once
    assert grown(house.engine, before) == {}
    folder.rename(tmp_path / "taken away")
    folder.mkdir()  # the place at which it is mounted
    with pytest.raises(IntegrityFailure, match="holds nothing, and it held the log") as refused:
        drop(house, folder)
    assert refused.value.code == "BQC-LOG-020"
    assert files(folder) == {}
    other = tmp_path / "another"
    other.mkdir()
    assert drop(house, other) == size
    with house.reading() as session:
        assert export(session, house.archive, folder, anew=True) == size
    record(house, folder, size, anew=True)
    assert grown(house.engine, before)["audit_entry"] == 1
    assert drop(house, folder) == size
    assert house.verify().problems == ()


def record(house: House, folder: Path, size: int, *, anew: bool = False) -> None:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        put_witness_on_record(tx, folder, size, anew=anew)


def test_what_a_crash_left_half_written_is_written_whole(
    house: House, log_signer: LogSigner, folder: Path
):
    size = sign(house, log_signer).size
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / ".part-1").write_text("lakes")
    assert drop(house, folder) == size
    assert read_witness(folder).checkpoints.keys() == {size}


def test_several_who_drop_at_once_drop_the_same(house: House, log_signer: LogSigner, folder: Path):
    note(house, 0, 300)
    size = sign(house, log_signer).size
    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(lambda _: drop(house, folder), range(3))) == {size}
    assert list(read_witness(folder).leaves) == leaves(house)[:size]


def test_other_bytes_under_a_name_are_never_replaced(
    house: House, log_signer: LogSigner, folder: Path
):
    sign(house, log_signer)
    tile = folder / "tile" / "0" / "000.p"
    tile.mkdir(parents=True)
    (tile / str(len(leaves(house)) - 2)).write_bytes(b"something else")
    before = files(folder)
    with pytest.raises(IntegrityFailure, match="something else"):
        drop(house, folder)
    assert files(folder) == before


def test_a_checkpoint_is_stamped_once_and_openssl_verifies_it_at_the_witness(
    house: House, log_signer: LogSigner, folder: Path, service: TimestampService
):
    assert not stamped(house, service)  # there is none yet
    size = sign(house, log_signer).size
    drop(house, folder)
    assert stamped(house, service)
    before = counts(house.engine)
    assert not stamped(house, service)
    assert grown(house.engine, before) == {}
    drop(house, folder)
    name = f"{size:012d}"
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-in", f"{name}.tsr", "-data", f"{name}.txt",
         "-CAfile", service.root],
        cwd=folder / "checkpoints", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verification: OK" in done.stdout + done.stderr
    assert house.verify().problems == ()


def test_the_password_of_a_service_is_on_no_record(
    house: House, log_signer: LogSigner, service: TimestampService
):
    sign(house, log_signer)
    address = service.url.replace("://", "://clinic:hunter2@")
    assert stamped(house, TimestampService(address, service.root))
    with house.reading() as session:
        (row,) = timestamps(session)
        assert row.service == service.url.replace("://", "://***@")
    with house.engine.connect() as connection:
        told = connection.scalars(text("SELECT text FROM audit_entry")).all()
    assert "hunter2" not in str(told)


def test_a_service_that_does_not_answer_leaves_the_checkpoint_as_it_is(
    house: House, log_signer: LogSigner, service: TimestampService
):
    sign(house, log_signer)
    before = counts(house.engine)
    with pytest.raises(SigningUnavailable):
        stamped(house, TimestampService("http://127.0.0.1:9/tsa", service.root))
    assert grown(house.engine, before) == {}
    assert stamped(house, service)
