"""``batchqc spec``: write, check, compare, import, approve and read specifications."""

import json
from typing import Annotated

import typer

from batchqc.actions.approval import approve_specification
from batchqc.actions.specification_folder import SAME, compare_folder
from batchqc.actions.specifications import (
    content_of,
    import_specification,
    site_day,
    state_of,
    submit_specification,
    the_version,
    withdraw_specification,
)
from batchqc.cli.show import facts, say, table
from batchqc.cli.spec_tools import File, Id, day_of, print_specification
from batchqc.cli.spec_tools import app as tools
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.documents.spec_file import LARGEST_VERSION
from batchqc.records.specifications import all_versions, approval_of, reports_of
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Specifications: write, check and compare them, have them approved.")
app.add_typer(tools)

Version = Annotated[int, typer.Argument(min=1, max=LARGEST_VERSION, help="Its version.")]


@app.command("import")
def import_(context: typer.Context, file: File, user: User) -> None:
    """Copy a specification file into the system, where it waits for its approval."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.IMPORT_SPECIFICATION)
    with transaction(place.engine, actor, place.now()) as tx:
        version = import_specification(tx, place.archive, data=file.read_bytes(), file=file.name)
        said = f"{version.reference} is imported (SHA-256 {version.sha256})."
    say(f"{said} Next: batchqc spec submit.")


@app.command()
def submit(context: typer.Context, specification: Id, version: Version, user: User) -> None:
    """Give a draft up for review. Nothing doubtful may be left in it without a reason."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.IMPORT_SPECIFICATION)
    with transaction(place.engine, actor, place.now()) as tx:
        submit_specification(tx, place.archive, specification=specification, version=version)
    say(f"{specification} v{version} is in review. Next: batchqc spec impact, then spec approve.")


@app.command()
def approve(
    context: typer.Context, specification: Id, version: Version, user: User, reason: Reason
) -> None:
    """Approve a version with your signature, its boundaries and its impact seen.

    Who imported it may not.
    """
    place = workplace(context)
    with reading(place.engine) as session:
        row = the_version(session, specification, version)
        seen = [one.content_sha for one in reports_of(session, row)]
    if seen:
        report = json.loads(place.archive.get(seen[-1]))
        say(f"You sign having seen: {report['flips']} of {report['lots']} past lots would flip.")
    keyboard = at_keyboard(place, user, to=f"approve {specification} v{version}")
    actor = keyboard.acting(Permission.APPROVE_SPECIFICATION)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = approve_specification(
            tx,
            place.archive,
            specification=specification,
            version=version,
            impact=seen[-1] if seen else "",
            credentials=keyboard.signing(reason),
        )
    raise_refusal(signed)
    say(f"{specification} v{version} is approved.")


@app.command()
def withdraw(
    context: typer.Context,
    specification: Id,
    version: Version,
    user: User,
    reason: Reason,
    from_day: Annotated[str, typer.Option("--from", help="Lots made from this date on.")],
) -> None:
    """Withdraw an approved version with your signature. Lots made before keep it."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"withdraw {specification} v{version}")
    actor = keyboard.acting(Permission.APPROVE_SPECIFICATION)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = withdraw_specification(
            tx,
            specification=specification,
            version=version,
            from_day=day_of(from_day),
            credentials=keyboard.signing(reason),
        )
    raise_refusal(signed)
    say(f"{specification} v{version} is withdrawn from {from_day} on.")


@app.command()
def compare(context: typer.Context) -> None:
    """Compare the site's folder of specifications with what the system holds."""
    place = workplace(context)
    with reading(place.engine) as session:
        found = compare_folder(session, place.archive, place.settings.specification_folder)
    table(("File", "Compared"), found, empty="The folder holds no specification.")
    if any(said != SAME for _, said in found):
        raise typer.Exit(1)


@app.command()
def show(context: typer.Context, specification: Id, version: Version) -> None:
    """Every criterion of a version, in words."""
    place = workplace(context)
    with reading(place.engine) as session:
        row = the_version(session, specification, version)
        approval = approval_of(session, row)
        approved = approval.signature.name if approval else "nobody yet"
        facts([("SHA-256", row.sha256), ("Imported by", row.author), ("Approved by", approved)])
        print_specification(content_of(place.archive, row))


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every version."""
    place = workplace(context)
    with reading(place.engine) as session:
        today = site_day(session, place.now())
        rows = [
            (
                one.reference,
                one.product,
                one.stage,
                one.effective,
                state_of(session, one, today).value,
            )
            for one in all_versions(session)
        ]
    columns = ("Specification", "Product", "Stage", "Effective from", "State")
    table(columns, rows, empty="No specification is imported.")
