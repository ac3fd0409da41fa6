"""What the registers of the laboratory say of a lot whenever it is looked at.

- An expired material and an absent certificate of a contract laboratory are known only after a file
  came in. Their rule says what they are to the lot: nothing (off), a remark (flag), or a reason not
  to release it (refuse). Rule and registers count as they are now: whatever came first, the use or
  the correction of an expiry, the answer is the same.
- A material of an invalid run that no verdict rests on stops nothing, and is remarked on.
- Instruments, training and method versions were asked when the file or the review came in, and are
  remarked on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from batchqc.core.laboratory import Done, Laboratory, Register, Rule


@dataclass(frozen=True, slots=True)
class Used:
    """A material in a run, the last day of the site on which the run was measured, and its expiry.

    ``counts`` is whether a verdict may rest on the run.
    """

    material: str
    run: str
    day: date
    expires_on: date
    counts: bool = True

    @property
    def doubt(self) -> str:
        """Why it should not have been used, or ""; the day of expiry is the last usable one."""
        if self.day <= self.expires_on:
            return ""
        said = f"{self.material}, used in {self.run}, expired on {self.expires_on}"
        return f"{said}; the run was measured on {self.day}"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Who signed the review, or the second entry, of a run by which method, on which day."""

    person: str
    method: str
    day: date


@dataclass(frozen=True, slots=True)
class Found:
    """What is looked at: measurements, materials, signatures, and what no certificate is kept for.

    ``uncertified`` are the names of contract laboratories, each with the upload of its results.
    """

    done: frozenset[Done] = frozenset()
    used: tuple[Used, ...] = ()
    reviewed: frozenset[Reviewed] = frozenset()
    uncertified: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class RegistersSay:
    """What the registers say, in words: of measurements, of all else, and what stops a release."""

    measured: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is told and stops nothing."""
        return (*self.measured, *self.beside)


def against(laboratory: Laboratory, found: Found) -> RegistersSay:
    """What the registers with a rule say, each part in the order of its words."""
    stops: list[str] = []
    beside = list(_untrained(laboratory, found.reviewed))
    for one in found.used:
        rule = laboratory.rule(Register.MATERIALS)
        if one.doubt and rule is not Rule.OFF:
            (stops if rule is Rule.REFUSE and one.counts else beside).append(one.doubt)
    for name, upload in found.uncertified:
        rule = laboratory.rule(Register.LABORATORIES)
        if rule is not Rule.OFF:
            said = f"no certificate of {name} over its results in {upload} is kept"
            (stops if rule is Rule.REFUSE else beside).append(said)
    measured = {said for done in found.done for _, said in laboratory.doubts(done)}
    return RegistersSay(*(tuple(sorted(set(said))) for said in (measured, beside, stops)))


def _untrained(laboratory: Laboratory, reviewed: Iterable[Reviewed]) -> Iterator[str]:
    if laboratory.rule(Register.TRAINING) is Rule.OFF:
        return
    for one in reviewed:
        said = laboratory.untrained(one.person, one.method, one.day, what="the review")
        if said:
            yield f"{said}; {one.person} signed for results"
