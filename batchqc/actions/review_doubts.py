"""What came into doubt of the lots of a product: failures, deviations, holds, look-backs.

Each is told as it stood at the end of the period: one that was over before the period is not.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batchqc.actions.review_tables import Days, table
from batchqc.core.canonical import Json
from batchqc.core.deviations import State
from batchqc.core.investigations import Finding
from batchqc.records.deviations import DeviationLot, DeviationRow
from batchqc.records.holds import Hold, holds_of
from batchqc.records.investigations import InvestigationRow, folded, investigations_of
from batchqc.records.look_backs import LookBack, LookBackClosing
from batchqc.records.registers import LotRow, Product


def doubt_tables(session: Session, product: Product, days: Days) -> Iterator[dict[str, Json]]:
    """Investigations, deviations, holds and look-backs."""
    for part in (_investigations, _deviations, _holds, _look_backs):
        yield from part(session, product, days)


def _investigations(session: Session, product: Product, days: Days) -> Iterator[dict[str, Json]]:
    lots = session.scalars(
        select(InvestigationRow.lot_id)
        .join(LotRow)
        .where(LotRow.product_id == product.id, InvestigationRow.opened_at < days.ends)
        .distinct()
    ).all()
    counted: dict[str, Counter[str]] = {}
    rows = []
    for row, steps in investigations_of(session, lots):
        if row.opened_at >= days.ends:
            continue
        within = [one for one in steps if one.taken_at < days.ends]
        stood = folded(row, within)
        last = max((one.taken_at for one in within), default=row.opened_at)
        if stood.conclusion is not None and last < days.begins:
            continue  # it was over before the period
        words = _standing(stood.conclusion.finding if stood.conclusion else None)
        told = [words] + (["opened"] if days.hold(row.opened_at) else [])
        if stood.is_overdue(days.period.last):
            told.append("overdue")
        for test in sorted(stood.tests):
            counted.setdefault(test, Counter()).update(told)
        cause = stood.conclusion.cause if stood.conclusion else ""
        rows.append(
            (row.natural_key, row.lot.lot, row.criterion, ", ".join(sorted(stood.tests)),
             days.day(row.opened_at), words, cause, "overdue" if "overdue" in told else "")
        )  # fmt: skip
    columns = ("opened", "confirmed", "invalidated", "open", "overdue")
    yield table(
        "oos_by_test", "Out of specification, by test", ("Test", *map(str.capitalize, columns)),
        ((test, *(counts[one] for one in columns)) for test, counts in sorted(counted.items())),
        note="Confirmed: the original stands. Invalidated: an assignable laboratory cause. An"
        " investigation of several tests counts for each.", numbers=5,
    )  # fmt: skip
    yield table(
        "oos", "Investigations",
        ("Investigation", "Lot", "Criterion", "Tests", "Opened on", "At the end", "Cause", "Due"),
        rows, note="Opened or worked on within the period, or open at its end.",
    )  # fmt: skip


def _standing(finding: Finding | None) -> str:
    if finding is None:
        return "open"
    return "invalidated" if finding is Finding.LABORATORY_CAUSE else "confirmed"


def _deviations(session: Session, product: Product, days: Days) -> Iterator[dict[str, Json]]:
    of_product = (
        select(DeviationRow.folded)
        .join(DeviationLot, DeviationLot.deviation_id == DeviationRow.id)
        .join(LotRow, LotRow.id == DeviationLot.lot_id)
        .where(LotRow.product_id == product.id)
    )
    newest = (
        select(func.max(DeviationRow.id))
        .where(DeviationRow.folded.in_(of_product), DeviationRow.kept_at < days.ends)
        .group_by(DeviationRow.folded)
    )
    rows = session.scalars(
        select(DeviationRow).where(DeviationRow.id.in_(newest)).order_by(DeviationRow.folded)
    )
    yield table(
        "deviations", "Deviations",
        ("Deviation", "Title", "At the end", "Blocking", "Kept on"),
        ((row.deviation, row.title, row.state, "yes" if row.blocking else "no",
          days.day(row.kept_at)) for row in rows
         if row.state != State.CLOSED or row.kept_at >= days.begins),
        note="That bear on lots of the product: worked on within the period, or open at its end.",
    )  # fmt: skip


def _holds(session: Session, product: Product, days: Days) -> Iterator[dict[str, Json]]:
    lots = session.scalars(
        select(Hold.lot_id)
        .join(LotRow, LotRow.id == Hold.lot_id)
        .where(LotRow.product_id == product.id, Hold.held_at < days.ends)
        .distinct()
    ).all()
    rows = []
    for hold, end in holds_of(session, lots):
        if hold.held_at >= days.ends:
            continue
        ended = end.signature.at if end is not None and end.signature.at < days.ends else None
        if hold.held_at >= days.begins or ended is None or ended >= days.begins:
            until = "open" if ended is None else days.day(ended)
            rows.append((hold.lot.lot, hold.cause, days.day(hold.held_at), until, hold.reason))
    yield table(
        "holds", "Holds", ("Lot", "Cause", "Held on", "Let go on", "Reason"), rows,
        note="Begun or ended within the period, or open at its end.",
    )  # fmt: skip


def _look_backs(session: Session, product: Product, days: Days) -> Iterator[dict[str, Json]]:
    """Those that held a lot of the product."""
    held: dict[str, set[str]] = defaultdict(set)
    query = select(Hold.about, LotRow.lot).join(LotRow, LotRow.id == Hold.lot_id)
    for about, lot in session.execute(query.where(LotRow.product_id == product.id)):
        held[about].add(lot)
    closed = {row.look_back_id: row.closed_at for row in session.scalars(select(LookBackClosing))}
    rows = []
    found = select(LookBack).where(LookBack.started_at < days.ends).order_by(LookBack.id)
    for row in session.scalars(found):
        over = closed.get(row.id)
        is_open = over is None or over >= days.ends
        if row.key in held and (is_open or over is None or over >= days.begins):
            until = "open" if is_open or over is None else days.day(over)
            lots = ", ".join(sorted(held[row.key]))
            begun = days.day(row.started_at)
            rows.append((row.natural_key, row.source, row.cause, begun, until, lots))
    yield table(
        "look_backs", "Look-backs",
        ("Look-back", "Source", "Cause", "Started on", "Closed on", "Lots held"), rows,
        note="That held a lot of the product: under way within the period.",
    )  # fmt: skip
