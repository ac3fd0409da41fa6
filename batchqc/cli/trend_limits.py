"""``batchqc trend propose``, ``approve``, ``phase`` and ``limits``: limits that QA freezes."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from batchqc.actions.limit_sets import (
    NewLimits,
    approve_limits,
    causes_of,
    propose_limits,
    start_phase,
    the_limits,
)
from batchqc.actions.trends_of_product import frozen_of
from batchqc.cli.show import facts, say, table
from batchqc.cli.trend import AtStage, Criterion, Market, Product, wanted_of
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.core.specifications import Stage
from batchqc.errors import InvalidInput
from batchqc.records.transaction import reading, transaction
from batchqc.records.trends import limit_sets_of

app = typer.Typer()

Number = Annotated[int, typer.Argument(help="The how many-th limit set.")]


@app.command()
def propose(  # noqa: PLR0913 - limits are this much
    context: typer.Context,
    product: Product,
    criterion: Criterion,
    user: User,
    reason: Reason,
    *,
    phase: Annotated[int, typer.Option(help="0 is the newest.")] = 0,
    until: Annotated[str, typer.Option(help="The last lot to look at.")] = "",
    exclude: Annotated[
        list[str] | None, typer.Option(help="LOT=its assignable cause; one for each lot.")
    ] = None,
    scale: Annotated[
        str, typer.Option(help="identity, ln, complement cube root, logit; empty: of its kind.")
    ] = "",
    method: Annotated[str, typer.Option(help="prediction, individuals; empty: by lots.")] = "",
    rule: Annotated[list[str] | None, typer.Option(help="1 to 8, we1 to we4.")] = None,
    stage: AtStage = Stage.RELEASE,
    market: Market = "",
) -> None:
    """Compute control limits from the lots of a phase; another person approves them."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.PROPOSE_LIMITS)
    with transaction(place.engine, actor, place.now()) as tx:
        new = NewLimits(
            wanted_of(tx.session, product, criterion, stage, market),
            reason,
            phase=phase,
            until=until,
            excluded=_causes(exclude or []),
            scale=scale,
            method=method,
            rules=rule or (),
        )
        row = propose_limits(tx, place.archive, new)
        number, content = row.number, frozen_of(place.archive, row).content
    say(f"{_how(content)}; {_alarms(content)}")
    say(f"Limit set {number} is proposed. Next: batchqc trend limits, and approve.")


@app.command()
def approve(  # noqa: PLR0913 - who, what and why
    context: typer.Context,
    product: Product,
    criterion: Criterion,
    number: Number,
    user: User,
    reason: Reason,
    *,
    stage: AtStage = Stage.RELEASE,
    market: Market = "",
) -> None:
    """Approve a limit set with your signature. Who proposed it may not."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"approve limit set {number} of {criterion}")
    actor = keyboard.acting(Permission.APPROVE_LIMITS)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = approve_limits(
            tx,
            place.archive,
            attribute=wanted_of(tx.session, product, criterion, stage, market),
            number=number,
            credentials=keyboard.signing(reason),
        )
    raise_refusal(signed)
    say(f"Limit set {number} of {product} {criterion} is approved.")


@app.command("phase")
def begin(  # noqa: PLR0913 - who, what and why
    context: typer.Context,
    product: Product,
    criterion: Criterion,
    lot: Annotated[str, typer.Argument(help="The first lot of the phase.")],
    user: User,
    reason: Reason,
    *,
    stage: AtStage = Stage.RELEASE,
    market: Market = "",
) -> None:
    """Let a phase begin with a lot, for a reason that you sign, such as a process change."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"start a phase of {criterion} with lot {lot}")
    actor = keyboard.acting(Permission.START_PHASE)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = start_phase(
            tx,
            place.archive,
            attribute=wanted_of(tx.session, product, criterion, stage, market),
            lot=lot,
            credentials=keyboard.signing(reason),
        )
    raise_refusal(signed)
    say(f"A phase of {product} {criterion} begins with lot {lot}.")


@app.command()
def limits(
    context: typer.Context,
    product: Product,
    criterion: Criterion,
    number: Annotated[int, typer.Argument(help="One of them; 0 for a list.")] = 0,
    *,
    stage: AtStage = Stage.RELEASE,
    market: Market = "",
) -> None:
    """Every limit set of an attribute, or one with all that it was computed from."""
    place = workplace(context)
    with reading(place.engine) as session:
        wanted = wanted_of(session, product, criterion, stage, market)
        found = (
            [the_limits(session, wanted, number)]
            if number
            else limit_sets_of(session, wanted.product, wanted)
        )
        rows = [
            (
                (row.number, row.reason, row.proposed_by,
                 approval.signature.name if approval else "nobody yet"),
                row.content_sha,
                frozen_of(place.archive, row).content,
            )
            for row, approval in found
        ]  # fmt: skip
    if not number:
        columns = (
            "Set", "Reason", "Proposed by", "Approved by", "n", "Lower", "Centre", "Upper", "Rules",
        )  # fmt: skip
        lines = [
            (*head, content["n"], *_lines(content), _alarms(content)) for head, _, content in rows
        ]
        table(columns, lines, empty="No limit set.")
        return
    ((head, sha256, content),) = rows
    facts(
        [
            ("Set", head[0]),
            ("Reason", head[1]),
            ("Proposed by", head[2]),
            ("Approved by", head[3]),
            ("SHA-256", sha256),
            ("Limits", ", ".join(_lines(content))),
            ("How", _how(content)),
            ("Rules", _alarms(content)),
            ("Lots", ", ".join(f"{lot} {value}" for lot, value in content["lots"])),
            ("Excluded", "; ".join(f"{lot}: {why}" for lot, why in content["excluded"]) or "none"),
            ("Software", ", ".join(f"{name} {one}" for name, one in content["versions"].items())),
        ]
    )
    names = ("name", "value", "lower", "upper", "n", "method", "assumptions")
    figures = (*content["figures"], content["run_length"])
    told = [tuple(each.get(name, "") for name in names) for each in figures]
    table([name.capitalize() for name in names], told, empty="No figure.")


def _lines(content: Mapping[str, Any]) -> tuple[str, str, str]:
    """Lower limit, centre and upper limit in the unit of the attribute."""
    line = content["in_unit"]
    lower, centre, upper = (f"{float(line[name]):.4g}" for name in ("lower", "centre", "upper"))
    return lower, centre, upper


def _how(content: Mapping[str, Any]) -> str:
    return f"{content['n']} lots, {content['limits']}, {content['scale']['kind']} scale"


def _alarms(content: Mapping[str, Any]) -> str:
    """How rarely the rules of a set alarm falsely, together."""
    average = content["run_length"]
    lots = f"{float(average['value']):.0f}"
    return (
        f"rules {', '.join(content['rules'])}: one false alarm in {lots} lots on average"
        f" ({average['method']})"
    )


def _causes(given: list[str]) -> dict[str, str]:
    found = []
    for one in given:
        lot, equals, cause = one.partition("=")
        if not equals:
            raise InvalidInput(
                "BQC-TRD-007", f'"{one}" is no lot with its cause', hint="LOT=its assignable cause"
            )
        found.append((lot.strip(), cause.strip()))
    return causes_of(found)
