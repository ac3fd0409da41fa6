"""ClamAV's daemon with one pattern, that of the harmless file with which scanners are tried."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from batchqc.documents.malware import check_harmless
from batchqc.errors import ScannerUnavailable
from tests.ports import free_port

#: What EICAR publishes for it; in two parts, so that no scanner takes this file for one.
EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LARGEST: Final = 3_000_000
_CONFIGURATION: Final = """
DatabaseDirectory {folder}
LocalSocket {folder}/clamd.sock
TCPAddr 127.0.0.1
TCPSocket {port}
Foreground yes
StreamMaxLength {largest}
LogFile {folder}/clamd.log
User root
"""


class Scanner:
    """Where it is: a socket in a folder, and a port."""

    def __init__(self, folder: Path, port: int) -> None:
        self.socket, self.port = f"{folder}/clamd.sock", f"127.0.0.1:{port}"


@contextmanager
def clamd() -> Iterator[Scanner]:
    """Run it, while the block lasts."""
    with TemporaryDirectory(prefix="bq-", dir="/tmp") as name:  # a socket's path is a short one
        folder, port = Path(name), free_port()
        (folder / "own.ndb").write_text(f"Batchqc.Tried:0:*:{EICAR.hex()}\n")
        settings = _CONFIGURATION.format(folder=folder, port=port, largest=LARGEST)
        (folder / "clamd.conf").write_text(settings)
        process = subprocess.Popen(
            ["/usr/sbin/clamd", "-c", folder / "clamd.conf"], stdout=subprocess.DEVNULL
        )
        try:
            found = Scanner(folder, port)
            _await(found, process)
            yield found
        finally:
            process.terminate()
            process.wait()


def _await(scanner: Scanner, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert process.poll() is None, "clamd ended"
        try:
            return check_harmless(scanner.port, "none", [b"none"])
        except ScannerUnavailable:
            time.sleep(0.1)
    raise AssertionError("clamd does not answer")
