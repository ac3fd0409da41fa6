"""A real server process, and clients that send too much or hang up; the command line likewise."""

import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from batchqc.cli.demo_cast import PASSWORD
from tests.system.conftest import BATCHQC
from tests.system.serving import PIECE, Server, serving
from tests.system.test_command_line import changed, counts

MEGABYTES = 200
BOUND = 60  # megabytes beyond the limit of an upload, which is kept while it comes


@pytest.fixture(scope="module")
def home(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demo, tmp_path_factory.mktemp("hostile") / "site")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    with serving(home) as found:
        yield found


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("path", ["uploads?file=r.csv", "results/attachments?entry=x&file=r.pdf"])
def test_who_hangs_up_half_way_leaves_nothing_and_the_next_is_served(
    server: Server, home: Path, path: str, *, reset: bool
):
    token = server.token()
    before, stored = counts(home), sorted((home / "store").rglob("*"))
    head = (
        f"POST /api/v1/{path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {4 * len(PIECE)}\r\n\r\n"
    )
    server.hang_up(head, PIECE + PIECE, reset=reset)
    chunked = head.replace(f"Content-Length: {4 * len(PIECE)}", "Transfer-Encoding: chunked")
    server.hang_up(chunked, b"400\r\nlot_id,", reset=reset)
    time.sleep(0.3)  # whatever it would leave is there by now
    told = httpx.get(
        f"{server.address}/me", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert told.status_code == 200
    assert changed(before, counts(home)) == set()
    for _ in range(600):  # a busy server takes away later what was on its way
        if sorted((home / "store").rglob("*")) == stored:
            break
        time.sleep(0.05)
    assert sorted((home / "store").rglob("*")) == stored
    assert "E113" not in server.upload_one_line(1, token).text  # the next upload is read


def test_one_line_without_end_is_counted_and_dropped_by_the_server(server: Server, home: Path):
    token = server.token()
    before = server.peak()
    answer = server.upload_one_line(MEGABYTES, token)
    assert answer.status_code == 422
    (problem,) = answer.json()["report"]["problems"]
    assert problem["code"] == "E113"
    assert f"{MEGABYTES * len(PIECE):,} bytes" in problem["message"]
    assert server.peak() - before < 50 + BOUND
    assert httpx.get(f"{server.address}/health", timeout=30).status_code == 200


@pytest.mark.long
def test_the_command_line_keeps_no_endless_line_in_memory(home: Path, tmp_path: Path):
    """A file of 200 MB without a line end, and a pipe that never ends and says it is empty."""
    file = tmp_path / "line.csv"
    with file.open("wb") as out:
        out.truncate(MEGABYTES * len(PIECE))  # a hole on disk; zeros to who reads it
    for given, code in ((file, "E114"), (Path("/dev/zero"), "E113")):
        done = subprocess.run(
            [BATCHQC, "--home", home, "upload", given, "-u", "an.tran"],
            input=f"{PASSWORD}\n", capture_output=True, text=True, check=False, timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9, 2 * 10**9)),
        )  # fmt: skip
        assert done.returncode == 2, done.stdout + done.stderr
        assert code in done.stdout
        assert "BQC-UPL-001" in done.stderr
