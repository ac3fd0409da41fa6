"""The demonstration's result out of specification, and why measuring again does not help."""

from collections.abc import Iterator, Sequence

from batchqc.actions.investigation_conclusions import conclude
from batchqc.actions.investigations import (
    perform_phase_one,
    review_phase_one,
    the_investigation,
)
from batchqc.actions.lots import the_lot
from batchqc.actions.siblings import Sibling, siblings_of
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_files import send
from batchqc.cli.demo_story import Chapter, Story, signing
from batchqc.core.conclusions import CHECKLIST, Wanted
from batchqc.core.investigations import Finding
from batchqc.core.permissions import Permission
from batchqc.errors import IntegrityFailure
from batchqc.records.investigations import investigations_of
from batchqc.records.transaction import reading

LOT = "UCM-P4-T2"
_NOTHING = "Nothing in the laboratory explains the result (simulated)"


def try_a_retest(story: Story) -> str:
    """An analyst sends a retest that nobody planned: why the file is refused.

    Raises:
        IntegrityFailure: it was accepted.
    """
    report = send(story, cast.SECOND_ANALYST, cast.RETEST, retest=_number(story))
    if report.accepted:
        raise IntegrityFailure("BQC-DEM-005", "a retest without a plan was accepted")
    reasons = (f"{one.code}: {one.message}" for one in report.reading.problems)
    return f"{report.number} is refused, {'; '.join(reasons)}"


def investigate(story: Story) -> str:
    """Phase I, its review, and QA's conclusion: the original result stands."""
    number, archive = _number(story), story.place.archive
    story.do(
        cast.ANALYST,
        Permission.INVESTIGATE,
        lambda tx: perform_phase_one(
            tx,
            number=number,
            answers=dict.fromkeys(CHECKLIST, ("yes", "")),
            hypothesis=_NOTHING,
            credentials=signing(cast.ANALYST, "Checked at the bench (simulated)"),
        ),
    )
    story.do(
        cast.REVIEWER,
        Permission.INVESTIGATE,
        lambda tx: review_phase_one(
            tx, number=number, credentials=signing(cast.REVIEWER, "Phase I is complete")
        ),
    )
    wanted = Wanted(Finding.ORIGINAL_STANDS, f"{_NOTHING}; the sample was the right one")
    story.do(
        cast.RELEASER,
        Permission.CONCLUDE_INVESTIGATION,
        lambda tx: conclude(
            tx,
            archive,
            number=number,
            wanted=wanted,
            credentials=signing(cast.RELEASER, "The original result stands"),
        ),
    )
    return f"{number} concluded: {Finding.ORIGINAL_STANDS}"


def chapter(story: Story, refused: str) -> Chapter:
    """What became of it, and which lots share something with the failing one."""
    number = _number(story)
    with reading(story.place.engine) as session:
        case, lot = the_investigation(session, number), the_lot(session, LOT)
        failed, state, conclusion = case.row.sentence, case.now.state, case.now.conclusion
        siblings = siblings_of(session, lot)
    if conclusion is None:
        raise IntegrityFailure("BQC-DEM-006", f"{number} is not concluded")
    disposition = story.case(LOT).disposition.value
    return Chapter(
        "investigation",
        f"{LOT} fails: {number}",
        (
            f"{failed}: {number} opened by itself",
            f"a retest that nobody planned: {refused}",
            f"{state}: {conclusion.finding}; the lot is {disposition}",
            *_siblings(siblings),
        ),
        {
            "lot": LOT,
            "number": number,
            "failed": failed,
            "retest": refused,
            "state": state.value,
            "conclusion": conclusion.finding.value,
            "disposition": disposition,
            "siblings": [
                {"lot": one.lot, "shares": list(one.shares), "disposition": one.disposition}
                for one in siblings
            ],
        },
    )


def _siblings(siblings: Sequence[Sibling]) -> Iterator[str]:
    """Lots that share more than files, each; the others in one sentence."""
    others = []
    for one in siblings:
        label = f"{one.lot} ({one.disposition})"
        beside = [said for said in one.shares if not said.startswith("upload ")]
        if beside:
            yield f"sibling {label}: {', '.join(beside)}, and uploads"
        else:
            others.append(label)
    yield f"of the same uploads: {', '.join(others)}"


def _number(story: Story) -> str:
    with reading(story.place.engine) as session:
        ((row, _), *_) = investigations_of(session, [the_lot(session, LOT).id])
        return row.natural_key
