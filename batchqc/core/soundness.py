"""What an examination of a whole installation finds: what, where, how bad, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad a finding is.

    ``harmless`` changes nothing and may stay. ``mend``: nothing is lost, and something has to be
    put right. ``loss``: something is missing, changed, or not what was signed.
    """

    HARMLESS = "harmless"
    MEND = "mend"
    LOSS = "LOSS"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, in words of the vocabulary.

    Args:
        what: is so.
        where: record, file or table.
        grade: how bad it is.
        todo: what whoever runs the installation does now.
    """

    what: str
    where: str
    grade: Grade
    todo: str


def is_clean(findings: Iterable[Finding]) -> bool:
    """Whether nothing is more than harmless."""
    return all(one.grade is Grade.HARMLESS for one in findings)
