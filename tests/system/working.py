"""What the process of a worker does, alive or killed in the middle of a job."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import procrastinate  # noqa: F401 - loaded once, for all of them

from batchqc.actions import job_kinds
from batchqc.actions.job_runs import Run
from batchqc.api.app import open_door
from batchqc.api.workshops import workshop_of
from batchqc.cli import worker
from batchqc.cli.main import run
from batchqc.core.jobs import Kind
from batchqc.records import job_queue
from batchqc.settings import Settings


def listens(site: Settings) -> None:
    """A worker that stays, and does not look for what nobody tells it of."""
    job_queue._MENDED_EVERY = job_queue._SOON = 3600  # type: ignore[misc]  # a process of its own
    worker.take_jobs(workshop_of(open_door(site)), stays=True)


def works(site: Settings, dies: Kind | None = None) -> None:
    """A worker that does what is due; it is killed once it has begun a kind of job."""

    def die(_: Run) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if dies is not None:
        job_kinds.DOINGS[dies] = die  # type: ignore[index]  # as above
    worker.take_jobs(workshop_of(open_door(site)), stays=False)


def commands(command: str, environment: Mapping[str, str], told: Path) -> None:
    """The command line, with settings in its environment; what it tells goes into a file."""
    with told.open("wb") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ.update(environment)
    sys.argv = ["batchqc", command]
    run()
