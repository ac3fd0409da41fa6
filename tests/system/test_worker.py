"""Workers as they run: processes that share jobs, die in the middle of one, and are replaced."""

import json
import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from batchqc.actions.jobs import ask_for
from batchqc.actions.webhooks import NewWebhook, register_webhook
from batchqc.cli import clock_compared
from batchqc.cli.demo_cast import PASSWORD
from batchqc.clock import ClockEvidence
from batchqc.core.jobs import WHO_ASKS, Kind, State
from batchqc.core.permissions import Permission
from batchqc.errors import ClockDoubtful
from batchqc.records.database import grant_runtime
from batchqc.records.job_queue import only_at
from batchqc.records.jobs import job_by, steps_of
from batchqc.records.transaction import transaction
from batchqc.settings import Settings
from tests.api.conftest import log_key, seal, settings  # noqa: F401 - fixtures
from tests.databases import RUNTIME_ROLE, as_role
from tests.documents.receiver import Receiver, receiving
from tests.records.house import ADM, QA1, House, results
from tests.system.test_command_line import refused
from tests.system.test_laboratory_commands import batchqc, home  # noqa: F401 - a fixture
from tests.system.working import commands, listens, works

_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    ["batchqc.api.workshops", "batchqc.api.app", "batchqc.cli.worker", "procrastinate"]
)
REVIEW = {"product": "UC-MSC", "first": "2025-01-01", "last": "2025-05-01"}
KEY = b"k" * 43
LISTENS = """SELECT count(*) > 0 FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'LISTEN%batchqc_events%'"""
BATCHQC = Path(sys.executable).with_name("batchqc")


def ask(house: House, kind: Kind, wanted: dict[str, object]) -> str:
    with house.acting(QA1, WHO_ASKS[kind]) as tx:
        return ask_for(tx, kind, wanted).job.natural_key  # type: ignore[arg-type]


def steps(house: House, number: str) -> list[tuple[str, str]]:
    """State and executor of each step of a job."""
    with house.reading() as session:
        job = job_by(session, number)
        assert job
        return [(one.state, one.executor) for one in steps_of(session, job)]


def begun(site: Settings, dies: Kind | None = None) -> Any:
    process = _PROCESSES.Process(target=works, args=(site, dies))
    process.start()
    return process


def told_to(house: House, site: Settings, folder: Path, *receivers: Receiver) -> Settings:
    """Webhooks that two events wait for, and the settings with their key."""
    for number, receiver in enumerate(receivers):
        with house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
            new = NewWebhook(f"erp-{number}", receiver.url, ("upload.*",))
            register_webhook(tx, new, key=KEY)
    house.upload(results())
    house.upload(results(viability="much"))
    house.engine.dispose()
    folder.joinpath("webhook.key").write_bytes(KEY)
    return site.model_copy(update={"webhook_key": folder / "webhook.key"})


def outcomes(house: House) -> list[tuple[str, int]]:
    with house.engine.connect() as connection:
        query = text("SELECT outcome, number FROM delivery ORDER BY id")
        return [tuple(one) for one in connection.execute(query)]


def wait_until(house: House, question: str, **given: object) -> None:
    """Wait for another process: until the database answers a question with yes."""
    end = time.monotonic() + 120
    with house.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(text(question), given):
            assert time.monotonic() < end, question
            time.sleep(0.02)


def ids(receiver: Receiver) -> list[str]:
    found = [json.loads(body)["id"] for body in receiver.bodies]
    assert [one["X-Batchqc-Delivery"] for one in receiver.headers] == found
    return found


def test_what_a_killed_worker_was_telling_another_one_tells_again_under_the_same_ids(
    house: House,
    settings: Settings,  # noqa: F811
    tmp_path: Path,
):
    with receiving() as receiver:
        site = told_to(house, settings, tmp_path, receiver)
        killed = begun(site)

        def kill() -> int:
            killed.kill()
            assert wait([killed.sentinel], 120)  # to join twice at once loses the exit code
            return 200

        receiver.answers = [200, kill]
        killed.join(120)
        assert killed.exitcode == -signal.SIGKILL
        assert outcomes(house) == []
        house.engine.dispose()
        for _ in range(2):
            other = begun(site)
            other.join(120)
            assert other.exitcode == 0
    first, second, *again = ids(receiver)
    assert again == [first, second]
    assert outcomes(house) == [("delivered", 1)] * 2


@pytest.mark.only_on("postgresql", "on SQLite one process works at a time")
def test_two_workers_tell_each_webhook_of_each_event_once_and_in_order(
    house: House,
    settings: Settings,  # noqa: F811
    tmp_path: Path,
):
    with receiving() as one, receiving() as other, receiving() as third:
        site = told_to(house, settings, tmp_path, one, other, third)
        workers = [begun(site), begun(site)]
        for worker in workers:
            worker.join(120)
            assert worker.exitcode == 0
    assert ids(one) == ids(other) == ids(third)
    assert len(set(ids(one))) == 2
    assert outcomes(house) == [("delivered", 1)] * 6


def test_what_is_not_taken_waits_for_its_time_and_keeps_no_job_waiting(
    house: House,
    settings: Settings,  # noqa: F811
    tmp_path: Path,
):
    number = ask(house, Kind.SCRUB, {"sample": 1, "since": ""})
    with receiving() as receiver:
        receiver.answers = [500]
        site = told_to(house, settings, tmp_path, receiver)
        for _ in range(2):
            done = begun(site)
            done.join(120)
            assert done.exitcode == 0
        assert len(ids(receiver)) == 1
    assert outcomes(house) == [("failed", 1)]
    assert steps(house, number)[-1][0] == State.DONE
    if house.engine.dialect.name == "postgresql":
        with house.engine.connect() as connection:
            waits = "SELECT task_name, scheduled_at > now() FROM procrastinate_jobs"
            assert [tuple(one) for one in connection.execute(text(waits))] == [
                ("batchqc.webhook", True)
            ]


@pytest.mark.only_on("postgresql", "on SQLite a thread looks once a second")
def test_a_worker_is_woken_by_an_event_that_commits(
    house: House,
    settings: Settings,  # noqa: F811
    tmp_path: Path,
):
    def wait_until_told(count: int) -> None:
        wait_until(house, LISTENS)
        wait_until(house, "SELECT count(*) = :count FROM delivery", count=count)
        wait_until(house, "SELECT count(*) = 0 FROM procrastinate_jobs")

    with receiving() as receiver:
        site = told_to(house, settings, tmp_path, receiver)
        staying = _PROCESSES.Process(target=listens, args=(site,))
        staying.start()
        try:
            wait_until_told(2)
            for count in range(3, 6):
                house.upload(results(viability=f"9{count}.5"))
                wait_until_told(count)
        finally:
            staying.terminate()
            staying.join(60)
    assert len(ids(receiver)) == 5


@pytest.mark.only_on("postgresql", "SQLite has no queue")
def test_what_a_dead_worker_left_is_found_where_its_job_stands_in_the_queue_twice(
    house: House,
    settings: Settings,  # noqa: F811
):
    number = ask(house, Kind.SCRUB, {"sample": 1, "since": ""})
    with house.engine.begin() as connection:
        connection.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
        connection.execute(
            text(
                "INSERT INTO procrastinate_jobs (task_name, queue_name, lock, args)"
                " SELECT task_name, queue_name, lock, args FROM procrastinate_jobs"
            )
        )
    house.engine.dispose()
    done = begun(settings)
    done.join(120)
    assert done.exitcode == 0
    assert steps(house, number)[-1][0] == State.DONE


@pytest.mark.only_on("postgresql", "batchqc itself tells SQLite to wait")
@pytest.mark.requirement("1.32", "5.08")
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_nobody_begins_without_the_disk_of_the_database_or_the_store(
    house: House,
    settings: Settings,  # noqa: F811
    tmp_path: Path,
    command: str,
):
    house.ready()
    (tmp_path / "mount").mkdir()
    whole = {"DATABASE": settings.database, "STORE": str(settings.store)}
    for change, code in (
        ({"DISK_REQUIRED": "true"}, "BQC-SYS-033"),
        ({"STORE": str(tmp_path / "mount")}, "BQC-ARC-018"),
    ):
        given = {f"BATCHQC_{name}": value for name, value in (whole | change).items()}
        told = tmp_path / "told"
        process = _PROCESSES.Process(target=commands, args=(command, given, told))
        process.start()
        process.join(120)
        process.kill()  # else who began all the same is waited for
        process.join()
        assert process.exitcode > 0
        assert code in told.read_text()


@pytest.mark.requirement("1.62")
def test_a_worker_begins_by_no_clock_that_has_to_be_synchronised_and_is_not(
    home: Path,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("BATCHQC_SEAL_PASSPHRASE", PASSWORD)
    monkeypatch.setenv("BATCHQC_CLOCK_REQUIRED", "true")
    monkeypatch.setattr(clock_compared, "evidence", lambda: ClockEvidence(is_synchronised=False))
    refused(batchqc(home, "worker", "--once"), ClockDoubtful, "BQC-SYS-032")


@pytest.mark.only_on("postgresql", "SQLite has no queue")
def test_what_a_living_worker_is_at_is_given_to_no_other_one(
    house: House,
    settings: Settings,  # noqa: F811
):
    number = ask(house, Kind.SCRUB, {"sample": 1, "since": ""})
    with house.engine.begin() as connection:
        connection.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    with only_at(house.engine, number) as is_mine:
        assert is_mine
        other = begun(settings)
        other.join(120)
        assert other.exitcode == 0
    with house.engine.connect() as connection:
        told = connection.execute(text("SELECT status, attempts FROM procrastinate_jobs")).all()
    assert [tuple(one) for one in told] == [("doing", 0)]
    assert [state for state, _ in steps(house, number)] == ["queued"]


def test_what_a_killed_worker_began_another_one_finishes(
    house: House,
    settings: Settings,  # noqa: F811
):
    number = ask(house, Kind.QUALITY_REVIEW, REVIEW)
    house.engine.dispose()
    killed = begun(settings, Kind.QUALITY_REVIEW)
    killed.join(120)
    assert killed.exitcode == -signal.SIGKILL
    assert [state for state, _ in steps(house, number)] == ["queued", "running"]
    house.engine.dispose()
    other = begun(settings)
    other.join(120)
    assert other.exitcode == 0
    found = steps(house, number)
    assert [state for state, _ in found] == ["queued", "running", "running", "done"]
    (_, first), (_, second), (_, last) = found[1:]
    assert first != second == last
    with house.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM quality_review")) == 1


@pytest.mark.only_on("postgresql", "on SQLite one process works at a time")
def test_two_workers_share_the_jobs_and_do_none_twice(
    house: House,
    settings: Settings,  # noqa: F811
):
    numbers = [ask(house, Kind.RENEWAL, {"within": 0}) for _ in range(8)]
    house.engine.dispose()
    workers = [begun(settings), begun(settings)]
    for one in workers:
        one.join(120)
        assert one.exitcode == 0
    found = [steps(house, number) for number in numbers]
    assert [[state for state, _ in one] for one in found] == [["queued", "running", "done"]] * 8
    with house.engine.connect() as connection:
        left = connection.scalar(text("SELECT count(*) FROM procrastinate_jobs"))
        assert left == 0


@pytest.mark.only_on("postgresql", "SQLite has no queue")
def test_a_queue_that_lost_a_job_is_made_anew_of_the_records(
    house: House,
    settings: Settings,  # noqa: F811
):
    number = ask(house, Kind.SCRUB, {"sample": 1, "since": ""})
    with house.engine.begin() as connection:
        connection.execute(text("DELETE FROM procrastinate_jobs"))
    house.engine.dispose()
    done = begun(settings)
    done.join(120)
    assert steps(house, number)[-1][0] == State.DONE


@pytest.mark.only_on("postgresql", "SQLite has no roles")
def test_the_runtime_role_asks_and_works(
    house: House,
    settings: Settings,  # noqa: F811
):
    grant_runtime(house.engine, RUNTIME_ROLE)
    runtime = as_role(house.engine, RUNTIME_ROLE)
    actor = house.actor(QA1, WHO_ASKS[Kind.SCRUB])
    with transaction(runtime, actor, house.now()) as tx:
        number = ask_for(tx, Kind.SCRUB, {"sample": 1, "since": ""}).job.natural_key
    address = runtime.url.render_as_string(hide_password=False)
    runtime.dispose()
    done = begun(settings.model_copy(update={"database": address}))
    done.join(120)
    assert steps(house, number)[-1][0] == State.DONE


def test_the_command_does_what_waits_and_tells_of_what_nobody_foresaw(
    house: House,
    settings: Settings,  # noqa: F811
):
    """A job whose words nobody can read any more fails in words, and the next one is done."""
    broken = ask(house, Kind.SCRUB, {"strange": 1})
    sound = ask(house, Kind.SCRUB, {"sample": 1, "since": ""})
    house.engine.dispose()
    assert settings.seal_passphrase
    environment = {
        "BATCHQC_DATABASE": settings.database,
        "BATCHQC_STORE": str(settings.store),
        "BATCHQC_SEAL": str(settings.seal),
        "BATCHQC_LOG_KEY": str(settings.log_key),
        "BATCHQC_SEAL_PASSPHRASE": settings.seal_passphrase.get_secret_value(),
        "BATCHQC_LOG_FORMAT": "json",
    }
    done = subprocess.run(
        [BATCHQC, "worker", "--once"],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == ""
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {one["logger"] for one in lines} == {"batchqc.worker"} | {
        "postgresql": {"batchqc.trial", "batchqc.rights"},  # by the owner of the server
        "sqlite": set[str](),
    }[house.engine.dialect.name]
    assert any("takes jobs" in one["message"] for one in lines)
    assert [one["trace"].splitlines()[-1] for one in lines if "trace" in one] == [
        "KeyError: 'sample'"
    ]
    assert [state for state, _ in steps(house, broken)] == ["queued", "running", "failed"]
    assert [state for state, _ in steps(house, sound)] == ["queued", "running", "done"]
