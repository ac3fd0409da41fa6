"""An installation as it is run, whose processes and disks can be taken away."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final
from unittest.mock import patch

import httpx
from argon2 import PasswordHasher

from batchqc.actions import passwords
from batchqc.actions.doctor import examine_installation
from batchqc.cli.doctor import examined_at
from batchqc.cli.workplace import Workplace
from batchqc.core.soundness import Grade
from batchqc.documents.sealing import Level
from batchqc.settings import Settings
from tests.faults.nursery import Nursery
from tests.faults.postgres import Pair
from tests.faults.stamps import Stamps
from tests.performance.peer_workload import PASSWORD, set_up
from tests.ports import free_port

_FAKETIME: Final = next(map(str, Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), "")
_FILLED: Final = ".filled"
_STARTS: Final = 120.0
"""Seconds until a server that does not answer is given up."""
_QUICK: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Of the people's passwords: what a password costs is not what is tried here."""
_SIZES: Final = {"sqlite": "400m", "postgresql": "1g"}


class Site:
    """Server, database and store in one folder, which is a disk of its own where that is allowed.

    Args:
        kind: of the database, ``sqlite`` or ``postgresql``.
        planted: a defect of ``tests.faults.planted`` that its server has.
        sets_clock: whether its clock will be set, which makes all of it slower.
        stamps: whether a timestamp service stamps its seals.
        nursery: what its servers are forked from; it makes and ends one of its own where none is.
        database: the address of a database that runs already, and is not ended.
    """

    def __init__(
        self,
        kind: str,
        *,
        planted: str = "",
        sets_clock: bool = False,
        stamps: bool = False,
        nursery: Nursery | None = None,
        database: str = "",
    ) -> None:
        self.folder = folder = Path(tempfile.mkdtemp(prefix="bq-faults-"))
        self._is_disk = _mount(folder, _SIZES[kind])
        folder.chmod(0o711)  # the database's server is another user
        self.home = folder / "home"
        self.home.mkdir()
        self.log = folder.with_name(f"{folder.name}.log")  # beside the disk that is full
        self.pair: Pair | None = None
        self.stamps: Stamps | None = None
        self._planted = planted
        self._offset = self.home / "offset"
        self._offset.write_text("+0")
        self._owns_nursery = nursery is None
        self._nursery = nursery or Nursery(self._faked if sets_clock else {})
        self._server: int | None = None
        self._port = free_port()
        try:
            if kind == "postgresql" and not database:
                self.pair = Pair(folder / "postgresql")
            if stamps:
                self.stamps = Stamps()
            with patch.object(passwords, "HASHER", _QUICK):
                made = set_up(self.home, database=self.pair.address if self.pair else database)
        except BaseException:
            self.close()
            raise
        stamped: dict[str, object] = {}
        if self.stamps is not None:
            stamped = {
                "seal_level": Level.B_T,
                "timestamp_url": self.stamps.url, "timestamp_root": self.stamps.root,
            }  # fmt: skip
        own = {"trust": made.seal.parent, "disk_required": not planted}
        self.settings = made.model_copy(update=own | stamped)

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
        return self._server

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        self._server = self._nursery.begin(
            port=self._port, planted=self._planted, log=self.log, environment=self._environment()
        )
        deadline = time.monotonic() + _STARTS
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.address}/api/v1/health", timeout=5).is_success:
                    return
            if not _is_there(self._server) or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End the server in the midst of whatever it does."""
        if self._server is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._server, signal.SIGKILL)
        while _is_there(self._server):
            time.sleep(0.005)
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

    def take_store(self, *, leaves_folder: bool = False) -> None:
        """Nobody finds the store, as where a share is not mounted, or its folder is empty then."""
        store = Path(self.settings.store)
        store.rename(store.with_name("store-away"))
        if leaves_folder:
            store.mkdir(exist_ok=True)  # whoever was about to write may have made it
        else:
            store.write_text("not a folder")

    def give_store(self) -> None:
        """It is there again; the empty folder lies below it, with whatever came into it."""
        store = Path(self.settings.store)
        if store.is_dir():
            if found := [one for one in store.rglob("*") if not one.name.startswith(".incoming-")]:
                raise RuntimeError(f"it was put where no store is: {found}")
            shutil.rmtree(store)
        else:
            store.unlink()
        store.with_name("store-away").rename(store)

    def doctor(self) -> list[str]:
        """What ``batchqc doctor`` finds that is more than harmless."""
        return examined(self.settings)

    def close(self) -> None:
        """End all of it, and take it away."""
        self.kill()
        if self._owns_nursery:
            self._nursery.close()
        if self.pair is not None:
            self.pair.close()
        if self.stamps is not None:
            self.stamps.close()
        if self._is_disk:
            subprocess.run(["umount", "--lazy", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        own = self.settings
        return {
            "BATCHQC_DATABASE": own.database,
            "BATCHQC_STORE": str(own.store),
            "BATCHQC_SEAL": str(own.seal),
            "BATCHQC_SEAL_PASSPHRASE": PASSWORD,
            "BATCHQC_WEBHOOK_KEY": str(own.webhook_key),
            "BATCHQC_COMPONENT_KEY": str(own.component_key),
            "BATCHQC_WAITING": str(self.home / "waiting"),
            "BATCHQC_LOG_KEY": str(own.log_key),
            "BATCHQC_ROOT": str(own.seal.with_name("root.pem")),
            "BATCHQC_TRUST": str(own.trust),
            "BATCHQC_DISK_REQUIRED": str(own.disk_required),
            "BATCHQC_SEAL_LEVEL": own.seal_level,
            "BATCHQC_TIMESTAMP_URL": own.timestamp_url,
            "BATCHQC_TIMESTAMP_ROOT": str(own.timestamp_root or ""),
        }

    @property
    def _faked(self) -> dict[str, str]:
        """What has the server see another time; every look at the clock then reads a file."""
        return {
            "LD_PRELOAD": _FAKETIME,
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


def examined(settings: Settings) -> list[str]:
    """What ``batchqc doctor`` finds in an installation that is more than harmless."""
    place = Workplace.at(settings)
    try:
        found = examine_installation(examined_at(place), sample=5).findings
    except Exception as problem:  # noqa: BLE001 - whatever keeps it from being examined is told
        return [f"doctor: {problem!r}"]
    finally:
        place.engine.dispose()
    return [
        f"doctor: {one.grade}: {one.where}: {one.what}"
        for one in found
        if one.grade is not Grade.HARMLESS
    ]


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


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
