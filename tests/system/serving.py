"""A server process as it is run, and raw lines to it."""

import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from batchqc.cli.demo_cast import ANALYST, PASSWORD
from tests.ports import free_port
from tests.system.conftest import BATCHQC

PIECE = b"x" * 1_000_000


@dataclass(frozen=True)
class Server:
    """A process that serves the records of a folder."""

    pid: int
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def token(self) -> str:
        """Of an analyst, who signs in."""
        answer = httpx.post(
            f"{self.address}/session", json={"user_id": ANALYST, "password": PASSWORD}, timeout=60
        )
        return str(answer.json()["token"])

    def peak(self) -> int:
        """The most memory that the process ever had, in megabytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) // 1000

    def upload_one_line(self, megabytes: int, token: str) -> httpx.Response:
        """Send a single line that is made while it is sent."""
        return httpx.post(
            f"{self.address}/uploads?file=line.csv",
            content=(PIECE for _ in range(megabytes)),
            headers={"Authorization": f"Bearer {token}"},
            timeout=600,
        )

    def hang_up(self, head: str, body: bytes, *, reset: bool) -> None:
        """Send a head and a body, and go: politely, or with a reset."""
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall(head.encode() + body)
            time.sleep(0.1)
            if reset:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """Serve the records of ``home`` by a process of its own."""
    port = free_port()
    process = subprocess.Popen(
        [BATCHQC, "--home", home, "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"BATCHQC_SEAL_PASSPHRASE": PASSWORD},
    )
    server = Server(process.pid, port)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{server.address}/health", timeout=5)
                break
            except httpx.TransportError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)
