"""``batchqc certificate preview`` and ``rendition``: a certificate under another layout."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.certificate_previews import preview_document
from batchqc.actions.renditions import Under, Wanted, make_rendition
from batchqc.cli.csv_out import write_new
from batchqc.cli.show import say
from batchqc.cli.workplace import User, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.records.transaction import reading

Number = Annotated[str, typer.Argument(help="Its number, such as COA-2026-000001.")]
Layout = Annotated[str, typer.Option(help="The id of the layout.")]
To = Annotated[Path | None, typer.Option(help="File to write; there must be none.")]


def rendition(
    context: typer.Context, number: Number, layout: Layout, user: User, to: To = None
) -> None:
    """Make what a recipient gets: sealed, on record, with what the layout withholds left out.

    The newest approved version of the layout is taken. What failed, cannot be judged or is
    required is never left out. One that was made before is written again as it is.
    """
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.ISSUE_CERTIFICATE)
    made = make_rendition(
        place.engine,
        place.archive,
        place.press,
        wanted=Wanted(number, layout),
        actor=actor,
        clock=place.now,
    )
    path = to or Path(f"{made.certificate}_{made.layout}_v{made.version}.pdf")
    write_new(path, place.archive.get(made.document_sha256))
    say(f"{path} is written: {made.certificate} for {made.recipient}.")


def preview(
    context: typer.Context,
    number: Number,
    layout: Layout,
    version: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Its version, approved or not.")
    ],
    to: To = None,
) -> None:
    """Write how a certificate looks under a layout: marked as a draft, not sealed, not stored."""
    place = workplace(context)
    wanted = Under(number, layout, version)
    with reading(place.engine) as session:
        document = preview_document(
            session, place.archive, place.press, wanted=wanted, now=place.now()
        )
    path = to or Path(f"preview_{number}_{layout}_v{version}.pdf")
    write_new(path, document)
    say(f"{path} is written. It is a draft and no certificate.")
