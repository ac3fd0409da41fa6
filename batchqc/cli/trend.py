"""``batchqc trend``: lots against each other, control limits that QA froze, and signals."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from sqlalchemy.orm import Session

from batchqc.actions.registers import the_product
from batchqc.actions.trends import Trends
from batchqc.cli.csv_out import expect_new_folder, write_new
from batchqc.cli.show import say, table
from batchqc.cli.workplace import workplace
from batchqc.core.specifications import Stage
from batchqc.core.trends import Attribute, is_numeric
from batchqc.records.transaction import reading

if TYPE_CHECKING:
    from batchqc.statistics.lot_series import Judged

app = typer.Typer(help="Trends: lots against each other, control limits, signals.")

Product = Annotated[str, typer.Argument(help="Code of a product.")]
Criterion = Annotated[str, typer.Argument(help="Id of a criterion, such as viability.")]
AtStage = Annotated[Stage, typer.Option(help="Where in the life of a lot.")]
Market = Annotated[str, typer.Option(help="Where lots go; empty for every market.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write the lots into a new file.")]


@app.command("list")
def list_attributes(context: typer.Context, product: Product) -> None:
    """Every attribute of a product, by stage and market."""
    from batchqc.actions.trend_overview import attributes_of  # noqa: PLC0415 - numerics

    place = workplace(context)
    with reading(place.engine) as session:
        rows = [
            (*one.attribute[1:], one.criterion.title, one.criterion.acceptance)
            for one in attributes_of(session, place.archive, product)
        ]
    columns = ("Stage", "Market", "Criterion", "Title", "Accepts")
    table(columns, rows, empty="No approved specification.")


@app.command()
def show(
    context: typer.Context,
    product: Product,
    criterion: Criterion,
    *,
    stage: AtStage = Stage.RELEASE,
    market: Market = "",
    csv: Csv = None,
) -> None:
    """Every judged lot of an attribute, its limits and signals, and its figures."""
    from batchqc.actions.trend_controls import controls_of  # noqa: PLC0415 - numerics
    from batchqc.cli.trend_parts import tell_part  # noqa: PLC0415 - numerics
    from batchqc.statistics.lot_figures import told_figures  # noqa: PLC0415 - numerics
    from batchqc.statistics.phase_values import Part  # noqa: PLC0415 - numerics
    from batchqc.statistics.series_parts import parts_of  # noqa: PLC0415 - numerics

    place, trends = workplace(context), Trends()
    with reading(place.engine) as session:
        wanted = wanted_of(session, product, criterion, stage, market)
        trend = trends.of(session, place.archive, wanted)
        controls = controls_of(session, place.archive, wanted)
        if csv is not None:
            write_new(csv, trends.page(session, place.archive, wanted, kind="csv"))
    rows = [
        (
            one.lot.lot,
            one.lot.manufactured_on,
            one.lot.observed.text or "no value",
            one.lot.observed.outcome or "",
            _between(one),
            _figure(one.score, "+.2f"),
            ", ".join(each.rule for each in one.signals) or one.excluded,
        )
        for one in trend.lots
    ]
    columns = ("Lot", "Made", "Value", "Verdict", "Limits", "Sigma", "Signals")
    table(columns, rows, empty="No lot.")
    for phase in trend.phases[1:]:
        say(f"Phase {phase.number} begins with {phase.lots[0].lot}: {phase.because}")
    for one in trend.lots:
        for aside in one.lot.observed.aside:
            say(f"Not counted of {one.lot.lot}: {aside.value} in {aside.run}, {aside.why}")
    for said in (*(one.said for one in trend.signals), *trend.limitations):
        say(said)
    centre = [Part(f"Centre and sigma on the {trend.scale.kind} scale", *told_figures(trend))]
    for part in (
        *(centre if is_numeric(trend.criterion) else []),
        *parts_of(trend),
        *(one.part for one in controls),
    ):
        tell_part(part)
    say("Trends describe; no verdict and no gate hangs on them.")


@app.command()
def overview(
    context: typer.Context,
    product: Product,
    *,
    stage: AtStage = Stage.RELEASE,
    market: Market = "",
    csv: Csv = None,
) -> None:
    """Lots against attributes: each value with its flag."""
    from batchqc.actions.trend_overview import rows_of, trends_at  # noqa: PLC0415 - numerics
    from batchqc.cli.trend_parts import tell_profiles  # noqa: PLC0415 - numerics
    from batchqc.documents.csv_file import csv_bytes  # noqa: PLC0415 - numerics
    from batchqc.statistics.lot_profiles import profiles_of  # noqa: PLC0415 - numerics

    place = workplace(context)
    with reading(place.engine) as session:
        how = {"product": product, "stage": stage.value, "market": market}
        found = trends_at(session, place.archive, **how, trends=Trends())
    names = [one.attribute.criterion for one, _ in found]
    columns = ("Lot", "Made", "Disposition", *names)
    told = []
    for row in rows_of(found):
        cells = [row.cells.get(name) for name in names]
        texts = [f"{one.value} {one.flag}".strip() if one else "" for one in cells]
        told.append((row.lot, row.manufactured_on, row.disposition, *texts))
    if csv is not None:
        write_new(csv, csv_bytes([columns, *told]))
    table(columns, told, empty="No lot.")
    tell_profiles(profiles_of([trend for _, trend in found]))


@app.command()
def page(
    context: typer.Context,
    product: Product,
    to: Annotated[Path, typer.Option(help="A folder that is not there yet.")],
    *,
    stage: AtStage = Stage.RELEASE,
    market: Market = "",
) -> None:
    """Write the pages of a product: overview, attributes, plots as SVG, numbers as CSV."""
    from batchqc.actions.trend_files import trend_files  # noqa: PLC0415 - numerics

    place = workplace(context)
    expect_new_folder(to)
    with reading(place.engine) as session:
        files = list(
            trend_files(
                session,
                place.archive,
                product=the_product(session, product).code,
                stage=stage.value,
                market=market,
                trends=Trends(),
            )
        )
    to.mkdir(parents=True)
    for name, data in files:
        write_new(to / name, data)
    say(f"{len(files)} files are written; open {to / 'index.html'}")


def wanted_of(
    session: Session, product: str, criterion: str, stage: Stage, market: str
) -> Attribute:
    """The attribute that is named."""
    return Attribute(the_product(session, product).code, stage.value, market, criterion)


def _between(one: "Judged") -> str:
    if one.lower is None or one.upper is None:
        return one.by
    return f"{one.lower:.4g} to {one.upper:.4g}"


def _figure(value: float | None, how: str = ".4g") -> str:
    return "" if value is None else f"{value:{how}}"
