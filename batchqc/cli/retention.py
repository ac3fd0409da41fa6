"""Retention, legal hold and disposal, as commands of ``batchqc archive``."""

from typing import Annotated

import typer

from batchqc.actions.disposals import (
    approve_disposal,
    due_of_lot,
    lots_due,
    request_disposal,
)
from batchqc.actions.lots import the_lot
from batchqc.actions.raw_objects import hold_in_store, today_at_site
from batchqc.actions.removals import finish_disposals
from batchqc.actions.retention import hold_legally, release_legally, set_retention
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.core.retention import RetentionRule
from batchqc.core.signatures import Refusal
from batchqc.errors import InvalidInput
from batchqc.records.transaction import reading, transaction

_Lot = Annotated[str, typer.Argument(help="Whose raw data.")]


def due(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="Whose raw data; without it, the lots due.")] = "",
) -> None:
    """The raw data of a lot: until when each file is kept, and why it is not disposed of."""
    place = workplace(context)
    with reading(place.engine) as session:
        today = today_at_site(session, place.now())
        if not lot:
            found = [(name, str(count)) for name, count in lots_due(session, today=today)]
            table(("Lot", "Files"), found, empty="The raw data of no lot is due.")
            return
        rows = [
            (
                ", ".join(one.raw.named_by),
                one.raw.sha256[:12],
                str(one.until or "no rule"),
                "; ".join(one.reasons) or "due",
            )
            for one in due_of_lot(session, the_lot(session, lot), today=today)
        ]
    table(("Raw data", "File", "Kept until", "Is"), rows, empty="None, or it was disposed of.")


def rule(
    context: typer.Context,
    after_expiry: Annotated[int, typer.Option(help="Years after the last usable day.")],
    after_manufacture: Annotated[int, typer.Option(help="Years after manufacture.")],
    user: User,
    reason: Reason,
) -> None:
    """Set for how long raw data is kept from now on, with your signature."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to="sign the rule of retention")
    with transaction(place.engine, keyboard.acting(Permission.SET_RETENTION), place.now()) as tx:
        wanted = RetentionRule(after_expiry, after_manufacture)
        row = set_retention(tx, rule=wanted, credentials=keyboard.signing(reason))
    raise_refusal(row)
    say(f"From now on: {after_expiry} years after expiry, {after_manufacture} after manufacture.")


def hold(context: typer.Context, lot: _Lot, user: User, reason: Reason) -> None:
    """Keep all raw data that concerns a lot until the hold is released, with your signature."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign a legal hold on {lot}")
    with transaction(place.engine, keyboard.acting(Permission.HOLD_LEGALLY), place.now()) as tx:
        row = hold_legally(tx, lot=lot, credentials=keyboard.signing(reason))
        number = "" if isinstance(row, Refusal) else row.natural_key
    raise_refusal(row)
    say(f"{number} lies on lot {lot}.")
    hold_in_store(place.engine, place.archive, lot, recorded=number)


def release_hold(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Which: LH-2026-000001")],
    user: User,
    reason: Reason,
) -> None:
    """Release a legal hold, with your signature."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the release of {number}")
    with transaction(place.engine, keyboard.acting(Permission.HOLD_LEGALLY), place.now()) as tx:
        row = release_legally(tx, number=number, credentials=keyboard.signing(reason))
        lot = "" if isinstance(row, Refusal) else row.legal_hold.lot.lot
    raise_refusal(row)
    say(f"{number} lies no longer.")
    hold_in_store(place.engine, place.archive, lot, recorded=f"the release of {number}")


def dispose(
    context: typer.Context,
    user: User,
    reason: Reason,
    lot: Annotated[str, typer.Option(help="Ask for the raw data of a lot to be disposed of.")] = "",
    approve: Annotated[
        str, typer.Option(help="Or approve what another person asked for: DSP-2057-000001")
    ] = "",
) -> None:
    """Dispose of raw data: one person of QA asks for it, another one approves; both sign."""
    if bool(lot) == bool(approve):
        raise InvalidInput("BQC-RET-010", "say either --lot or --approve")
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the disposal of {lot or approve}")
    credentials = keyboard.signing(reason)
    with transaction(place.engine, keyboard.acting(Permission.DISPOSE), place.now()) as tx:
        row = (
            request_disposal(tx, place.archive, lot=lot, credentials=credentials)
            if lot
            else approve_disposal(tx, place.archive, number=approve, credentials=credentials)
        )
        number = "" if isinstance(row, Refusal) else row.natural_key
    raise_refusal(row)
    if lot:
        say(f"{number} waits for another person of QA.")
        return
    removed = finish_disposals(place.engine, place.archive, now=place.now())
    say(f"{number}: {len(removed)} files are gone; their tombstones stay.")


def finish(context: typer.Context) -> None:
    """Remove what two people signed for and a stop of the system left in the store."""
    place = workplace(context)
    removed = finish_disposals(place.engine, place.archive, now=place.now())
    say(f"{len(removed)} files were removed.")
