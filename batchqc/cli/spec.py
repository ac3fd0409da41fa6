"""``batchqc spec``: check, import, approve and read specifications."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.specifications import (
    approve_specification,
    content_of,
    import_specification,
    the_version,
)
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.core.specifications import Specification
from batchqc.documents.spec_file import read_specification
from batchqc.errors import InvalidInput
from batchqc.records.specifications import all_versions, approval_of
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Specifications: check a file, import it, have it approved, read it.")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A specification file.")]
Id = Annotated[str, typer.Argument(help="Its id, such as UC-MSC-REL.")]
Version = Annotated[int, typer.Argument(help="Its version.")]


@app.command()
def check(file: File) -> None:
    """Read a specification file and say everything that is wrong with it. Nothing is stored."""
    found = read_specification(file.read_bytes(), file=file.name)
    if found.specification is None:
        raise InvalidInput(
            "BQC-SPC-001",
            f"{file} is not a specification",
            reasons=[str(problem) for problem in found.problems],
        )
    _print(found.specification)


@app.command("import")
def import_(context: typer.Context, file: File, user: User) -> None:
    """Copy a specification file into the system, where it waits for its approval."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.IMPORT_SPECIFICATION)
    with transaction(place.engine, actor, place.now()) as tx:
        version = import_specification(tx, place.archive, data=file.read_bytes(), file=file.name)
        said = f"{version.reference} is imported (SHA-256 {version.sha256})."
    say(f"{said} Next: another person approves it with batchqc spec approve.")


@app.command()
def approve(
    context: typer.Context, specification: Id, version: Version, user: User, reason: Reason
) -> None:
    """Approve a version with your signature. Who imported it may not."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"approve {specification} v{version}")
    actor = keyboard.acting(Permission.APPROVE_SPECIFICATION)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = approve_specification(
            tx,
            specification=specification,
            version=version,
            credentials=keyboard.signing(reason),
        )
    raise_refusal(signed)
    say(f"{specification} v{version} is approved.")


@app.command()
def show(context: typer.Context, specification: Id, version: Version) -> None:
    """Every criterion of a version, in words."""
    place = workplace(context)
    with reading(place.engine) as session:
        row = the_version(session, specification, version)
        approval = approval_of(session, row)
        approved = approval.signature.name if approval else "nobody yet"
        facts([("SHA-256", row.sha256), ("Imported by", row.author), ("Approved by", approved)])
        _print(content_of(place.archive, row))


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every version."""
    place = workplace(context)
    with reading(place.engine) as session:
        rows = [
            (
                one.reference,
                one.product,
                one.stage,
                one.effective,
                "approved" if approval_of(session, one) else "waits for approval",
            )
            for one in all_versions(session)
        ]
    columns = ("Specification", "Product", "Stage", "Effective from", "State")
    table(columns, rows, empty="No specification is imported.")


def _print(specification: Specification) -> None:
    facts(
        [
            ("Specification", specification.reference),
            ("Title", specification.title),
            ("Effective from", specification.effective),
        ]
    )
    rows = [(one.id, one.title, one.acceptance) for one in specification.criteria]
    table(("Criterion", "Title", "Acceptance"), rows, empty="It has no criterion.")
