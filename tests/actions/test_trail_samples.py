"""The random review of the audit trail: drawn by nobody, read by who did not do it (1.66)."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import event, select

from batchqc.actions.open_work import open_work
from batchqc.actions.trail_samples import read_sample, read_samples
from batchqc.core.open_work import Filter, Work
from batchqc.core.trail_samples import drawn
from batchqc.errors import BatchqcError
from batchqc.records.audit import entry_count, newest_link
from batchqc.records.trail_samples import TrailSample
from tests.actions.state import counts, grown
from tests.records.house import ADM, QA1, QA2, House
from tests.records.tampering import tamper
from tests.records.trail_samples import draw, review


def waiting(house: House, number: str) -> tuple[int, ...]:
    with house.reading() as session:
        return read_sample(session, house.archive, number).waiting


def refused(call: Callable[..., object], *given: object) -> str:
    with pytest.raises(BatchqcError) as found:
        call(*given)
    return found.value.code


@pytest.mark.requirement("1.66")
def test_a_sample_is_drawn_of_all_that_came_since_the_one_before(house: House):
    house.ready()
    with house.reading() as session:
        link = newest_link(session)
    number, sha256 = draw(house, 8)
    kept = json.loads(house.archive.get(sha256))
    assert number == "TS-2026-000001"
    assert (kept["from"], kept["to"], kept["head"]) == (1, link.sequence, link.sha256)
    places = [place for place, _ in kept["entries"]]
    assert tuple(places) == drawn(1, link.sequence, head=link.sha256, size=8)
    assert len(places) == 8
    later, sha256 = draw(house, 200)
    after = json.loads(house.archive.get(sha256))
    assert later == "TS-2026-000002"
    assert after["from"] == link.sequence + 1
    assert [place for place, _ in after["entries"]] == list(range(after["from"], after["to"] + 1))
    assert house.verify().problems == ()


@pytest.mark.requirement("1.66", "1.60")
def test_what_a_reviewer_did_is_left_to_another(house: House):
    with house.reading() as session:
        entries = entry_count(session)
    number, sha256 = draw(house, 200)
    draw_again, other = draw(house, 200)  # all of it was done by QA1: that QA1 drew the first
    assert len(waiting(house, number)) == entries
    assert refused(review, house, draw_again, other, QA1) == "BQC-ATR-009"
    assert review(house, draw_again, other, QA2) == f"{draw_again}/1"
    assert waiting(house, draw_again) == ()
    assert refused(review, house, draw_again, other, QA2) == "BQC-ATR-008"
    assert review(house, number, sha256, QA1) == f"{number}/1"
    with house.reading() as session:
        left = read_sample(session, house.archive, number)
    assert {e.who for link, e in left.entries if link.sequence in left.waiting} <= {QA1}
    if left.waiting:
        assert review(house, number, sha256, QA2) == f"{number}/2"
    assert waiting(house, number) == ()
    assert house.verify().problems == ()


@pytest.mark.requirement("1.66")
def test_what_is_wrong_is_refused_and_changes_nothing(house: House):
    number, sha256 = draw(house)
    before = counts(house.engine)
    assert refused(draw, house, 0) == "BQC-ATR-004"
    assert refused(draw, house, 201) == "BQC-ATR-004"
    assert refused(draw, house, 5, ADM) == "BQC-ACC-002"
    assert refused(review, house, number, "0" * 64) == "BQC-ATR-007"
    assert refused(review, house, "TS-2026-000009", sha256) == "BQC-ATR-005"
    assert refused(review, house, "AR-2026-000001", sha256) == "BQC-ATR-005"
    assert grown(house.engine, before).keys() <= {"attempt", "audit_entry", "audit_link"}


@pytest.mark.requirement("1.66")
@pytest.mark.parametrize("what", ["an entry", "the list"])
def test_a_sample_whose_entries_were_changed_is_not_signed(house: House, what: str):
    number, sha256 = draw(house, 200)
    if what == "the list":
        path = house.archive.path_of(sha256)
        path.chmod(0o600)
        path.write_bytes(b"{}")
        code = "BQC-ARC-001"
    else:
        tamper(house.engine, "UPDATE audit_entry SET text = text || ' ' WHERE id = 3")
        code = "BQC-ATR-006"
    before = counts(house.engine)
    assert refused(review, house, number, sha256) == code
    assert grown(house.engine, before) == {}


def to_do(house: House) -> list[str]:
    """The samples that open work tells of, in words."""
    with house.reading() as session:
        wanted = Filter(kind=Work.TRAIL_SAMPLE)
        found = open_work(session, house.archive, wanted=wanted, now=house.now())
        return [one.what for one in found.items]


@pytest.mark.requirement("1.66")
def test_a_sample_that_waits_for_a_reader_is_open_work(house: House):
    assert to_do(house) == []
    first, sha256 = draw(house, 200)
    second, other = draw(house, 200)  # that QA1 drew the first
    assert to_do(house) == [f"{first} waits for a reader", f"{second} waits for a reader"]
    review(house, second, other, QA2)
    assert to_do(house) == [f"{first} waits for a reader"]
    review(house, first, sha256, QA1)
    assert to_do(house) == ([f"{first} waits for a reader"] if waiting(house, first) else [])
    if waiting(house, first):
        review(house, first, sha256, QA2)
    assert to_do(house) == []


@pytest.mark.requirement("1.66", "1.09")
def test_a_sample_that_cannot_be_read_is_told_as_such(house: House):
    number, sha256 = draw(house, 200)
    second, other = draw(house, 200)
    review(house, second, other, QA2)
    last = json.loads(house.archive.get(other))["entries"][-1][1]
    removed = f"DELETE FROM audit_entry WHERE sha256 = '{last}'"  # noqa: S608 - a hash
    tamper(house.engine, removed)
    path = house.archive.path_of(sha256)
    path.chmod(0o600)
    path.write_bytes(b"{}")
    damaged, lacking = to_do(house)
    assert damaged.startswith(f"{number} cannot be read: ")
    assert lacking == f"{second} cannot be read: an entry of it is missing"


@pytest.mark.requirement("1.66")
def test_many_samples_are_read_with_the_statements_of_few(house: House):
    for _ in range(5):
        number, sha256 = draw(house, 5)
        review(house, number, sha256, QA2)

    def statements(many: int) -> int:
        said: list[str] = []
        with house.reading() as session:
            event.listen(
                session.connection(), "before_cursor_execute", lambda *told: said.append(told[2])
            )
            rows = session.scalars(select(TrailSample).limit(many)).all()
            assert len(read_samples(session, house.archive, rows)) == many
        return len(said)

    assert statements(5) <= statements(2)
