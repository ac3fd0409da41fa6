"""Everything wrong with a specification file, and everything doubtful, each with its line."""

from dataclasses import dataclass

from batchqc.core.findings import Finding, findings
from batchqc.documents.spec_file import read_specification
from batchqc.documents.spec_keys import Keys, SpecProblem


@dataclass(frozen=True, slots=True)
class PlacedFinding:
    """A finding and the line that it is about."""

    line: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class Linting:
    """Problems, which refuse the file, and findings, which its author mends or acknowledges."""

    problems: tuple[SpecProblem, ...]
    findings: tuple[PlacedFinding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong and nothing doubtful is left without a reason."""
        return not self.problems and all(one.finding.acknowledged for one in self.findings)


def lint_specification(data: bytes, *, file: str) -> Linting:
    """Read a file and look for what is doubtful in it."""
    reading = read_specification(data, file=file)
    if reading.specification is None:
        return Linting(reading.problems, ())
    keys = Keys(data.decode(), file)
    placed = [
        PlacedFinding(keys.line(("criteria", one.criterion, one.key)), one)
        for one in findings(reading.specification)
    ]
    return Linting((), tuple(placed))
