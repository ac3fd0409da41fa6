"""Conditional release, and what follows a decision: recall, exceptional supply, destruction."""

from typing import Annotated

import typer

from batchqc.actions.conditional_release import release_conditionally
from batchqc.actions.dispositions import Decision
from batchqc.actions.later_decisions import decide_later
from batchqc.actions.overdue import hold_what_is_overdue
from batchqc.cli.lot import Lot, releasing, seal
from batchqc.cli.show import say
from batchqc.cli.spec_tools import day_of
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.intake.stated import pairs
from batchqc.records.transaction import transaction


def conditionally(
    context: typer.Context,
    lot: Lot,
    *,
    due: Annotated[list[str], typer.Option(help="sterility=2026-02-26; one for each criterion.")],
    site: Annotated[list[str], typer.Option(help="Code of a clinical site that may have doses.")],
    user: User,
    reason: Reason,
) -> None:
    """Release a lot whose pending results the specification lets stay pending, signed."""
    place = workplace(context)
    days = {name: day_of(text) for name, text in pairs(due).items()}
    keyboard = at_keyboard(place, user, to=f"sign the conditional release of lot {lot}")
    actor, number = releasing(place, keyboard, lot), ""
    with transaction(place.engine, actor, place.now()) as tx:
        signed = release_conditionally(
            tx, place.archive, lot=lot, due=days, sites=site, credentials=keyboard.signing(reason)
        )
        if isinstance(signed, Decision) and signed.certificate is not None:
            number = signed.certificate.natural_key
    raise_refusal(signed)
    pending = ", ".join(f"{name} until {day}" for name, day in days.items())
    say(f"Lot {lot} is conditionally released to {', '.join(site)}; pending: {pending}.")
    seal(place, actor, number)


def recall(
    context: typer.Context,
    lot: Lot,
    *,
    class_: Annotated[str, typer.Option("--class", prompt="Class", help="I, II or III.")],
    scope: Annotated[str, typer.Option(prompt="Scope", help="What is recalled, from whom.")],
    user: User,
    reason: Reason,
) -> None:
    """Recall a lot with your signature; its certificate is withdrawn."""
    _decide(context, lot, Disposition.RECALLED, user, reason, **{"class": class_, "scope": scope})


def destroy(
    context: typer.Context,
    lot: Lot,
    *,
    method: Annotated[str, typer.Option(prompt="Method", help="How it was destroyed.")],
    witness: Annotated[
        str, typer.Option(prompt="Witness", help="The user id of who saw it, beside you.")
    ],
    user: User,
    reason: Reason,
) -> None:
    """Record the destruction of a lot with your signature, and who saw it."""
    _decide(context, lot, Disposition.DESTROYED, user, reason, method=method, witness=witness)


def supply(  # noqa: PLR0913 - an exceptional supply is this much
    context: typer.Context,
    lot: Lot,
    *,
    physician: Annotated[str, typer.Option(prompt="Physician", help="As the site names them.")],
    request: Annotated[str, typer.Option(prompt="Request", help="Its reference.")],
    hazard: Annotated[str, typer.Option(prompt="Hazard", help="To the patient, without it.")],
    alternatives: Annotated[str, typer.Option(prompt="Alternatives", help="Why none will do.")],
    evaluation: Annotated[
        str, typer.Option("--risk-evaluation", prompt="Risk evaluation", help="Its reference.")
    ],
    confirmation: Annotated[str, typer.Option(prompt="Confirmation", help="The physician's.")],
    notified: Annotated[str, typer.Option(prompt="Notified", help="Who was told, and when.")],
    user: User,
    reason: Reason,
) -> None:
    """Supply a rejected lot by exception with your signature, where the site's policy allows it."""
    said = {
        "physician": physician, "request": request, "hazard": hazard,
        "alternatives": alternatives, "risk evaluation": evaluation,
        "confirmation": confirmation, "notified": notified,
    }  # fmt: skip
    _decide(context, lot, Disposition.SUPPLIED, user, reason, **said)


def overdue(context: typer.Context, user: User) -> None:
    """Hold every conditionally released lot of which a result is overdue; run it once a day."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.HOLD_LOT)
    with transaction(place.engine, actor, place.now()) as tx:
        held = hold_what_is_overdue(tx, place.archive)
    for lot in held:
        say(f"Lot {lot} is on hold: batchqc lot readiness {lot}")
    say(f"{len(held)} lots were put on hold.")


def _decide(
    context: typer.Context, lot: str, wanted: Disposition, user: str, reason: str, **said: str
) -> None:
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f'sign that lot {lot} is "{wanted}"')
    actor, number = keyboard.acting(Permission.DECIDE_LATER), ""
    with transaction(place.engine, actor, place.now()) as tx:
        signed = decide_later(
            tx, place.archive, lot=lot, wanted=wanted, particulars=said,
            credentials=keyboard.signing(reason),
        )  # fmt: skip
        if isinstance(signed, Decision) and signed.certificate is not None:
            number = signed.certificate.natural_key
    raise_refusal(signed)
    say(f"Lot {lot} is {wanted}.")
    if number:
        seal(place, actor, number)
