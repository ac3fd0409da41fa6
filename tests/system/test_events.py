"""``batchqc events``: a process that tells webhooks, killed in the middle; how to verify."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from batchqc.cli.demo_cast import PASSWORD
from batchqc.errors import Conflict, SigningUnavailable
from tests.documents.receiver import Receiver, receiving
from tests.system.conftest import BATCHQC
from tests.system.test_command_line import batchqc, refused
from tests.system.test_walkthrough import blocks


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


def administrator(home: Path) -> str:
    people = batchqc(home, "user", "list").output
    return next(line.split()[0] for line in people.splitlines() if "admin" in line)


def registered(home: Path, receiver: Receiver, *kinds: str) -> str:
    chosen = [word for kind in kinds for word in ("--kind", kind)]
    done = batchqc(
        home, "events", "register", "erp", receiver.url, "-u", administrator(home), *chosen,
        typed=PASSWORD,
    )  # fmt: skip
    assert done.exit_code == 0, (done.output, done.exception)
    found = re.search("^[0-9a-f]{64}$", done.output, re.MULTILINE)
    assert found
    return found[0]


def two_refused_uploads(home: Path, tmp_path: Path) -> None:
    for number in range(2):
        file = tmp_path / f"{number}.csv"
        file.write_text(f"nonsense {number}\n")
        batchqc(home, "upload", file, "-u", "an.tran", typed=PASSWORD)


def deliver(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [BATCHQC, "--home", home, "events", "deliver"], stdout=subprocess.DEVNULL
    )


def test_a_process_that_is_killed_in_the_middle_loses_nothing(home: Path, tmp_path: Path):
    with receiving() as receiver:
        secret = registered(home, receiver)
        two_refused_uploads(home, tmp_path)
        process: list[subprocess.Popen[bytes]] = []

        def kill() -> int:
            process[0].send_signal(signal.SIGKILL)
            process[0].wait()
            return 200

        receiver.answers = [200, kill]
        process.append(deliver(home))
        assert process[0].wait(60) == -signal.SIGKILL
        assert deliver(home).wait(60) == 0
        assert deliver(home).wait(60) == 0
    ids = [json.loads(body)["id"] for body in receiver.bodies]
    assert ids[:2] == ids[2:]
    assert len(ids) == 4
    _verified_as_the_guide_says(secret, receiver, tmp_path)
    assert "told up to" in batchqc(home, "events", "webhooks").output.lower()
    assert "upload.refused" in batchqc(home, "events", "list", "--kind", "upload.*").output
    assert batchqc(home, "audit", "verify").exit_code == 0
    ended = batchqc(
        home, "events", "end", "erp", "-u", administrator(home), "--reason", "It is gone",
        typed=PASSWORD,
    )  # fmt: skip
    assert ended.exit_code == 0, ended.output
    assert "No webhook." in batchqc(home, "events", "deliver").output


def _verified_as_the_guide_says(secret: str, receiver: Receiver, folder: Path) -> None:
    body, header = receiver.bodies[-1], receiver.headers[-1]["X-Batchqc-Signature"]
    names: dict[str, Any] = {}
    exec("\n".join(blocks("events.md", "python")), names)  # noqa: S102 - the guide's own example
    is_genuine = names["is_genuine"]
    now = int(header[2:12])
    assert is_genuine(secret, header, body, now)
    assert not is_genuine(secret, header, body + b" ", now)
    assert not is_genuine(secret[:-1] + "x", header, body, now)
    assert not is_genuine(secret, header, body, now + 301)
    (folder / "body.json").write_bytes(body)
    (script,) = blocks("events.md", "bash")
    for key, status in ((secret, 0), ("another", 1)):
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=folder,
            check=False,
            env=os.environ | {"header": header, "secret": key},
        )
        assert done.returncode == status


def test_work_is_told_on_the_command_line(home: Path):
    told = batchqc(home, "work")
    assert told.exit_code == 0, told.exception
    assert "result" in told.output
    only = batchqc(home, "work", "--role", "donor officer", "--days", "0").output
    assert "upload" not in only


def test_a_key_that_is_gone_signs_nothing(home: Path, tmp_path: Path):
    with receiving() as receiver:
        registered(home, receiver, "lot.*")
        (home / "keys" / "webhook.key").unlink()
        refused(batchqc(home, "events", "deliver"), SigningUnavailable, "BQC-EVT-005")
        again = batchqc(
            home, "events", "register", "erp", receiver.url, "-u", administrator(home),
            typed=PASSWORD,
        )  # fmt: skip
        refused(again, Conflict, "BQC-EVT-002")
        refused(batchqc(home, "events", "deliver"), SigningUnavailable, "BQC-EVT-007")
    assert receiver.bodies == []
