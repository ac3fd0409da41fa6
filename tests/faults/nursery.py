"""Servers that begin with all their modules loaded: each is a fork, and takes no seconds to start.

``python -m tests.faults.nursery`` begins a server by ``batchqc serve`` for each line of its input,
and tells its process: ``{"port", "planted", "log", "environment"}``, as JSON.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).parents[2]
_LOADED: Final = (
    "uvicorn",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.lifespan.on",
    "batchqc.cli.main",
    "batchqc.cli.serve",
    "batchqc.cli.clock_compared",
    "batchqc.cli.worker",
    "batchqc.cli.workplace",
    "batchqc.api.logs",
    "batchqc.api.workshops",
    "batchqc.web.app",
    "batchqc.web.screens",
    "batchqc.actions.job_kinds",
    "batchqc.documents.pades",
    "tests.faults.planted",
)


class Nursery:
    """The process that servers are forked from.

    Args:
        environment: of the process itself, beside that of this one.
        under: a program with its options that starts it, if any.
    """

    def __init__(self, environment: Mapping[str, str], under: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [*under, sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"} | environment,
            cwd=_ROOT,
        )

    def begin(self, *, port: int, planted: str, log: Path, environment: Mapping[str, str]) -> int:
        """Begin a server; its process."""
        asked, told = self._process.stdin, self._process.stdout
        if asked is None or told is None:
            raise RuntimeError("the nursery has no pipes")
        wanted = {
            "port": port, "planted": planted, "log": str(log), "environment": dict(environment),
        }  # fmt: skip
        asked.write(json.dumps(wanted) + "\n")
        asked.flush()
        return int(told.readline())

    def close(self) -> None:
        """End it; its input ends, and so does it."""
        self._process.communicate()


def _begin_servers() -> None:
    """Begin a server for each line of the input, until that ends."""
    for one in _LOADED:
        importlib.import_module(one)
    gc.freeze()
    signal.signal(signal.SIGCHLD, _bury)
    for line in sys.stdin:
        process = os.fork()
        if not process:
            _serve(json.loads(line))
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()


def _serve(wanted: dict[str, Any]) -> None:
    """Be a server, and nothing of the nursery."""
    from batchqc.cli.main import app  # noqa: PLC0415 - who asks for servers loads nothing
    from batchqc.errors import BatchqcError  # noqa: PLC0415 - as above
    from tests.faults.planted import DEFECTS  # noqa: PLC0415 - as above

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with Path(os.devnull).open("r+b") as nothing, Path(wanted["log"]).open("ab") as log:
        for own, file in ((0, nothing), (1, nothing), (2, log)):
            os.dup2(file.fileno(), own)
    os.environ.update(wanted["environment"])
    if wanted["planted"]:
        DEFECTS[wanted["planted"]]()
    try:
        app(["serve", "--port", str(wanted["port"])])
    except BatchqcError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.stderr.flush()
    finally:
        os._exit(1)


def _bury(*_: object) -> None:
    """Take note of every process that ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    _begin_servers()
