"""A session that nobody uses is refused by every server, and using it costs next to nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from batchqc.api.app import open_door
from batchqc.api.doors import Door
from batchqc.settings import Settings
from tests.actions.state import counts, grown
from tests.api.conftest import Site, signed
from tests.api.test_refusals import is_problem
from tests.api.test_sessions import ask, begin, end_of, is_open, listed
from tests.records.house import ANA

MINUTE = timedelta(minutes=1)
IDLE = timedelta(minutes=Settings.model_fields["session_idle_minutes"].default)
OF_USES = "session_use"


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    found: list[str] = []

    def note(*told: object) -> None:
        found.append(str(told[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def doors(site: Site, settings: Settings) -> Iterator[tuple[Door, Door]]:
    """Two servers of one database; the application is either, as a test says."""
    own, other = site.app.state.door, open_door(settings, now=site.house.now)
    yield own, other
    site.app.state.door = own
    other.engine.dispose()


@pytest.mark.requirement("1.16")
def test_a_session_that_nobody_uses_is_refused_by_whatever_it_is_asked(site: Site):
    token, beside = begin(site), begin(site)
    site.house.now.at += IDLE - MINUTE
    assert is_open(site, beside)
    site.house.now.at += 3 * MINUTE
    before = counts(site.house.engine)
    for method, path in (("GET", "/me"), ("GET", "/lots"), ("DELETE", "/session")):
        is_problem(ask(site, token, method, path), 401, "BQC-ACC-001")
    is_problem(ask(site, token, "POST", "/sessions/end", json=signed(ANA)), 401, "BQC-ACC-001")
    assert grown(site.house.engine, before) == {}
    assert is_open(site, beside)
    assert [one["is_this"] for one in listed(site, beside)] == [True]
    assert not is_open(site, token)  # to have asked is no use of it


@pytest.mark.requirement("1.16")
def test_a_session_that_is_used_stays_until_its_end(site: Site):
    token = begin(site)
    for turn in range(20):
        site.house.now.at += IDLE - 5 * MINUTE
        assert is_open(site, token) == (turn < 19)  # after eight hours it is over


def test_what_one_server_sees_used_the_others_do_not_refuse(site: Site, doors: tuple[Door, Door]):
    token = begin(site)
    for turn in range(8):
        site.app.state.door = doors[turn % 2]
        site.house.now.at += IDLE - 5 * MINUTE
        assert is_open(site, token), turn
    site.app.state.door = doors[1]
    first = listed(site, token)[0]
    site.app.state.door = doors[0]
    site.house.now.at += 2 * MINUTE
    second = begin(site)
    old = listed(site, second)[1]
    saw, knows = (datetime.fromisoformat(one["last_used_at"]) for one in (first, old))
    assert saw - MINUTE < knows <= saw
    assert old["last_used_from"] == first["last_used_from"]
    site.house.now.at += IDLE + MINUTE
    for door in doors:
        site.app.state.door = door
        assert not is_open(site, token)


def test_a_server_that_begins_anew_knows_what_was_used_before(site: Site, doors: tuple[Door, Door]):
    used, unused = begin(site), begin(site)
    site.house.now.at += IDLE - 5 * MINUTE
    assert is_open(site, used)
    site.app.state.door = doors[1]
    site.house.now.at += 10 * MINUTE
    assert (is_open(site, used), is_open(site, unused)) == (True, False)


def test_a_use_is_kept_once_a_minute_at_most_and_asked_for_by_nobody_who_saw_it(site: Site):
    token = begin(site)
    engine = site.app.state.door.engine
    with statements(engine) as said:
        began = site.house.now.at
        for _ in range(10):
            assert is_open(site, token)
        assert site.house.now.at - began < MINUTE
        assert [one for one in said if OF_USES in one] == []  # it has only just begun
        usual = len(said)
        site.house.now.at += MINUTE
        said.clear()
        began = site.house.now.at
        for _ in range(10):
            assert is_open(site, token)
        assert site.house.now.at - began < MINUTE
        (kept,) = [one for one in said if OF_USES in one]
        assert kept.lstrip().startswith("INSERT")
        beside = [one for one in said if one.startswith(("SET LOCAL", "BEGIN IMMEDIATE"))]
        assert len(beside) == (2 if engine.dialect.name == "postgresql" else 1)
        assert len(said) == usual + 1 + len(beside)


def test_all_sessions_are_listed_by_one_question_for_their_uses(site: Site):
    tokens = [begin(site) for _ in range(2)]
    asked = []
    for _ in range(2):
        is_open(site, tokens[0])
        with statements(site.app.state.door.engine) as said:
            listed(site, tokens[0])
        asked.append((len(said), sum(OF_USES in one for one in said)))
        tokens += [begin(site) for _ in range(5)]
    assert asked[0] == asked[1]
    assert asked[0][1] == 1


def test_no_minutes_refuse_no_session_before_its_end(site: Site, settings: Settings):
    never = settings.model_copy(update={"session_idle_minutes": 0})
    site.app.state.door.engine.dispose()
    site.app.state.door = open_door(never, now=site.house.now)
    token = begin(site)
    site.house.now.at += timedelta(hours=7, minutes=50)
    assert is_open(site, token)


def test_a_database_that_only_reads_refuses_no_question(site: Site, doors: tuple[Door, Door]):
    """As a standby is, or a disk that is full: who is signed in goes on reading at that server."""
    token = begin(site)
    site.app.state.door = doors[1]
    engine = doors[1].engine
    is_sqlite = engine.dialect.name == "sqlite"
    says = "PRAGMA query_only=ON" if is_sqlite else "SET TRANSACTION READ ONLY"

    def only_reads(_: object, cursor: Any, *__: object) -> None:
        cursor.execute(says)

    event.listen(engine, "before_cursor_execute", only_reads)
    for _ in range(4):
        site.house.now.at += IDLE - 5 * MINUTE
        assert is_open(site, token)
    with site.house.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM session_use")) == 0


def test_who_asks_while_somebody_writes_for_long_does_not_wait(site: Site):
    token = begin(site)
    site.house.now.at += 5 * MINUTE
    assert is_open(site, token)
    site.house.now.at += 5 * MINUTE
    with site.house.engine.begin() as connection:
        connection.execute(text("UPDATE session_use SET used_from = 'x'"))
        assert ask(site, token, "GET", "/me", timeout=5).status_code == 200
        connection.rollback()


@pytest.mark.requirement("1.16")
def test_who_ends_a_session_sees_those_that_are_in_use(site: Site):
    token, own = begin(site), begin(site)
    site.house.now.at += IDLE - 5 * MINUTE
    assert is_open(site, own)
    old = next(one for one in listed(site, own) if not one["is_this"])
    site.house.now.at += 10 * MINUTE
    assert [one["is_this"] for one in listed(site, own)] == [True]
    answer = ask(site, own, "POST", end_of(old), json=signed(ANA))  # for good, before its time
    assert answer.json() == {"ended": 1}
    assert not is_open(site, token)
