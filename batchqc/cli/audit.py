"""``batchqc audit``: read the audit trail, and verify it."""

import json
from typing import Annotated

import typer

from batchqc.actions.verification import verify_audit_trail
from batchqc.cli.show import say, table
from batchqc.cli.workplace import workplace
from batchqc.errors import IntegrityFailure
from batchqc.records.audit import entries_after
from batchqc.records.transaction import reading

app = typer.Typer(help="The audit trail: read it, verify it.")


@app.command()
def verify(context: typer.Context) -> None:
    """Check the chain, every record against its entry, and every stored file against its hash."""
    place = workplace(context)
    with reading(place.engine) as session:
        found = verify_audit_trail(session, place.archive)
    if found.problems:
        raise IntegrityFailure(
            "BQC-AUD-010",
            f"the records are not what the audit trail says; first: {found.problems[0]}",
            reasons=found.problems,
            hint="Stop releasing. Keep the database and the store as they are.",
        )
    head = f"sequence {found.head.sequence}, head {found.head.sha256}" if found.head else "empty"
    say(f"{found.entries} entries verified: {head}")
    say("Compare with the sequence and head printed on certificates: a chain shows no cut tail.")


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
        for link, entry in entries_after(session, after, limit=limit, subject=subject, who=who):
            body = json.loads(entry.text)
            local = f"{entry.at:%Y-%m-%d %H:%M:%S}Z"
            rows.append(
                (link.sequence, local, f"{body['who']} ({body['role']})", body["what"], body["why"])
            )
    table(("#", "When (UTC)", "Who", "What", "Why"), rows, empty="No entry.")
