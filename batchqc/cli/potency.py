"""``batchqc potency``: plates are fitted, and what was fitted is declared as a measurement."""

from typing import Annotated

import typer
from sqlalchemy import select

from batchqc.actions.potency import fit_reasons, fit_result, fit_run, fit_value, the_fit
from batchqc.actions.potency_declaring import Declared, declare, the_declaration
from batchqc.actions.potency_refits import refit, refit_declaration
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import IntegrityFailure
from batchqc.records.potency import PotencyFit, all_declarations
from batchqc.records.transaction import reading, transaction
from batchqc.settings import shipped_potency_methods

app = typer.Typer(help="Potency: wells of a plate become one declared measurement.")

Fit = Annotated[str, typer.Argument(help="Its number, such as PF-2026-000001.")]


@app.command("fit")
def fit(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="Upload, lot, test and run: U-2026-000001/LOT/POT/R1")],
    user: User,
    sample: Annotated[str, typer.Option(help="Whose wells, where the run has several.")] = "",
) -> None:
    """Fit the wells of a run as its method declares. Whatever comes of it is on record."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.UPLOAD_RESULTS)
    with transaction(place.engine, actor, place.now()) as tx:
        row = fit_run(tx, place.archive, run=run, sample=sample)
        _print(row)
        number, value = row.public, fit_value(row)
        unit, is_reportable = fit_result(row).get("unit", ""), bool(row.reportable)
    if is_reportable:
        say(f'Next: batchqc potency declare {number} --value {value} --unit "{unit}"')
    else:
        say("It is computed and not reportable: nothing can be declared from this run.")


@app.command("show")
def show(context: typer.Context, number: Fit) -> None:
    """A fit: value, interval, criteria, limitations, outliers, and the points of its plot."""
    with reading(workplace(context).engine) as session:
        row = the_fit(session, number)
        _print(row)
        rows = fit_result(row).get("plot", [])
    table(("Preparation", "Dose", "Response", "Fitted"), rows, empty="No well was fitted.")


@app.command("declare")
def declare_value(
    context: typer.Context,
    fits: Annotated[list[str], typer.Argument(help="Every fit that makes the value.")],
    user: User,
    *,
    value: Annotated[str, typer.Option(help="As the fits give it.")],
    reason: Reason,
    unit: Annotated[str, typer.Option(help="As the fits give it.")] = "",
) -> None:
    """Declare the value of fits as a measurement of their lot, once, with your signature."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"declare {value} {unit} from {', '.join(fits)}")
    actor = keyboard.acting(Permission.UPLOAD_RESULTS)
    said = ""
    with transaction(place.engine, actor, place.now()) as tx:
        found = declare(
            tx,
            place.archive,
            declared=Declared(tuple(fits), value, unit),
            credentials=keyboard.signing(reason),
            client="batchqc potency",
        )
        if not isinstance(found, Refusal):
            upload = found.upload.natural_key
            said = f"{found.public} is declared. Next: batchqc result verify {upload}"
    raise_refusal(found)
    say(said)


@app.command("refit")
def again(
    context: typer.Context,
    number: Annotated[
        str, typer.Argument(help="A fit or a declaration; without it, every declaration.")
    ] = "",
) -> None:
    """Fit the same wells anew and compare. No declared value ever changes."""
    place = workplace(context)
    with reading(place.engine) as session:
        if number.upper().startswith("PF-"):
            said = list(refit(session, place.archive, the_fit(session, number)))
        else:
            rows = [the_declaration(session, number)] if number else all_declarations(session)
            said = [one for row in rows for one in refit_declaration(session, place.archive, row)]
    if said:
        raise IntegrityFailure(
            "BQC-POT-011",
            "what was fitted anew differs",
            reasons=said,
            hint="Nothing was changed. Compare the software versions, and look at the wells.",
        )
    say("Every number is the same within the tolerance of the method.")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every fit and every declaration."""
    with reading(workplace(context).engine) as session:
        fits = [
            (
                one.public,
                one.assay_run.natural_key,
                one.sample.sample,
                f"{fit_value(one)} {fit_result(one).get('unit', '')}".strip(),
                "may be declared" if one.reportable else "; ".join(fit_reasons(one)),
            )
            for one in session.scalars(select(PotencyFit).order_by(PotencyFit.id))
        ]
        made = [
            (one.public, one.lot.lot, f"{one.value} {one.unit}", one.upload.natural_key)
            for one in all_declarations(session)
        ]
    table(("Fit", "Run", "Sample", "Value", "State"), fits, empty="Nothing is fitted.")
    table(("Declaration", "Lot", "Value", "Upload"), made, empty="Nothing is declared.")


@app.command("templates")
def templates() -> None:
    """The methods of potency assays that batchqc ships, as proposals."""
    for path in sorted(shipped_potency_methods().glob("*.toml")):
        say(str(path))
    say("Put in the numbers of your validation, then: batchqc method import, and approve.")


def _print(row: PotencyFit) -> None:
    result = fit_result(row)
    numbers = result.get("numbers", {})
    share = result.get("confidence", "")
    facts(
        [
            ("Fit", f"{row.public} of {row.assay_run.natural_key}, {row.sample.sample}"),
            ("Method", f"{row.method_version.reference}, {result.get('model', '')}"),
            ("Value", f"{result.get('reported', '')} {result.get('unit', '')}".strip() or "none"),
            ("Interval", f"{numbers.get('lower')} to {numbers.get('upper')} ({share})"),
            ("SE of ln", numbers.get("se_log", "")),
            ("n", numbers.get("n", "")),
            ("Estimate", result.get("method", "")),
            ("Assumes", "; ".join(result.get("assumptions", []))),
            ("Limitations", "; ".join(result.get("limitations", [])) or "none"),
            ("Outliers", ", ".join(result.get("outliers", [])) or "none; no well is left out"),
            ("Software", row.software),
        ]
    )
    rows = [
        (name, wanted, found or "not known", "met" if met else "NOT MET")
        for name, wanted, found, met in result.get("criteria", [])
    ]
    table(("Criterion", "Wanted", "Found", "State"), rows, empty="Nothing was computed.")
    for one in fit_reasons(row):
        say(f"Not reportable: {one}")
