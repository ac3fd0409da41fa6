"""``batchqc validate``: is this installation what it should be, and does it do what it should?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchqc.actions.setup import own_site
from batchqc.cli.csv_out import expect_new_folder, write_new
from batchqc.cli.show import say
from batchqc.cli.workplace import Workplace, workplace
from batchqc.core.canonical import canonical_bytes
from batchqc.errors import SigningUnavailable
from batchqc.records.transaction import reading

if TYPE_CHECKING:
    from datetime import datetime

    from batchqc.cli.qualification.report import Setting
    from batchqc.documents.pades import SealKey


def validate(
    context: typer.Context,
    to: Annotated[Path, typer.Option(help="A new folder for the report and its evidence.")],
    scratch: Annotated[
        list[str] | None,
        typer.Option(
            envvar="BATCHQC_SCRATCH",
            help="PostgreSQL: address of an empty database to test operation in, where the role may"
            " not create one; once more, of one to restore into. Drop both afterwards.",
        ),
    ] = None,
) -> None:
    """Qualify this installation (IQ and OQ): a sealed report in PDF, and its evidence as JSON.

    Nothing of the installation is changed: it is read, and operation is tested in a scratch
    installation beside it. Exit status 0 only where every check was done and passed.
    """
    from batchqc.cli.qualification.report import is_qualified  # noqa: PLC0415 - others start faster
    from batchqc.cli.qualification.whole import qualify  # noqa: PLC0415 - as above

    place = workplace(context)
    expect_new_folder(to)
    key, began, results = _seal_key(place), place.now(), []
    for one in qualify(place, databases=scratch or ()):
        say(f"{one.finding.outcome:10} {one.check.id}  {one.check.title}")
        results.append(one)
    content, document = _report(place, results, _setting(place, began), key)
    to.mkdir(parents=True)
    write_new(to / "validation-report.pdf", document)
    write_new(to / "validation-report.json", canonical_bytes(content))
    say(f"{content['verdict']}: {content['because']}")
    say(f"{to / 'validation-report.pdf'} is {'sealed' if content['sealed'] else 'NOT SEALED'}.")
    raise typer.Exit(0 if content["sealed"] and is_qualified(results) else 1)


def _seal_key(place: Workplace) -> "SealKey | None":
    """The seal, asked for before anything is done; without it the report is not sealed."""
    try:
        return place.press.seal_key()
    except SigningUnavailable as problem:
        say(f"The report will not be sealed: {problem.message}")
        return None


def _setting(place: Workplace, began: "datetime") -> "Setting":
    from batchqc.cli.qualification.place import database_of  # noqa: PLC0415 - as above
    from batchqc.cli.qualification.report import Setting  # noqa: PLC0415 - as above
    from batchqc.cli.qualification.software import environment  # noqa: PLC0415 - as above

    with reading(place.engine) as session:
        site = own_site(session)
        name, zone = site.name, site.time_zone
    found = {
        "Site": name,
        "Installation": place.settings.environment,
        **environment(),
        "Database": database_of(place),
        "Store": f"{type(place.archive).__name__}, {place.settings.store}",
    }
    return Setting(name, zone, found, began, place.now())


def _report(
    place: Workplace, results: list[Any], setting: "Setting", key: "SealKey | None"
) -> tuple[dict[str, Any], bytes]:
    """Content and document; where it cannot be sealed after all, both say so."""
    from batchqc.cli.qualification.report import content_of  # noqa: PLC0415 - as above
    from batchqc.documents.validation_report import validation_document  # noqa: PLC0415 - as above

    if key is not None:
        content = content_of(results, setting, sealed=True)
        try:
            return content, _sealed(place, content, key)
        except SigningUnavailable as problem:
            say(f"The report is not sealed: {problem.message}")
    content = content_of(results, setting, sealed=False)
    return content, validation_document(content, fonts=place.press.fonts)


def _sealed(place: Workplace, content: dict[str, Any], key: "SealKey") -> bytes:
    from batchqc.documents.pades import proven, seal  # noqa: PLC0415 - as above
    from batchqc.documents.validation_report import (  # noqa: PLC0415 - as above
        SIGNED,
        validation_document,
    )

    sealing, now = place.press.sealing, place.now()
    sealing.check(key, now)
    document = seal(
        validation_document(content, fonts=place.press.fonts),
        key,
        field=SIGNED,
        name=content["site"],
        reason=f"Validation report: {content['verdict']}",
        signed_at=now,
        stamped_by=sealing.stamped_by,
    )
    return proven(document, key, sealing, clock=place.now).document
