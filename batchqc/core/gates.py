"""A gate is one condition of release, and what was looked at says for and against it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Against:
    """What one part of the records says of a lot, in words.

    Args:
        stops: each stands against the release.
        remarks: told beside, and stop nothing.
        evidence: keys of the records that say so, such as ``investigation:OOS-2026-000001``.
    """

    stops: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of release: open, or closed with every reason and what to do.

    ``remarks`` are told beside, and close nothing; ``evidence`` are keys of records to look at.
    """

    name: str
    reasons: tuple[str, ...]
    todo: str
    remarks: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether nothing stands against release here."""
        return not self.reasons


def gate_of(name: str, found: Against, todo: str) -> Gate:
    """The gate that ``found`` opens or closes."""
    return Gate(name, found.stops, todo, found.remarks, found.evidence)


def blocking_reasons(gates: Iterable[Gate]) -> tuple[str, ...]:
    """Every reason of every closed gate, each with the gate's name."""
    return tuple(f"{gate.name}: {reason}" for gate in gates for reason in gate.reasons)
