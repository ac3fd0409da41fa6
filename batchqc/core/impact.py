"""What a draft specification would do to lots that were judged by another version.

Both versions judge the same stored results by the rules of ``judging``. A criterion's verdict hangs
on its evidence only: the texts, units, methods and times of what was measured for it, and the
donors. So each distinct evidence is judged once, however many lots have it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from batchqc.core.assays import CONTROL, Cell, Measurement, RunKey
from batchqc.core.criteria import Criterion
from batchqc.core.donors import Donor
from batchqc.core.entries import HIDDEN, SecondEntry
from batchqc.core.identifiers import fold
from batchqc.core.investigations import Investigation
from batchqc.core.judging import NO_VALIDITY, judge
from batchqc.core.runs import RunValidity
from batchqc.core.specifications import Specification, closure
from batchqc.core.subjects import DonorFact, Group, Measured
from batchqc.core.timing import timing
from batchqc.core.verdicts import Outcome, Verdict

MOST_REMEMBERED: Final = 50_000


class Evidence(NamedTuple):
    """One stored measurement, as text: reportable, or a control."""

    lot: int
    run: int
    test: str
    analyte: str
    result_type: str
    aliquot: str
    value: str
    unit: str
    method: str
    second: str
    started: str
    measured: str

    @property
    def measurement(self) -> Measurement:
        """The measurement, with what no verdict hangs on left blank."""
        return Measurement(
            run=RunKey(f"#{self.run}", self.test, ""),
            lot="",
            sample="",
            stage="",
            aliquot=self.aliquot,
            analyte=self.analyte,
            replicate=0,
            unit=self.unit,
            measured_at=datetime.fromisoformat(self.measured),
            started_at=datetime.fromisoformat(self.started) if self.started else None,
            analyst="",
            instrument="",
            method=self.method,
            version="",
            result_type=self.result_type,
            cell=Cell(0, 0, "value", self.value),
            second=SecondEntry(self.second),
        )


class Standing(NamedTuple):
    """How one criterion stands: its verdict, and whether that forbids release."""

    outcome: Outcome | None
    blocks: bool


#: The evidence of one lot, by test and analyte; of a control without its case.
Grouped = dict[tuple[str, str], list[Evidence]]


@dataclass(frozen=True, slots=True)
class CriterionChange:
    """How a criterion of one lot stood, and would stand; ``None`` where a version has none.

    ``results`` are the texts that it hangs on.
    """

    criterion: str
    results: tuple[str, ...]
    before: Standing | None
    after: Standing | None


@dataclass(frozen=True, slots=True)
class LotImpact:
    """A lot whose verdicts would change; it flips where the verdict over the lot would."""

    before: Outcome
    after: Outcome
    changes: tuple[CriterionChange, ...]

    @property
    def flips(self) -> bool:
        """Whether the lot as a whole would be judged differently."""
        return self.before is not self.after


def overall(standings: Iterable[Standing]) -> Outcome:
    """The verdict over a lot: PASS where nothing blocks, FAIL where a failure does."""
    blocking = [one.outcome for one in standings if one.blocks]
    if not blocking:
        return Outcome.PASS
    return Outcome.FAIL if Outcome.FAIL in blocking else Outcome.CANNOT_JUDGE


class Comparison:
    """Two versions over the evidence of one lot after another."""

    def __init__(self, old: Specification, new: Specification) -> None:
        """Prepare ``old``, which judged the lots, and ``new``, which would."""
        before = {one.id: _Own(old, one) for one in old.criteria}
        after = {one.id: _Own(new, one) for one in new.criteria}
        names = dict.fromkeys((*before, *after))
        self._same = [before[name] for name in names if before.get(name) == after.get(name)]
        same = {own.name for own in self._same}
        self._changed = [
            (name, before.get(name), after.get(name)) for name in names if name not in same
        ]

    def impact(
        self,
        evidence: Grouped,
        donors: tuple[Donor, ...],
        versions: Sequence[Measurement] = (),
        validity: Mapping[RunKey, RunValidity] = NO_VALIDITY,
        investigations: Sequence[Investigation] = (),
    ) -> LotImpact | None:
        """What would change for a lot; ``None`` where nothing would.

        What both versions say alike is looked at only where something else changes. ``versions``
        are all measurements of a lot with a superseded run or an investigation, ``validity`` is of
        its runs: it is judged by them.
        """
        whole = _Whole(donors, versions, validity, investigations)
        changes = []
        old, new = [], []
        for name, was, would_be in self._changed:
            before = was.standing(evidence, whole) if was else None
            after = would_be.standing(evidence, whole) if would_be else None
            if before != after:
                own = would_be or was
                results = own.results(evidence) if own else ()
                changes.append(CriterionChange(name, results, before, after))
            old.append(before)
            new.append(after)
        if not changes:
            return None
        alike = [own.standing(evidence, whole) for own in self._same]
        return LotImpact(
            overall((*alike, *(one for one in old if one))),
            overall((*alike, *(one for one in new if one))),
            tuple(changes),
        )


def grouped(evidence: Iterable[Evidence]) -> Grouped:
    """The evidence of one lot by test and analyte; controls as ``judging`` finds them."""
    found: Grouped = {}
    for one in evidence:
        analyte = fold(one[3]) if one[4] == CONTROL else one[3]
        found.setdefault((one[2], analyte), []).append(one)
    return found


class _Whole(NamedTuple):
    """A lot as it is judged whole: its donors, measurements, validity and investigations."""

    donors: tuple[Donor, ...]
    versions: Sequence[Measurement]
    validity: Mapping[RunKey, RunValidity]
    investigations: Sequence[Investigation]


class _Own:
    """One criterion with all that it is computed from, as a specification of its own.

    Two are equal where they say the same of any evidence.
    """

    def __init__(self, specification: Specification, criterion: Criterion) -> None:
        needed = closure(specification, criterion)
        self.name = criterion.id
        self._counted = any(
            isinstance(one.subject, Group) and criterion.id in one.subject.members
            for one in specification.criteria
        )
        self._specification = replace(specification, criteria=needed)
        self._subjects = [one.subject for one in needed if isinstance(one.subject, Measured)]
        self._pairs = [(one.test, one.analyte) for one in self._subjects]
        alone = self._subjects[0] if len(self._subjects) == 1 else None
        self._is_plain = alone is not None and not (alone.needs_start or alone.control)
        self._donors = any(isinstance(one.subject, DonorFact) for one in needed)
        self._saying = (criterion.id, specification.stage, needed, self._counted)
        self._known: dict[object, Standing] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Own):
            return False
        return self._saying == other._saying

    __hash__ = None  # type: ignore[assignment]  # equal by what it says, and never a key

    def standing(self, evidence: Grouped, whole: _Whole) -> Standing:
        donors = whole.donors
        if whole.versions:
            return self._standing(whole)
        key: object
        if self._is_plain:
            rows = evidence.get(self._pairs[0])
            key = None if rows is None else _facts(rows[0]) if len(rows) == 1 else _key(rows)
        else:
            key = self._whole_key(evidence)
        if self._donors:
            key = (key, donors)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:  # memory stays flat
                self._known.clear()
            found = self._known[key] = self._judged(evidence, donors)
        return found

    def results(self, evidence: Grouped) -> tuple[str, ...]:
        found = (Evidence(*one) for pair in self._pairs for one in _rows(evidence, pair))
        return tuple(HIDDEN if one.second == SecondEntry.WAITS else one.value for one in found)

    def _whole_key(self, evidence: Grouped) -> object:
        return tuple(
            (
                _key(rows),
                tuple(timing(subject, _elapsed(one)) for one in rows)
                if subject.needs_start
                else None,
            )
            for subject, pair in zip(self._subjects, self._pairs, strict=True)
            for rows in [_rows(evidence, pair)]
        )

    def _judged(self, evidence: Grouped, donors: tuple[Donor, ...]) -> Standing:
        stage = self._specification.stage
        measurements = [
            replace(Evidence(*one).measurement, stage=stage)
            for pair in self._pairs
            for one in _rows(evidence, pair)
        ]
        return self._standing(_Whole(donors, measurements, NO_VALIDITY, ()))

    def _standing(self, whole: _Whole) -> Standing:
        verdicts = judge(
            self._specification,
            whole.versions,
            whole.donors,
            validity=whole.validity,
            investigations=whole.investigations,
        )
        own = next(one for one in verdicts if one.criterion.id == self.name)
        return standing_of(own, counted=self._counted)


def standing_of(verdict: Verdict, *, counted: bool) -> Standing:
    """The standing of a verdict; one that is ``counted`` in a group blocks nothing itself."""
    return Standing(verdict.outcome, verdict.blocks and not counted)


def _rows(evidence: Grouped, pair: tuple[str, str]) -> Sequence[Evidence]:
    """The results of a test and analyte, and its controls in whatever case."""
    folded = (pair[0], fold(pair[1]))
    others = evidence.get(folded, ()) if folded != pair else ()
    return [*evidence.get(pair, ()), *(one for one in others if one[4] == CONTROL)]


def _key(rows: Sequence[Evidence]) -> object:
    """What a verdict hangs on: texts, units, methods, and which of them share a run."""
    runs: dict[int, int] = {}
    return tuple((runs.setdefault(one[1], len(runs)), *_facts(one)) for one in rows)


def _facts(one: Evidence) -> tuple[str, ...]:
    """From type of result to method, and whether it was typed and verified."""
    return one[4:10]


def _elapsed(one: Evidence) -> timedelta | None:
    if not one[10]:
        return None
    return datetime.fromisoformat(one[11]) - datetime.fromisoformat(one[10])
