"""Whether an investigation may be concluded so, and what its conclusion sets aside (3.08, 2.07)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from batchqc.core.assays import REPORTABLE, Measurement, RunKey
from batchqc.core.entries import SecondEntry
from batchqc.core.identifiers import fold
from batchqc.core.investigations import (
    Conclusion,
    Finding,
    Investigation,
    Plan,
    State,
    attribute_of,
)
from batchqc.core.retests import grounds_problem
from batchqc.core.superseding import same_run


class Cause(StrEnum):
    """What in the laboratory, and not in the product, made a result wrong. No outlier test."""

    INSTRUMENT = "instrument failure"
    REAGENT = "reagent or standard"
    SAMPLE = "sample handling in the laboratory"
    PROCEDURE = "departure from the method"
    ANALYST = "error of the analyst"
    DATA = "transcription, calculation or transfer of data"


#: What phase I asks of every failing result, by the name of the answer.
CHECKLIST = {
    "identity": "Was the right sample tested, and was it stored and handled as it must be?",
    "method": "Was the approved version of the method followed?",
    "analyst": "Is the analyst trained, and was the analyst asked?",
    "instrument": "Was the instrument calibrated, maintained and suitable?",
    "reagents": "Were reagents, standards, media and controls right and in date?",
    "calculation": "Are raw data, calculations and transcriptions right?",
    "suitability": "Did system suitability, controls and blanks meet their criteria?",
    "history": "Do other lots, runs and earlier results show the same?",
    "retained": "Are the original preparations and the sample kept and examined?",
}
ANSWERS = ("yes", "no", "not applicable")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What QA wants to conclude; ``corrected`` is that the newest version of the run counts."""

    finding: Finding
    evidence: str
    test: str = ""
    cause: Cause | None = None
    document: str = ""
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What is known when an investigation is concluded.

    Args:
        measurements: all of the lot.
        others: its other investigations.
        invalid: its invalid runs.
        documents: the hashes of what was filed with the investigation.
        people: who measured, entered, reviewed or performed phase I, with what they did.
        unreviewed: the runs that no second person has reviewed.
    """

    measurements: Sequence[Measurement]
    others: Sequence[Investigation]
    invalid: frozenset[RunKey]
    documents: frozenset[str]
    people: dict[str, str]
    unreviewed: frozenset[RunKey] = frozenset()


def checklist_problems(answers: dict[str, tuple[str, str]]) -> list[str]:
    """What is missing of phase I: every question has an answer, and a "no" has a remark."""
    found = [f'"{name}" is not answered: {CHECKLIST[name]}' for name in CHECKLIST.keys() - answers]
    for name, (answer, remark) in answers.items():
        if name not in CHECKLIST:
            found.append(f'"{name}" is no question of the checklist')
        elif answer not in ANSWERS:
            found.append(f'"{name}" is answered "{answer}", not one of: {", ".join(ANSWERS)}')
        elif answer != "yes" and not remark.strip():
            found.append(f'"{name}" is answered "{answer}" without a remark')
    return sorted(found)


def conclusion_problems(
    wanted: Wanted, investigation: Investigation, known: OnRecord, *, signer: str
) -> list[str]:
    """Why an investigation cannot be concluded so by this person."""
    found = []
    if investigation.state in {State.PHASE_I, State.REVIEW, State.CONCLUDED}:
        found.append(f"{investigation.number}: {investigation.state}")
    if signer in known.people:
        found.append(f"{signer} {known.people[signer]}; another QA person concludes")
    if problem := grounds_problem(wanted.evidence):
        found.append(problem)
    if (wanted.finding is Finding.RESULT_WAS_LATE) is bool(investigation.runs):
        there = "a result" if investigation.runs else "no result, it was overdue"
        found.append(f'{there} is under investigation: "{wanted.finding}" does not conclude it')
    elif wanted.finding is Finding.LABORATORY_CAUSE:
        found += _cause_problems(wanted, investigation, known)
    elif wanted.cause is not None or wanted.corrected:
        found.append(f'where "{wanted.finding}" there is no cause, and nothing else counts')
    return found


def _cause_problems(wanted: Wanted, investigation: Investigation, known: OnRecord) -> list[str]:
    found = []
    if wanted.cause is None:
        found.append(f"name the cause, one of: {', '.join(Cause)}")
    if wanted.document not in known.documents:
        found.append("name the document with the evidence, which is filed with the investigation")
    if _test(wanted, investigation) not in investigation.tests:
        found.append(f"name the test, one of: {', '.join(sorted(investigation.tests))}")
    if wanted.corrected and (wanted.cause is not Cause.DATA or investigation.plan is not None):
        found.append(f"another version of the run counts after a cause in data only: {Cause.DATA}")
    if wanted.corrected and not _corrected(wanted, investigation, known):
        found.append("no other version of the run is on record")
    if investigation.plan is not None:
        found += _plan_left(wanted, investigation, investigation.plan, known)
    counting = _counting(wanted, investigation, known) & known.unreviewed
    found += [f"{run} is to count and nobody has reviewed it" for run in sorted(map(str, counting))]
    return found


def _plan_left(
    wanted: Wanted, investigation: Investigation, plan: Plan, known: OnRecord
) -> Iterator[str]:
    """What an approved plan still asks for."""
    if plan.test != _test(wanted, investigation):
        yield f"the plan retests {plan.test}"
    counting = _retests(investigation, plan, known)
    rows = [one for one in known.measurements if one.result_type == REPORTABLE]
    originals = {
        attribute_of(one)
        for one in rows
        if investigation.is_original(one) and one.run.test == plan.test
    } or {one for one in investigation.attributes if one[1] == plan.test}
    # one retest each, of what two runs measured, is not two retests of either
    for attribute in sorted(originals):
        there = len({x.run for x in rows if x.run in counting and attribute_of(x) == attribute})
        if there != plan.number:
            of = f" of {attribute[-1]}" if len(originals) > 1 else ""
            yield f"the plan asks for {plan.number} valid retests{of}; {there} are in"


def conclusion_of(wanted: Wanted, investigation: Investigation, known: OnRecord) -> Conclusion:
    """The conclusion with what it sets aside and what counts in its place.

    Where a corrected version counts, an original that no file corrected counts as before.
    What waits for its second entry nobody has seen: it may fail, and is not set aside.
    """
    if wanted.finding is not Finding.LABORATORY_CAUSE:
        return Conclusion(wanted.finding, "")
    test = _test(wanted, investigation)
    counting = _counting(wanted, investigation, known)
    own = {one for one in investigation.attributes if one[1] == test}
    void = frozenset(
        (one.run, one.analyte)
        for one in known.measurements
        if attribute_of(one) in own
        and not one.retest_of
        and one.second is not SecondEntry.WAITS
        and one.run not in counting
        and not (wanted.corrected and investigation.is_original(one) and not one.superseded_by)
        and (
            investigation.is_original(one)  # where another is for it too, that one concludes anew
            or not any(other.is_original(one) for other in known.others)
        )
    )
    cause = wanted.cause.value if wanted.cause is not None else ""
    return Conclusion(wanted.finding, test, cause, void, counting)


def _test(wanted: Wanted, investigation: Investigation) -> str:
    """The test that the cause is in; where one alone is under investigation, that."""
    if not wanted.test and len(investigation.tests) == 1:
        (only,) = investigation.tests
        return only
    return wanted.test


def _counting(wanted: Wanted, investigation: Investigation, known: OnRecord) -> frozenset[RunKey]:
    """The runs that count after a cause, in place of the original."""
    if wanted.corrected:
        return _corrected(wanted, investigation, known)
    if investigation.plan is not None:
        return _retests(investigation, investigation.plan, known)
    return frozenset()


def _retests(investigation: Investigation, plan: Plan, known: OnRecord) -> frozenset[RunKey]:
    """The valid retests of a plan."""
    return frozenset(
        one.run
        for one in known.measurements
        if one.retest_of == investigation.number
        and one.result_type == REPORTABLE
        and one.run not in known.invalid
        and not one.superseded_by
        and fold(one.sample) in plan.samples | plan.new_samples
    )


def _corrected(wanted: Wanted, investigation: Investigation, known: OnRecord) -> frozenset[RunKey]:
    """The newest version of the runs under investigation, where that is another one."""
    tested = _test(wanted, investigation)
    own = {one for one in investigation.attributes if one[1] == tested}
    names = {same_run(run) for run in investigation.runs if run.test == tested}
    return frozenset(
        one.run
        for one in known.measurements
        if attribute_of(one) in own
        and same_run(one.run) in names
        and not (one.superseded_by or one.retest_of)
        and one.run not in investigation.runs
    )


def people_behind(
    runs: Iterable[tuple[RunKey, Iterable[str], Iterable[str]]], investigation: Investigation
) -> dict[str, str]:
    """Who may not conclude, with what they did.

    Args:
        runs: each run with who entered or measured it, and who reviewed or typed it again.
        investigation: with who performed and reviewed its phase I.
    """
    found = {investigation.performed_by: "performed phase I"} if investigation.performed_by else {}
    if investigation.reviewed_by:
        found[investigation.reviewed_by] = "reviewed phase I"
    for run, entered, reviewed in runs:
        found |= dict.fromkeys(reviewed, f"reviewed {run}")
        found |= dict.fromkeys(entered, f"entered or measured {run}")
    return found
