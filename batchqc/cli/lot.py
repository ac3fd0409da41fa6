"""``batchqc lot``: register lots, see what stands for and against them, review and decide."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from batchqc.actions.after_decision import came_after
from batchqc.actions.annex16 import permission_to_release
from batchqc.actions.certificates import issue_certificate
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.holds import hold_lot
from batchqc.actions.letting_go import let_go
from batchqc.actions.lots import NewLot, register_lot, the_lot
from batchqc.actions.trend_signals import signals_of
from batchqc.cli.csv_out import write_csv
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import (
    NOT_LATE,
    Keyboard,
    Late,
    Reason,
    User,
    Workplace,
    at_keyboard,
    raise_refusal,
    workplace,
)
from batchqc.core.gates import Gate
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import IntegrityFailure
from batchqc.records.decisions import certificate_let_go
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Actor, reading, transaction

app = typer.Typer(help="Lots: register them, see why and why not, review, release or reject.")

Lot = Annotated[str, typer.Argument(help="Its id.")]
Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], prompt=True, help="YYYY-MM-DD")]


@app.command("add")
def add(  # noqa: PLR0913 - a lot is this much
    context: typer.Context,
    lot: Lot,
    *,
    product: Annotated[str, typer.Option(prompt="Product", help="Code of its product.")],
    made: Day,
    expires: Day,
    donor: Annotated[list[str], typer.Option(help="Code; several for a pooled lot.")],
    user: User,
    market: Annotated[str, typer.Option(help="Where it goes; empty for every market.")] = "",
    of: Annotated[list[str] | None, typer.Option(help="Cell banks that it is made of.")] = None,
) -> None:
    """Register a lot. It begins in quarantine, under the specification then in force."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.REGISTER_LOT)
    with transaction(place.engine, actor, place.now()) as tx:
        days, made_of = (made.date(), expires.date()), tuple(of or ())
        new = NewLot(lot, product, *days, tuple(donor), market=market, made_of=made_of)
        row = register_lot(tx, new)
        bound = f"{row.specification_version.reference}, {row.bound_because}"
    say(f"Lot {lot} is registered and in quarantine. Specification: {bound}.")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every lot: its disposition, whether it is on hold or expired, how many gates are closed."""
    place = workplace(context)
    with reading(place.engine) as session:
        lots = session.scalars(select(LotRow).order_by(LotRow.folded)).all()
        cases = [study(session, place.archive, lot=lot, now=place.now()) for lot in lots]
        rows = [
            (
                case.lot.id,
                case.lot.product,
                case.lot.manufactured_on,
                ", ".join((case.disposition, *case.overlays)),
                _progress(case),
            )
            for case in cases
        ]
    table(("Lot", "Product", "Made", "Disposition", "Next"), rows, empty="No lot.")


@app.command("table")
def table_(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option(help="A CSV file to write; not replaced.")] = None,
) -> None:
    """Results of all lots side by side, as they were reported."""
    from batchqc.actions.tables import result_table  # noqa: PLC0415 - pandas is slow to load

    place = workplace(context)
    with reading(place.engine) as session:
        lots = session.scalars(select(LotRow).order_by(LotRow.folded)).all()
        found = result_table(
            study(session, place.archive, lot=lot, now=place.now()) for lot in lots
        )
    if to is None:
        table(("lot", *found.columns), found.reset_index().to_numpy().tolist(), empty="No lot.")
    else:
        rows = found.reset_index().to_numpy().tolist()
        write_csv(to, [("lot", *found.columns), *rows])
        say(f"{to} is written.")


@app.command()
def show(context: typer.Context, lot: Lot) -> None:
    """What is registered of a lot."""
    case = _case(workplace(context), lot)
    facts(
        [
            ("Lot", case.lot.id),
            ("Disposition", ", ".join((case.disposition, *case.overlays))),
            *((("Progress", case.progress),) if not case.dispositions else ()),
            ("Product", case.lot.product),
            ("Made", case.lot.manufactured_on),
            ("Last usable day", case.lot.expires_on),
            ("Specification", f"{case.version.reference}, {case.binding.because}"),
            *(
                (f"Donor {one.code}", f"{one.tissue_source}, {one.eligibility or 'not determined'}")
                for one in case.facts.donors
            ),
            *(
                (f"Correction {one.natural_key}", f"{one.field}: {one.before} -> {one.after}")
                for one, _ in case.corrections
            ),
            *(("Remark", remark) for gate in case.gates for remark in gate.remarks),
        ]
    )


@app.command()
def readiness(context: typer.Context, lot: Lot) -> None:
    """Every gate between a lot and its release: open or closed, why, and what to do."""
    place = workplace(context)
    with reading(place.engine) as session:
        case = study(session, place.archive, lot=the_lot(session, lot), now=place.now())
        signals = signals_of(session, place.archive, case)
    rows = [
        (gate.name, "open" if gate.is_open else "CLOSED", _said(gate), todo)
        for gate in case.gates
        for todo in ("" if gate.is_open else gate.todo,)
    ]
    table(("Gate", "", "Reasons", "What to do"), rows, empty="")
    for _, said in signals:
        say(f"For information: {said}")
    say(f"Lot {case.lot.id}: {'ready for a decision' if case.is_ready else 'not releasable'}.")


@app.command()
def results(context: typer.Context, lot: Lot) -> None:
    """Every verdict of a lot, and the cell that each result was read from."""
    place = workplace(context)
    case = _case(place, lot)
    rows = [
        (
            verdict.criterion.title,
            verdict.sentence,
            "\n".join(
                f"{one.run.upload}, row {one.cell.row}, {one.cell.column}: {one.cell.text}"
                for one in verdict.measurements
            ),
        )
        for verdict in case.verdicts
    ]
    table(("Criterion", "Verdict", "Read from"), rows, empty="Nothing is judged.")
    if after := came_after(place.archive, case):
        say(f"After the decision, on no certificate: {'; '.join(sorted(map(str, after)))}.")


@app.command()
def release(
    context: typer.Context, lot: Lot, user: User, reason: Reason, late: Late = NOT_LATE
) -> None:
    """Release a lot with your signature, and issue its certificate."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the release of lot {lot}")
    actor, number = releasing(place, keyboard, lot), ""
    with transaction(place.engine, actor, place.now()) as tx:
        signed = release_lot(
            tx, place.archive, lot=lot, credentials=keyboard.signing(reason, late=late)
        )
        if isinstance(signed, Decision) and signed.certificate is not None:
            number = signed.certificate.natural_key
    raise_refusal(signed)
    say(f"Lot {lot} is released.")
    seal(place, actor, number)


@app.command()
def reject(
    context: typer.Context, lot: Lot, user: User, reason: Reason, late: Late = NOT_LATE
) -> None:
    """Reject a lot with your signature."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the rejection of lot {lot}")
    actor = keyboard.acting(Permission.REJECT_LOT)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = reject_lot(
            tx, place.archive, lot=lot, credentials=keyboard.signing(reason, late=late)
        )
    raise_refusal(signed)
    say(f"Lot {lot} is rejected.")


@app.command()
def hold(
    context: typer.Context, lot: Lot, user: User, reason: Reason, late: Late = NOT_LATE
) -> None:
    """Hold a lot with your signature; it cannot be released while it is held."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the hold of lot {lot}")
    actor = keyboard.acting(Permission.HOLD_LOT)
    with transaction(place.engine, actor, place.now()) as tx:
        held = hold_lot(tx, lot=lot, credentials=keyboard.signing(reason, late=late))
        number = 0 if isinstance(held, Refusal) else held.number
    raise_refusal(held)
    say(f"Lot {lot} is on hold (hold {number}).")


@app.command("let-go")
def let_go_(
    context: typer.Context,
    lot: Lot,
    number: Annotated[int, typer.Argument(help="Of the hold; see its readiness.")],
    user: User,
    reason: Reason,
) -> None:
    """End one hold of a lot with your signature; others stay."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the end of hold {number} of lot {lot}")
    actor = keyboard.acting(Permission.HOLD_LOT)
    with transaction(place.engine, actor, place.now()) as tx:
        credentials = keyboard.signing(reason)
        ended = let_go(tx, place.archive, lot=lot, number=number, credentials=credentials)
        anew = []
        if not isinstance(ended, Refusal):
            found = certificate_let_go(tx.session, ended.hold.lot_id, ended.key)
            anew = [found.natural_key] if found else []
    raise_refusal(ended)
    say(f"Hold {number} of lot {lot} has ended.")
    for one in anew:
        seal(place, keyboard.acting(Permission.ISSUE_CERTIFICATE), one)


def releasing(place: Workplace, keyboard: Keyboard, lot: str) -> Actor:
    """The person in the role that releases this lot: a qualified person, where one certifies it."""
    with reading(place.engine) as session:
        permission = permission_to_release(session, the_lot(session, lot))
    return keyboard.acting(permission)


def seal(place: Workplace, actor: Actor, number: str) -> None:
    """Issue a certificate whose decision has committed; say where it is, or why it is pending.

    Raises:
        IntegrityFailure: what it is made of is damaged; the decision stands, and that is told.
    """
    try:
        issue_certificate(
            place.engine, place.archive, place.press, number=number, actor=actor, clock=place.now
        )
    except Exception as problem:  # whatever it ended in, the decision stands: that is told
        say(f"Certificate {number} is pending: {str(problem) or type(problem).__name__}")
        if isinstance(problem, IntegrityFailure):  # no script goes on over it as if all were well
            raise
    else:
        say(f"Certificate {number} is issued: batchqc certificate get {number}")


def _case(place: Workplace, lot: str) -> LotCase:
    with reading(place.engine) as session:
        return study(session, place.archive, lot=the_lot(session, lot), now=place.now())


def _said(gate: Gate) -> str:
    return "\n".join((*gate.reasons, *(f"remark: {remark}" for remark in gate.remarks)))


def _progress(case: LotCase) -> str:
    if case.dispositions:
        return ""
    closed = [gate.name for gate in case.gates if not gate.is_open]
    return f"closed: {', '.join(closed)}" if closed else "ready for a decision"
