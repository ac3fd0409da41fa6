"""``batchqc donor-panel``: which tests of a donation are asked for, imported and approved."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.donor_panels import approve_panel, import_panel, panel_content, the_panel
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.records.donor_panels import all_panels, panel_approval_of
from batchqc.records.transaction import reading, transaction
from batchqc.settings import shipped_panels

app = typer.Typer(help="Donor panels: which tests of a donation are asked for.")

Panel = Annotated[str, typer.Argument(help="Its id, such as US-1271.")]
Version = Annotated[int, typer.Argument(min=1, max=1_000_000, help="Its version.")]


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A panel file.")],
    user: User,
) -> None:
    """Copy a panel file into the system, where it waits for QA's approval."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.IMPORT_PANEL)
    with transaction(place.engine, actor, place.now()) as tx:
        row = import_panel(tx, place.archive, data=file.read_bytes(), file=file.name)
        said = f"{row.reference} is imported (SHA-256 {row.sha256})."
    say(f"{said} Next: batchqc donor-panel show, and approve.")


@app.command("approve")
def approve(
    context: typer.Context, panel: Panel, version: Version, user: User, reason: Reason
) -> None:
    """Approve a version with your signature. Who imported it may not."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"approve donor panel {panel} v{version}")
    actor = keyboard.acting(Permission.APPROVE_PANEL)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = approve_panel(
            tx, panel=panel, version=version, credentials=keyboard.signing(reason)
        )
    raise_refusal(signed)
    say(f"{panel} v{version} is approved.")


@app.command("show")
def show(context: typer.Context, panel: Panel, version: Version) -> None:
    """What a version asks for, and which of its rules nobody has read the source of."""
    place = workplace(context)
    with reading(place.engine) as session:
        row = the_panel(session, panel, version)
        approval = panel_approval_of(session, row)
        approved = approval.signature.name if approval else "nobody yet"
        found = panel_content(place.archive, row)
    facts(
        [
            ("Panel", found.reference),
            ("Jurisdiction", found.jurisdiction),
            ("Markets", ", ".join(found.markets)),
            ("Approved by", approved),
            ("Look up before approval", "; ".join(found.recalled) or "nothing"),
        ]
    )
    rows = [(one.marker, one.needed, one.source.status, one.source.basis) for one in found.markers]
    table(("Marker", "Of tissues", "Source", "Basis"), rows, empty="No marker.")


@app.command("list")
def list_panels(context: typer.Context) -> None:
    """Every version that was imported, and the files that batchqc ships."""
    with reading(workplace(context).engine) as session:
        rows = [
            (
                one.reference,
                one.jurisdiction,
                "approved" if panel_approval_of(session, one) else "draft",
            )
            for one in all_panels(session)
        ]
    table(("Panel", "Jurisdiction", "State"), rows, empty="No panel is imported.")
    for path in sorted(shipped_panels().glob("*.toml")):
        say(f"Shipped as a proposal: {path}")
