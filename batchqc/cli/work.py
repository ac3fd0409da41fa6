"""``batchqc work``: what is expected and not in, across lots."""

from typing import Annotated

import typer

from batchqc.actions.lots import the_lot
from batchqc.actions.open_work import HORIZON, all_open_work
from batchqc.cli.show import say, table
from batchqc.cli.workplace import workplace
from batchqc.core.open_work import Filter, Item, Work
from batchqc.core.permissions import Role
from batchqc.records.transaction import reading


def work(
    context: typer.Context,
    *,
    kind: Annotated[Work | None, typer.Option(help="Only of a kind.")] = None,
    lot: Annotated[str, typer.Option(help="Only of a lot.")] = "",
    role: Annotated[Role | None, typer.Option(help="Only what a role may do.")] = None,
    overdue: Annotated[bool, typer.Option(help="Only what should be in already.")] = False,
    days: Annotated[int, typer.Option(help="How far ahead to tell what ends.")] = HORIZON,
) -> None:
    """Tell what is expected and not in, of every lot that is not decided; what is due first."""
    place = workplace(context)
    with reading(place.engine) as session:
        own = the_lot(session, lot).lot if lot else ""
        today, items, _ = all_open_work(
            session,
            place.archive,
            wanted=Filter(kind, own, role, overdue),
            now=place.now(),
            days=days,
        )
    late = sum(item.is_overdue(today) for item in items)
    table(("Due", "Lot", "What waits", "", "Who"), map(_row, items), empty="Nothing waits.")
    if late:
        say(f"{late} of {len(items)} overdue.")


def _row(item: Item) -> tuple[str, ...]:
    return (str(item.due or ""), item.lot, item.kind, item.what, ", ".join(item.roles))
