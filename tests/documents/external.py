"""Tools that know nothing of batchqc: poppler, qpdf, NSS and openssl.

Exit codes of pdfsig say nothing (it always exits 0), so its text is read.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from batchqc.documents.certificate_check import Extracted


def run(*command: str | Path) -> str:
    """What the command prints; a failure is an error."""
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, (command, done.returncode, done.stdout, done.stderr)
    return done.stdout.decode()


def pages_of(pdf: Path) -> list[str]:
    """The text of each page, in the order in which it was drawn."""
    return run("pdftotext", "-raw", pdf, "-").split("\f")[:-1]


def squeezed(text: str) -> str:
    """Without white space and case: a page breaks lines where it likes."""
    return re.sub(r"\s+", "", text).casefold()


@dataclass(frozen=True)
class Word:
    text: str
    left: float
    right: float
    bottom: float


def words_of(pdf: Path) -> list[Word]:
    """Every word with its place in points, from the top left corner of its page."""
    found = re.findall(
        r'<word xMin="([\d.-]+)" yMin="[\d.-]+" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>',
        run("pdftotext", "-bbox", pdf, "-"),
    )
    return [Word(text, float(x), float(right), float(y)) for x, right, y, text in found]


def embedded_fonts(pdf: Path) -> list[tuple[str, bool]]:
    """Each font and whether it is embedded."""
    lines = run("pdffonts", pdf).splitlines()[2:]
    return [(line.split()[0], line.split()[-5] == "yes") for line in lines]


def page_count(pdf: Path) -> int:
    counted = re.search(r"^Pages:\s+(\d+)$", run("pdfinfo", pdf), re.MULTILINE)
    assert counted
    return int(counted[1])


def nss_database(folder: Path, root_pem: Path) -> Path:
    """A certificate database for pdfsig that trusts this root and nothing else."""
    folder.mkdir()
    run("certutil", "-N", "-d", f"sql:{folder}", "--empty-password")
    run("certutil", "-A", "-d", f"sql:{folder}", "-n", "root", "-t", "CT,C,C", "-i", root_pem)
    return folder


def pdfsig(pdf: Path, nss: Path) -> str:
    return run("pdfsig", "-nssdir", f"sql:{nss}", "-no-ocsp", pdf)


def openssl_accepts(extracted: Extracted, root_pem: Path, folder: Path) -> bool:
    """Whether openssl, given the signed bytes and the container, finds a valid CAdES seal."""
    (folder / "signed.bin").write_bytes(extracted.signed)
    (folder / "signature.der").write_bytes(extracted.cms)
    options = ["-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any"]
    files = [
        *("-in", folder / "signature.der"),
        *("-content", folder / "signed.bin"),
        *("-CAfile", root_pem),
        *("-out", "/dev/null"),
    ]
    command = ["openssl", "cms", *options, *files]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode == 0) == (b"erification successful" in done.stderr), done.stderr
    return done.returncode == 0
