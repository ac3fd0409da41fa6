"""``batchqc genealogy``: cell banks, passages, and traces both ways."""

from typing import Annotated

import typer
from sqlalchemy import select

from batchqc.actions.cell_banks import (
    NewBank,
    NewPassage,
    permission_to,
    record_passage,
    register_bank,
    set_bank_status,
)
from batchqc.actions.genealogy import trace
from batchqc.actions.joined import add_parents
from batchqc.actions.lot_origins import name_origin
from batchqc.cli.show import say, table
from batchqc.cli.spec_tools import day_of
from batchqc.cli.workplace import Reason, User, at_keyboard, workplace
from batchqc.core.cell_banks import BankKind, BankStatus
from batchqc.core.genealogy import Direction
from batchqc.core.permissions import Permission
from batchqc.records.cell_banks import CellBank, bank_statuses, parents_of
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Where a lot comes from, and where its doses are.")

Of = Annotated[list[str], typer.Option(help="A donation, pool or bank; several for a pool.")]
Day = "A date such as 2026-01-15."


@app.command("trace")
def trace_(
    context: typer.Context,
    node: Annotated[str, typer.Argument(help="Kind and id, such as lot:UCM-P5-T1, or an id.")],
    direction: Annotated[Direction, typer.Option(help="Which way.")] = Direction.BOTH,
) -> None:
    """Every node that is reached, with how it stands: complete, or an error."""
    place = workplace(context)
    with reading(place.engine) as session:
        found = trace(session, node=node, direction=direction, now=place.now())
    parents: dict[str, list[str]] = {}
    for edge in found.edges:
        parents.setdefault(edge.child, []).append(edge.parent)
    rows = [(one.key, one.status, ", ".join(parents.get(one.key, ()))) for one in found.nodes]
    table(("Node", "Status", "From"), rows, empty="Nothing.")


@app.command()
def bank(  # noqa: PLR0913 - a bank is this much
    context: typer.Context,
    bank: Annotated[str, typer.Argument(help="Its id.")],
    *,
    kind: Annotated[BankKind, typer.Option(help="Which generation.")],
    of: Of,
    made: Annotated[str, typer.Option(prompt="Made on", help=Day)],
    expires: Annotated[str, typer.Option(prompt="Last usable day", help=Day)],
    where: Annotated[str, typer.Option(prompt="Storage place", help="Where it is kept.")],
    containers: Annotated[int, typer.Option(prompt="Containers", help="How many.")],
    passage: Annotated[int, typer.Option(prompt="Passage", help="At which it was frozen.")],
    user: User,
    pool: Annotated[bool, typer.Option("--pool", help="Donors are mixed on purpose.")] = False,
    basis: Annotated[str, typer.Option(help="What doublings count from, of a first bank.")] = "",
    max_doublings: Annotated[str, typer.Option(help="Declared maximum, if any.")] = "",
) -> None:
    """Register a cell bank with what it is made of."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_BANKS)
    new = NewBank(
        bank, kind, tuple(of), day_of(made), day_of(expires), where, containers, passage,
        is_pool=pool, basis=basis, max_doublings=max_doublings,
    )  # fmt: skip
    with transaction(place.engine, actor, place.now()) as tx:
        register_bank(tx, new)
    say(f"Bank {bank} ({kind}) is registered.")


@app.command()
def banks(context: typer.Context) -> None:
    """Every cell bank."""
    with reading(workplace(context).engine) as session:
        found = session.scalars(select(CellBank).order_by(CellBank.id)).all()
        statuses = bank_statuses(session, found)
        made_of: dict[str, list[str]] = {}
        for one in parents_of(session, (row.key for row in found)):
            made_of.setdefault(one.child, []).append(one.parent)
        rows = [
            (
                one.bank,
                one.kind,
                ", ".join(made_of.get(one.key, ())),
                one.made_on,
                one.expires_on,
                one.place,
                statuses[one.id],
            )
            for one in found
        ]
    columns = ("Bank", "Kind", "Of", "Made", "Expires", "Place", "Status")
    table(columns, rows, empty="No cell bank is registered.")


@app.command()
def parents(
    context: typer.Context,
    bank: Annotated[str, typer.Argument(help="Its id.")],
    of: Of,
    user: User,
    reason: Reason,
) -> None:
    """Say what else a bank was made of, found later."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_BANKS)
    with transaction(place.engine, actor, place.now()) as tx:
        found = add_parents(tx, place.archive, child=bank, made_of=tuple(of), reason=reason)
        number = found.look_back.natural_key if found.look_back else ""
    say(f"Bank {bank} is made of {', '.join(of)} too.")
    if number:
        say(f"They are in doubt: look-back {number} holds what came of it.")


@app.command()
def lot(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="Its id.")],
    of: Of,
    user: User,
    reason: Reason,
) -> None:
    """Say of which banks a lot was made that was registered with its donors only."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.REGISTER_LOT)
    with transaction(place.engine, actor, place.now()) as tx:
        name_origin(tx, lot=lot, made_of=of, reason=reason)
    say(f"Lot {lot} is made of {', '.join(of)}.")


@app.command()
def status(
    context: typer.Context,
    bank: Annotated[str, typer.Argument(help="Its id.")],
    what: Annotated[BankStatus, typer.Argument(help="What it is from now on.")],
    user: User,
    reason: Reason,
) -> None:
    """Quarantine a bank, let it out (QA), or record that it was destroyed."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(permission_to(what))
    with transaction(place.engine, actor, place.now()) as tx:
        set_bank_status(tx, bank=bank, status=what, reason=reason)
    say(f"Bank {bank} is {what}.")


@app.command()
def passage(  # noqa: PLR0913 - a passage is this much
    context: typer.Context,
    node: Annotated[str, typer.Argument(help="A bank or lot, by id.")],
    number: Annotated[int, typer.Argument(help="Which passage.")],
    *,
    seeded: Annotated[str, typer.Option(prompt="Cells seeded", help="Such as 5E5.")],
    harvested: Annotated[str, typer.Option(prompt="Cells harvested", help="Such as 8.2E6.")],
    on: Annotated[str, typer.Option(prompt="Harvested on", help=Day)],
    user: User,
    reason: Annotated[str, typer.Option(help="Why, where an earlier row is replaced.")] = "",
) -> None:
    """Record cells seeded and harvested of one passage."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_BANKS)
    new = NewPassage(node, number, seeded, harvested, day_of(on), reason)
    with transaction(place.engine, actor, place.now()) as tx:
        key = record_passage(tx, new).node
    say(f"Passage {number} of {key} is recorded.")
