"""``batchqc spec``: write, check, compare, import, approve and read specifications."""

from collections.abc import Sequence
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
from batchqc.core.boundaries import boundaries
from batchqc.core.differences import differences
from batchqc.core.permissions import Permission
from batchqc.core.specifications import Specification
from batchqc.documents.spec_file import read_specification
from batchqc.documents.spec_keys import SpecProblem
from batchqc.documents.spec_lint import lint_specification
from batchqc.errors import InvalidInput
from batchqc.records.specifications import all_versions, approval_of
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Specifications: write, check and compare them, have them approved.")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A specification file.")]
Id = Annotated[str, typer.Argument(help="Its id, such as UC-MSC-REL.")]
Version = Annotated[int, typer.Argument(help="Its version.")]


@app.command()
def check(file: File) -> None:
    """Read a specification file and say everything that is wrong with it. Nothing is stored."""
    found = read_specification(file.read_bytes(), file=file.name)
    if found.specification is None:
        raise _not_a_specification(file, found.problems)
    _print(found.specification)


@app.command()
def lint(file: File) -> None:
    """Say what is wrong with a specification file, and what is doubtful in it."""
    found = lint_specification(file.read_bytes(), file=file.name)
    for problem in found.problems:
        say(str(problem))
    for placed in found.findings:
        one = placed.finding
        say(f"{file.name}, line {placed.line}: {one.criterion}: {one.code}: {one.why}.")
        say(
            f"    Acknowledged: {one.acknowledged}"
            if one.acknowledged
            else f"    {one.suggestion}."
        )
    if not found.is_clean:
        say('Mend it, or acknowledge a finding in its criterion: acknowledge = { code = "why" }')
        raise typer.Exit(1)
    say(f"{file.name} is clean.")


@app.command()
def boundary(
    context: typer.Context,
    specification: Annotated[str, typer.Argument(help="A file, or the id of a version.")],
    version: Annotated[int | None, typer.Argument(help="The version of an id.")] = None,
) -> None:
    """What passes each criterion: the exact set, the last failing and the first passing value."""
    rows = [
        (
            one.criterion,
            one.acceptance,
            one.rounding,
            one.passing,
            one.resolution if one.is_resolution_stated else f"({one.resolution or 'none'})",
            "; ".join(f"{x.last_failing} fails, {x.first_passing} passes" for x in one.turns),
        )
        for one in boundaries(_specification(context, specification, version))
    ]
    columns = ("Criterion", "Acceptance", "Rounding", "Passes", "Resolution", "Turns")
    table(columns, rows, empty="It has no criterion.")
    say("A resolution in brackets is the last digit of the limit; the file states none.")


@app.command()
def diff(
    context: typer.Context,
    specification: Id,
    old: Annotated[str, typer.Argument(help="A version, or a file.")],
    new: Annotated[str, typer.Argument(help="A version, or a file.")],
) -> None:
    """What changed from one version to another, criterion by criterion."""
    before, after = (
        _specification(context, specification, int(one))
        if one.isdecimal()
        else _specification(context, one, None)
        for one in (old, new)
    )
    rows = [(one.words, one.direction.value) for one in differences(before, after)]
    table(("Change", "Means"), rows, empty="Nothing changed.")


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


def _specification(context: typer.Context, name: str, version: int | None) -> Specification:
    """A specification from a file, or a version from the system."""
    if version is None:
        path = Path(name)
        if not path.is_file():
            raise InvalidInput("BQC-SPC-009", f"there is no file {name}; or give id and version")
        found = read_specification(path.read_bytes(), file=path.name)
        if found.specification is None:
            raise _not_a_specification(path, found.problems)
        return found.specification
    place = workplace(context)
    with reading(place.engine) as session:
        return content_of(place.archive, the_version(session, name, version))


def _not_a_specification(path: Path, problems: Sequence[SpecProblem]) -> InvalidInput:
    return InvalidInput(
        "BQC-SPC-001",
        f"{path} is not a specification",
        reasons=[str(problem) for problem in problems],
    )


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
