"""The protocol: which checks there are, what they found, and what follows from it.

Unknown is never a pass: a check that gives no finding, or that breaks, has failed; where something
could not be tested the whole is not qualified.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from batchqc.core.canonical import Json, sha256_of

_FOLDER: Final = Path(__file__).parent
_FEW: Final = 8


class Outcome(StrEnum):
    """What came of a check."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a secret
    FAIL = "FAIL"
    NOT_TESTED = "NOT TESTED"


@dataclass(frozen=True, slots=True)
class Check:
    """A check of the protocol, as it was written before anything was done."""

    id: str
    section: str
    title: str
    requirements: tuple[str, ...]
    does: str
    expected: str
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was observed, and all that it rests on."""

    outcome: Outcome
    observed: str
    evidence: Json = None


@dataclass(frozen=True, slots=True)
class Result:
    """A check with its finding; the hash is that of the canonical bytes of the evidence."""

    check: Check
    finding: Finding

    @property
    def evidence_sha256(self) -> str:
        """By which the attached evidence is known."""
        return sha256_of(self.finding.evidence)


Doing = Callable[[], Finding]


def data_of(name: str) -> dict[str, Any]:
    """A data file of the qualification, such as ``vectors``."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def sections() -> dict[str, str]:
    """Title of each section, by the beginning of its checks' ids."""
    return dict(data_of("checks")["sections"])


def protocol() -> tuple[Check, ...]:
    """Every check, in order."""
    return tuple(
        Check(
            id=name,
            section=name[:5],
            title=one["title"],
            requirements=tuple(one["requirements"]),
            does=one["does"],
            expected=one["expected"],
            cases=tuple(one.get("cases", ())),
        )
        for name, one in data_of("checks")["checks"].items()
    )


def perform(checks: Iterable[Check], doings: Mapping[str, Doing]) -> Iterator[Result]:
    """Do each check; one that nobody does has failed."""
    for check in checks:
        doing = doings.get(check.id)
        yield Result(check, _tried(doing) if doing else failed("Nothing does this check."))


def held(good: bool, observed: str, evidence: Json = None) -> Finding:  # noqa: FBT001 - the verdict
    """PASS where it is good, else FAIL."""
    return Finding(Outcome.PASS if good else Outcome.FAIL, observed, evidence)


def failed(observed: str, evidence: Json = None) -> Finding:
    """A check that failed."""
    return Finding(Outcome.FAIL, observed, evidence)


def not_tested(why: str, evidence: Json = None) -> Finding:
    """A check that could not be done here."""
    return Finding(Outcome.NOT_TESTED, why, evidence)


def counted(lines: Sequence[tuple[str, str, str]], *, source: str = "") -> Finding:
    """Of lines with what was given, expected and observed: how many hold, and which do not."""
    wrong = [line for line in lines if line[1] != line[2]]
    told = "".join(
        f" {given}: expected {wanted}, observed {got}." for given, wanted, got in wrong[:5]
    )
    more = f" And {len(wrong) - 5} more." if len(wrong) > 5 else ""
    rows: Json = [
        {"given": given, "expected": wanted, "observed": got} for given, wanted, got in lines
    ]
    evidence: Json = {"source": source, "lines": rows} if source else {"lines": rows}
    each = "; ".join(f"{given}: {got}" for given, _, got in lines)
    listed = f" {each}." if not wrong and len(lines) <= _FEW else ""
    return held(
        bool(lines) and not wrong,
        f"{len(lines) - len(wrong)} of {len(lines)} as expected.{listed}{told}{more}",
        evidence,
    )


def shortened(result: Result, most: int) -> Result:
    """The result with an observation of at most so many characters; the evidence has all."""
    said = result.finding.observed
    if len(said) <= most:
        return result
    cut = f"{said[:most].rstrip()} … (all of it is in the evidence)"
    whole: Json = {"observed": said, "evidence": result.finding.evidence}
    return replace(result, finding=replace(result.finding, observed=cut, evidence=whole))


def is_first_of(name: str, check: Check, checks: Sequence[Check]) -> bool:
    """Whether a case is of this check: the first whose patterns it fits has it."""
    takes = (one for one in checks if any(fnmatch(name, pattern) for pattern in one.cases))
    return next(takes, None) == check


def _tried(doing: Doing) -> Finding:
    try:
        return doing()
    except Exception as problem:  # noqa: BLE001 - a check that breaks has failed, and the report says so
        return failed(f"The check broke: {type(problem).__name__}: {problem}")
