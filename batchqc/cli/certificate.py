"""``batchqc certificate``: get certificates, verify any, take up pending ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchqc import clock
from batchqc.actions.certificate_proofs import prove_certificate, standing_on_record
from batchqc.actions.certificate_states import status_of
from batchqc.actions.certificates import document_of, issue_certificate
from batchqc.cli.csv_out import write_new
from batchqc.cli.show import say, table
from batchqc.cli.workplace import User, Workplace, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.records.decisions import certificates_of, issue_of
from batchqc.records.transaction import reading
from batchqc.settings import certificate_schema

if TYPE_CHECKING:
    from batchqc.documents.verifier.case import Case
    from batchqc.documents.verifier.examination import Step

app = typer.Typer(help="Certificates of analysis: get, verify, find, copy and renew them.")

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
    write_new(path, pdf)
    say(f"{path} is written.")


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,
)
def verify(context: typer.Context) -> None:
    """Verify certificates from their files alone: FILE... --root root.pem; --help tells more.

    No database, no network, no trust in the server, unless --status asks the records of this site.
    What holds and what does not is said line by line. Exit status 0: all holds; 1: something does
    not; 2: the command was not understood.
    """
    from batchqc.documents.certificate_check import PAGES  # noqa: PLC0415 - others start faster
    from batchqc.documents.verifier.command import main  # noqa: PLC0415 - as above

    arguments = [one for one in context.args if one != "--status"]
    further = [PAGES]
    if len(arguments) < len(context.args):
        further.append(_on_record(workplace(context)))
    prog = "batchqc certificate verify [--status]"
    raise typer.Exit(main(arguments, now=clock.now(), prog=prog, further=further))


@app.command()
def prove(
    context: typer.Context,
    number: Number,
    to: Annotated[Path, typer.Option(help="The file; an existing one is not replaced.")],
) -> None:
    """Write the proof of a certificate from the transparency log, with how it stands now.

    For `verify --proof`. It holds entries of the audit trail as they are, with people and reasons.
    """
    place = workplace(context)
    with reading(place.engine) as session:
        proof = prove_certificate(
            session, place.archive, place.press.log_key(), number=number.upper(), now=place.now()
        )
    write_new(to, proof)
    say(f"{to} is written.")


@app.command()
def verifier(
    to: Annotated[Path, typer.Option(help="The file; an existing one is not replaced.")],
) -> None:
    """Write the stand-alone verifier: one Python file for people who have no batchqc."""
    from batchqc.documents.standalone import script  # noqa: PLC0415 - others start faster

    write_new(to, script())
    say(f"{to} is written; it needs cryptography and asn1crypto.")


def _on_record(place: Workplace) -> "Step":
    """A further check: how the records of this site say that the certificate stands."""
    from batchqc.documents.verifier.examination import Step  # noqa: PLC0415 - others start faster
    from batchqc.documents.verifier.findings import demand  # noqa: PLC0415 - as above

    def run(case: "Case") -> None:
        with reading(place.engine) as session:
            found = standing_on_record(session, case.number, case.documents)
        demand(found == "counts", found)

    return Step("records", "on record it counts now", ("data",), run)


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
