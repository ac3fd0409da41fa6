"""The retest governor: what may be measured again, decided before and never adjusted after.

- A plan states number, method, samples, second analyst and decision rule, is approved by QA after
  phase I, and is fixed as soon as a retest is in (requirements 3.02, 3.03, 3.04).
- The most that may be planned is what the method's document said before the investigation was
  opened (requirement 3.03).
- A retest comes in a file that names its investigation. Whatever of it is not as planned is said,
  and nothing of the file is taken (requirements 3.05, 3.06).
- An outlier test is no ground for anything (requirement 3.10).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from batchqc.core.assays import INVESTIGATIONAL, REPORTABLE, Measurement, RunKey
from batchqc.core.identifiers import fold
from batchqc.core.investigations import (
    Attribute,
    Investigation,
    Plan,
    State,
    attribute_of,
)
from batchqc.core.superseding import is_named

_OUTLIER: Final = re.compile(
    r"outlier|ausrei(ß|ss)er|grubbs|dixon|chauvenet|rosner|studenti[sz]ed|\bq[- ]?test",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Retest:
    """What a file is held against that is said to hold retests.

    Args:
        number: of the investigation, as the uploader names it.
        lot: that the investigation is of, as registered.
        investigation: ``None`` where there is none of that number.
        originals: the measurements that it hangs on.
        earlier: the retests on record.
        invalid: runs that are invalid; they use none of the number (requirement 3.15).
        replicates: how many replicates the plan of each attribute asks for.
    """

    number: str
    lot: str = ""
    investigation: Investigation | None = None
    originals: tuple[Measurement, ...] = ()
    earlier: tuple[Measurement, ...] = ()
    invalid: frozenset[RunKey] = frozenset()
    replicates: Mapping[Attribute, int] = field(default_factory=dict)


#: What is wrong and what to do, with the row that it is wrong with; ``None`` is the whole file.
Wrong = tuple[Measurement | None, str, str]


def grounds_problem(text: str) -> str:
    """Why a text gives no ground to set a result aside, or "" (requirement 3.10)."""
    found = _OUTLIER.search(text)
    if found is None:
        return ""
    return (
        f'"{found[0]}": an outlier test is informational only and no ground; record it among the'
        " remarks of phase I"
    )


def plan_problems(
    plan: Plan,
    investigation: Investigation,
    *,
    originals: Sequence[Measurement],
    retests: Sequence[Measurement],
    most: int | None,
) -> list[str]:
    """Why a plan cannot be approved.

    Args:
        plan: what is to be approved.
        investigation: as it stands.
        originals: the measurements that it hangs on.
        retests: those on record.
        most: how many retests the method's document allowed before the investigation was opened;
            ``None`` where it said nothing.
    """
    first = [one for one in originals if one.run.test == plan.test]
    found = [*_not_now(investigation), *_numbers(plan, most, investigation.number)]
    if retests:
        found.append("retests are in; the plan is not adjusted to their results")
    if not first:
        found.append(f"nothing of {plan.test or 'no test'} is under investigation")
    methods = sorted({one.method for one in first})
    if first and plan.method not in methods:
        found.append(f"{plan.method} is another method than {', '.join(methods)}")
    if not plan.analysts:
        found.append("no second analyst is named")
    again = sorted(plan.analysts & {one.analyst for one in first})
    if again and not plan.same_analyst:
        said = f"{', '.join(again)} measured the original; name a second analyst"
        found.append(f"{said}, or record why not")
    if bool(plan.resamples) != bool(plan.new_samples):
        found.append("new samples are named where, and only where, some are drawn")
    if same := sorted(plan.new_samples & {fold(one.sample) for one in first}):
        found.append(f"{', '.join(same)} is the original sample")
    return found


def _numbers(plan: Plan, most: int | None, number: str) -> Iterator[str]:
    if min(plan.retests, plan.resamples) < 0 or plan.number < 1:
        yield "a plan asks for one retest at least"
    name = f"{plan.method} v{plan.version}"
    if most is None:
        yield (
            f"the document of {name}, or of the method behind the original, does not say how many"
            f" retests are allowed (max_retests), or was not approved before {number} was opened:"
            " conclude without a retest"
        )
    elif plan.number > most:
        yield f"{name} allows {most} retests, and the plan asks for {plan.number}"


def _not_now(investigation: Investigation) -> Iterator[str]:
    if investigation.state in {State.PHASE_I, State.REVIEW, State.CONCLUDED}:
        yield f"{investigation.number}: {investigation.state}"


def retest_problems(retest: Retest, rows: Sequence[Measurement]) -> list[Wrong]:
    """Everything in a file of retests that is not as the approved plan says."""
    investigation = retest.investigation
    if investigation is None:
        return [(None, f"there is no investigation {retest.number}", "Check its number.")]
    plan = investigation.plan
    if investigation.state is not State.RETESTS or plan is None:
        said = f"{investigation.number} has no plan that is open: {investigation.state}"
        return [(None, said, "A retest follows a plan that QA approved before it was begun.")]
    found: list[Wrong] = [
        (one, said, todo)
        for one in rows
        for said, todo in (
            *_not_a_retest(retest, investigation, plan, one),
            *(_of_row(plan, one) if one.result_type == REPORTABLE else ()),
        )
    ]
    reported = [one for one in rows if one.result_type == REPORTABLE]
    if not reported:
        found.append((None, "the file holds no reportable retest", "See the plan."))
    return [
        *found,
        *_left_out(retest, plan, reported),
        *_replicates(retest, reported),
        *_too_many(retest, plan, reported),
    ]


def _not_a_retest(
    retest: Retest, investigation: Investigation, plan: Plan, one: Measurement
) -> Iterator[tuple[str, str]]:
    """Why a row has no place in the file, and what to do."""
    if one.lot != retest.lot:
        yield f"{retest.number} is of lot {retest.lot}", "Send other lots in a file of their own."
    if one.result_type == INVESTIGATIONAL:
        yield (
            "an investigational result replaces no original",
            "Leave it out: from the approval of the plan on, what is measured again is a retest.",
        )
    is_own = attribute_of(one) in investigation.attributes and one.run.test == plan.test
    if one.result_type == REPORTABLE and not is_own:
        yield (
            f"{one.run.test} {one.analyte} is not what {retest.number} retests",
            "Leave it out, or send it as raw: a second result would stand beside the first.",
        )


def _of_row(plan: Plan, one: Measurement) -> Iterator[tuple[str, str]]:
    """What of a result is not as planned, and what to do."""
    begun = one.started_at or one.measured_at
    if begun <= plan.approved_at:
        yield (
            f"it was begun at {begun.isoformat()}, before the plan was approved",
            "Only what is begun after the approval is a retest.",
        )
    if (one.method, one.version) != (plan.method, plan.version):
        stated = f"{one.method} v{one.version}" if one.version else one.method
        yield f"{stated} is not {plan.method} v{plan.version}", "Measure by the planned method."
    if one.analyst not in plan.analysts:
        who = ", ".join(sorted(plan.analysts))
        yield f"{one.analyst} measured it; the plan names {who}", "Have the second analyst measure."
    if fold(one.sample) not in plan.samples | plan.new_samples:
        named = ", ".join(sorted(plan.samples | plan.new_samples))
        yield f"{one.sample} is not a sample of the plan ({named})", "Measure the planned sample."
    if not is_named(one.run.test, one.run.run):
        yield "a retest has a run id of its own", "State the run id."


def _left_out(retest: Retest, plan: Plan, reported: Iterable[Measurement]) -> Iterator[Wrong]:
    """Who leaves out a part of what the original measured chooses what counts of a retest."""
    first: dict[RunKey, set[Attribute]] = defaultdict(set)
    for one in retest.originals:
        if one.result_type == REPORTABLE and one.run.test == plan.test:
            first[one.run].add(attribute_of(one))
    runs: dict[RunKey, list[Measurement]] = defaultdict(list)
    for one in reported:
        runs[one.run].append(one)
    for rows in runs.values():
        own = {attribute_of(one) for one in rows}
        lacking = {one for wanted in first.values() if wanted & own for one in wanted - own}
        if lacking:
            names = ", ".join(sorted(analyte for _, _, analyte in lacking))
            said = f"the original measured {names} too, and the run does not report it"
            yield rows[0], said, "Report everything that is under investigation."


def _replicates(retest: Retest, reported: Iterable[Measurement]) -> Iterator[Wrong]:
    """A mean that somebody computed has one row where the plan asks for several (3.09)."""
    runs: dict[tuple[RunKey, Attribute], list[Measurement]] = defaultdict(list)
    for one in reported:
        runs[one.run, attribute_of(one)].append(one)
    for (_, attribute), rows in runs.items():
        wanted = retest.replicates.get(attribute, len(rows))
        if len(rows) != wanted:
            said = f"the method asks for {wanted} replicates, the run has {len(rows)}"
            yield rows[0], said, "Send each replicate; a mean is computed here and nowhere else."


def _too_many(retest: Retest, plan: Plan, reported: Iterable[Measurement]) -> Iterator[Wrong]:
    """The number holds for whatever is under investigation, each by itself."""
    valid = [
        one
        for one in retest.earlier
        if one.result_type == REPORTABLE and one.run not in retest.invalid
    ]
    said: dict[RunKey, tuple[Measurement, str]] = {}
    for kind, samples, most in (
        ("retest", plan.samples, plan.retests),
        ("resample", plan.new_samples, plan.resamples),
    ):
        used = _runs_of(valid, samples)
        for attribute, runs in _runs_of(reported, samples).items():
            there = len(used.get(attribute, ()))
            for count, one in enumerate(runs.values(), there + 1):
                if count > most:
                    what = f"{kind} {count} of {most} that the plan allows; {there} are in"
                    said.setdefault(one.run, (one, what))
    for one, what in said.values():
        yield one, what, "Conclude on what is there; the number is not adjusted."


def _runs_of(
    rows: Iterable[Measurement], samples: Collection[str]
) -> dict[Attribute, dict[RunKey, Measurement]]:
    """The runs that measured something of some samples, each by its first row."""
    found: dict[Attribute, dict[RunKey, Measurement]] = defaultdict(dict)
    for one in rows:
        if fold(one.sample) in samples:
            found[attribute_of(one)].setdefault(one.run, one)
    return found
