"""``batchqc lot form``: print a lot's blank form before the system is down."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.evaluation import study
from batchqc.actions.lots import the_lot
from batchqc.cli.csv_out import write_new
from batchqc.cli.lot import Lot
from batchqc.cli.show import say
from batchqc.cli.workplace import workplace
from batchqc.records.transaction import reading


def form(
    context: typer.Context,
    lot: Lot,
    to: Annotated[Path, typer.Option(help="A PDF file to write; not replaced.")],
) -> None:
    """Write the blank form of a lot, to sign on paper while the system is down."""
    from batchqc.actions.lot_form import lot_form  # noqa: PLC0415 - ReportLab is slow to load

    place = workplace(context)
    with reading(place.engine) as session:
        case = study(session, place.archive, lot=the_lot(session, lot), now=place.now())
        data = lot_form(session, case, place.press)
    write_new(to, data)
    say(f"{to} is written.")
