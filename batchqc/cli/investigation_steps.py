"""The signed steps of an OOS investigation on the command line."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final

import typer

from batchqc.actions.investigation_conclusions import conclude
from batchqc.actions.investigations import (
    extend_due_date,
    perform_phase_one,
    reopen,
    review_phase_one,
)
from batchqc.actions.retest_plans import NewPlan, approve_plan
from batchqc.cli.show import say
from batchqc.cli.spec_tools import day_of
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.conclusions import CHECKLIST, Cause, Wanted
from batchqc.core.investigations import Finding
from batchqc.core.permissions import Permission
from batchqc.intake.stated import pairs
from batchqc.records.transaction import transaction

Number = Annotated[str, typer.Argument(help="Its number, such as OOS-2026-000001.")]


def phase_one(
    context: typer.Context,
    number: Number,
    *,
    answer: Annotated[
        list[str] | None,
        typer.Option(help="method=yes, or method=no: why. Without it each question is asked."),
    ] = None,
    hypothesis: Annotated[str, typer.Option(help="What may have happened.")] = "",
    user: User,
    reason: Reason,
) -> None:
    """Record the laboratory phase: every question of the checklist, signed."""
    place = workplace(context)
    given = dict(pairs(answer)) if answer else {}
    for name, question in CHECKLIST.items():
        given.setdefault(name, "" if answer else typer.prompt(f"{question} (yes, no: why)"))
    answers = {name: _answer(text) for name, text in given.items() if text}
    keyboard = at_keyboard(place, user, to=f"sign phase I of {number}")
    with transaction(place.engine, keyboard.acting(Permission.INVESTIGATE), place.now()) as tx:
        step = perform_phase_one(
            tx,
            number=number,
            answers=answers,
            hypothesis=hypothesis,
            credentials=keyboard.signing(reason),
        )
    raise_refusal(step)
    say(f"Phase I of {number} waits for its review: batchqc investigation review {number}")


def review(context: typer.Context, number: Number, user: User, reason: Reason) -> None:
    """Review phase I as the supervisor, signed."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the review of phase I of {number}")
    with transaction(place.engine, keyboard.acting(Permission.INVESTIGATE), place.now()) as tx:
        step = review_phase_one(tx, number=number, credentials=keyboard.signing(reason))
    raise_refusal(step)
    say(f"Phase I of {number} is reviewed.")


def plan(  # noqa: PLR0913 - a plan is this much
    context: typer.Context,
    number: Number,
    *,
    method: Annotated[str, typer.Option(help="SOP-QC-014 v3: code and version.")],
    analyst: Annotated[list[str], typer.Option(help="User id of a second analyst.")],
    retests: Annotated[int, typer.Option(help="How many on the original sample.")],
    resamples: Annotated[int, typer.Option(help="How many on a new sample.")] = 0,
    new_sample: Annotated[list[str] | None, typer.Option(help="Id of a new sample.")] = None,
    test: Annotated[str, typer.Option(help="Where several failed.")] = "",
    same_analyst: Annotated[str, typer.Option(help="Why the first measures again.")] = "",
    resample_because: Annotated[str, typer.Option(help="Why QA agrees to a new sample.")] = "",
    user: User,
    reason: Reason,
) -> None:
    """Approve a retest plan as QA, signed, before anything is measured again."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the retest plan of {number}")
    code, _, version = method.partition(" v")
    wanted = NewPlan(
        code, version, tuple(analyst), retests, resamples, tuple(new_sample or ()), test,
        same_analyst, resample_because,
    )  # fmt: skip
    actor = keyboard.acting(Permission.APPROVE_RETEST_PLAN)
    with transaction(place.engine, actor, place.now()) as tx:
        step = approve_plan(
            tx, place.archive, number=number, plan=wanted, credentials=keyboard.signing(reason)
        )
    raise_refusal(step)
    say(f"The plan is approved: batchqc upload <file> --retest {number}")


def conclude_(  # noqa: PLR0913 - a conclusion is this much
    context: typer.Context,
    number: Number,
    finding: Annotated[Finding, typer.Argument(help="What is concluded.")],
    *,
    evidence: Annotated[str, typer.Option(prompt="Evidence", help="In words.")],
    cause: Annotated[Cause | None, typer.Option(help="What in the laboratory was wrong.")] = None,
    document: Annotated[str, typer.Option(help="SHA-256 of the filed evidence.")] = "",
    test: Annotated[str, typer.Option(help="Where several failed.")] = "",
    corrected: Annotated[
        bool, typer.Option("--corrected", help="The newest version of the run counts.")
    ] = False,
    user: User,
    reason: Reason,
) -> None:
    """Conclude an investigation as QA who neither measured nor reviewed, signed."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the conclusion of {number}")
    wanted = Wanted(finding, evidence, test, cause, document, corrected)
    actor = keyboard.acting(Permission.CONCLUDE_INVESTIGATION)
    with transaction(place.engine, actor, place.now()) as tx:
        step = conclude(
            tx, place.archive, number=number, wanted=wanted, credentials=keyboard.signing(reason)
        )
    raise_refusal(step)
    say(f"{number} is concluded: {finding}.")


def reopen_(context: typer.Context, number: Number, user: User, reason: Reason) -> None:
    """Open a concluded investigation again, signed."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"open {number} again")
    actor = keyboard.acting(Permission.CONCLUDE_INVESTIGATION)
    with transaction(place.engine, actor, place.now()) as tx:
        step = reopen(tx, number=number, credentials=keyboard.signing(reason))
    raise_refusal(step)
    say(f"{number} is open again.")


def extend(
    context: typer.Context,
    number: Number,
    due: Annotated[str, typer.Argument(help="A date such as 2026-01-15.")],
    user: User,
    reason: Reason,
) -> None:
    """Let an investigation be due later, signed."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the due date of {number}")
    actor = keyboard.acting(Permission.CONCLUDE_INVESTIGATION)
    with transaction(place.engine, actor, place.now()) as tx:
        step = extend_due_date(
            tx, number=number, due_on=day_of(due), credentials=keyboard.signing(reason)
        )
    raise_refusal(step)
    say(f"{number} is due on {due}.")


def _answer(text: str) -> tuple[str, str]:
    """``no: why`` as answer and remark."""
    answer, _, remark = text.partition(":")
    return answer.strip().lower(), remark.strip()


#: The command of each step, by its name.
STEPS: Final[Mapping[str, Callable[..., None]]] = {
    "phase-one": phase_one,
    "review": review,
    "plan": plan,
    "conclude": conclude_,
    "reopen": reopen_,
    "extend": extend,
}
