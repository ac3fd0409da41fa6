"""An installation as it is run, whose processes and disks can be taken away."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx

from tests.faults.lines import free_port
from tests.faults.postgres import Pair
from tests.performance.peer_workload import PASSWORD, set_up

_ROOT: Final = Path(__file__).parents[2]
_BATCHQC: Final = Path(sys.executable).with_name("batchqc")
_FAKETIME: Final = next(map(str, Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), "")
_FILLED: Final = ".filled"
_SIZES: Final = {"sqlite": "400m", "postgresql": "1g"}


class Site:
    """Server, database and store in one folder, which is a disk of its own where that is allowed.

    Args:
        kind: of the database, ``sqlite`` or ``postgresql``.
        planted: a defect of ``tests.faults.planted`` that its server has.
        sets_clock: whether its clock will be set, which makes all of it slower.
    """

    def __init__(self, kind: str, *, planted: str = "", sets_clock: bool = False) -> None:
        self.folder = folder = Path(tempfile.mkdtemp(prefix="bq-faults-"))
        self._is_disk = _mount(folder, _SIZES[kind])
        folder.chmod(0o711)  # the database's server is another user
        self.home = folder / "home"
        self.home.mkdir()
        self.pair = Pair(folder / "postgresql") if kind == "postgresql" else None
        self.settings = set_up(self.home, database=self.pair.address if self.pair else "")
        self._port = free_port()
        self._planted = planted
        self._offset = self.home / "offset"
        self._offset.write_text("+0")
        self._sets_clock = sets_clock
        self._server: subprocess.Popen[bytes] | None = None
        self.log = folder.with_name(f"{folder.name}.log")  # beside the disk that is full

    @property
    def address(self) -> str:
        """Of the server."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def process(self) -> int:
        """Of the server.

        Raises:
            RuntimeError: it does not run.
        """
        if self._server is None:
            raise RuntimeError("the server does not run")
        return self._server.pid

    def start(self, *before: str) -> None:
        """Start the server, by a program before it if any, and wait until it answers."""
        command = [str(_BATCHQC)]
        if self._planted:
            command = [sys.executable, "-m", "tests.faults.planted", self._planted]
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                [*before, *command, "serve", "--port", str(self._port)],
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=self._environment(),
                cwd=_ROOT,
            )
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.address}/api/v1/health", timeout=5).is_success:
                    return
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End the server in the midst of whatever it does."""
        if self._server is not None:
            self._server.send_signal(signal.SIGKILL)
            self._server.wait(timeout=30)
            self._server = None

    def set_clock(self, offset: str) -> None:
        """Set the server's clock by an offset from the right time, such as ``+3h``."""
        self._offset.write_text(offset)

    def fill_disk(self) -> None:
        """Leave no room on the disk, or where it is everybody's, none to the server."""
        if not self._is_disk:
            largest = max(one.stat().st_size for one in self.home.rglob("*") if one.is_file())
            _limit_files(self.process, largest)
            return
        with contextlib.suppress(OSError), (self.folder / _FILLED).open("wb") as file:
            while True:
                file.write(b"\0" * 65536)
                file.flush()

    def empty_disk(self) -> None:
        """Give the room back."""
        (self.folder / _FILLED).unlink(missing_ok=True)
        if not self._is_disk:
            _limit_files(self.process, -1)

    def take_store(self) -> None:
        """Nobody finds the store, as where a share is not mounted."""
        store = Path(self.settings.store)
        store.rename(store.with_name("store-away"))
        store.write_text("not a folder")

    def give_store(self) -> None:
        """It is there again."""
        store = Path(self.settings.store)
        store.unlink()
        store.with_name("store-away").rename(store)

    def doctor(self) -> list[str]:
        """What ``batchqc doctor`` finds that is more than harmless."""
        done = subprocess.run(
            [_BATCHQC, "doctor", "--json", "--sample", "5"],
            capture_output=True, text=True, check=False, cwd=_ROOT, env=self._environment(),
        )  # fmt: skip
        try:
            said: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            return [f"doctor: {done.stdout}{done.stderr}"]
        return [
            f"doctor: {one['grade']}: {one['where']}: {one['what']}"
            for one in said["findings"]
            if one["grade"] != "harmless"
        ]

    def close(self) -> None:
        """End all of it, and take it away."""
        self.kill()
        if self.pair is not None:
            self.pair.close()
        if self._is_disk:
            subprocess.run(["umount", "--lazy", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        own = self.settings
        return os.environ | {
            "BATCHQC_DATABASE": own.database,
            "BATCHQC_STORE": str(own.store),
            "BATCHQC_SEAL": str(own.seal),
            "BATCHQC_SEAL_PASSPHRASE": PASSWORD,
            "BATCHQC_WEBHOOK_KEY": str(own.webhook_key),
            "BATCHQC_COMPONENT_KEY": str(own.component_key),
            "BATCHQC_WAITING": str(self.home / "waiting"),
            "BATCHQC_LOG_KEY": str(own.log_key),
            "BATCHQC_ROOT": str(own.seal.with_name("root.pem")),
            "BATCHQC_TRUST": str(own.seal.parent),
        } | (self._faked if self._sets_clock else {})  # fmt: skip

    @property
    def _faked(self) -> dict[str, str]:
        """What has the server see another time; every look at the clock then reads a file."""
        return {
            "LD_PRELOAD": _FAKETIME,
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


def _mount(folder: Path, size: str) -> bool:
    """Make the folder a disk of its own, in memory; whether that is allowed."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
        check=False,
        capture_output=True,
    )
    return done.returncode == 0


def _limit_files(process: int, size: int) -> None:
    from resource import RLIMIT_FSIZE, prlimit  # noqa: PLC0415 - not on every system

    prlimit(process, RLIMIT_FSIZE, (size, -1))
