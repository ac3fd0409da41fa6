"""What the registers of the laboratory say of a measurement: instrument, training, method version.

- Each register has a rule: off (not looked at), flag (told), refuse (the row is not taken).
- A later row of a register replaces the earlier ones from its own first day on; one with an earlier
  first day corrects them.
- Staff and instruments of a contract laboratory stand in no register of the site.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from batchqc.core.identifiers import fold
from batchqc.core.methods import Method, NoMethod, method_on


class Register(StrEnum):
    """The registers that have a rule."""

    INSTRUMENTS = "instruments"
    TRAINING = "training"
    METHODS = "methods"
    MATERIALS = "materials"
    LABORATORIES = "laboratories"
    GENEALOGY = "genealogy"
    DONORS = "donors"


class Rule(StrEnum):
    """What happens where a register says no, or says nothing."""

    OFF = "off"
    FLAG = "flag"
    REFUSE = "refuse"


class Doubt(StrEnum):
    """What a register says against a measurement."""

    UNKNOWN_INSTRUMENT = "the instrument is not in the register"
    OVERDUE = "the calibration of the instrument was overdue"
    NOT_TRAINED = "the analyst was not trained for the method"
    METHOD = "the method version was not in force"


OF_REGISTER: Mapping[Doubt, Register] = {
    Doubt.UNKNOWN_INSTRUMENT: Register.INSTRUMENTS,
    Doubt.OVERDUE: Register.INSTRUMENTS,
    Doubt.NOT_TRAINED: Register.TRAINING,
    Doubt.METHOD: Register.METHODS,
}


class Span(NamedTuple):
    """What a row of a register states: from which day on, and the last day on which it holds."""

    since: date
    until: date


@dataclass(frozen=True, slots=True)
class Done:
    """Who measured with what, by which method, on which day of the site."""

    instrument: str
    analyst: str
    method: str
    version: str
    day: date


@dataclass(frozen=True, slots=True)
class Laboratory:
    """The registers and their rules.

    Args:
        rules: by register; one that is not named is off.
        instruments: the rows of each instrument, by folded id, oldest first.
        training: the rows of each person and method, oldest first.
        methods: every approved version.
        contractors: the user ids of contract laboratories.
    """

    rules: Mapping[Register, Rule] = field(default_factory=dict)
    instruments: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    training: Mapping[tuple[str, str], Sequence[Span]] = field(default_factory=dict)
    methods: Sequence[Method] = ()
    contractors: frozenset[str] = frozenset()

    def rule(self, register: Register) -> Rule:
        """The rule of a register."""
        return self.rules.get(register, Rule.OFF)

    def doubts(self, done: Done) -> Iterator[tuple[Doubt, str]]:
        """Everything that the registers with a rule say against a measurement, in words."""
        if done.analyst not in self.contractors:
            if self.rule(Register.INSTRUMENTS) is not Rule.OFF:
                yield from self._instrument(done)
            if self.rule(Register.TRAINING) is not Rule.OFF:
                yield from self._training(done)
        if self.rule(Register.METHODS) is not Rule.OFF:
            yield from self._method(done)

    def _instrument(self, done: Done) -> Iterator[tuple[Doubt, str]]:
        if not done.instrument:
            yield Doubt.UNKNOWN_INSTRUMENT, "no instrument is stated"
            return
        found = span_on(self.instruments.get(fold(done.instrument), ()), done.day)
        if found is None:
            said = f"instrument {done.instrument} was not in the register on {done.day}"
            yield Doubt.UNKNOWN_INSTRUMENT, said
        elif done.day > found.until:
            said = f"the calibration of {done.instrument} was due on {found.until}"
            yield Doubt.OVERDUE, f"{said}; it measured on {done.day}"

    def _training(self, done: Done) -> Iterator[tuple[Doubt, str]]:
        said = self.untrained(done.analyst, done.method, done.day, what="the measurement")
        if said:
            yield Doubt.NOT_TRAINED, said

    def untrained(self, person: str, method: str, day: date, *, what: str) -> str:
        """Why a person was not trained for a method on the day of ``what``, or ""."""
        found = span_on(self.training.get((person, method), ()), day)
        if found is None:
            return f"{person} was not trained for {method} on {day}"
        if day > found.until:
            said = f"the training of {person} for {method} expired on {found.until}"
            return f"{said}; {what} is of {day}"
        return ""

    def _method(self, done: Done) -> Iterator[tuple[Doubt, str]]:
        found = method_on(self.methods, code=done.method, stated=done.version, day=done.day)
        if found is None:
            yield Doubt.METHOD, f"no version of {done.method} is approved"
        elif isinstance(found, NoMethod):
            yield Doubt.METHOD, found.why
        elif found.damage:
            yield Doubt.METHOD, found.damage


def span_on(rows: Sequence[Span], day: date) -> Span | None:
    """What the newest row that had begun states of a day; ``None`` where none had."""
    return next((one for one in reversed(rows) if one.since <= day), None)
