"""What counts where a run is on record in several versions, each superseding the one before.

- The newest version is the run, as long as no version stands against it.
- Where a version fails a criterion, or a row that a superseded version has is not in the newest,
  the newest does not count: only a signed conclusion says which version does. Nothing that failed
  is made to pass by another file, and nothing that was reported is silently gone.
- What is computed from several runs is looked at in every combination of their versions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Final

from batchqc.core.assays import CONTROL, REPORTABLE, Measurement, RunKey
from batchqc.core.criteria import Criterion
from batchqc.core.identifiers import fold
from batchqc.core.results import NoResult, NoResultBecause
from batchqc.core.specifications import Specification, closure
from batchqc.core.subjects import Group, Measured
from batchqc.core.unverified import why_unverified
from batchqc.core.verdicts import Outcome, Verdict

MOST_WORLDS: Final = 1000

#: Every verdict over one version of each run: with the validity of runs looked at, or without.
Judged = Callable[[Specification, Sequence[Measurement], bool], tuple[Verdict, ...]]
RunName = tuple[str, str]


def run_name(test: str, run: str) -> RunName:
    """What two versions of one run of a lot have in common; run ids are compared without case."""
    return (test, fold(run))


def unnamed(test: str) -> str:
    """The run of rows without a run id; two such runs are never versions of one another."""
    return f"{test} (no run_id)"


def is_named(test: str, run: str) -> bool:
    """Whether a file said which run it was."""
    return fold(run) != fold(unnamed(test))


def same_run(run: RunKey) -> tuple[RunName, str]:
    """What all contents of one run share; rows without a run id are a run of their upload."""
    return run_name(run.test, run.run), "" if is_named(run.test, run.run) else run.upload


def newest(measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """The measurements of the newest version of each run."""
    return tuple(one for one in measurements if not one.superseded_by)


def contested(
    specification: Specification, found: Sequence[Measurement], judged: Judged
) -> dict[str, NoResult]:
    """Why the newest version of a run does not count, by the criteria that it bears on.

    Args:
        specification: what judges the lot.
        found: the measurements of all versions.
        judged: every verdict of a specification over one version of each run.
    """
    reasons = {}
    for criterion in specification.criteria:
        needed = closure(specification, criterion)
        own = _bearing(specification.stage, needed, found)
        if isinstance(criterion.subject, Group) or len(newest(own)) == len(own):
            continue  # a group hangs on its members, each of which is looked at
        waits = why_unverified([one for one in own if one.result_type == REPORTABLE])
        if waits:
            reasons[criterion.id] = NoResult(NoResultBecause.UNVERIFIED, waits)
            continue
        why = _against(replace(specification, criteria=needed), criterion, own, judged)
        if why:
            why += f"; no signed conclusion says which counts: {told(own)}"
            reasons[criterion.id] = NoResult(NoResultBecause.VERSIONS, why, own)
    return reasons


def _bearing(
    stage: str, needed: Iterable[Criterion], found: Iterable[Measurement]
) -> tuple[Measurement, ...]:
    """The measurements, and the controls, that some criteria hang on."""
    subjects = [one.subject for one in needed if isinstance(one.subject, Measured)]
    pairs = {(one.test, one.analyte) for one in subjects}
    controls = {(one.test, fold(one.analyte), fold(one.control)) for one in subjects if one.control}
    return tuple(
        one
        for one in found
        if one.stage == stage
        and (
            (one.result_type == REPORTABLE and (one.run.test, one.analyte) in pairs)
            or (
                one.result_type == CONTROL
                and (one.run.test, fold(one.analyte), fold(one.aliquot)) in controls
            )
        )
    )


def _against(
    alone: Specification,
    criterion: Criterion,
    own: Sequence[Measurement],
    judged: Judged,
) -> str:
    """What stands against the newest versions: a row that is gone, or a version that fails."""
    if gone := dropped(own):
        return f"superseded results are not in the newest version ({told(gone)})"
    choices = worlds(own)
    if choices is None:
        return "there are too many versions to look at each"
    for chosen in (newest(own), *choices, *_alone(own)):
        for by_validity in (False, True):
            verdicts = judged(alone, chosen, by_validity)
            own_verdict = next(one for one in verdicts if one.criterion.id == criterion.id)
            if own_verdict.outcome is Outcome.FAIL:
                return f"a version of the run does not meet {criterion.acceptance}"
    return ""


def _alone(measurements: Sequence[Measurement]) -> Iterator[tuple[Measurement, ...]]:
    """Each version of a run that has several, without what stands beside it."""
    superseded = {run_name(x.run.test, x.run.run) for x in measurements if x.superseded_by}
    for run in dict.fromkeys(one.run for one in measurements):
        if run_name(run.test, run.run) in superseded:
            yield tuple(one for one in measurements if one.run == run)


def dropped(measurements: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """Measurements of superseded versions whose row the newest version of their run lacks."""
    there = {_row(one) for one in measurements if not one.superseded_by}
    return tuple(one for one in measurements if one.superseded_by and _row(one) not in there)


def worlds(measurements: Sequence[Measurement]) -> Iterator[tuple[Measurement, ...]] | None:
    """Every choice of versions but the newest of all; ``None`` where there are too many.

    Runs of which nothing is superseded are in every choice.
    """
    choices: dict[RunName, dict[str, set[RunKey]]] = {}
    for one in measurements:
        versions = choices.setdefault(run_name(one.run.test, one.run.run), {"": set()})
        versions.setdefault(one.run.upload if one.superseded_by else "", set()).add(one.run)
    options = [list(versions.values()) for versions in choices.values()]
    count = 1
    for versions_of_run in options:
        count *= len(versions_of_run)
    if count > MOST_WORLDS:
        return None
    first, *others = (frozenset[RunKey]().union(*chosen) for chosen in product(*options))
    return (
        tuple(one for one in measurements if one.run in chosen)
        for chosen in others
        if chosen != first
    )


def told(measurements: Iterable[Measurement]) -> str:
    """What each version of a run says, in the order of their uploads."""
    runs: dict[RunKey, list[str]] = {}
    for one in sorted(measurements, key=lambda one: (one.run.upload, one.cell.row)):
        runs.setdefault(one.run, []).append(one.shown.text)
    return "; ".join(f"{', '.join(texts)} in {run}" for run, texts in runs.items())


def _row(one: Measurement) -> tuple[object, ...]:
    return (
        run_name(one.run.test, one.run.run),
        one.result_type,
        fold(one.sample),
        fold(one.aliquot),
        fold(one.analyte) if one.result_type == CONTROL else one.analyte,
        one.replicate,
    )
