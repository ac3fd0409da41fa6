"""What goes with every bundle: how to verify it, with what, and the anchors of trust."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from batchqc.core.certificates import CertificateContent, ResultLine
from batchqc.core.signed_notes import key_of
from batchqc.documents.csv_file import csv_bytes
from batchqc.documents.standalone import script
from batchqc.documents.wheels import VERIFIER, wheel
from batchqc.errors import NotFound

_HERE: Final = Path(__file__).parent / "bundle"
_SCRIPTS: Final = ("verify_bundle.py", "bundle_lots.py", "bundle_trail.py")
#: Where a script finds what it imports, in batchqc and in a bundle.
_MODULES: Final = (
    (re.compile(r"^from batchqc\.documents\.bundle\.", re.MULTILINE), "from "),
    (
        re.compile(r"^from batchqc\.documents\.verifier\.\w+ ", re.MULTILINE),
        "from verify_certificate ",
    ),
)
_COLUMNS: Final = (
    "criterion", "title", "category", "stage", "test", "method", "analyte", "unit", "acceptance",
    "rounding", "result", "rounded", "verdict", "sentence", "n", "aggregate", "measured_on",
    "external",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Anchors:
    """The site's root, and the root of its timestamp service where there is one, as PEM."""

    root: bytes
    timestamp_root: bytes = b""

    @property
    def files(self) -> dict[str, bytes]:
        """By file name."""
        files = {"root.pem": self.root}
        return files | ({"tsa-root.pem": self.timestamp_root} if self.timestamp_root else {})


def read_anchors(trust: Path, timestamp_root: Path | None) -> Anchors:
    """The anchors of an installation.

    Raises:
        NotFound: BQC-EXP-003 a file is not there.
    """
    try:
        stamps = timestamp_root.read_bytes() if timestamp_root else b""
        return Anchors((trust / "root.pem").read_bytes(), stamps)
    except OSError as error:
        raise NotFound(
            "BQC-EXP-003",
            f"an anchor of trust cannot be read: {error}",
            hint="BATCHQC_TRUST names the folder of root.pem, BATCHQC_TIMESTAMP_ROOT a PEM file.",
        ) from error


def public_keys(vkeys: Iterable[str]) -> dict[str, bytes]:
    """The keys of a log, oldest first, as verifiers keep them and as openssl reads them."""
    texts = list(vkeys)
    files = {"log.vkey": "".join(f"{one}\n" for one in texts).encode()}
    for one in map(key_of, texts):
        files[f"log-{one.key_id.hex()}.pem"] = Ed25519PublicKey.from_public_bytes(
            one.public
        ).public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return files


def certificate_csv(content: CertificateContent) -> bytes:
    """The results of a certificate, a row for each criterion."""
    rows = [[*_COLUMNS, "files"], *map(_row, content["lines"])]
    return csv_bytes(rows)


def _row(line: ResultLine) -> list[str]:
    cells = ("" if (cell := line.get(name)) is None else str(cell) for name in _COLUMNS)
    files = dict.fromkeys(f"{one['upload']} {one['sha256']}" for one in line["provenance"])
    return [*cells, "; ".join(files)]


@cache
def kit() -> dict[str, bytes]:
    """Instructions, scripts, and wheels of what these need, by path.

    Raises:
        NotFound: BQC-EXP-002 a package is not installed as it was published.
    """
    needed = "\n".join(f"  {name}=={version(name)}" for name in VERIFIER)
    readme = (_HERE / "README.txt").read_text("utf-8").replace("{needed}", needed)
    files = {"README.txt": readme.encode()}
    for name in _SCRIPTS:
        text = (_HERE / name).read_text("utf-8")
        for module, beside in _MODULES:
            text = module.sub(beside, text)
        files[f"verify/{name}"] = text.encode()
    files["verify/verify_certificate.py"] = script()
    return files | {f"wheels/{name}": data for name, data in map(wheel, VERIFIER)}
