"""A store belongs to one installation: an empty folder is not taken for it, nor that of another."""

import pickle
import shutil
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from batchqc.actions.certificates import Press
from batchqc.actions.doctor import Installation, examine_installation
from batchqc.actions.own_store import check_of
from batchqc.cli.workplace import Workplace, check_store
from batchqc.core.soundness import Grade
from batchqc.documents.archive import Archive, FolderArchive
from batchqc.documents.store_marker import MARKER, marker_for
from batchqc.documents.verifier.case import Question
from batchqc.errors import IntegrityFailure, StoreUnavailable
from batchqc.records.audit import entry_at
from batchqc.records.transaction import reading
from batchqc.records.uploads import Upload
from batchqc.settings import Settings, bundled
from tests.databases import Databases
from tests.records.house import House

FILES = select(Upload.sha256).where(Upload.sha256 != "")


def own(house: House, folder: Path | None = None) -> FolderArchive:
    return FolderArchive(folder or house.archive.root, check_of(house.engine))


def files(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def refusal_of(archive: FolderArchive, *, marks: bool = True) -> str:
    with pytest.raises(StoreUnavailable) as refused:
        archive.check_own(marks=marks)
    return refused.value.code


@pytest.mark.requirement("1.32")
def test_a_store_gets_its_marker_before_its_first_bytes_and_keeps_it(house: House, tmp_path: Path):
    house.ready()
    archive = own(house)
    archive.check_own()
    assert archive.marked_for() == ""  # who only looks changes nothing
    archive.put(b"first")
    with reading(house.engine) as session:
        first = entry_at(session, 1)
        assert first is not None
        assert archive.marked_for() == first.sha256
    archive.mark("0" * 64)
    assert archive.marked_for() == first.sha256
    assert list(archive.leftovers()) == []


@pytest.mark.requirement("1.32", "5.08")
def test_an_empty_folder_is_not_the_store_of_records_that_name_files(house: House, tmp_path: Path):
    house.ready()
    with reading(house.engine) as session:
        named = session.scalars(FILES).first()
    assert named is not None
    archive = own(house, tmp_path / "mount")
    archive.root.mkdir()
    for use in (lambda: archive.put(b"new"), archive.try_writing, lambda: archive.get(named)):
        with pytest.raises(StoreUnavailable) as refused:
            use()
        assert refused.value.code == "BQC-ARC-018"
        assert "BATCHQC_STORE" in refused.value.hint
    assert files(archive.root) == []


@pytest.mark.requirement("1.32")
def test_a_share_that_goes_while_bytes_are_staged_gets_none_of_them_afterwards(
    house: House, tmp_path: Path
):
    house.ready()
    archive = own(house)
    with archive.staged([b"new"]) as staged:
        archive.root.rename(tmp_path / "away")
        archive.root.mkdir()
        shutil.copy(tmp_path / "away" / staged.path.name, staged.path)
        with pytest.raises(StoreUnavailable):
            staged.keep()
    assert files(archive.root) == []


@pytest.mark.requirement("1.32")
def test_the_store_of_another_installation_and_a_damaged_marker_are_refused(
    house: House, tmp_path: Path
):
    house.ready()
    archive = own(house)
    archive.mark("0" * 64)
    assert refusal_of(archive) == "BQC-ARC-019"
    marker = archive.root / MARKER
    marker.chmod(0o644)
    for damaged in (b"", b"{}", b"[]", marker_for("0")):
        marker.write_bytes(damaged)
        assert refusal_of(archive) == "BQC-ARC-020"


@pytest.mark.requirement("1.32")
def test_a_store_of_before_is_claimed_only_where_it_holds_what_is_on_record(house: House):
    house.ready()
    archive = own(house)
    with reading(house.engine) as session:
        last = session.scalars(FILES.order_by(Upload.id.desc())).first()
    path = archive.path_of(str(last))
    kept = path.read_bytes()
    path.unlink()
    assert refusal_of(archive) == "BQC-ARC-018"
    assert archive.marked_for() == ""
    path.write_bytes(kept)
    archive.check_own(marks=True)
    path.unlink()
    archive.check_own(marks=True)  # it is the one; what is missing in it is missing
    with pytest.raises(IntegrityFailure):
        archive.get(path.name)


def test_nothing_belongs_to_a_database_without_an_entry(
    database: str, databases: Databases, tmp_path: Path
):
    with databases.copy(database) as engine:
        archive = FolderArchive(tmp_path / "store", check_of(engine))
        archive.put(b"first")
        assert archive.marked_for() == ""


def test_who_reads_beside_asks_no_database(house: House):
    house.ready()
    sha256 = own(house).put(b"bytes")
    beside = pickle.loads(pickle.dumps(own(house)))  # noqa: S301 - what was just pickled
    assert beside.get(sha256) == b"bytes"


@pytest.mark.requirement("1.32", "5.08")
def test_doctor_tells_that_the_store_is_not_the_one_and_takes_nothing_for_lost(
    house: House, press: Press, tmp_path: Path
):
    house.ready()
    (tmp_path / "mount").mkdir()
    question = Question(press.sealing.root.certificate.read_bytes(), house.now.at)
    found = examine_installation(
        Installation(
            house.engine, own(house, tmp_path / "mount"), bundled("migrations"), question,
            press.log_key, is_trial=True,
        )
    ).findings  # fmt: skip
    graded = [(one.where, one.grade) for one in found if one.grade is not Grade.HARMLESS]
    assert graded == [("the store", Grade.MEND), ("the installation", Grade.MEND)]
    assert files(tmp_path / "mount") == []


@pytest.mark.requirement("1.32")
def test_a_server_begins_with_no_other_store_and_waits_for_one_that_is_out_of_reach(
    house: House, press: Press, tmp_path: Path
):
    house.ready()
    (tmp_path / "mount").mkdir()
    (tmp_path / "file").write_text("no folder")

    def begin(archive: Archive) -> None:
        check_store(Workplace(Settings(), house.engine, archive, press, house.now))

    with pytest.raises(StoreUnavailable) as refused:
        begin(own(house, tmp_path / "mount"))
    assert refused.value.code == "BQC-ARC-018"
    begin(own(house))
    assert own(house).marked_for() != ""
    for problem in (StoreUnavailable("BQC-ARC-004", "no answer"), OSError("stale handle")):
        begin(FolderArchive(tmp_path, partial(_fail, problem)))


def _fail(problem: Exception, archive: Archive, *, marks: bool) -> None:
    del archive, marks
    raise problem
