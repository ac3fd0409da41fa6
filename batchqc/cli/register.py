"""``batchqc product``, ``donor`` and ``sample``: what is registered before anything is measured."""

from typing import Annotated

import typer
from sqlalchemy import select

from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.donor_panels import panel_asked_for
from batchqc.actions.donor_records import records_of
from batchqc.actions.donors_today import donors_today
from batchqc.actions.lots import NewSample, register_samples, the_lot
from batchqc.actions.registers import register_donor, register_product
from batchqc.cli.show import say, table
from batchqc.cli.workplace import (
    NOT_LATE,
    Late,
    Reason,
    User,
    at_keyboard,
    raise_refusal,
    workplace,
)
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.core.specifications import Stage
from batchqc.records.donors import newest_eligibility
from batchqc.records.registers import DonorRow, Product, samples_of
from batchqc.records.transaction import reading, transaction

products = typer.Typer(help="Products: what is made.")
donors = typer.Typer(help="Donors, by code and never by name, and their eligibility.")
samples = typer.Typer(help="Samples: what of a lot is tested.")

Code = Annotated[str, typer.Argument(help="Its code.")]


@products.command("add")
def add_product(
    context: typer.Context,
    code: Code,
    name: Annotated[str, typer.Option(prompt="Name", help="As certificates print it.")],
    form: Annotated[str, typer.Option(prompt="Form and pack", help="Dosage form and pack.")],
    storage: Annotated[str, typer.Option(prompt="Storage", help="Storage condition.")],
    user: User,
) -> None:
    """Register a product."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.REGISTER_PRODUCT)
    with transaction(place.engine, actor, place.now()) as tx:
        register_product(tx, code=code, name=name, form=form, storage=storage)
    say(f"Product {code} is registered.")


@products.command("list")
def list_products(context: typer.Context) -> None:
    """Every product."""
    with reading(workplace(context).engine) as session:
        found = session.scalars(select(Product).order_by(Product.code))
        rows = [(one.code, one.name, one.form, one.storage) for one in found]
    table(("Code", "Name", "Form", "Storage"), rows, empty="No product is registered.")


@donors.command("add")
def add_donor(
    context: typer.Context,
    code: Code,
    tissue: Annotated[str, typer.Option(prompt="Tissue source", help="Such as: umbilical cord")],
    user: User,
) -> None:
    """Register a donor."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.REGISTER_DONOR)
    with transaction(place.engine, actor, place.now()) as tx:
        register_donor(tx, code=code, tissue_source=tissue)
    say(f"Donor {code} is registered. Next: batchqc donor eligibility {code}")


@donors.command("eligibility")
def eligibility(  # noqa: PLR0913 - a determination is this much
    context: typer.Context,
    code: Code,
    basis: Annotated[str, typer.Option(prompt="Basis", help="Which screening and testing.")],
    user: User,
    *,
    reason: Reason,
    ineligible: Annotated[bool, typer.Option(help="The donor is ineligible.")] = False,
    panel: Annotated[str, typer.Option(help="The panel to hold the records against.")] = "",
    by_exception: Annotated[
        bool, typer.Option(help="Eligible although the panel is not fulfilled; releases no lot.")
    ] = False,
    late: Late = NOT_LATE,
) -> None:
    """Determine that a donor is eligible (or not), with your signature."""
    place = workplace(context)
    determined = "ineligible" if ineligible else "eligible"
    keyboard = at_keyboard(place, user, to=f"determine that {code} is {determined}")
    actor = keyboard.acting(Permission.DETERMINE_ELIGIBILITY)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = determine_eligibility(
            tx,
            place.archive,
            NewDetermination(
                code,
                basis,
                eligible=not ineligible,
                panel=panel_asked_for(tx, place.archive, panel=panel, by_exception=by_exception),
            ),
            credentials=keyboard.signing(reason, late=late),
        )
        said = "" if isinstance(signed, Refusal) else signed.eligibility
    raise_refusal(signed)
    say(f"Donor {code} is {said}.")


@donors.command("list")
def list_donors(context: typer.Context) -> None:
    """Every donor."""
    with reading(workplace(context).engine) as session:
        found = session.scalars(select(DonorRow).order_by(DonorRow.code)).all()
        records, determined = records_of(session, found), newest_eligibility(session, found)
        corrections = [pair for one in records.values() for pair in one.corrections]
        rows = [
            (
                one.code,
                one.tissue_source,
                one.eligibility or "not determined",
                "\n".join(records[row.id].since(determined.get(row.id))),
            )
            for row, one in zip(found, donors_today(session, found, corrections), strict=True)
        ]
    columns = ("Donor", "Tissue source", "Eligibility", "Recorded since")
    table(columns, rows, empty="No donor is registered.")


@samples.command("add")
def add_sample(  # noqa: PLR0913 - a sample is this much
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="Of which lot.")],
    sample: Annotated[str, typer.Argument(help="Its id.")],
    *,
    stage: Annotated[Stage, typer.Option(help="When in its life the lot is tested.")],
    container: Annotated[str, typer.Option(prompt="Container", help="What it is kept in.")],
    taken_at: Annotated[
        str,
        typer.Option(
            prompt="Taken at, such as 2026-03-21T16:40-05:00", help="With its UTC offset."
        ),
    ],
    user: User,
) -> None:
    """Register a sample of a lot."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.REGISTER_LOT)
    with transaction(place.engine, actor, place.now()) as tx:
        register_samples(tx, lot=lot, samples=[NewSample(sample, stage, container, taken_at)])
    say(f"Sample {sample} of lot {lot} is registered.")


@samples.command("list")
def list_samples(
    context: typer.Context, lot: Annotated[str, typer.Argument(help="Of which lot.")]
) -> None:
    """Every sample of a lot."""
    with reading(workplace(context).engine) as session:
        found = samples_of(session, [the_lot(session, lot)])
        rows = [(one.sample, one.stage, one.container, one.taken_text) for one in found]
    table(("Sample", "Stage", "Container", "Taken"), rows, empty=f"Lot {lot} has no sample.")
