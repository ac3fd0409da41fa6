"""``batchqc register``: instruments, training, materials and their use, rules, certificates."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from batchqc.actions.laboratory import (
    keep_certificate,
    record_use,
    register_instrument,
    register_material,
    register_training,
    set_rule,
)
from batchqc.cli.show import say, table
from batchqc.cli.spec_tools import day_of
from batchqc.cli.workplace import Reason, User, at_keyboard, workplace
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from batchqc.documents.malware import check_harmless_file
from batchqc.records.laboratory import (
    Instrument,
    LaboratoryCertificate,
    Material,
    Training,
    rules_of,
)
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Registers of the laboratory, and what happens where one says no.")

Why = Annotated[str, typer.Option("--reason", help="Why, where an earlier row is replaced.")]
Upload = Annotated[str, typer.Option(help="The number of the upload.")]
Day = "A date such as 2026-01-15."


@app.command()
def rule(
    context: typer.Context,
    register: Annotated[Register, typer.Argument(help="Which register.")],
    what: Annotated[Rule, typer.Argument(help="What happens where it says no, or nothing.")],
    user: User,
    reason: Reason,
) -> None:
    """Set the rule of a register: off, flag or refuse."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.SET_REGISTER_RULE)
    with transaction(place.engine, actor, place.now()) as tx:
        set_rule(tx, register=register, rule=what, reason=reason)
    say(f"The rule of {register} is {what}.")


@app.command()
def instrument(  # noqa: PLR0913 - a row of the register is this much
    context: typer.Context,
    instrument: Annotated[str, typer.Argument(help="Its id, as files state it.")],
    *,
    kind: Annotated[str, typer.Option(prompt="Kind", help="What it is.")],
    calibrated: Annotated[str, typer.Option(prompt="Calibrated on", help=Day)],
    due: Annotated[str, typer.Option(prompt="Due again after", help=Day)],
    user: User,
    reason: Why = "",
) -> None:
    """Register an instrument, or its next calibration."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_REGISTERS)
    with transaction(place.engine, actor, place.now()) as tx:
        register_instrument(
            tx,
            instrument=instrument,
            kind=kind,
            calibrated_on=day_of(calibrated),
            due_on=day_of(due),
            reason=reason,
        )
    say(f"Instrument {instrument} is calibrated until {due}.")


@app.command()
def training(  # noqa: PLR0913 - a row of the register is this much
    context: typer.Context,
    person: Annotated[str, typer.Argument(help="User id.")],
    method: Annotated[str, typer.Argument(help="The code of the method.")],
    *,
    trained: Annotated[str, typer.Option(prompt="Trained on", help=Day)],
    expires: Annotated[str, typer.Option(prompt="Until and including", help=Day)],
    user: User,
    reason: Why = "",
) -> None:
    """Register that a person is trained for a method."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_REGISTERS)
    with transaction(place.engine, actor, place.now()) as tx:
        register_training(
            tx,
            person=person,
            method=method,
            trained_on=day_of(trained),
            expires_on=day_of(expires),
            reason=reason,
        )
    say(f"{person} is trained for {method} until {expires}.")


@app.command()
def material(  # noqa: PLR0913 - a row of the register is this much
    context: typer.Context,
    material: Annotated[str, typer.Argument(help="Its id.")],
    *,
    kind: Annotated[
        str, typer.Option(prompt="Kind", help="Reference standard, critical reagent, kit, medium.")
    ],
    lot: Annotated[str, typer.Option(prompt="Lot", help="Of its maker.")],
    expires: Annotated[str, typer.Option(prompt="Last usable day", help=Day)],
    user: User,
    reason: Why = "",
) -> None:
    """Register a material."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_REGISTERS)
    with transaction(place.engine, actor, place.now()) as tx:
        register_material(
            tx, material=material, kind=kind, lot=lot, expires_on=day_of(expires), reason=reason
        )
    say(f"Material {material} is usable until {expires}.")


@app.command()
def use(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="The run id.")],
    *,
    test: Annotated[str, typer.Option(help="The code of the test.")],
    upload: Upload,
    material: Annotated[str, typer.Option(help="The id of the material.")],
    user: User,
) -> None:
    """Record that a run used a material."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.RECORD_USE)
    with transaction(place.engine, actor, place.now()) as tx:
        found = record_use(tx, upload=upload, test=test, run=run, material=material)
    say(f"{material} is recorded for run {run} of {upload}.")
    if found.doubt:
        say(f"Attention: {found.doubt}")


@app.command()
def certificate(
    context: typer.Context,
    laboratory: Annotated[str, typer.Argument(help="User id of the contract laboratory.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Its certificate.")],
    upload: Upload,
    user: User,
) -> None:
    """Keep the certificate of a contract laboratory over its results in an upload."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.RECORD_USE)
    check_harmless_file(place.settings.malware_scanner, file)
    with transaction(place.engine, actor, place.now()) as tx:
        row = keep_certificate(
            tx,
            place.archive,
            laboratory=laboratory,
            upload=upload,
            file=file.name,
            data=file.read_bytes(),
        )
        said = f"{file.name} is kept for {upload} (SHA-256 {row.sha256})."
    say(said)


@app.command()
def show(
    context: typer.Context,
    register: Annotated[Register, typer.Argument(help="Which register.")],
) -> None:
    """Every row of a register with its rule; see also `batchqc method list`, `donor list`."""
    with reading(workplace(context).engine) as session:
        rule = rules_of(session).get(register, Rule.OFF)
        rows: list[tuple[str, ...]] = []
        if register is Register.INSTRUMENTS:
            rows = [
                (one.instrument, one.kind, one.calibrated_on, one.due_on, one.reason)
                for one in session.scalars(select(Instrument).order_by(Instrument.id))
            ]
        if register is Register.TRAINING:
            rows = [
                (one.person.user_id, one.method, one.trained_on, one.expires_on, one.reason)
                for one in session.scalars(select(Training).order_by(Training.id))
            ]
        if register is Register.MATERIALS:
            rows = [
                (one.material, f"{one.kind}, lot {one.lot}", "", one.expires_on, one.reason)
                for one in session.scalars(select(Material).order_by(Material.id))
            ]
        if register is Register.LABORATORIES:
            rows = [
                (one.person.user_id, f"{one.file} over {one.upload.natural_key}", "", "", "")
                for one in session.scalars(
                    select(LaboratoryCertificate).order_by(LaboratoryCertificate.id)
                )
            ]
    say(f"The rule of {register} is {rule}.")
    table(("Id", "Of", "From", "Until", "Reason"), rows, empty="The register has no row.")
