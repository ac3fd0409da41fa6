"""``batchqc method``: what must hold in a run, imported and approved, and the runs by it."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.methods import approve_method, import_method, method_content, the_method
from batchqc.actions.run_validity import count_runs
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.records.methods import all_methods, method_approval_of
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Methods: what must hold in a run before a result of it is judged.")

Code = Annotated[str, typer.Argument(help="Its code, such as SOP-QC-040.")]
Version = Annotated[str, typer.Argument(help="Its version, as files state it after the v.")]


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A method file.")],
    user: User,
) -> None:
    """Copy a method file into the system, where it waits for its approval."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.IMPORT_METHOD)
    with transaction(place.engine, actor, place.now()) as tx:
        row = import_method(tx, place.archive, data=file.read_bytes(), file=file.name)
        said = f"{row.reference} is imported (SHA-256 {row.sha256})."
    say(f"{said} Next: batchqc method approve.")


@app.command()
def approve(
    context: typer.Context, method: Code, version: Version, user: User, reason: Reason
) -> None:
    """Approve a version with your signature. Who imported it may not."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"approve {method} v{version}")
    actor = keyboard.acting(Permission.APPROVE_METHOD)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = approve_method(
            tx, method=method, version=version, credentials=keyboard.signing(reason)
        )
    raise_refusal(signed)
    say(f"{method} v{version} is approved.")


@app.command()
def show(context: typer.Context, method: Code, version: Version) -> None:
    """Every validity criterion of a version."""
    place = workplace(context)
    with reading(place.engine) as session:
        row = the_method(session, method, version)
        approval = method_approval_of(session, row)
        approved = approval.signature.name if approval else "nobody yet"
        facts([("SHA-256", row.sha256), ("Imported by", row.author), ("Approved by", approved)])
        rows = [
            (one.id, one.result_type, one.analyte, one.aliquot, one.acceptance)
            for one in method_content(place.archive, row).validity
        ]
    columns = ("Criterion", "Of", "Analyte", "Aliquot", "A valid run has")
    table(columns, rows, empty="It has no validity criterion: every run by it is valid.")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every version."""
    with reading(workplace(context).engine) as session:
        rows = [
            (
                one.reference,
                one.title,
                one.effective,
                "approved" if method_approval_of(session, one) else "draft",
            )
            for one in all_methods(session)
        ]
    table(("Method", "Title", "Effective from", "State"), rows, empty="No method is imported.")


@app.command()
def runs(context: typer.Context) -> None:
    """How many runs of each method are on record, and which are not valid."""
    place = workplace(context)
    with reading(place.engine) as session:
        found = count_runs(session, place.archive)
    rows = [(one.method, str(one.runs), str(one.invalid), str(one.not_known)) for one in found]
    columns = ("Method", "Runs", "Invalid", "Not known to be valid")
    table(columns, rows, empty="No method is approved.")
    for one in found:
        for run in one.not_valid:
            say(str(run))
