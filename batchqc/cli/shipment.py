"""``batchqc shipment``: clinical sites, shipments, receipts, returns, administrations."""

from typing import Annotated

import typer
from sqlalchemy import select

from batchqc.actions.administrations import NewAdministration, record_administration
from batchqc.actions.clinical_sites import NewSite, register_clinical_site
from batchqc.actions.shipments import NewShipment, receive, ship, take_back
from batchqc.cli.show import say, table
from batchqc.cli.spec_tools import day_of
from batchqc.cli.workplace import Reason, User, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.records.shipments import Shipment, receipts_of, shipped_in
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Doses on their way to clinical sites, and to recipients by pseudonym.")

Number = Annotated[str, typer.Argument(help="Such as SHP-2026-000001.")]
Day = "A date such as 2026-01-15."
Reporter = Annotated[str, typer.Option("--by", prompt="Who reports it", help="At the site.")]


@app.command()
def site(  # noqa: PLR0913 - a site is this much
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="Its code.")],
    *,
    name: Annotated[str, typer.Option(prompt="Name", help="Of the hospital.")],
    address: Annotated[str, typer.Option(prompt="Address", help="In one line.")],
    contact: Annotated[str, typer.Option(prompt="Contact", help="Whom to call.")],
    user: User,
    reason: Annotated[str, typer.Option(help="Why, where an earlier version is replaced.")] = "",
) -> None:
    """Register a clinical site, or its next version."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.SHIP)
    with transaction(place.engine, actor, place.now()) as tx:
        version = register_clinical_site(tx, NewSite(code, name, address, contact, reason)).number
    say(f"Clinical site {code}, version {version}, is registered.")


@app.command()
def send(  # noqa: PLR0913 - a shipment is this much
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="Code of the clinical site.")],
    containers: Annotated[list[str], typer.Argument(help="Ids of the containers.")],
    *,
    on: Annotated[str, typer.Option(prompt="Shipped on", help=Day)],
    courier: Annotated[str, typer.Option(prompt="Courier reference", help="Of the courier.")],
    temperature: Annotated[str, typer.Option(prompt="Temperature record", help="Its reference.")],
    user: User,
) -> None:
    """Ship containers; where one may not leave, none does, and every reason is told."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.SHIP)
    new = NewShipment(site, tuple(containers), day_of(on), courier, temperature)
    with transaction(place.engine, actor, place.now()) as tx:
        number = ship(tx, place.archive, new).natural_key
    say(f"{number}: {len(containers)} to {site}.")


@app.command("receive")
def receive_(
    context: typer.Context,
    number: Number,
    *,
    on: Annotated[str, typer.Option(prompt="Received on", help=Day)],
    condition: Annotated[str, typer.Option(prompt="Condition", help="As the site says.")],
    by: Reporter,
    user: User,
) -> None:
    """Record that the site received a shipment."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.SHIP)
    with transaction(place.engine, actor, place.now()) as tx:
        receive(tx, shipment=number, received_on=day_of(on), condition=condition, reported_by=by)
    say(f"{number} was received on {on}.")


@app.command("return")
def return_(  # noqa: PLR0913 - a return is this much
    context: typer.Context,
    number: Number,
    containers: Annotated[list[str], typer.Argument(help="Ids of the containers.")],
    *,
    on: Annotated[str, typer.Option(prompt="Returned on", help=Day)],
    where: Annotated[str, typer.Option(prompt="Place", help="Where they are now.")],
    user: User,
    reason: Reason,
) -> None:
    """Record that containers of a shipment came back."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.SHIP)
    with transaction(place.engine, actor, place.now()) as tx:
        take_back(
            tx, shipment=number, containers=containers, returned_on=day_of(on), place=where,
            reason=reason,
        )  # fmt: skip
    say(f"{', '.join(containers)} came back; they go to quarantine.")


@app.command()
def give(  # noqa: PLR0913 - an administration is this much
    context: typer.Context,
    container: Annotated[str, typer.Argument(help="Its id.")],
    recipient: Annotated[str, typer.Argument(help="Pseudonym: site code and subject number.")],
    *,
    site: Annotated[str, typer.Option(help="Code of the clinical site.")],
    on: Annotated[str, typer.Option(prompt="Given on", help=Day)],
    by: Reporter,
    user: User,
) -> None:
    """Record that a container was given to a recipient."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.SHIP)
    new = NewAdministration(container, site, recipient, day_of(on), by)
    with transaction(place.engine, actor, place.now()) as tx:
        doubts = record_administration(tx, new).doubts
    say(f"{container} was given to {recipient}.")
    for one in doubts:
        say(f"Attention: {one}")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every shipment."""
    with reading(workplace(context).engine) as session:
        found = session.scalars(select(Shipment).order_by(Shipment.id)).all()
        ids = [one.id for one in found]
        received = {one.shipment_id: one.received_on for one in receipts_of(session, ids)}
        held: dict[int, list[str]] = {}
        for one in shipped_in(session, ids):
            held.setdefault(one.shipment_id, []).append(one.container.container)
        rows = [
            (
                one.natural_key,
                one.clinical_site.code,
                one.shipped_on,
                received.get(one.id, "not yet"),
                ", ".join(held.get(one.id, ())),
            )
            for one in found
        ]
    table(("Shipment", "Site", "Shipped", "Received", "Containers"), rows, empty="No shipment.")
