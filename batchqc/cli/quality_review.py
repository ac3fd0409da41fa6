"""``batchqc trend review``: the product quality review as a document with its data."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.quality_reviews import (
    Made,
    annex,
    check_period,
    content_of_review,
    keep_review,
    make_review,
    read_review,
)
from batchqc.cli.csv_out import expect_new_folder, write_new
from batchqc.cli.show import say
from batchqc.cli.spec_tools import day_of
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.core.quality_reviews import Period
from batchqc.records.transaction import reading, transaction


def review(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="Code of the product.")],
    first: Annotated[str, typer.Option("--from", help="First day, such as 2026-01-01.")],
    last: Annotated[str, typer.Option("--to", help="Last day, such as 2026-12-31.")],
    out: Annotated[Path, typer.Option(help="A new folder for the document and its data.")],
    user: Annotated[str, typer.Option(help="Keep the review, made by this person.")] = "",
) -> None:
    """Write the product quality review of a period: PDF, JSON and one CSV for each table."""
    place = workplace(context)
    period = Period(day_of(first), day_of(last))
    expect_new_folder(out)
    actor = at_keyboard(place, user).acting(Permission.KEEP_QUALITY_REVIEW) if user else None
    fonts = place.press.fonts
    if actor is None:
        with reading(place.engine) as session:
            check_period(session, period, place.now())
            made = make_review(session, place.archive, product=product, period=period, fonts=fonts)
        kept = "It is not kept: name who keeps it with --user."
    else:
        with transaction(place.engine, actor, place.now()) as tx:
            row = keep_review(tx, place.archive, product=product, period=period, fonts=fonts)
            data, document = (place.archive.get(one) for one in (row.content_sha, row.document_sha))
            made = Made(content_of_review(place.archive, row), data, document)
            kept = f"Kept as {row.natural_key}, SHA-256 {row.content_sha}."
    out.mkdir(parents=True)
    write_new(out / "review.pdf", made.document)
    write_new(out / "review.json", made.data)
    for name, table in annex(made.content).items():
        write_new(out / f"{name}.csv", table)
    say(f"Written to {out}. {kept}")


def sign_review(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Its number, such as QR-2026-000001.")],
    sha256: Annotated[str, typer.Argument(help="The SHA-256 that it carries.")],
    user: User,
    reason: Reason,
) -> None:
    """Sign that you read a review that is kept; say in the reason what follows from it."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign {number} as read")
    actor = keyboard.acting(Permission.SIGN_QUALITY_REVIEW)
    with transaction(place.engine, actor, place.now()) as tx:
        row = read_review(
            tx,
            place.archive,
            number=number,
            sha256=sha256,
            credentials=keyboard.signing(reason),
        )
    raise_refusal(row)
    say(f"{number} is signed as read.")
