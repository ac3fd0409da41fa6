"""``batchqc investigation``: OOS investigations, from phase I to their signed conclusion."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from batchqc.actions.attachments import Document
from batchqc.actions.compliance_patterns import find_patterns
from batchqc.actions.investigation_opening import open_by_hand, set_days_due, sweep
from batchqc.actions.investigations import file_document, the_investigation
from batchqc.actions.lots import the_lot
from batchqc.actions.siblings import siblings_of
from batchqc.cli.investigation_steps import STEPS
from batchqc.cli.show import facts, say, table
from batchqc.cli.upload import read_within
from batchqc.cli.workplace import Reason, User, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.records.investigations import InvestigationRow
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="OOS investigations: phase I, retest plan, conclusion, patterns.")
for _name, _command in STEPS.items():
    app.command(_name)(_command)

Number = Annotated[str, typer.Argument(help="Its number, such as OOS-2026-000001.")]


@app.command("list")
def list_(
    context: typer.Context,
    lot: Annotated[str, typer.Option(help="Only of this lot.")] = "",
) -> None:
    """Every investigation, and what it waits for."""
    with reading(workplace(context).engine) as session:
        query = select(InvestigationRow).order_by(InvestigationRow.id)
        if lot:
            query = query.where(InvestigationRow.lot_id == the_lot(session, lot).id)
        cases = [the_investigation(session, row.natural_key) for row in session.scalars(query)]
        rows = [
            (one.row.natural_key, one.row.lot.lot, one.row.criterion, one.now.state, one.now.due_on)
            for one in cases
        ]
    table(("Number", "Lot", "Criterion", "State", "Due"), rows, empty="No result has failed.")


@app.command()
def show(context: typer.Context, number: Number) -> None:
    """One investigation with every step, and the lots that it may concern too."""
    with reading(workplace(context).engine) as session:
        case = the_investigation(session, number)
        said = [
            ("Lot", case.row.lot.lot),
            ("Criterion", f"{case.row.criterion} of {case.row.specification}"),
            ("Failed", case.row.sentence),
            ("State", case.now.state),
            ("Due", case.now.due_on),
        ]
        taken = [
            (one.number, one.kind, one.taken_by, f"{one.taken_at:%Y-%m-%d %H:%M}", one.detail)
            for one in case.steps
        ]
        others = [
            (one.lot, ", ".join(one.shares), one.disposition)
            for one in siblings_of(session, case.row.lot)
        ]
    facts(said)
    table(("Step", "What", "Who", "When (UTC)", "Detail"), taken, empty="Nothing was done yet.")
    table(("Lot", "Shares", "Disposition"), others, empty="No other lot shares anything with it.")


@app.command("open")
def open_(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="Lot.")],
    criterion: Annotated[str, typer.Argument(help="Its criterion that cannot be judged.")],
    user: User,
    reason: Reason,
    stage: Annotated[
        str, typer.Option(help="Where several specifications have the criterion.")
    ] = "",
) -> None:
    """Open one of results that cannot be judged; where a result fails, one opens by itself."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.INVESTIGATE)
    with transaction(place.engine, actor, place.now()) as tx:
        number = open_by_hand(
            tx, place.archive, lot=lot, criterion=criterion, stage=stage, reason=reason
        ).natural_key
    say(f"{number} is opened.")


@app.command()
def file(
    context: typer.Context,
    number: Number,
    document: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The document.")],
    user: User,
) -> None:
    """File a document with an investigation; a conclusion names it by its hash."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.INVESTIGATE)
    limit, scanner = place.settings.attachment_limit, place.settings.malware_scanner
    size, data = read_within(document, limit, scanner)
    with transaction(place.engine, actor, place.now()) as tx:
        sent = Document(document.name, size, data)
        step = file_document(tx, place.archive, number=number, document=sent)
        sha256 = step.said["sha256"]
    say(f"{document.name} is filed with {number} (SHA-256 {sha256}).")


@app.command("sweep")
def sweep_(context: typer.Context, user: User) -> None:
    """Open what is missing over all lots, such as of files that are too large for verdicts."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.INVESTIGATE)
    after, count = 0, 0
    while True:
        with transaction(place.engine, actor, place.now()) as tx:
            opened, after = sweep(tx, place.archive, after=after)
        for number in opened:
            say(f"{number} is opened.")
        count += len(opened)
        if not after:
            break
    say(f"{count} investigations were opened.")


@app.command("due-days")
def due_days(
    context: typer.Context,
    days: Annotated[int, typer.Argument(help="From 1 to 365.")],
    user: User,
    reason: Reason,
) -> None:
    """Say in how many days investigations are due that are opened from now on."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.SET_REGISTER_RULE)
    with transaction(place.engine, actor, place.now()) as tx:
        set_days_due(tx, days=days, reason=reason)
    say(f"Investigations are due in {days} days.")


@app.command()
def patterns(
    context: typer.Context,
    lot: Annotated[str, typer.Option(help="Only of this lot.")] = "",
) -> None:
    """Patterns of testing into compliance, over the whole history; they decide nothing."""
    place = workplace(context)
    with reading(place.engine) as session:
        lots = [the_lot(session, lot)] if lot else None
        found = find_patterns(session, place.archive, lots=lots)
    rows = [
        (one.kind, one.said, ", ".join(one.people), ", ".join(map(_time, one.times)))
        for one in found
    ]
    table(("Pattern", "What", "Who", "When (UTC)"), rows, empty="There is no such pattern.")


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
