"""A single line of a gigabyte, sent to a real server process and to the command line.

    python tests/performance/hostile_uploads.py [megabytes]

The line is made while it is sent. Prints memory and time of each with its limit, and whether it
holds; the exit status says whether all do. Run by `make long`.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script

from batchqc.cli.demo_cast import PASSWORD
from tests.system.conftest import BATCHQC
from tests.system.serving import PIECE, serving

UPLOAD_LIMIT = 50  # megabytes, the setting as shipped
BEYOND = 60


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    limit: float
    unit: str

    @property
    def holds(self) -> bool:
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "DOES NOT HOLD"
        return (
            f"{self.name:<44} {self.value:8.1f} {self.unit:<4} limit {self.limit:6.1f}  {verdict}"
        )


def to_the_server(home: Path, megabytes: int) -> list[Figure]:
    with serving(home) as server:
        token = server.token()
        before, begun = server.peak(), time.monotonic()
        answer = server.upload_one_line(megabytes, token)
        took = time.monotonic() - begun
        if answer.status_code != 422 or "E113" not in answer.text:
            raise SystemExit(f"answered {answer.status_code}: {answer.text[:200]}")
        grown = server.peak() - before
    return [
        Figure(f"server, {megabytes} MB line: memory grown", grown, UPLOAD_LIMIT + BEYOND, "MB"),
        Figure(f"server, {megabytes} MB line: time", took, 60, "s"),
    ]


def to_the_command_line(home: Path, megabytes: int) -> list[Figure]:
    """The line comes through a pipe, which does not say how long it is."""
    program = (
        f"import sys\nfor _ in range({megabytes}): sys.stdout.buffer.write(b'x' * {len(PIECE)})"
    )
    pipe = home / "line.csv"
    os.mkfifo(pipe)
    begun = time.monotonic()
    writer = subprocess.Popen(
        ["sh", "-c", f'"{sys.executable}" -c "$0" > "{pipe}"', program], stderr=subprocess.DEVNULL
    )
    done = subprocess.run(
        [BATCHQC, "--home", home, "upload", pipe, "-u", "an.tran"],
        input=f"{PASSWORD}\n", capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    took = time.monotonic() - begun
    writer.wait()
    if done.returncode != 2 or "E113" not in done.stdout:
        raise SystemExit(done.stdout + done.stderr)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    return [
        Figure(f"command line, {megabytes} MB line: peak memory", peak, 400, "MB"),
        Figure(f"command line, {megabytes} MB line: time", took, 60, "s"),
    ]


def main() -> int:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "demo"
        subprocess.run([BATCHQC, "demo", "--to", home], check=True, capture_output=True)
        figures = to_the_server(home, megabytes) + to_the_command_line(home, megabytes)
    for figure in figures:
        print(figure)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
