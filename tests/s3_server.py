"""An S3 server process with object lock, and a line to it that can be cut."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import boto3

from tests.ports import free_port

PYTHON: Final = Path(__file__).parents[1] / ".venv" / "store-server" / "bin" / "python"
REGION: Final = "eu-central-1"
SECRETS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
BUCKET: Final = "kept-for-long"
UNLOCKED: Final = "kept-for-nothing"
LOCK: Final = {
    "ObjectLockEnabled": "Enabled",
    "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
}


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """The address of a server that lives as long as the block, with both buckets."""
    assert PYTHON.exists(), "the S3 server of the tests is missing: type `make store-server`"
    address = f"127.0.0.1:{free_port()}"
    own = {
        "SERVICES": "s3", "STRICT_SERVICE_LOADING": "1", "EAGER_SERVICE_LOADING": "1",
        "GATEWAY_LISTEN": address, "DISABLE_EVENTS": "1", "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0", "FILESYSTEM_ROOT": str(folder), "TMPDIR": str(folder),
        "XDG_CACHE_HOME": str(folder), "LOCALSTACK_VOLUME_DIR": str(folder),
    }  # fmt: skip
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            [PYTHON, "-m", "localstack.runtime.main"],
            env=os.environ | own, stdout=log, stderr=log,
        ) as process,
    ):  # fmt: skip
        try:
            _await(f"http://{address}/_localstack/health", process)
            client = client_of(f"http://{address}")
            where = {"LocationConstraint": REGION}
            client.create_bucket(
                Bucket=BUCKET, ObjectLockEnabledForBucket=True, CreateBucketConfiguration=where
            )
            client.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=LOCK)
            client.create_bucket(Bucket=UNLOCKED, CreateBucketConfiguration=where)
            yield f"http://{address}"
        finally:
            process.kill()


def client_of(endpoint: str) -> Any:
    """Whoever holds the keys of the bucket, beside batchqc."""
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name=REGION,
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the S3 server ended"
        with suppress(OSError), urlopen(address, timeout=5) as answer:  # noqa: S310
            if b'"s3": "running"' in answer.read():
                return
        time.sleep(0.1)
    raise AssertionError("the S3 server does not answer")


@dataclass
class Line:
    """A line to a server, cut after so many bytes in one direction; ``None`` is never."""

    server: int
    cut_there: int | None = None
    cut_back: int | None = None
    port: int = 0
    cuts: int = 0
    _listener: socket.socket = field(default_factory=socket.socket)
    _passing: list[tuple[threading.Thread, socket.socket]] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator[str]:
        """Its address."""
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        accepting = threading.Thread(target=self._accept, daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{self.port}"
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            accepting.join()  # else whoever it lets in last is not shut out
            for _, one in self._passing:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            for thread, one in self._passing:
                thread.join()
                one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.server))
                for source, target, most in (
                    (near, far, self.cut_there), (far, near, self.cut_back),
                ):  # fmt: skip
                    own = (source, target, most)
                    thread = threading.Thread(target=self._pass, args=own, daemon=True)
                    thread.start()
                    self._passing.append((thread, source))

    def _pass(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(65536):
                if most is not None and passed + len(data) > most:
                    target.sendall(data[: most - passed])
                    self.cuts += 1
                    break
                passed += len(data)
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
