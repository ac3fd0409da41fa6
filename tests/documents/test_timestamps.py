"""Timestamps of a service on this machine: taken where they hold, and read by openssl."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from batchqc.documents import timestamps
from batchqc.documents.pades_timestamps import Stamper
from batchqc.documents.timestamps import Service, stamp
from batchqc.errors import SigningUnavailable
from tests.timestamp_service import TimestampService, timestamp_service

DATA = b"a checkpoint\n"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimestampService]:
    with timestamp_service(tmp_path_factory.mktemp("tsa")) as service:
        yield service


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimestampService]:
    with timestamp_service(tmp_path_factory.mktemp("other")) as service:
        yield service


def openssl(answer: bytes, data: bytes, root: Path, folder: Path) -> str:
    (folder / "a.tsr").write_bytes(answer)
    (folder / "a.txt").write_bytes(data)
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-in", "a.tsr", "-data", "a.txt", "-CAfile", root],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_openssl_verifies_what_was_stamped_and_refuses_other_bytes(
    local: TimestampService, tmp_path: Path
):
    got = stamp(Service(local.url, local.root), DATA)
    assert got.at.tzinfo is not None
    assert "Verification: OK" in openssl(got.answer, DATA, local.root, tmp_path)
    assert "imprint mismatch" in openssl(got.answer, DATA + b"x", local.root, tmp_path)


def test_a_service_of_another_root_is_not_believed(
    local: TimestampService, other: TimestampService
):
    with pytest.raises(SigningUnavailable, match="does not hold"):
        stamp(Service(local.url, other.root), DATA)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://127.0.0.1:9/tsa"}, "does not answer"),
        ({"url": "http://[/"}, "does not answer"),
        ({"root": None}, "has no root"),
        ({"root": Path("/nowhere.pem")}, "root that cannot be read"),
        ({"root": Path(__file__)}, "root that cannot be read"),
    ],
)
def test_what_is_not_there_is_said(local: TimestampService, change: dict[str, object], said: str):
    service = replace(Service(local.url, local.root), **change)  # type: ignore[arg-type]
    with pytest.raises(SigningUnavailable, match=said):
        stamp(service, DATA)


def test_why_a_service_does_not_answer_is_told_without_its_password(local: TimestampService):
    """Whoever releases a lot is told it, and so is the record of a job."""
    service = Service("http://clinic:hunter2@127.0.0.1:9/tsa?key=hunter2", local.root)
    with pytest.raises(SigningUnavailable) as log:
        stamp(service, DATA)
    with pytest.raises(SigningUnavailable) as document:
        asyncio.run(Stamper(service).sample())
    for told in (log.value.message, document.value.message, service.shown):
        assert "http://***@127.0.0.1:9/tsa" in told
        assert "hunter2" not in told


def test_another_address_of_the_service_stamps_nothing(local: TimestampService):
    with pytest.raises(SigningUnavailable, match="answered 404"):
        stamp(Service(f"{local.url}x", local.root), DATA)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\n"


@pytest.mark.parametrize(
    ("first", "again", "pause", "said"),
    [
        (HEAD, b"X", 0.1, "does not answer"),
        (HEAD + b"Content-Length: 9999\r\n\r\n", b"X", 0.1, "does not answer"),
        (HEAD + b"\r\n", b"X" * 65536, 0.0, "answered more than 1048576 bytes"),
    ],
    ids=["its head", "its answer", "without end"],
)
def test_a_service_that_drips_or_never_ends_is_left_in_time(
    local: TimestampService,
    monkeypatch: pytest.MonkeyPatch,
    first: bytes,
    again: bytes,
    pause: float,
    said: str,
):
    monkeypatch.setattr(timestamps, "_SECONDS", 1)
    over = Event()

    def answer(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(first)
            until = time.monotonic() + 8
            while time.monotonic() < until and not over.wait(pause):
                connection.sendall(again)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=answer, args=(listening,))
        thread.start()
        began = time.monotonic()
        with pytest.raises(SigningUnavailable, match=said):
            stamp(Service(f"http://127.0.0.1:{listening.getsockname()[1]}/", local.root), DATA)
        assert time.monotonic() - began < 6
        over.set()
        thread.join()
