"""``batchqc audit``: read the audit trail, and verify it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.log_against import compare
from batchqc.actions.verification import verify_audit_trail
from batchqc.cli.log_verify import keys_in
from batchqc.cli.show import say, table
from batchqc.cli.workplace import workplace
from batchqc.documents.witness import read_witness
from batchqc.errors import IntegrityFailure
from batchqc.records.audit_search import entries_after, subject_of, user_of
from batchqc.records.imports import imports
from batchqc.records.transaction import reading

app = typer.Typer(help="The audit trail: read it, verify it.")


@app.command()
def verify(
    context: typer.Context,
    against: Annotated[
        Path | None,
        typer.Option(help="A checkpoint that you hold, or the folder of a witness.", exists=True),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="Your log.vkey; without it that of the site is taken, and said so."),
    ] = None,
) -> None:
    """Check the chain, every record against its entry, and every stored file against its hash.

    With --against, check that the log extends what was signed: this finds who owns the database and
    made everything in it agree, and a trail that was cut off.
    """
    place = workplace(context)
    compared = None
    with reading(place.engine) as session:
        if against is not None:
            keys = keys_in(key or place.settings.trust / "log.vkey")
            compared = compare(session, read_witness(against), keys)
        found = verify_audit_trail(session, place.archive)
        came = [
            f"Entries up to {one.entries} are of {one.site}; those of lot {one.lot} are here."
            for one in imports(session)
        ]
    problems = (*(compared.problems if compared else ()), *found.problems)
    if problems:
        raise IntegrityFailure(
            "BQC-AUD-010",
            f"the records are not what the audit trail says; first: {problems[0]}",
            reasons=problems,
            hint="Stop releasing. Keep the database and the store as they are.",
        )
    head = f"sequence {found.head.sequence}, head {found.head.sha256}" if found.head else "empty"
    say(f"{found.entries} entries verified: {head}")
    for line in came:
        say(line)
    if compared is None:
        say("Compare with the sequence and head printed on certificates, or verify --against what")
        say("a witness holds: by itself, no database shows that it was cut off or written anew.")
        return
    said = compared.newest
    say(f"They extend the checkpoint of {said.size} entries of {said.at:%Y-%m-%d %H:%M:%S}Z.")
    if key is None:
        say("The key was the site's own: hold a copy of log.vkey elsewhere, and give it as --key.")


@app.command("list")
def list_(
    context: typer.Context,
    subject: Annotated[str, typer.Option(help="Only about a record: lot:UCM-P1-T1")] = "",
    who: Annotated[str, typer.Option(help="Only of a person.")] = "",
    after: Annotated[int, typer.Option(help="Only after this sequence.")] = 0,
    limit: Annotated[int, typer.Option(help="How many at the most.")] = 50,
) -> None:
    """Entries, oldest first."""
    with reading(workplace(context).engine) as session:
        rows = []
        subject, who = subject_of(session, subject), user_of(session, who)  # in other letters too
        for link, entry in entries_after(session, after, limit=limit, subject=subject, who=who):
            body = json.loads(entry.text)
            local = f"{entry.at:%Y-%m-%d %H:%M:%S}Z"
            rows.append(
                (link.sequence, local, f"{body['who']} ({body['role']})", body["what"], body["why"])
            )
    table(("#", "When (UTC)", "Who", "What", "Why"), rows, empty="No entry.")
