"""The runs of a lot as a reviewer looks at them: what needs eyes first, raw beside reported.

A run that has nothing to say stands folded with the other clean ones. What waits for its second
entry is hidden, as everywhere.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batchqc.actions.evaluation import LotCase
from batchqc.actions.sources import Files, Source, cell_of
from batchqc.core.assays import Measurement, RunKey
from batchqc.core.dispositions import RunFacts
from batchqc.core.entries import SecondEntry
from batchqc.core.review_by_exception import Exceptional, RunSeen, Why
from batchqc.core.runs import RunValidity
from batchqc.records.uploads import AssayRun
from batchqc.web.lot_results import Line, Sign, lines_of

#: So many readings of a run stand on the page; all of them stand in its upload.
READINGS: Final = 48
_SIGNS: Final[Mapping[Why, Sign]] = {
    Why.OOS: Sign.BAD, Why.INVALID: Sign.BAD, Why.NOT_JUDGED: Sign.OPEN,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flag:
    """A reason to look closer, and how it looks."""

    sign: Sign
    why: Why
    said: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A raw value with its cell, and the reported result that it stands behind, if any."""

    source: Source
    line: Line | None
    is_control: bool


@dataclass(frozen=True, slots=True)
class RunShown:
    """A run with everything that its review looks at."""

    place: int
    row: AssayRun
    measurements: int
    flags: tuple[Flag, ...]
    readings: tuple[Reading, ...]
    facts: RunFacts
    validity: RunValidity | None
    own: tuple[Measurement, ...]

    @property
    def sign(self) -> Sign:
        """Of the worst that is to be said of it."""
        found = {one.sign for one in self.flags}
        return next((one for one in (Sign.BAD, Sign.OPEN, Sign.TREND) if one in found), Sign.OK)

    @property
    def waits(self) -> bool:
        """Whether a second person has not typed it yet."""
        return any(one.second is SecondEntry.WAITS for one in self.own)

    @property
    def reviewers(self) -> list[str]:
        """Second persons who reviewed it."""
        return sorted(self.facts.reviewed_by - self.facts.entered_by)

    @property
    def more(self) -> int:
        """How many readings are not on the page."""
        return self.measurements - len(self.readings)

    @property
    def began(self) -> datetime | None:
        """The first measurement."""
        return min((one.measured_at for one in self.own), default=None)

    @property
    def ended(self) -> datetime | None:
        """The last one."""
        return max((one.measured_at for one in self.own), default=None)

    @property
    def comment(self) -> str:
        """The comment that all of its readings have in common, or ""."""
        found = {one.comment for one in self.own}
        return found.pop() if len(found) == 1 else ""

    def each(self, name: str) -> list[str]:
        """Every text of a field of its measurements, once."""
        return sorted({str(getattr(one, name)) for one in self.own} - {""})

    @property
    def methods(self) -> list[str]:
        """With their versions."""
        said = {one.method + (f" v{one.version}" if one.version else "") for one in self.own}
        return sorted(said - {""})


def runs_shown(case: LotCase, seen: Sequence[RunSeen]) -> list[RunShown]:
    """Every run in the order in which it is looked at, exceptions first."""
    rows = {run.run_key: run for run in case.runs}
    facts = {fact.key: fact for fact in case.facts.runs}
    own: dict[RunKey, list[Measurement]] = {key: [] for key in rows}
    for one in case.measurements:
        own[one.run].append(one.shown)
    readings = _Readings(case)
    return [
        RunShown(
            place=place,
            row=rows[one.run],
            measurements=one.measurements,
            flags=tuple(_flag(each) for each in one.exceptions),
            readings=tuple(readings.of(own[one.run][:READINGS])),
            facts=facts[one.run],
            validity=case.looked_at.validity.get(one.run),
            own=tuple(own[one.run]),
        )
        for place, one in enumerate(seen, 1)
    ]


def flag_counts(runs: Sequence[RunShown]) -> list[tuple[Why, Sign, int]]:
    """How many runs each reason lists, most often first."""
    found = Counter(why for run in runs for why in {one.why for one in run.flags})
    return [(why, _SIGNS.get(why, Sign.TREND), count) for why, count in found.most_common()]


def _flag(one: Exceptional) -> Flag:
    return Flag(_SIGNS.get(one.why, Sign.TREND), one.why, one.said)


class _Readings:
    """Which line of the specification each cell of a lot stands behind."""

    def __init__(self, case: LotCase) -> None:
        self._files = Files(case)
        self._lines: dict[tuple[str, int, str], Line] = {}
        self._controls: set[tuple[str, int, str]] = set()
        for line in lines_of(case.so_far.verdicts):
            for one in line.verdict.measurements:
                self._lines.setdefault(cell_of(one), line)
            self._controls |= {cell_of(one) for one in line.verdict.controls}

    def of(self, own: Sequence[Measurement]) -> Iterator[Reading]:
        for one in own:
            cell = cell_of(one)
            line = self._lines.get(cell)
            yield Reading(self._files.source(one), line, line is None and cell in self._controls)
