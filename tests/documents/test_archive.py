"""The write-once store."""

import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.documents.archive import FolderArchive
from batchqc.documents.store_marker import MARKER
from batchqc.errors import BatchqcError, IntegrityFailure, InvalidInput

DATA = b"assay results"
SHA256 = hashlib.sha256(DATA).hexdigest()


def stored_files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(0o444)


def test_what_is_put_is_got_again_under_its_hash(tmp_path: Path):
    archive = FolderArchive(tmp_path / "archive")
    assert archive.put(DATA) == SHA256
    assert archive.get(SHA256) == DATA
    assert stored_files(tmp_path) == [tmp_path / "archive" / SHA256[:2] / SHA256]


@given(chunks=st.lists(st.binary(max_size=40), max_size=8))
def test_a_stream_is_stored_like_its_bytes(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]
):
    archive = FolderArchive(tmp_path_factory.mktemp("archive"))
    sha256 = archive.put_stream(iter(chunks))
    assert sha256 == hashlib.sha256(b"".join(chunks)).hexdigest()
    assert archive.get(sha256) == b"".join(chunks)


def test_the_same_bytes_twice_leave_one_untouched_file(tmp_path: Path):
    archive = FolderArchive(tmp_path)
    archive.put(DATA)
    (path,) = stored_files(tmp_path)
    before = path.stat()
    assert archive.put(DATA) == SHA256
    assert stored_files(tmp_path) == [path]
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_stored_file_is_read_only_and_has_one_name(tmp_path: Path):
    FolderArchive(tmp_path).put(DATA)
    (path,) = stored_files(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert path.stat().st_nlink == 1


@pytest.mark.requirement("1.01")
@pytest.mark.parametrize("damaged", [b"", b"assay resultz", DATA + b"\0"])
def test_a_damaged_file_is_refused(tmp_path: Path, damaged: bytes):
    archive = FolderArchive(tmp_path)
    archive.put(DATA)
    overwrite(stored_files(tmp_path)[0], damaged)
    with pytest.raises(IntegrityFailure) as refusal:
        archive.get(SHA256)
    assert refusal.value.code == "BQC-ARC-001"
    assert SHA256 in refusal.value.message


@pytest.mark.requirement("1.01")
def test_a_file_that_the_disk_does_not_give_is_damaged_unless_it_gives_nothing(tmp_path: Path):
    archive = FolderArchive(tmp_path)
    archive.mark("0" * 64)
    archive.put(DATA)
    (path,) = (one for one in stored_files(tmp_path) if one.name == SHA256)

    def refusals() -> set[str]:
        found = set()
        for read in (archive.get, archive.chunks, archive.path_of, lambda _: archive.put(DATA)):
            with pytest.raises(BatchqcError) as refusal:
                read(SHA256)
            found.add(refusal.value.code)
        return found

    path.unlink()
    path.symlink_to("/proc/self/mem")  # Errno 5, Input/output error
    assert refusals() == {"BQC-ARC-001"}
    marker = tmp_path / MARKER
    marker.unlink()
    marker.symlink_to("/proc/self/mem")
    with pytest.raises(BatchqcError) as away:
        archive.get(SHA256)
    assert away.value.code == "BQC-ARC-004"


def test_a_damaged_file_is_never_overwritten_by_putting_the_original_again(tmp_path: Path):
    archive = FolderArchive(tmp_path)
    archive.put(DATA)
    (path,) = stored_files(tmp_path)
    overwrite(path, b"something else")
    with pytest.raises(IntegrityFailure) as refusal:
        archive.put(DATA)
    assert refusal.value.code == "BQC-ARC-001"
    assert path.read_bytes() == b"something else"
    assert stored_files(tmp_path) == [path]


def test_a_missing_file_is_an_integrity_failure(tmp_path: Path):
    with pytest.raises(IntegrityFailure) as refusal:
        FolderArchive(tmp_path).get(SHA256)
    assert refusal.value.code == "BQC-ARC-002"


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", SHA256[:-1], SHA256 + "0", SHA256.upper(), SHA256 + "\n", "/"]
)
def test_only_a_hash_names_a_file(tmp_path: Path, name: str):
    with pytest.raises(InvalidInput) as refusal:
        FolderArchive(tmp_path).get(name)
    assert refusal.value.code == "BQC-ARC-003"


def test_an_upload_that_stops_halfway_leaves_nothing(tmp_path: Path):
    def too_long() -> Iterator[bytes]:
        yield DATA
        raise InvalidInput("BQC-UPL-001", "the file is too large")

    with pytest.raises(InvalidInput):
        FolderArchive(tmp_path).put_stream(too_long())
    assert list(tmp_path.iterdir()) == []


def test_bytes_are_on_disk_before_they_have_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    steps: list[str] = []
    synced, linked = os.fsync, Path.hardlink_to

    def fsync(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        synced(handle)

    def link(path: Path, target: Path) -> None:
        steps.append("name")
        linked(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "hardlink_to", link)
    FolderArchive(tmp_path).put(DATA)
    assert steps == ["file", "name", "folder", "folder"]


def test_many_writers_of_the_same_bytes_agree(tmp_path: Path):
    archive = FolderArchive(tmp_path)
    found: list[str] = []
    writers = [threading.Thread(target=lambda: found.append(archive.put(DATA))) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert found == [SHA256] * 8
    assert len(stored_files(tmp_path)) == 1
