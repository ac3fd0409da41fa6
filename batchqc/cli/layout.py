"""``batchqc layout``: how certificates look, in which language, and for whom."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.layouts import (
    approve_layout,
    import_layout,
    layout_content,
    submit_layout,
    the_layout,
    withdraw_layout,
)
from batchqc.cli.csv_out import write_new
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.documents.layout_file import read_layout
from batchqc.errors import NotFound
from batchqc.records.layouts import (
    all_layouts,
    approval_of_layout,
    submission_of_layout,
    withdrawal_of_layout,
)
from batchqc.records.transaction import reading, transaction
from batchqc.settings import bundled

app = typer.Typer(help="Layouts of certificates: language, paper, order, wording, recipients.")

Id = Annotated[str, typer.Argument(help="Its id.")]
Version = Annotated[int, typer.Argument(min=1, max=1_000_000, help="Its version.")]


@app.command()
def templates() -> None:
    """The layouts that batchqc ships: starting points, imported by copy."""
    rows = []
    for path in sorted((bundled("reports") / "layouts").glob("*.toml")):
        layout = read_layout(path.read_bytes(), file=path.name).layout
        if layout is not None:
            rows.append((path.stem, layout.title, layout.language.value, layout.paper.value))
    table(("Template", "Title", "Language", "Paper"), rows, empty="No template.")


@app.command()
def new(
    template: Annotated[str, typer.Argument(help="See batchqc layout templates.")],
    to: Annotated[Path, typer.Argument(dir_okay=False, help="A new file.")],
) -> None:
    """Copy a shipped layout into a file of your own, to be adapted and imported."""
    path = bundled("reports") / "layouts" / f"{template}.toml"
    if Path(template).name != template or not path.is_file():
        raise NotFound("BQC-LAY-014", f'there is no template "{template}"')
    write_new(to, path.read_bytes())
    say(f"{to} is written. Next: batchqc layout import {to}")


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A layout, TOML.")],
    user: User,
) -> None:
    """Copy a layout into the system, as a draft."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.IMPORT_LAYOUT)
    with transaction(place.engine, actor, place.now()) as tx:
        row = import_layout(
            tx, place.archive, data=file.read_bytes(), file=file.name, fonts=place.press.fonts
        )
        said = f"{row.reference} is imported (SHA-256 {row.sha256})."
    say(f"{said} Next: batchqc layout submit.")


@app.command()
def submit(context: typer.Context, layout: Id, version: Version, user: User) -> None:
    """Give a draft up for review."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.IMPORT_LAYOUT)
    with transaction(place.engine, actor, place.now()) as tx:
        submit_layout(tx, layout=layout, version=version)
    say(f"{layout} v{version} is in review. Next: batchqc certificate preview, layout approve.")


@app.command()
def approve(
    context: typer.Context, layout: Id, version: Version, user: User, reason: Reason
) -> None:
    """Approve a version with your signature. Who imported it may not."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"approve {layout} v{version}")
    actor = keyboard.acting(Permission.APPROVE_LAYOUT)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = approve_layout(
            tx,
            place.archive,
            layout=layout,
            version=version,
            credentials=keyboard.signing(reason),
        )
    raise_refusal(signed)
    say(f"{layout} v{version} is approved.")


@app.command()
def withdraw(
    context: typer.Context, layout: Id, version: Version, user: User, reason: Reason
) -> None:
    """Withdraw an approved version with your signature; what was made with it keeps it."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"withdraw {layout} v{version}")
    actor = keyboard.acting(Permission.APPROVE_LAYOUT)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = withdraw_layout(
            tx, layout=layout, version=version, credentials=keyboard.signing(reason)
        )
    raise_refusal(signed)
    say(f"{layout} v{version} is withdrawn.")


@app.command()
def show(context: typer.Context, layout: Id, version: Version) -> None:
    """What a version says."""
    place = workplace(context)
    with reading(place.engine) as session:
        row = the_layout(session, layout, version)
        approval = approval_of_layout(session, row)
        said = layout_content(session, place.archive, row)
        approved = approval.signature.name if approval else "nobody yet"
    facts(
        [
            ("Title", said.title),
            ("SHA-256", said.sha256),
            ("Imported by", row.author),
            ("Approved by", approved),
            ("Language and paper", f"{said.language}, {said.paper}"),
            ("For", said.recipient or "the site's own certificates"),
            ("Product", said.product or "every product"),
            ("Letterhead", "; ".join([*said.address, *said.contact]) or "of the site"),
            ("First", ", ".join(said.order) or "as in the specification"),
            ("Withholds", ", ".join(said.withhold) or "nothing"),
            *((f"Wording of {name}", text) for name, text in said.titles),
            *(("Footnote", text) for text in said.footnotes),
        ]
    )


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every version of every layout."""
    with reading(workplace(context).engine) as session:
        rows = []
        for row in all_layouts(session):
            approval = approval_of_layout(session, row)
            is_out = withdrawal_of_layout(session, row) is not None
            state = "in review" if submission_of_layout(session, row) else "draft"
            approved = f"approved by {approval.signature.person.user_id}" if approval else state
            rows.append(
                (
                    row.reference,
                    row.title,
                    row.recipient or "the site",
                    "withdrawn" if is_out else approved,
                )
            )
    table(("Layout", "Title", "For", "State"), rows, empty="No layout.")
