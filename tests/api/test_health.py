"""Whether the process lives and can work: each part fails by itself, and says what to do."""

import errno
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.api import health
from batchqc.api.app import open_door
from batchqc.clock import ClockEvidence
from batchqc.documents.component_key import create_component_key
from batchqc.documents.log_key import create_log_key, load_log_key
from batchqc.documents.pki_life import next_list, open_root, put_list_in_place
from batchqc.documents.stored import Tombstone
from batchqc.records.archive import newest_stored
from batchqc.records.database import COMPONENT_KEY, grant_runtime
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.settings import Settings
from tests.actions.proving import enrolled
from tests.api.conftest import Site, signed
from tests.databases import RUNTIME_ROLE, as_role
from tests.records.house import ANA, QA1

SEALING = "validity of the seal"
PARTS = [
    "database", "schema", "disk of the database", "archive", "seal key", SEALING, "other keys",
    "clock",
]  # fmt: skip


@pytest.fixture
def whole(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of an installation that lacks nothing."""
    key = tmp_path / "components.key"
    create_component_key(key)
    return settings.model_copy(update={"component_key": key})


def use(site: Site, settings: Settings) -> None:
    site.app.state.door.engine.dispose()
    site.app.state.door = open_door(settings, now=site.house.now)


def ask(site: Site) -> tuple[int, dict[str, str]]:
    """The status, and what is to be done for each part that fails."""
    site.house.now.at += timedelta(seconds=6)
    answer = site.http.get(str(site.http.base_url.join("/readyz")))
    told = answer.json()
    assert [one["part"] for one in told["parts"]] == PARTS
    assert told["status"] in {200: {"ready", "degraded"}, 503: {"not ready"}}[answer.status_code]
    failing = [one["part"] for one in told["parts"] if not one["ready"]]
    assert (told["status"] == "ready") is (not failing)
    assert (told["status"] == "degraded") is (failing == [SEALING])
    assert all(bool(one["to_do"]) is not one["ready"] for one in told["parts"])
    return answer.status_code, {one["part"]: one["to_do"] for one in told["parts"] if one["to_do"]}


def test_a_process_that_lives_says_so_without_a_look_at_anything(site: Site):
    use(site, Settings(database="sqlite:////nowhere/batchqc.db"))
    answer = httpx.get(str(site.http.base_url.join("/healthz")))
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_every_part_is_tried_and_tells_what_to_do(
    site: Site, whole: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    use(site, whole)
    site.house.ready()  # a file came in
    assert ask(site) == (200, {})
    empty = tmp_path / "empty"
    nowhere = Path("/proc/nowhere")
    for change, part, variable in (
        ({"store": empty}, "archive", "BATCHQC_STORE"),  # another folder was mounted
        ({"store": nowhere}, "archive", "BATCHQC_STORE"),
        ({"seal": nowhere}, "seal key", "BATCHQC_SEAL"),
        ({"seal_passphrase": None}, "seal key", "BATCHQC_SEAL"),
        ({"seal_passphrase": SecretStr("a wrong one")}, "seal key", "BATCHQC_SEAL"),
        ({"revocation_list": nowhere}, "seal key", "BATCHQC_SEAL"),
        ({"log_key": nowhere}, "other keys", "BATCHQC_LOG_KEY"),
        ({"component_key": whole.log_key}, "other keys", "BATCHQC_COMPONENT_KEY"),
    ):  # fmt: skip
        use(site, whole.model_copy(update=change))
        caplog.clear()
        status, failing = ask(site)
        assert (status, list(failing)) == (503, [part]), change
        assert variable in failing[part]
        assert [one.name for one in caplog.records] == ["batchqc.health"]
    use(site, whole)
    assert ask(site) == (200, {})


@pytest.mark.requirement("1.19")
def test_keys_that_are_not_those_of_the_records_are_not_ready(
    site: Site, whole: Settings, tmp_path: Path
):
    """As where a server was given those of another installation."""
    opened = {COMPONENT_KEY: whole.component_key}
    enrolled(replace(site.house, engine=site.house.engine.execution_options(**opened)), ANA)
    with transaction(site.house.engine, SYSTEM, site.house.now()) as tx:
        sign_checkpoint(tx, load_log_key(whole.log_key))
    use(site, whole)
    assert ask(site) == (200, {})
    other = tmp_path / "other.key"
    create_component_key(other)
    create_log_key(tmp_path / "log.key", name="lakeside/batchqc")
    for change in ({"component_key": other}, {"log_key": tmp_path / "log.key"}):
        use(site, whole.model_copy(update=change))
        status, failing = ask(site)
        assert (status, list(failing)) == (503, ["other keys"]), change


def test_a_store_that_has_everything_and_takes_nothing_is_not_ready(
    site: Site, whole: Settings, monkeypatch: pytest.MonkeyPatch
):
    def refused(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    use(site, whole)
    site.house.ready()
    assert ask(site) == (200, {})
    monkeypatch.setattr(tempfile, "mkstemp", refused)
    status, told = ask(site)
    assert (status, list(told)) == (503, ["archive"])


@pytest.mark.requirement("1.62")
@pytest.mark.parametrize("told", [True, False, None])
def test_a_clock_that_has_to_be_synchronised_and_is_not_any_more_is_not_ready(
    site: Site, whole: Settings, monkeypatch: pytest.MonkeyPatch, *, told: bool | None
):
    monkeypatch.setattr(health, "evidence", lambda: ClockEvidence(told))
    use(site, whole)
    assert ask(site) == (200, {})
    use(site, whole.model_copy(update={"clock_required": True}))
    status, failing = ask(site)
    assert (status, list(failing)) == ((200, []) if told else (503, ["clock"]))


@pytest.mark.only_on("postgresql", "batchqc itself tells SQLite to wait")
def test_a_database_that_does_not_wait_for_its_disk_is_not_ready_but_in_a_trial(
    site: Site, whole: Settings, caplog: pytest.LogCaptureFixture
):
    use(site, whole)
    assert ask(site) == (200, {})  # as tests.databases wait for nothing
    use(site, whole.model_copy(update={"disk_required": True}))
    status, told = ask(site)
    assert (status, list(told)) == (503, ["disk of the database"])
    assert "fsync = off" in caplog.text


def test_what_came_in_last_may_have_been_disposed_of(site: Site, whole: Settings):
    use(site, whole)
    site.house.ready()
    assert ask(site) == (200, {})
    with site.house.reading() as session:
        newest = newest_stored(session)
    assert newest is not None
    (site.house.archive.root / newest[:2] / newest).unlink()
    assert ask(site)[0] == 503
    site.house.archive.dispose(
        Tombstone(newest, "upload", "DSP-2057-000001", "Over", "qa1", "2057-06-01")
    )
    assert ask(site) == (200, {})


def test_the_key_of_authenticators_is_missed_once_somebody_has_one(site: Site, whole: Settings):
    without = whole.model_copy(update={"component_key": Path("/proc/nowhere")})
    use(site, without)
    assert ask(site) == (200, {})
    use(site, whole)
    assert site.send(ANA, "POST", "/authenticator", json=signed(ANA)).status_code < 300
    use(site, without)
    assert list(ask(site)[1]) == ["other keys"]


def test_a_clock_that_runs_behind_what_is_on_record_is_not_ready(site: Site, whole: Settings):
    use(site, whole)
    assert ask(site)[0] == 200
    site.house.now.at -= timedelta(days=300)
    status, told = ask(site)
    assert (status, list(told)) == (503, [SEALING, "clock"])  # by it, the seal is not valid yet


def test_a_database_that_is_gone_is_not_ready_and_its_address_is_not_told(
    site: Site, whole: Settings
):
    address = "postgresql+psycopg://owner:very-secret@127.0.0.1:9/batchqc"
    use(site, whole.model_copy(update={"database": address, "disk_required": True}))
    status, failing = ask(site)
    assert (status, set(failing)) == (503, {*PARTS} - {"seal key", SEALING})
    assert set(failing.values()) == {failing["database"]}
    assert "very-secret" not in str(failing)
    assert "127.0.0.1" not in str(failing)


def test_a_schema_of_before_is_not_ready(site: Site, whole: Settings):
    use(site, whole)
    with site.house.engine.begin() as connection:
        connection.execute(text("ALTER TABLE upload RENAME COLUMN client TO sender"))
    assert list(ask(site)[1]) == ["schema"]


@pytest.mark.only_on("postgresql", "SQLite has no roles")
def test_the_runtime_role_can_say_that_it_is_ready(site: Site, whole: Settings):
    grant_runtime(site.house.engine, RUNTIME_ROLE)
    engine = as_role(site.house.engine, RUNTIME_ROLE)
    use(site, whole)
    owner = site.app.state.door.engine
    site.app.state.door = replace(site.app.state.door, engine=engine)
    assert ask(site) == (200, {})
    owner.dispose()  # the archive asked through it whose it is


def test_it_is_tried_at_most_every_five_seconds(site: Site, whole: Settings):
    use(site, whole)
    assert ask(site)[0] == 200
    door = site.app.state.door
    door.settings.component_key.write_text("no key")
    assert httpx.get(str(site.http.base_url.join("/readyz"))).status_code == 200
    assert ask(site)[0] == 503


def test_a_seal_that_has_ended_is_told_and_takes_no_server_away(site: Site, whole: Settings):
    """Nothing can be sealed, everywhere alike; lots are still held, results still come in."""
    use(site, whole.model_copy(update={"metrics_token": SecretStr("sixteen or more of them")}))
    assert ask(site) == (200, {})
    ends = site.app.state.door.press.seal_key().certificate.not_valid_after_utc

    def left() -> str:
        bearer = {"Authorization": "Bearer sixteen or more of them"}
        answer = site.http.get(str(site.http.base_url.join("/metrics")), headers=bearer)
        return next(one for one in answer.text.splitlines() if one.startswith("batchqc_seal_days"))

    def waits() -> list[tuple[str, str | None, bool, list[str]]]:
        found = site.get(QA1, "/open-work", params={"kind": "key"})["items"]
        return [(one["what"], one["due"], one["overdue"], one["roles"]) for one in found]

    assert waits() == []
    site.house.now.at = ends - timedelta(days=30)
    site.tokens.clear()
    due = ends.date().isoformat()
    what = ["the revocation list 1 ends", "the seal for releases ends", "the seal for reviews ends"]
    assert [one for one in waits() if one[0] == what[1]] == [(what[1], due, False, ["QA"])]
    assert (ask(site), left()) == ((200, {}), "batchqc_seal_days 29.0")
    site.house.now.at = ends + timedelta(days=2)
    site.tokens.clear()
    status, told = ask(site)
    assert (status, list(told)) == (200, [SEALING])
    assert "batchqc pki status" in told[SEALING]
    assert left() == "batchqc_seal_days 0.0"
    assert [(one[0], one[2]) for one in waits()] == [(one, True) for one in what]


def test_a_seal_that_was_revoked_is_told_without_a_day(site: Site, whole: Settings):
    use(site, whole)
    key = site.app.state.door.press.seal_key()
    root = open_root(site.keys.root_p12, "root passphrase", whole.sealing.root)
    at = site.house.now.at
    number = next_list(root, [key.certificate], now=at)
    list_of = site.keys.root_crl
    was = list_of.read_bytes()
    put_list_in_place(root.files, number)
    try:
        status, told = ask(site)
        assert (status, list(told)) == (200, [SEALING])
        found = site.get(QA1, "/open-work", params={"kind": "key"})["items"]
        assert [(one["what"], one["due"]) for one in found] == [
            (f"seal for releases: revoked on {at:%Y-%m-%d}", None)
        ]
    finally:
        list_of.write_bytes(was)
