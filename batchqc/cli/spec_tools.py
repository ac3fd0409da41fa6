"""``batchqc spec``: what an author and an approver look at. Nothing here needs an approval."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from batchqc import clock
from batchqc.actions.impact import assess_impact, impact_rows, keep_impact
from batchqc.actions.recheck import recheck
from batchqc.actions.specifications import content_of, the_version
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import at_keyboard, workplace
from batchqc.core.boundaries import boundaries
from batchqc.core.differences import differences
from batchqc.core.permissions import Permission
from batchqc.core.specifications import Specification
from batchqc.documents.spec_file import LARGEST_VERSION, read_specification
from batchqc.documents.spec_keys import SpecProblem
from batchqc.documents.spec_lint import lint_specification
from batchqc.documents.spec_templates import draft_from, templates
from batchqc.documents.spec_templates import template as the_template
from batchqc.errors import InvalidInput
from batchqc.records.transaction import reading, transaction
from batchqc.settings import bundled

app = typer.Typer()

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A specification file.")]
Id = Annotated[str, typer.Argument(help="Its id, such as UC-MSC-REL.")]
OfId = Annotated[
    int | None, typer.Argument(min=1, max=LARGEST_VERSION, help="The version of an id.")
]


@app.command()
def check(file: File) -> None:
    """Read a specification file and say everything that is wrong with it. Nothing is stored."""
    found = read_specification(file.read_bytes(), file=file.name)
    if found.specification is None:
        raise _not_a_specification(file, found.problems)
    print_specification(found.specification)


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
def new(
    file: Annotated[Path | None, typer.Argument(help="Where the draft is written.")] = None,
    template: Annotated[str, typer.Option("--from", help="A shipped template.")] = "",
    name: Annotated[str, typer.Option("--id", help="Id of your specification.")] = "",
    product: Annotated[str, typer.Option(help="Code of your product.")] = "",
    effective: Annotated[str, typer.Option(help="First date of manufacture it judges.")] = "",
) -> None:
    """Begin a specification from a shipped, sourced template; without --from, list them."""
    folder = bundled("specs")
    if not template:
        rows = [(one.name, one.title) for one in templates(folder)]
        table(("Template", "Title"), rows, empty="None is shipped.")
        say("Next: batchqc spec new my.toml --from NAME --id MY-REL --product MY-PRODUCT")
        return
    if file is None:
        raise InvalidInput("BQC-SPC-022", "name a file that does not exist yet")
    day = day_of(effective) if effective else clock.now().date()
    chosen = the_template(folder, template)
    draft = draft_from(chosen, name=name, product=product, effective=day)
    try:
        with file.open("xb") as out:
            out.write(draft)
    except OSError as error:
        said = f"{file} cannot be written: {error.strerror}"
        raise InvalidInput("BQC-SPC-022", f"{said}; name a file that does not exist yet") from error
    say(f"{file} is a draft from {template}. Next: edit it, then batchqc spec lint {file}")


@app.command()
def boundary(
    context: typer.Context,
    specification: Annotated[str, typer.Argument(help="A file, or the id of a version.")],
    version: OfId = None,
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
        if one.isdecimal() and len(one) <= len(str(LARGEST_VERSION))
        else _specification(context, one, None)
        for one in (old, new)
    )
    rows = [(one.words, one.direction.value) for one in differences(before, after)]
    table(("Change", "Means"), rows, empty="Nothing changed.")


@app.command("recheck")
def recheck_(context: typer.Context) -> None:
    """Compute every recorded verdict anew from raw bytes. None may differ."""
    place = workplace(context)
    with reading(place.engine) as session:
        found = recheck(session, place.archive)
    say(f"{found.decisions} decisions, {found.verdicts} verdicts computed anew from raw bytes.")
    rows = [(one.record, one.lot, one.criterion, one.said) for one in found.differences]
    table(("Record", "Lot", "Criterion", "Difference"), rows, empty="None differs.")
    if rows:
        raise typer.Exit(7)


@app.command()
def impact(
    context: typer.Context,
    specification: Annotated[str, typer.Argument(help="A draft file, or the id of a version.")],
    version: OfId = None,
    user: Annotated[str, typer.Option(help="Keep the report, made by this person.")] = "",
    since: Annotated[str, typer.Option(help="Only lots made from this date on.")] = "",
    until: Annotated[str, typer.Option(help="Only lots made until this date.")] = "",
) -> None:
    """What a draft would do to every past lot. Nothing is changed by looking."""
    if user and (since or until or version is None):
        raise InvalidInput("BQC-SPC-017", "a report is kept of an imported version, over all lots")
    for day in (since, until):
        if day:
            day_of(day)
    place = workplace(context)
    draft = _specification(context, specification, version)
    actor = at_keyboard(place, user).acting(Permission.REPORT_IMPACT) if user else None
    with reading(place.engine) as session:
        found = assess_impact(session, place.archive, draft=draft, since=since, until=until)
    for title, (columns, *rows) in impact_rows(found):
        say(f"\n{title}")
        table(columns, rows, empty="none")
    if actor is not None:
        fonts = bundled("reports") / "fonts"
        with transaction(place.engine, actor, place.now()) as tx:
            report = keep_impact(tx, place.archive, fonts=fonts, impact=found)
            said = f"\nKept as report {report.natural_key}, SHA-256 {report.content_sha}."
        say(said)


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


def day_of(text: str) -> date:
    """A date of the site, ISO 8601."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("BQC-SPC-018", f'"{text}" is not a date such as 2026-01-15') from None


def print_specification(specification: Specification) -> None:
    """Id, title, date and every criterion, in words."""
    facts(
        [
            ("Specification", specification.reference),
            ("Title", specification.title),
            ("Effective from", specification.effective),
        ]
    )
    rows = [(one.id, one.title, one.acceptance) for one in specification.criteria]
    table(("Criterion", "Title", "Acceptance"), rows, empty="It has no criterion.")
