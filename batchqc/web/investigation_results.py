"""What stands behind an investigation: the original result, which is never hidden, and what else.

Each value comes with the cell that it was read from, and with what it would be if it were judged
alone.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from batchqc.actions.evaluation import LotCase
from batchqc.actions.investigations import Case
from batchqc.actions.sources import Files, Source, judged_by
from batchqc.core.assays import REPORTABLE, Measurement
from batchqc.core.investigations import Investigation, attribute_of
from batchqc.core.judging import judge
from batchqc.core.mismatches import is_mismatch
from batchqc.core.subjects import Measured
from batchqc.core.verdicts import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Value:
    """A measurement with its cell, and what becomes of it.

    ``alone`` is the verdict that its run has if it is judged by itself; ``fate`` says in the words
    of the conclusion whether it was set aside or counts.
    """

    source: Source
    alone: Outcome | None
    fate: str = ""

    @property
    def one(self) -> Measurement:
        """What was measured."""
        return self.source.measurement


@dataclass(frozen=True, slots=True)
class Run:
    """A run that an investigation was opened for, as it was kept then."""

    upload: str
    test: str
    run: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """The results of an investigation: the original, the retests, and what else there is."""

    runs: tuple[Run, ...]
    original: tuple[Value, ...]
    retests: tuple[Value, ...]
    others: tuple[Value, ...]
    verdict: Verdict | None


def results_of(case: Case, lot: LotCase) -> Found:
    """What was measured of the attributes of an investigation."""
    now = case.now
    own = [one for one in lot.measurements if attribute_of(one) in now.attributes]
    retests = [one for one in own if one.retest_of == now.number]
    original = [one for one in own if now.is_original(one) and one not in retests]
    others = [one for one in own if one not in retests and one not in original]
    files = Files(lot)

    def shown(rows: Iterable[Measurement]) -> tuple[Value, ...]:
        ordered = sorted(rows, key=lambda one: (one.measured_at, str(one.run), one.replicate))
        return tuple(
            Value(files.source(one), _alone(case, lot, one), _fate(now, one)) for one in ordered
        )

    return Found(
        tuple(Run(*map(str, one)) for one in _kept(case)),
        shown(original),
        shown(retests),
        shown(others),
        _verdict(case, lot),
    )


def _kept(case: Case) -> Sequence[Sequence[str]]:
    """The runs as the investigation names them; none where somebody made that unreadable."""
    try:
        found = json.loads(case.row.runs)
    except ValueError:
        return ()
    return [one for one in found if isinstance(one, list) and len(one) == len(Run.__slots__)]


def _verdict(case: Case, lot: LotCase) -> Verdict | None:
    """What the criterion says of the lot now."""
    for specification, verdicts in judged_by(lot):
        if specification.stage.value == case.row.stage:
            for one in verdicts:
                if one.criterion.id == case.row.criterion:
                    return one
    return None


def _alone(case: Case, lot: LotCase, one: Measurement) -> Outcome | None:
    """The verdict of a run by itself; none where its criterion is computed, or it does not count.

    What two people typed differently is no one value, and has none.
    """
    found = _verdict(case, lot)
    if found is None or not isinstance(found.criterion.subject, Measured):
        return None
    if one.result_type != REPORTABLE or is_mismatch(one):
        return None
    alone = [
        replace(each, retest_of="", superseded_by="")
        for each in lot.measurements
        if each.run == one.run
    ]
    for specification, _verdicts in judged_by(lot):
        if specification.stage.value == case.row.stage:
            only = replace(specification, criteria=(found.criterion,))
            (verdict,) = judge(only, alone, lot.known.donors, validity=lot.known.validity)
            return verdict.outcome
    return None


def _fate(now: Investigation, one: Measurement) -> str:
    if now.conclusion is None:
        return ""
    if (one.run, one.analyte) in now.conclusion.set_aside:
        return "set aside"
    return "counts" if one.run in now.conclusion.counting else ""
