"""What a process does that is killed at a named step; nothing of the product is replaced for it.

The interpreter tells a profile function of every call and return: at the step, the process kills
itself with SIGKILL, as a power cut would, before anything can be tidied up.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

from batchqc.actions.certificates import Press, issue_certificate
from batchqc.actions.dispositions import Decision, release_lot
from batchqc.actions.received import ReceivedFile
from batchqc.actions.uploads import upload_results
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.documents.log_key import load_log_key
from batchqc.documents.pades import load_seal
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level, Sealing
from batchqc.records.database import open_database
from batchqc.records.transaction import transaction
from batchqc.settings import bundled
from tests.records.house import ANA, LOT, QA1, Clock, House, signing


@dataclass(frozen=True, slots=True)
class Step:
    """Where a process is stopped: a function of a module, as it begins or ends, the how many-th."""

    function: str
    module: str
    event: str = "return"
    count: int = 1

    def __str__(self) -> str:
        return f"{self.event} {self.count} of {self.function}"


@dataclass(frozen=True, slots=True)
class Task:
    """What is done: release, issue or upload; on which database and store, with which keys."""

    what: str
    url: str
    store: Path
    seal: Path
    log: Path
    told: Path
    clock: Clock
    data: bytes = b""


def stop_at(step: Step) -> None:
    """Kill this process once it reaches a step."""
    left = step.count

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal left
        code = frame.f_code
        if (event, code.co_qualname) == (step.event, step.function) and code.co_filename.endswith(
            step.module
        ):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


def work(task: Task, step: Step | None) -> None:
    """Do it, and tell what was acknowledged in a file."""
    engine = open_database(task.url)
    house = House(engine, FolderArchive(task.store), task.clock)
    acting = _DO[task.what](task, house)
    if step is not None:
        stop_at(step)
    said = acting()
    sys.setprofile(None)
    task.told.write_text(said)
    engine.dispose()


def _release(_: Task, house: House) -> Callable[[], str]:
    actor = house.actor(QA1, Permission.RELEASE_LOT)

    def act() -> str:
        with transaction(house.engine, actor, house.now()) as tx:
            decision = release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
            assert isinstance(decision, Decision)
        return "released"

    return act


def _issue(task: Task, house: House) -> Callable[[], str]:
    key = load_seal(task.seal, "seal on the server")
    files = task.seal.parent / "root.pem", task.seal.parent / "root.crl"
    sealing = Sealing(Level.B_B, RootFiles(*files))
    fonts = bundled("reports") / "fonts"
    press = Press(fonts, lambda: key, lambda: load_log_key(task.log), sealing)
    actor = house.actor(QA1, Permission.ISSUE_CERTIFICATE)

    def act() -> str:
        issue_certificate(
            house.engine, house.archive, press,
            number="COA-2026-000001", actor=actor, clock=house.now,
        )  # fmt: skip
        return "issued"

    return act


def _upload(task: Task, house: House) -> Callable[[], str]:
    actor = house.actor(ANA, Permission.UPLOAD_RESULTS)

    def act() -> str:
        with transaction(house.engine, actor, house.now()) as tx:
            file = ReceivedFile("results.csv", len(task.data), task.data, "tests")
            report = upload_results(tx, house.archive, file=file)
            assert report.accepted
        return report.number

    return act


_DO: Final = {"release": _release, "issue": _issue, "upload": _upload}
