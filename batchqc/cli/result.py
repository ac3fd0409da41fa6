"""``batchqc result``: results that no file holds, typed by two people."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from batchqc.actions.attachments import Document
from batchqc.actions.entries import enter_result, the_entry, verify_entry
from batchqc.cli.show import say, table
from batchqc.cli.upload import read_within
from batchqc.cli.upload_seen import print_report
from batchqc.cli.workplace import (
    NOT_LATE,
    Late,
    Reason,
    User,
    at_keyboard,
    raise_refusal,
    workplace,
)
from batchqc.core.entries import HIDDEN, SecondEntry, Typed, TypedAnalyte
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import InvalidInput
from batchqc.intake.typed import TypedResult
from batchqc.records.transaction import reading, transaction
from batchqc.records.typed_lines import IS_TYPED
from batchqc.records.uploads import Upload
from batchqc.settings import Settings

app = typer.Typer(help="Results that no file holds: one person types them, another one again.")

Option = typer.Option
Optional = Annotated[str, Option(help="As on the raw data.")]
Also = Annotated[
    list[str],
    Option(help="Of a further analyte of the run: density=1.2E6; once for each replicate."),
]
AlsoUnit = Annotated[list[str], Option(help="Its unit, where it has one: density=cells/mL.")]


@app.command()
def enter(  # noqa: PLR0913 - a command has an option for each thing that is stated
    context: typer.Context,
    user: User,
    *,
    lot: Annotated[str, Option(help="The lot id.")],
    sample: Annotated[str, Option(help="The sample id.")],
    test: Annotated[str, Option(help="The test, as in the plan.")],
    analyte: Annotated[str, Option(help="The analyte, as in the plan.")],
    value: Annotated[list[str], Option(help="As on the source; once for each replicate.")],
    measured_at: Annotated[str, Option(help="With the offset from UTC.")],
    analyst: Annotated[str, Option(help="User id of the person or contract laboratory.")],
    unit: Annotated[str, Option(help="As in the plan; none for words.")] = "",
    aliquot: Optional = "",
    started_at: Optional = "",
    instrument: Optional = "",
    run: Optional = "",
    method: Optional = "",
    comment: Optional = "",
    also: Also = [],  # noqa: B006 - typer copies it
    also_unit: AlsoUnit = [],  # noqa: B006 - typer copies it
    attach: Annotated[
        list[Path], Option(exists=True, dir_okay=False, help="A document, such as the report.")
    ] = [],  # noqa: B006 - typer copies it
) -> None:
    """Type a result that has no file. It counts once a second person has typed the same."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.UPLOAD_RESULTS)
    result = TypedResult(
        lot=lot, sample=sample, test=test, analyte=analyte, values=tuple(value), unit=unit,
        measured_at=measured_at, analyst=analyst, aliquot=aliquot, started_at=started_at,
        instrument=instrument, run=run, method=method, comment=comment,
        also=_also(also, also_unit),
    )  # fmt: skip
    documents = [_document(path, place.settings) for path in attach]
    with transaction(place.engine, actor, place.now()) as tx:
        report = enter_result(
            tx, place.archive, result=result, client="batchqc result", documents=documents
        )
    print_report(report)
    if not report.accepted:
        raise InvalidInput(
            "BQC-UPL-001", "what was typed is refused; nothing of it is used", hint="See above."
        )
    if not report.answered_before:
        say(f"{report.number} waits for a second person: batchqc result verify {report.number}")


@app.command()
def verify(  # noqa: PLR0913 - a command has an option for each thing that is stated
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Its number, such as U-2026-000001.")],
    user: User,
    *,
    value: Annotated[
        list[str], Option(help="As you read it on the source; once for each replicate.")
    ],
    reason: Reason,
    unit: Annotated[str, Option(help="As you read it on the source.")] = "",
    also: Also = [],  # noqa: B006 - typer copies it
    also_unit: AlsoUnit = [],  # noqa: B006 - typer copies it
    late: Late = NOT_LATE,
) -> None:
    """Type a result as the second person, from the source, with your signature."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the second entry of {number}")
    actor = keyboard.acting(Permission.REVIEW_RESULTS)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = verify_entry(
            tx,
            place.archive,
            number=number,
            typed=[Typed(one, unit) for one in value],
            credentials=keyboard.signing(reason, late=late),
            also=_also(also, also_unit),
        )
        matches = not isinstance(signed, Refusal) and bool(signed.matches)
    raise_refusal(signed)
    if matches:
        say(f"{number} is verified: two people typed the same.")
    else:
        say(f"{number} does not match and is not used. Have the result typed anew.")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every typed result; what waits for its second entry is not shown."""
    with reading(workplace(context).engine) as session:
        query = select(Upload).where(IS_TYPED, Upload.accepted == 1)
        rows = []
        for upload in session.scalars(query.order_by(Upload.id)).all():
            entry = the_entry(session, upload.natural_key)
            waits = entry.state is SecondEntry.WAITS
            first, again = (
                HIDDEN if waits else "; ".join(f"{one.value} {one.unit}".strip() for one in typed)
                for typed in (entry.typed, entry.typed_again)
            )
            one = entry.measurements[0]
            analytes = ", ".join(each.analyte for each in entry.by_analyte(entry.typed))
            rows.append(
                (upload.natural_key, entry.lot.lot, f"{one.run.test} {analytes}", entry.state,
                 first, "" if waits else again, len(entry.attachments))
            )  # fmt: skip
    columns = ("Entry", "Lot", "Of", "State", "Typed", "Typed again", "Documents")
    table(columns, rows, empty="No typed result.")


def _also(values: list[str], units: list[str]) -> tuple[TypedAnalyte, ...]:
    """Further analytes by the text before the first "=".

    Raises:
        InvalidInput: a text has none, or a unit is of no analyte or stated twice.
    """
    pairs, stated = [[text.partition("=") for text in texts] for texts in (values, units)]
    problems = [
        f'"{"".join(one)}": state the analyte, "=" and the text'
        for one in (*pairs, *stated)
        if not (one[0] and one[1])
    ]
    found: dict[str, list[str]] = {}
    for analyte, _, value in pairs:
        found.setdefault(analyte, []).append(value)
    unit = {analyte: text for analyte, _, text in stated}
    problems += [f"there is a unit and no value of {one}" for one in unit if one not in found]
    if len(unit) < len(stated):
        problems.append("state the unit of an analyte once")
    if problems:
        raise InvalidInput(
            "BQC-ENT-012",
            "the further analytes are not clear",
            reasons=problems,
            hint="Write --also density=1.2E6, and --also-unit density=cells/mL.",
        )
    return tuple(TypedAnalyte(one, tuple(own), unit.get(one, "")) for one, own in found.items())


def _document(path: Path, settings: Settings) -> Document:
    size, data = read_within(path, settings.attachment_limit, settings.malware_scanner)
    return Document(path.name, size, data)
