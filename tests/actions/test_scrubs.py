"""The store is read again: what is missing or damaged is told with its lots, until it is mended."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from batchqc.actions.open_work import open_work
from batchqc.actions.scrubs import (
    Scrubbed,
    ScrubWanted,
    open_damage,
    restore,
    scrub,
)
from batchqc.actions.stored_names import CONCERNED, lots_concerned, named_after, not_named
from batchqc.core.open_work import Filter, Work
from batchqc.core.permissions import Permission
from batchqc.documents.stored import Tombstone
from batchqc.errors import Conflict, InvalidInput
from batchqc.records.archive import ArchiveMending
from batchqc.records.investigations import InvestigationStep
from batchqc.records.schema import WITNESSED
from batchqc.records.stored_bytes import NAMING
from batchqc.records.transaction import SYSTEM
from tests.actions.investigating import file
from tests.records.house import LOT, QA1, House, results

EVERYTHING = ScrubWanted()
DATA = results()
SHA256 = hashlib.sha256(DATA).hexdigest()


def run(house: House, wanted: ScrubWanted = EVERYTHING, *, portion: int = 500) -> list[Scrubbed]:
    parts = scrub(
        house.engine, house.archive, wanted, actor=SYSTEM, clock=house.now, portion=portion
    )
    return list(parts)


def path(house: House, sha256: str = SHA256) -> Path:
    return house.archive.root / sha256[:2] / sha256


def damage(house: House, sha256: str = SHA256) -> None:
    path(house, sha256).chmod(0o644)
    path(house, sha256).write_bytes(b"something else")


def waiting(house: House) -> list[tuple[str, str]]:
    with house.reading() as session:
        _, items, _ = open_work(
            session, house.archive, wanted=Filter(kind=Work.ARCHIVE), now=house.now()
        )
    return [(one.lot, one.what) for one in items]


def put_back(house: House, data: bytes = DATA, *, sha256: str = SHA256) -> ArchiveMending:
    with house.acting(QA1, Permission.KEEP_ARCHIVE) as tx:
        return restore(
            tx, house.archive, sha256=sha256, chunks=[data], reason="From the copy of Sunday"
        )


@pytest.mark.requirement("1.41")
def test_everything_that_records_name_is_read_and_what_none_names_is_listed(full_house: House):
    with full_house.reading() as session:
        named = named_after(session, "", limit=10_000)
        again: list[str] = []
        while portion := named_after(session, again[-1] if again else "", limit=3):
            again += portion
        assert again == named
        stored = list(full_house.archive.names())
        assert not_named(session, stored) == set(stored) - set(named)
    with full_house.engine.connect() as connection:  # a forgotten column, or text within one
        texts = (
            value
            for table in WITNESSED
            for row in connection.execute(select(*table.__table__.columns))
            for value in row
            if isinstance(value, str)
        )
        somewhere = {one for text in texts for one in re.findall("[0-9a-f]{64}", text)}
    assert somewhere & set(stored) <= set(named)
    done = run(full_house)[-1]
    assert (done.checked, done.found, done.finished) == (len(named), (), True)
    assert done.orphans == tuple(sorted(set(stored) - set(named)))
    assert full_house.verify().problems == ()


def test_of_all_that_names_bytes_it_is_known_which_lots_it_concerns(full_house: House):
    assert set(CONCERNED) == {*NAMING, InvestigationStep}
    with full_house.reading() as session:
        found = {
            one: lots_concerned(session, one) for one in named_after(session, "", limit=10_000)
        }
    assert any(LOT in lots for lots in found.values())
    assert any(not lots for lots in found.values())


@pytest.mark.requirement("1.41", "1.32")
def test_damage_is_told_with_the_lots_until_the_original_is_put_back(house: House):
    house.upload(DATA)
    damage(house)
    (done,) = run(house)
    (found,) = done.found
    assert (found.sha256, found.problem, found.lots) == (SHA256, "damaged", (LOT,))
    assert waiting(house) == [(LOT, f"the archived file {SHA256} is damaged")]
    with pytest.raises(InvalidInput) as other:
        put_back(house, b"other bytes")
    assert other.value.code == "BQC-ARC-009"
    with pytest.raises(Conflict) as unknown:
        put_back(house, b"x", sha256=hashlib.sha256(b"x").hexdigest())
    assert unknown.value.code == "BQC-ARC-015"
    assert waiting(house)
    put_back(house)
    assert waiting(house) == []
    assert house.archive.get(SHA256) == DATA
    assert run(house)[-1].found == ()
    assert house.verify().problems == ()
    with pytest.raises(Conflict) as sound:
        put_back(house)
    assert sound.value.code == "BQC-ARC-010"


def test_what_is_missing_twice_is_open_once_and_ends_where_it_is_found_sound(house: House):
    house.upload(DATA)
    path(house).rename(aside := house.archive.root / "aside")
    for _ in range(2):
        assert [one.problem for one in run(house)[-1].found] == ["missing"]
        assert len(waiting(house)) == 1
    aside.rename(path(house))
    assert run(house)[-1].found == ()
    with house.reading() as session:
        assert open_damage(session) == []
    path(house).unlink()
    run(house)
    assert waiting(house) == [(LOT, f"the archived file {SHA256} is missing")]


@pytest.mark.requirement("1.41")
def test_a_scrub_goes_on_behind_a_file_that_the_disk_does_not_give(house: House):
    """It was never on record, and what comes after it was never read."""
    house.upload(DATA)
    path(house).unlink()
    path(house).symlink_to("/proc/self/mem")  # Errno 5, Input/output error
    *_, last = run(house, portion=1)
    assert last.finished
    assert waiting(house) == [(LOT, f"the archived file {SHA256} is damaged")]
    put_back(house)
    assert house.archive.get(SHA256) == DATA


def test_a_scrub_that_stopped_goes_on_where_it_was(house: House):
    house.upload(DATA)
    with house.reading() as session:
        count = len(named_after(session, "", limit=1000))
    parts = scrub(house.engine, house.archive, EVERYTHING, actor=SYSTEM, clock=house.now, portion=1)
    first = next(parts)
    parts.close()  # type: ignore[attr-defined]
    rest = run(house, portion=1)
    assert (first.number, first.part, rest[0].number, rest[0].part) == (1, 1, 1, 2)
    assert sum(one.checked for one in (first, *rest)) == count
    assert [one.finished for one in rest] == [False] * (len(rest) - 1) + [True]
    assert run(house)[0].number == 2


def test_samples_cover_everything_in_turn(house: House):
    house.upload(DATA)
    damage(house)
    with house.reading() as session:
        names = named_after(session, "", limit=1000)
    found = [run(house, ScrubWanted(sample=1))[0] for _ in range(len(names) * 2)]
    assert [bool(one.found) for one in found] == [name == SHA256 for name in names] * 2
    (more,) = run(house, ScrubWanted(sample=len(names) + 5))
    assert more.checked == len(names)


def test_only_what_was_stored_since_a_day_is_read_and_what_is_missing_in_any_case(house: House):
    house.upload(DATA)
    (done,) = run(house, ScrubWanted(since=date(2999, 1, 1)))
    assert (done.checked, done.found) == (0, ())
    path(house).unlink()
    (done,) = run(house, ScrubWanted(since=date(2999, 1, 1)))
    assert [one.problem for one in done.found] == ["missing"]
    assert run(house, ScrubWanted(since=date(2000, 1, 1)))[-1].checked > 1


def test_two_scrubs_at_once_do_not_tell_of_the_same_part(house: House):
    def racing() -> Iterator[Scrubbed]:
        return scrub(house.engine, slow.archive, EVERYTHING, actor=SYSTEM, clock=house.now)

    class Late(type(house.archive)):  # type: ignore[misc]
        """While it is read, somebody else reads it too."""

        def opened(self, sha256: str):
            if not done:
                done.append(run(house))
            return super().opened(sha256)

    done: list[list[Scrubbed]] = []
    slow = replace(house, archive=Late(house.archive.root))
    with pytest.raises(Conflict) as refusal:
        list(racing())
    assert refusal.value.code == "BQC-ARC-014"


def test_what_says_that_it_was_disposed_of_without_a_record_is_found(house: House):
    house.upload(DATA)
    stone = path(house).with_name(f"{SHA256}.disposed")
    stone.write_bytes(
        b'{"at":"2026-01-01","by":"x","disposal":"DSP-2026-000001","reason":"r",'
        b'"sha256":"' + SHA256.encode() + b'","type":"batchqc/tombstone/1","what":"w"}'
    )
    path(house).unlink()
    (found,) = run(house)[-1].found
    assert found.problem == "disposed of, and no record says so"
    assert any("was disposed of" in one for one in house.verify().problems)


@pytest.mark.requirement("1.05")
def test_documents_of_investigations_are_looked_for_too(house: House):
    before = run(house)[-1].orphans  # of other houses that were furnished from the same store
    assert house.upload(results(viability="89.1")).accepted
    sha256 = file(house)
    done = run(house)[-1]
    assert (done.found, done.orphans) == ((), before)
    damage(house, sha256)
    (found,) = run(house)[-1].found
    assert (found.sha256, found.lots) == (sha256, (LOT,))
    (problem,) = house.verify().problems
    assert problem.startswith("investigation_step:")
    assert "is damaged" in problem


@pytest.mark.requirement("1.41")
def test_a_tombstone_that_nobody_signed_is_told_and_keeps_nothing_from_being_restored(
    house: House,
):
    assert house.upload(DATA).accepted
    house.archive.dispose(Tombstone(SHA256, "upload", "DSP-2026-000001", "Due", "qa1 and qa2", ""))
    (part,) = run(house)
    assert [one.problem for one in part.found] == ["disposed of, and no record says so"]
    (problem,) = house.verify().problems
    assert "was disposed of on" in problem
    assert any("was disposed of" in one for one in house.verify().problems)
    put_back(house)
    assert house.archive.get(SHA256) == DATA
    assert run(house)[0].found == ()
    assert house.verify().problems == ()
