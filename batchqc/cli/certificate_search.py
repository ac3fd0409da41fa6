"""``batchqc certificate search`` and ``index``: finding certificates among very many."""

from datetime import datetime
from typing import Annotated

import typer

from batchqc.actions.certificate_index import Standing, Wanted, file_earlier, find_certificates
from batchqc.cli.show import say, table
from batchqc.cli.workplace import workplace
from batchqc.records.transaction import SYSTEM, reading, transaction

_AT_ONCE = 500
_Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day of the site.")]


def search(  # noqa: PLR0913 - each is something that people know of a certificate
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(help="Words that it says; the beginning of one with *.")
    ] = None,
    *,
    lot: Annotated[str, typer.Option(help="Id of the lot.")] = "",
    product: Annotated[str, typer.Option(help="Code of the product.")] = "",
    donor: Annotated[str, typer.Option(help="Code of a donor.")] = "",
    disposition: Annotated[str, typer.Option(help="That it was reserved with.")] = "",
    analyte: Annotated[str, typer.Option(help="Code of one that it has a line of.")] = "",
    signer: Annotated[str, typer.Option(help="User id or name of a signer.")] = "",
    status: Annotated[Standing, typer.Option(help="How it stands now.")] = "",
    since: _Day = None,
    until: _Day = None,
    after: Annotated[str, typer.Option(help="Only behind this number.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 50,
) -> None:
    """Find certificates; everything that is given holds together."""
    wanted = Wanted(
        lot, product, donor, disposition, analyte, signer, " ".join(words or ()),
        status,
        since.date() if since else None, until.date() if until else None,
    )  # fmt: skip
    with reading(workplace(context).engine) as session:
        found = find_certificates(session, wanted, after=after, limit=limit + 1)
    rows = [
        (
            one.number,
            one.lot,
            one.product,
            one.disposition,
            one.superseded_by or ("withdrawn" if one.withdrawn else one.status),
        )
        for one in found[:limit]
    ]
    columns = ("Certificate", "Lot", "Product", "Disposition", "Status, or what supersedes it")
    table(columns, rows, empty="No certificate.")
    if len(found) > limit:
        say(f"There are more: --after {found[limit - 1].number}")


def index(context: typer.Context) -> None:
    """File certificates of before the index in it, so that a search finds them; needed once."""
    place = workplace(context)
    filed = 0
    while True:
        with transaction(place.engine, SYSTEM, place.now()) as tx:
            some = file_earlier(tx, place.archive, limit=_AT_ONCE)
        filed += some
        if not some:
            break
    say(f"{filed} certificates are filed; the index holds every certificate.")
