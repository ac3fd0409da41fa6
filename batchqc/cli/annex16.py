"""The steps of EU GMP Annex 16 on the command line, and the register of certifications."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.annex16 import check_manufacture, transfer_to_stock
from batchqc.cli.csv_out import write_csv
from batchqc.cli.lot import Lot
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.annex16 import POINTS
from batchqc.core.permissions import Permission
from batchqc.intake.stated import pairs
from batchqc.records.annex16 import certifications_of
from batchqc.records.transaction import reading, transaction

_COLUMNS = (
    "number", "lot", "product", "disposition", "certified by", "certified at", "checked by",
    "transferred by", "signed on paper", "paper",
)  # fmt: skip


def check(
    context: typer.Context,
    lot: Lot,
    *,
    answer: Annotated[
        list[str] | None,
        typer.Option(help="gmp=by whom or with which record. Without it each point is asked."),
    ] = None,
    user: User,
    reason: Reason,
) -> None:
    """Step 1: sign that manufacture and testing were checked, point by point."""
    place = workplace(context)
    answers = pairs(answer) if answer else {name: typer.prompt(POINTS[name]) for name in POINTS}
    keyboard = at_keyboard(place, user, to=f"sign the check of lot {lot}")
    with transaction(place.engine, keyboard.acting(Permission.CHECK_LOT), place.now()) as tx:
        row = check_manufacture(
            tx, place.archive, lot=lot, answers=answers, credentials=keyboard.signing(reason)
        )
    raise_refusal(row)
    say(f"Lot {lot} is checked. Next, by a qualified person: batchqc lot release {lot}")


def transfer(context: typer.Context, lot: Lot, user: User, reason: Reason) -> None:
    """Step 3: sign that a certified lot goes to saleable stock."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the transfer of lot {lot}")
    with transaction(place.engine, keyboard.acting(Permission.CHECK_LOT), place.now()) as tx:
        row = transfer_to_stock(tx, lot=lot, credentials=keyboard.signing(reason))
    raise_refusal(row)
    say(f"Lot {lot} is in saleable stock.")


def certifications(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option(help="A CSV file to write; not replaced.")] = None,
) -> None:
    """Every certification by a qualified person, in the order of their numbers."""
    with reading(workplace(context).engine) as session:
        rows = [
            (
                row.natural_key,
                row.disposition.lot.lot,
                row.disposition.lot.product.code,
                row.disposition.disposition,
                row.disposition.signature.name,
                row.disposition.decided_at.isoformat(),
                row.lot_check.signature.name,
                transferred.signature.name if transferred else "",
                row.disposition.signature.happened_at,
                row.disposition.signature.paper,
            )
            for row, transferred in certifications_of(session)
        ]
    if to is None:
        table(_COLUMNS, rows, empty="No lot is certified.")
    else:
        write_csv(to, [_COLUMNS, *rows])
        say(f"{to} is written.")
