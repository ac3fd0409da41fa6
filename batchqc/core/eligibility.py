"""Whether what is on record of a donor's donations fulfils a panel, and every reason why not.

Facts in, problems out: a missing marker, a specimen out of its window, a result that is not
nonreactive, a test of the wrong person, consent that is missing or withdrawn. What nobody states
is never eligible.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from batchqc.core.panels import MarkerRule, Needed, Panel, Reactive

NEWBORN_DAYS: Final = 31  # "one month or less" (requirement 8.03), at its longest
SEXES: Final = ("", "female", "male", "not stated")
_AGE: Final = re.compile(r"([0-9]{1,3}) (day|week|month|year)s?")
_LEAST_DAYS: Final = {"day": 1, "week": 7, "month": 28, "year": 365}


class Person(StrEnum):
    """Whose blood is tested."""

    DONOR = "donor"
    MOTHER = "birth mother"


class Interpretation(StrEnum):
    """How a laboratory reads a test."""

    NONREACTIVE = "nonreactive"
    REACTIVE = "reactive"
    INDETERMINATE = "indeterminate"
    NOT_DONE = "not done"


class Scope(StrEnum):
    """What a donor consents to."""

    CLINICAL = "clinical"
    COMMERCIAL = "commercial"
    RESEARCH = "research"
    GENETIC = "genetic"


@dataclass(frozen=True, slots=True)
class MarkerResult:
    """One result of a donation; ``taken_on`` is a date of the site, ``name`` is for people."""

    name: str
    marker: str
    result: Interpretation
    person: Person
    taken_on: date


@dataclass(frozen=True, slots=True)
class Donated:
    """One donation with its results; ``age`` is blank where nobody stated it."""

    name: str
    tissue: str
    donated_on: date
    tested_person: Person
    age: str = ""
    tests: tuple[MarkerResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Consented:
    """The newest consent of a donor; ``withdrawn_on`` is ``None`` while it holds.

    ``after`` names the consents before it that the donor withdrew, the last one last.
    """

    name: str
    scopes: frozenset[Scope]
    given_on: date
    withdrawn_on: date | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every reason why a panel is not fulfilled, and what is told beside."""

    problems: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def age_problem(age: str) -> str | None:
    """Why a donor's age cannot be recorded, or ``None``; never a date of birth."""
    if not age or _AGE.fullmatch(age):
        return None
    return f'the age "{age}" is not written as a number and a unit, such as "34 years" or "0 days"'


def is_newborn(age: str) -> bool:
    """Whether a stated age can be one month or less."""
    found = _AGE.fullmatch(age)
    return found is not None and int(found[1]) * _LEAST_DAYS[found[2]] <= NEWBORN_DAYS


def evaluate(
    panel: Panel, donations: Sequence[Donated], consent: Consented | None, *, today: date
) -> Evaluation:
    """Hold donations, their tests and the consent of a donor against a panel.

    Args:
        panel: which tests are asked for.
        donations: all of the donor.
        consent: the newest of the donor.
        today: the site-local date of the determination.
    """
    problems = list(consent_problems(consent, Scope.CLINICAL))
    remarks: list[str] = []
    if not donations:
        problems.append("no donation is registered")
    if panel.effective > today:
        problems.append(f"{panel.reference} applies only from {panel.effective}")
    for one in donations:
        work = _Evaluating(panel, one)
        problems += [f"{one.name}: {said}" for said in work.problems()]
        remarks += [f"{one.name}: {said}" for said in work.noted()]
    return Evaluation(tuple(problems), tuple(remarks))


def unfavourable(donations: Sequence[Donated]) -> tuple[str, ...]:
    """Every result that speaks against the donor, whatever a panel asks for."""
    return tuple(
        f"{one.name}: {test.marker} is {test.result} ({test.name})"
        for one in donations
        for test in one.tests
        if test.result in {Interpretation.REACTIVE, Interpretation.INDETERMINATE}
    )


def consent_problems(consent: Consented | None, *needed: Scope) -> Iterator[str]:
    """Why a donor's consent does not allow what is needed.

    After a withdrawal, a consent to anything but clinical use takes nothing back.
    """
    if consent is None:
        yield "no consent is on record"
    elif consent.withdrawn_on is not None:
        yield f"consent {consent.name} was withdrawn on {consent.withdrawn_on}"
    else:
        first = {Scope.CLINICAL: None} if consent.after else {}
        for scope in {**first, **dict.fromkeys(needed)}:
            if scope not in consent.scopes:
                withdrawn = f", and consent {consent.after[-1]} was withdrawn" if first else ""
                yield f"consent {consent.name} does not cover {scope} use{withdrawn}"


class _Evaluating:
    """One donation held against a panel."""

    def __init__(self, panel: Panel, donation: Donated) -> None:
        self.panel, self.donation = panel, donation
        self.tissue = panel.tissues.get(donation.tissue)
        mother = self.tissue is not None and self.tissue.tests_mother
        self.mother = mother or is_newborn(donation.age)
        self.person = Person.MOTHER if self.mother else donation.tested_person
        self.noted_markers = {one.marker for one in panel.markers if one.reactive is Reactive.NOTED}

    def problems(self) -> Iterator[str]:
        if self.tissue is None:
            yield (
                f"{self.panel.reference} does not say whether {self.donation.tissue} is rich in"
                " leukocytes and who is tested"
            )
        if self.mother and self.donation.tested_person is not Person.MOTHER:
            yield "the birth mother is to be tested, and the donation is registered with the donor"
        if self.tissue and not self.mother and self.donation.tested_person is Person.MOTHER:
            age = self.donation.age or "nobody states"
            yield (
                "the donor is to be tested, and the donation is registered with the birth mother:"
                f" she is tested for a donor of one month or less (age: {age})"
            )
        for test in self.donation.tests:
            yield from self._against(test)
        for rule in self.panel.markers:
            if self._asks_for(rule):
                yield from self._missing(rule.marker)
        yield from self._repeated()

    def noted(self) -> Iterator[str]:
        """Reactive results that the panel only notes."""
        for one in self.donation.tests:
            if one.marker in self.noted_markers and one.result is Interpretation.REACTIVE:
                yield f"{one.marker} is {one.result} ({one.name})"

    def _asks_for(self, rule: MarkerRule) -> bool:
        """What nobody says of a tissue asks for everything."""
        rich = self.tissue is None or self.tissue.is_leukocyte_rich
        return rule.needed is Needed.ALWAYS or rich

    def _against(self, test: MarkerResult) -> Iterator[str]:
        is_noted = test.marker in self.noted_markers and test.result is Interpretation.REACTIVE
        if test.result in {Interpretation.REACTIVE, Interpretation.INDETERMINATE} and not is_noted:
            yield f"{test.marker} is {test.result} ({test.name})"

    def _missing(self, marker: str) -> Iterator[str]:
        """Why no test of a marker counts, where none does."""
        done = self._done(marker)
        if not done:
            yield f"no result of {marker} is on record"
            return
        right = [one for one in done if one.person is self.person]
        if not right:
            yield f"{marker} was tested of the {done[0].person}, and not of the {self.person}"
            return
        nearest = min(right, key=self._days_outside)
        if self._days_outside(nearest):
            yield self._outside(nearest)

    def _repeated(self) -> Iterator[str]:
        """What is to be tested again, unless every NAT was done in time."""
        repeat = self.panel.repeat
        if repeat is None or not [one for name in repeat.unless for one in self._missing(name)]:
            return
        for marker in repeat.markers:
            waited = [self._days(one) for one in self._done(marker) if one.person is self.person]
            if max(waited, default=0) < repeat.after:
                nat = ", ".join(repeat.unless)
                yield (
                    f"{marker} is to be tested again {repeat.after} days after the donation,"
                    f" because not all of {nat} were tested in their window"
                )

    def _done(self, marker: str) -> list[MarkerResult]:
        return [
            one
            for one in self.donation.tests
            if one.marker == marker and one.result is not Interpretation.NOT_DONE
        ]

    def _days(self, test: MarkerResult) -> int:
        """How many days after the donation a specimen was taken; before it, below 0."""
        return (test.taken_on - self.donation.donated_on).days

    def _days_outside(self, test: MarkerResult) -> int:
        """By how many days a specimen was taken too early or too late; 0 where it was not."""
        window = self.panel.window_of(self.donation.tissue)
        days = self._days(test)
        return max(0, -window.before - days, days - window.after)

    def _outside(self, test: MarkerResult) -> str:
        window, days = self.panel.window_of(self.donation.tissue), self._days(test)
        allowed, side = (window.before, "before") if days < 0 else (window.after, "after")
        return (
            f"the specimen of {test.marker} ({test.name}) was taken {abs(days)} days {side} the"
            f" donation, and at most {allowed} are allowed: {self._days_outside(test)} too many"
        )
