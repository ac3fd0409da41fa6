"""``batchqc certificate``: get certificates, verify any, take up pending ones."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc import clock
from batchqc.actions.certificate_states import status_of
from batchqc.actions.certificates import document_of, issue_certificate
from batchqc.cli.show import say, table
from batchqc.cli.workplace import User, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.errors import IntegrityFailure
from batchqc.records.decisions import certificates_of, issue_of
from batchqc.records.transaction import reading
from batchqc.settings import certificate_schema

app = typer.Typer(help="Certificates of analysis: get, verify, and resume those that are pending.")

Number = Annotated[str, typer.Argument(help="Its number, such as COA-2026-000001.")]


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every certificate."""
    with reading(workplace(context).engine) as session:
        rows = [
            (one.natural_key, one.lot.lot, issue.document_sha if issue else status_of(session, one))
            for one in certificates_of(session)
            for issue in (issue_of(session, one),)
        ]
    table(("Certificate", "Lot", "SHA-256 of the document"), rows, empty="No certificate.")


@app.command()
def get(
    context: typer.Context,
    number: Number,
    to: Annotated[Path | None, typer.Option(help="File to write; default <number>.pdf")] = None,
) -> None:
    """Write a certificate to a file; an existing file is not replaced."""
    place = workplace(context)
    with reading(place.engine) as session:
        pdf = document_of(session, place.archive, number=number)
    path = to or Path(f"{number}.pdf")
    with path.open("xb") as file:
        file.write(pdf)
    say(f"{path} is written.")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The PDF.")],
    root: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="root.pem, from the site itself.")
    ],
    lot: Annotated[str | None, typer.Option(help="The lot that it must be about.")] = None,
    number: Annotated[str | None, typer.Option(help="The number that it must have.")] = None,
) -> None:
    """Verify a certificate from its file alone: no database, no network, no trust in the server.

    Get root.pem from the site by another way than the certificate. What holds and what does not
    is said line by line; the command fails where anything does not.
    """
    from batchqc.documents.certificate_check import check  # noqa: PLC0415 - others start faster

    report = check(
        file.read_bytes(), root_pem=root.read_bytes(), lot=lot, number=number, at=clock.now()
    )
    rows = [("ok" if one.ok else "FAILED", one.name, one.reason) for one in report.checks]
    table(("", "Check", "Found"), rows, empty="")
    if not report.passed:
        raise IntegrityFailure("BQC-CRT-040", f"{file} does not verify; see above")
    is_ = report.rendition or f"certificate {report.number}"
    say(f"{file} is genuine: {is_}, lot {report.lot}.")
    if lot is None:
        say("Compare the lot with the label of what you hold.")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the data inside certificates (certificate.json)."""
    typer.echo(certificate_schema().read_text("utf-8"), nl=False)


@app.command()
def resume(context: typer.Context, user: User) -> None:
    """Seal every certificate that is pending, once the seal key can be used again."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.ISSUE_CERTIFICATE)
    with reading(place.engine) as session:
        pending = [
            one.natural_key
            for one in certificates_of(session)
            if status_of(session, one) == "pending"
        ]
    for number in pending:
        issue_certificate(
            place.engine, place.archive, place.press, number=number, actor=actor, clock=place.now
        )
        say(f"{number} is issued.")
    if not pending:
        say("No certificate is pending.")
