"""The write-once store in a folder and in S3 with object lock: one table of tests for both."""

import hashlib
import pickle
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from batchqc import clock
from batchqc.actions import large_again
from batchqc.actions.certificates import Press, issue_certificate
from batchqc.actions.dispositions import Decision
from batchqc.actions.large_again import ReadAnew, is_utf16
from batchqc.actions.large_uploads import LargeFile, upload_large
from batchqc.actions.own_store import check_of
from batchqc.actions.raw_objects import hold_in_store
from batchqc.actions.retention import hold_legally, set_retention
from batchqc.actions.scrubs import ScrubWanted, restore, scrub
from batchqc.api.app import open_door
from batchqc.cli.workplace import Workplace
from batchqc.core.permissions import Permission
from batchqc.core.retention import RetentionRule
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive, FolderArchive
from batchqc.documents.s3_archive import S3Archive
from batchqc.documents.stored import Tombstone
from batchqc.documents.stores import open_archive
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, StoreUnavailable
from batchqc.records.database import migrate, open_database
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.records.uploads import upload_by
from batchqc.settings import Settings, bundled
from tests.records.house import ANA, LOT, QA1, House, results, signing
from tests.s3_server import BUCKET, LOCK, REGION, SECRETS, UNLOCKED, Line, client_of, s3_server

DATA = b"assay results"
SHA256 = hashlib.sha256(DATA).hexdigest()
OTHER = b"other results"
PART = 5 * 2**20
STONE = Tombstone(
    SHA256, "upload U-2026-000001", "DSP-2057-000001", "Over", "qa1, qa2", "2057-06-01"
)
_PREFIXES = count(1)


@dataclass(frozen=True)
class Store:
    """A store, and what somebody does to it who passes it by."""

    archive: Archive
    lay: Callable[[str, bytes], None]
    lose: Callable[[str], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        with s3_server(tmp_path_factory.mktemp("s3")) as address:
            yield address


def bucket(server: str, *, part: int = PART, name: str = BUCKET) -> S3Archive:
    return S3Archive(name, f"site-{next(_PREFIXES)}/", server, REGION, part)


def key_of(archive: S3Archive, sha256: str) -> dict[str, str]:
    return {"Bucket": archive.bucket, "Key": f"{archive.prefix}{sha256[:2]}/{sha256}"}


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        folder = FolderArchive(tmp_path / "store")

        def lay(sha256: str, data: bytes) -> None:
            path = folder.root / sha256[:2] / sha256
            path.chmod(0o644)
            path.write_bytes(data)

        return Store(folder, lay, lambda one: (folder.root / one[:2] / one).unlink())
    server = request.getfixturevalue("server")
    archive, client = bucket(server), client_of(server)
    return Store(
        archive,
        lambda one, data: client.put_object(Body=data, **key_of(archive, one)),
        lambda one: client.delete_object(**key_of(archive, one)),
    )


def test_what_is_put_is_got_again_in_every_way(store: Store):
    archive = store.archive
    assert archive.stored_at(SHA256) is None
    assert archive.put(DATA) == SHA256
    assert archive.put_stream(iter([DATA[:4], DATA[4:]])) == SHA256
    assert archive.get(SHA256) == b"".join(archive.chunks(SHA256)) == DATA
    with archive.opened(SHA256) as stream, archive.at_hand(SHA256) as path:
        assert stream.read() == path.read_bytes() == DATA
    assert list(archive.names()) == [SHA256]
    assert list(archive.leftovers()) == []
    stored = archive.stored_at(SHA256)
    assert stored
    assert abs(stored - clock.now()) < timedelta(hours=1)


def test_what_is_staged_is_stored_only_where_it_is_kept(store: Store):
    with store.archive.staged([DATA]) as staged:
        assert staged.path.read_bytes() == DATA
    assert list(store.archive.names()) == []
    with store.archive.staged([DATA]) as staged:
        staged.keep()
    assert store.archive.get(SHA256) == DATA
    assert not staged.path.exists()


def test_a_process_beside_reads_the_same_store(store: Store):
    store.archive.put(DATA)
    again: Archive = pickle.loads(pickle.dumps(store.archive))  # noqa: S301
    assert again.get(SHA256) == DATA


def test_writing_is_tried_and_nothing_is_left(store: Store):
    before = (list(store.archive.names()), list(store.archive.leftovers()))
    store.archive.try_writing()
    assert (list(store.archive.names()), list(store.archive.leftovers())) == before


def test_a_store_that_cannot_be_written_says_so_when_it_is_tried(server: str):
    for name in (UNLOCKED, "no-such-bucket"):
        with pytest.raises(StoreUnavailable):
            S3Archive(name, endpoint=server, region=REGION).try_writing()
    with pytest.raises(OSError, match="proc"):
        FolderArchive(Path("/proc/nowhere")).try_writing()


def test_a_stream_that_stops_leaves_nothing(store: Store):
    def stops() -> Iterator[bytes]:
        yield DATA
        raise InvalidInput("BQC-UPL-001", "the file is too large")

    with pytest.raises(InvalidInput):
        store.archive.put_stream(stops())
    assert list(store.archive.names()) == []


def test_many_writers_of_the_same_and_of_other_bytes_agree(store: Store):
    found: list[str] = []
    data = [DATA, OTHER] * 4
    writers = [
        threading.Thread(target=lambda own=own: found.append(store.archive.put(own)))
        for own in data
    ]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    expected = {hashlib.sha256(one).hexdigest() for one in data}
    assert sorted(found) == sorted(list(expected) * 4)
    assert set(store.archive.names()) == expected


@pytest.mark.requirement("1.01")
def test_damaged_bytes_are_refused_never_overwritten_and_mended_by_the_original(store: Store):
    archive = store.archive
    archive.put(DATA)
    store.lay(SHA256, b"assay resultz")
    for read in (archive.get, lambda one: b"".join(archive.chunks(one)), archive.put):
        with pytest.raises(IntegrityFailure) as refusal:
            read(DATA if read == archive.put else SHA256)
        assert refusal.value.code == "BQC-ARC-001"
    with pytest.raises(IntegrityFailure), archive.opened(SHA256):
        pass
    with pytest.raises(InvalidInput) as wrong:
        archive.mend(SHA256, [OTHER])
    assert wrong.value.code == "BQC-ARC-009"
    archive.mend(SHA256, [DATA])
    assert archive.get(SHA256) == DATA
    with pytest.raises(Conflict) as sound:
        archive.mend(SHA256, [DATA])
    assert sound.value.code == "BQC-ARC-010"


def test_missing_bytes_are_told_and_put_back(store: Store):
    archive = store.archive
    archive.put(b"a store that is there")
    with pytest.raises(IntegrityFailure) as refusal:
        archive.get(SHA256)
    assert refusal.value.code == "BQC-ARC-002"
    archive.put(DATA)
    store.lose(SHA256)
    with pytest.raises(IntegrityFailure) as refusal, archive.opened(SHA256):
        pass
    assert refusal.value.code == "BQC-ARC-002"
    archive.mend(SHA256, [DATA])
    assert archive.get(SHA256) == DATA


@pytest.mark.requirement("1.32")
def test_a_store_that_is_not_mounted_is_out_of_reach_and_has_lost_nothing(tmp_path: Path):
    archive = FolderArchive(tmp_path / "store")
    sha256 = archive.put(DATA)
    archive.root.rename(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable) as refusal:
        archive.get(sha256)
    assert refusal.value.code == "BQC-ARC-004"
    (tmp_path / "elsewhere").rename(archive.root)
    assert archive.get(sha256) == DATA


@pytest.mark.parametrize("name", ["", "../x", SHA256.upper(), SHA256 + "\n"])
def test_only_a_hash_names_bytes(store: Store, name: str):
    with pytest.raises(InvalidInput) as refusal:
        store.archive.get(name)
    assert refusal.value.code == "BQC-ARC-003"


def test_a_large_stream_passes_in_constant_memory(store: Store):
    size, chunk = 48_000_000, b"0123456789abcdef" * 62_500
    store.archive.put(DATA)  # what the first call loads is not measured
    tracemalloc.start()
    sha256 = store.archive.put_stream(chunk for _ in range(size // len(chunk)))
    read = sum(map(len, store.archive.chunks(sha256)))
    with store.archive.at_hand(sha256) as path:
        assert path.stat().st_size == size
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == size
    assert peak < size / 2


def test_disposed_bytes_leave_a_tombstone_and_do_not_come_back(tmp_path: Path):
    _dispose_of(FolderArchive(tmp_path))


def test_a_bucket_disposes_of_what_its_lock_lets_go(server: str):
    client = client_of(server)
    name = f"lock-later-{next(_PREFIXES)}"
    where = {"LocationConstraint": REGION}
    client.create_bucket(
        Bucket=name, ObjectLockEnabledForBucket=True, CreateBucketConfiguration=where
    )
    archive = bucket(server, name=name)
    client.put_object(Body=DATA, **key_of(archive, SHA256))  # before the bucket had a retention
    client.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=LOCK)
    archive.hold(SHA256, is_held=True)
    with pytest.raises(Conflict) as held:
        archive.dispose(STONE)
    assert held.value.code == "BQC-ARC-008"
    assert archive.get(SHA256) == DATA
    assert archive.tombstone(SHA256) is None
    archive.check_removable(SHA256)  # the hold is lifted as the bytes go
    assert client.head_object(**key_of(archive, SHA256))["ObjectLockLegalHoldStatus"] == "ON"
    archive.hold(SHA256, is_held=False)
    _dispose_of(archive)
    assert "Versions" in client.list_object_versions(Bucket=name)  # the tombstone
    assert not [
        one for one in client.list_object_versions(Bucket=name)["Versions"]
        if one["Key"] == key_of(archive, SHA256)["Key"]
    ]  # fmt: skip


def _dispose_of(archive: Archive) -> None:
    with suppress(IntegrityFailure):
        archive.put(DATA)
    for _ in range(2):  # doing it again changes nothing
        archive.dispose(STONE)
        with pytest.raises(IntegrityFailure) as refusal:
            archive.get(SHA256)
        assert refusal.value.code == "BQC-ARC-005"
        assert "DSP-2057-000001" in refusal.value.message
        assert "qa1, qa2" in refusal.value.message
    assert archive.tombstone(SHA256) == STONE
    assert list(archive.names()) == []
    with pytest.raises(Conflict) as returned:
        archive.put(DATA)
    assert returned.value.code == "BQC-ARC-013"


def test_a_tombstone_keeps_nobody_from_putting_the_original_back(store: Store):
    """Whether it was disposed of the records say; anybody can lay a tombstone into a store."""
    archive = store.archive
    archive.dispose(STONE)
    archive.mend(SHA256, [DATA])
    assert archive.get(SHA256) == DATA
    assert archive.put(DATA) == SHA256


def test_a_tombstone_that_is_none_is_told(tmp_path: Path):
    archive = FolderArchive(tmp_path)
    archive.put(DATA)
    place = tmp_path / SHA256[:2] / f"{SHA256}.disposed"
    place.write_bytes(b"{}")
    with pytest.raises(IntegrityFailure) as refusal:
        archive.tombstone(SHA256)
    assert refusal.value.code == "BQC-ARC-012"


def test_the_server_itself_refuses_to_overwrite_to_delete_and_to_keep_shorter(server: str):
    archive, client = bucket(server), client_of(server)
    archive.put(DATA)
    own = key_of(archive, SHA256)
    version = client.head_object(**own)["VersionId"]
    until = client.head_object(**own)["ObjectLockRetainUntilDate"]
    later = (until + timedelta(days=365)).replace(microsecond=0)
    archive.retain(SHA256, later)
    archive.retain(SHA256, until)  # never shorter
    archive.hold(SHA256, is_held=True)
    found = client.head_object(**own)
    assert found["ObjectLockMode"] == "COMPLIANCE"
    assert found["ObjectLockRetainUntilDate"] == later
    assert found["ObjectLockLegalHoldStatus"] == "ON"
    refused: list[Callable[[], Any]] = [
        lambda: client.put_object(Body=OTHER, IfNoneMatch="*", **own),
        lambda: client.delete_object(VersionId=version, **own),
        lambda: client.delete_object(VersionId=version, BypassGovernanceRetention=True, **own),
        lambda: client.put_object_retention(
            Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until}, VersionId=version, **own
        ),
    ]
    for one in refused:
        with pytest.raises(ClientError) as refusal:
            one()
        code = refusal.value.response["Error"]["Code"]
        assert code in {"AccessDenied", "PreconditionFailed"}
    for ask in (lambda: archive.dispose(STONE), lambda: archive.check_removable(SHA256)):
        with pytest.raises(Conflict) as locked:
            ask()
        assert locked.value.code == "BQC-ARC-008"
    assert archive.get(SHA256) == DATA


def test_a_bucket_that_keeps_nothing_is_given_nothing(server: str):
    for name in (UNLOCKED, "no-such-bucket"):
        archive = bucket(server, name=name)
        with pytest.raises(StoreUnavailable) as refusal:
            archive.put(DATA)
        assert refusal.value.code == ("BQC-ARC-006" if name == UNLOCKED else "BQC-ARC-004")


@pytest.mark.parametrize("size", [3_000_000, 12_000_000], ids=["at once", "in parts"])
def test_a_cut_while_bytes_are_put_stores_nothing(server: str, size: int):
    data = bytes(size)
    sha256 = hashlib.sha256(data).hexdigest()
    line = Line(int(server.rpartition(":")[2]), cut_there=2_000_000)
    archive = bucket(server)
    with line.open() as cut:
        broken = S3Archive(archive.bucket, archive.prefix, cut, REGION, PART)
        with pytest.raises(StoreUnavailable) as refusal:
            broken.put(data)
    assert refusal.value.code == "BQC-ARC-004"
    assert line.cuts
    assert list(archive.names()) == []
    assert archive.put(data) == sha256  # once the line is whole again
    assert archive.get(sha256) == data


def test_a_cut_while_bytes_are_got_is_no_damage(server: str):
    data = bytes(4_000_000)
    archive = bucket(server)
    sha256 = archive.put(data)
    line = Line(int(server.rpartition(":")[2]), cut_back=2_000_000)
    with line.open() as cut:
        broken = S3Archive(archive.bucket, archive.prefix, cut, REGION, PART)
        for read in (broken.get, broken.chunks):
            with pytest.raises(StoreUnavailable) as refusal:
                read(sha256)
            assert refusal.value.code == "BQC-ARC-004"
    assert line.cuts
    assert archive.get(sha256) == data


def test_parts_that_were_never_put_together_are_leftovers(server: str):
    archive, client = bucket(server), client_of(server)
    client.create_multipart_upload(**key_of(archive, SHA256))
    (left,) = archive.leftovers()
    assert SHA256 in left
    assert list(archive.names()) == []


def test_a_store_is_opened_by_its_address(tmp_path: Path):
    folder = open_archive(tmp_path / "store")
    assert isinstance(folder, FolderArchive)
    assert folder.put(DATA) == SHA256
    found = open_archive("s3://bucket-1/a/b/", endpoint="http://x", region="eu")
    assert found == S3Archive("bucket-1", "a/b/", "http://x", "eu")
    assert open_archive("s3://bucket-1") == S3Archive("bucket-1")
    for wrong in ("s3:", "s3:/bucket/x", "s3://B", "s3://bucket-1/a b"):
        with pytest.raises(InvalidInput) as refusal:
            open_archive(wrong)
        assert refusal.value.code == "BQC-ARC-011"


def test_the_settings_of_an_installation_name_the_bucket(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    address = f"sqlite:///{tmp_path}/batchqc.db"
    engine = open_database(address)
    migrate(engine, bundled("migrations"))
    engine.dispose()
    monkeypatch.setenv("BATCHQC_DATABASE", address)
    monkeypatch.setenv("BATCHQC_STORE", f"s3://{BUCKET}/by-settings")
    monkeypatch.setenv("BATCHQC_STORE_ENDPOINT", server)
    monkeypatch.setenv("BATCHQC_STORE_REGION", REGION)
    assert Workplace.at(Settings()).archive.put(DATA) == SHA256
    assert open_door(Settings()).archive.get(SHA256) == DATA


ONE_KIND = pytest.mark.only_on("sqlite", "the store is the same beside both databases")


def moved(house: House, archive: S3Archive) -> House:
    """A house whose store is a bucket: what stood in its folder lies there."""
    for sha256 in house.archive.names():
        archive.put(house.archive.get(sha256))
    return replace(house, archive=archive, prepared=None)


@ONE_KIND
def test_a_lot_is_released_and_its_certificate_restored_in_a_bucket(
    server: str, house: House, press: Press
):
    archive = bucket(server)
    site = moved(house, archive)
    site.ready()
    assert isinstance(site.release(), Decision)
    issue = site.actor(QA1, Permission.ISSUE_CERTIFICATE)
    pdf = issue_certificate(
        site.engine, archive, press, number="COA-2026-000001", actor=issue, clock=site.now
    )
    sha256 = hashlib.sha256(pdf).hexdigest()
    assert archive.get(sha256) == pdf
    assert site.verify().problems == ()
    client_of(server).delete_object(**key_of(archive, sha256))
    everything = partial(scrub, site.engine, archive, ScrubWanted(), actor=SYSTEM, clock=site.now)
    *_, told = everything()
    assert [(one.sha256, one.problem, one.lots) for one in told.found] == [
        (sha256, "missing", (LOT,))
    ]
    with site.acting(QA1, Permission.KEEP_ARCHIVE) as tx:
        restore(tx, archive, sha256=sha256, chunks=[pdf], reason="From the version below")
    *_, told = everything()
    assert told.found == ()


@ONE_KIND
@ONE_KIND
@pytest.mark.requirement("1.32")
def test_a_prefix_of_a_bucket_is_marked_once_and_another_is_not_taken_for_it(
    server: str, house: House
):
    house.ready()
    copied = bucket(server)
    moved(house, copied)
    here = replace(copied, check=check_of(house.engine))
    here.put(OTHER)
    assert here.marked_for() != ""
    here.mark("0" * 64)
    here.check_own()
    elsewhere = replace(bucket(server), check=check_of(house.engine))
    for use in (lambda: elsewhere.put(DATA), elsewhere.try_writing, lambda: elsewhere.get(SHA256)):
        with pytest.raises(StoreUnavailable) as refused:
            use()
        assert refused.value.code == "BQC-ARC-018"
    assert elsewhere.marked_for() == ""
    assert list(elsewhere.names()) == []
    elsewhere.mark("0" * 64)
    with pytest.raises(StoreUnavailable) as refused:
        elsewhere.put(DATA)
    assert refused.value.code == "BQC-ARC-019"


def test_the_rule_and_holds_of_the_records_are_set_in_the_bucket(server: str, house: House):
    archive = bucket(server)
    site = moved(house, archive)
    assert site.upload(results()).accepted
    with site.acting(QA1, Permission.HOLD_LEGALLY) as tx:
        assert not isinstance(hold_legally(tx, lot=LOT, credentials=signing(QA1)), Refusal)
    with site.acting(QA1, Permission.SET_RETENTION) as tx:
        rule = RetentionRule(30, 0)
        assert not isinstance(set_retention(tx, rule=rule, credentials=signing(QA1)), Refusal)
    hold_in_store(site.engine, archive, LOT, recorded="it")
    raw = hashlib.sha256(results()).hexdigest()
    head = client_of(server).head_object(**key_of(archive, raw))
    assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("COMPLIANCE", "ON")
    assert head["ObjectLockRetainUntilDate"].astimezone(UTC).date() == date(2057, 5, 19)


@ONE_KIND
def test_a_large_file_is_read_beside_from_a_bucket(server: str, house: House, tmp_path: Path):
    archive = bucket(server)
    site = moved(house, archive)
    path = tmp_path / "large.csv"
    path.write_bytes(results())
    begin = partial(
        transaction, site.engine, site.actor(ANA, Permission.UPLOAD_RESULTS), site.now()
    )
    report = upload_large(begin, archive, file=LargeFile(path, "tests"))
    assert report.accepted, report.reading.problems
    assert report.sha256 in set(archive.names())
    with site.reading() as session, TemporaryFile() as spool:
        upload = upload_by(session, report.number)
        assert upload is not None
        assert not is_utf16(archive, upload)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(large_again, "LARGE", 0)
            anew = ReadAnew(session, archive, upload, spool).of_lot(LOT)
        assert anew == ReadAnew(session, archive, upload, spool).of_lot(LOT)
        assert len(anew) == 10


@pytest.mark.requirement("1.32")
def test_a_share_that_comes_back_while_a_file_is_looked_for_has_lost_nothing(tmp_path: Path):
    root, away = tmp_path / "store", tmp_path / "away"
    stored = FolderArchive(root).put(DATA)
    root.rename(away)

    def back(archive: Archive, *, marks: bool) -> None:
        del archive, marks
        away.rename(root)

    assert FolderArchive(root, back).get(stored) == DATA
