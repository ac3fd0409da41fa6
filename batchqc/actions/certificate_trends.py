"""The lot on the control charts of its viability and potency, frozen with its decision.

Points are of the phase of the lot, up to the lot itself, and limits are those of the newest
approved set of that phase that was made without it: as on the pages of trends. What a chart shows
decides nothing, so a series that cannot be read is told and stops no decision.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase
from batchqc.actions.trend_facts import SharedFacts
from batchqc.actions.trend_series import SeriesReader
from batchqc.core.certificate_parts import TrendLimits, TrendPart, TrendPoint
from batchqc.core.criteria import Category, Criterion
from batchqc.core.subjects import Measured
from batchqc.core.trend_phases import Phase, TrendLot, in_order, phases
from batchqc.core.trends import Attribute, is_numeric
from batchqc.documents.archive import Archive
from batchqc.errors import BatchqcError
from batchqc.records.corrections import lots_redated
from batchqc.records.registers import LotRow
from batchqc.records.trends import limit_sets_of, phases_begun

#: More charts than these make no page better.
MOST_CHARTS: Final = 4
MOST_POINTS: Final = 30
#: How many lots back the phase of a lot is looked for, without and with approved limits.
NEAR: Final = 60
FAR: Final = 400

_VIABILITY: Final = "viability"
_NO_SET: Final = "No control limits are approved for this series."
_NOT_IN_IT: Final = "The lot is not in the series of its product."
_OTHER: Final = "No approved control limits hold for this lot."
_LONG: Final = "The series is longer than is looked at here: see its page for control limits."


def trends_of_lot(session: Session, archive: Archive, case: LotCase) -> list[TrendPart]:
    """A chart for each measured viability and potency of a lot, and where limits are approved."""
    charted = list(islice(_charted(session, case), MOST_CHARTS))
    if not charted:
        return []
    near, others = _near(session, case)
    shared = SharedFacts(session, archive, {*near, *others})
    look = _Look(session, archive, case, near, others, shared)
    return [look.chart(attribute, criterion) for attribute, criterion in charted]


def _charted(session: Session, case: LotCase) -> Iterator[tuple[Attribute, Criterion]]:
    if case.specification is None:
        return
    approved = {
        row.attribute
        for row, approval in limit_sets_of(session, case.row.product.code)
        if approval is not None
    }
    rules = case.specification
    for verdict in case.verdicts:
        one = verdict.criterion
        name = Attribute(rules.product, rules.stage.value, rules.market, one.id)
        if is_numeric(one) and verdict.derivation.result and (_is_shown(one) or name in approved):
            yield name, one


def _is_shown(criterion: Criterion) -> bool:
    subject = criterion.subject
    is_viability = isinstance(subject, Measured) and subject.analyte.casefold() == _VIABILITY
    return criterion.category is Category.POTENCY or is_viability


@dataclass(frozen=True, slots=True)
class _Look:
    """One lot, and what its charts have in common: lots ``near`` it, the latest first, and others.

    ``others`` are the lot itself and those whose date of manufacture was corrected.
    """

    session: Session
    archive: Archive
    case: LotCase
    near: Sequence[int]
    others: Sequence[int]
    shared: SharedFacts

    def chart(self, attribute: Attribute, criterion: Criterion) -> TrendPart:
        """The lot in one series."""
        part: TrendPart = {
            "criterion": criterion.id,
            "title": criterion.title,
            "unit": criterion.unit,
            "points": [],
            "limits": None,
            "said": _NO_SET,
        }
        try:
            sets = _sets(self.session, self.archive, attribute)
            lots = self._lots_so_far(attribute, far=bool(sets))
        except BatchqcError as problem:
            return {**part, "said": f"The series cannot be looked at: {problem.message}."}
        if not lots:
            return {**part, "said": _NOT_IN_IT}
        phase = _phase(self.session, attribute, lots)
        part["points"] = [point for lot in phase.lots for point in _points(lot)][-MOST_POINTS:]
        if sets:
            fitting = [one for one in sets if _fits(one[2], phase)]
            held = [one for one in fitting if phase.has(one[2]["first"])]
            is_cut = len(self.near) >= FAR and phase.lots[0] == lots[0]
            part["limits"] = _limits(*held[0]) if held else None
            part["said"] = "" if held else _LONG if fitting and is_cut else _OTHER
        return part

    def _lots_so_far(self, attribute: Attribute, *, far: bool) -> Sequence[TrendLot]:
        """The lots of a series up to this one, as many as its phase is looked for in; or none."""
        own = self.case.row
        reader = SeriesReader(self.session, self.archive, attribute, self.shared)
        read = dict(reader.lots({*self.near[: FAR if far else NEAR], *self.others}))
        if own.id not in read:
            return ()
        return [one for one in in_order(read.values()) if one.place <= read[own.id].place]


def _near(session: Session, case: LotCase) -> tuple[Sequence[int], Sequence[int]]:
    """Lots registered as made before one, the latest first, so many at the most; and others.

    The others are itself, and those whose date of manufacture was corrected: wherever they stand.
    """
    own, made_on = case.row, case.lot.manufactured_on.isoformat()
    lots = select(LotRow.id).where(LotRow.product_id == own.product_id)
    before = (
        lots.where(LotRow.manufactured_on <= made_on)
        .order_by(LotRow.manufactured_on.desc(), LotRow.lot.desc())
        .limit(FAR)
    )
    others = session.scalars(lots.where(LotRow.lot.in_(lots_redated(session))))
    return session.scalars(before).all(), [own.id, *others]


def _phase(session: Session, attribute: Attribute, lots: Sequence[TrendLot]) -> Phase:
    begun = phases_begun(session, attribute.product, attribute)
    return phases(lots, {one.lot.lot: one.reason for one in begun})[-1]


def _points(lot: TrendLot) -> Iterator[TrendPoint]:
    amount = lot.observed.amount
    if amount is not None:
        yield {
            "lot": lot.lot,
            "manufactured_on": lot.manufactured_on,
            "qualifier": amount.qualifier if amount.is_censored else "",
            "value": str(amount.number),
        }


def _sets(
    session: Session, archive: Archive, attribute: Attribute
) -> list[tuple[int, str, dict[str, Any]]]:
    """Number, hash and content of each approved limit set, newest first."""
    found = limit_sets_of(session, attribute.product, attribute)
    return [
        (row.number, row.content_sha, json.loads(archive.get(row.content_sha)))
        for row, approval in reversed(found)
        if approval is not None
    ]


def _fits(content: dict[str, Any], phase: Phase) -> bool:
    """Whether limits are of what this phase is of, and were made without its last lot."""
    known = {lot for lot, text in (*content["lots"], *content["excluded"]) if text}
    return content["definition"] == phase.definition and phase.lots[-1].lot not in known


def _limits(number: int, sha256: str, content: dict[str, Any]) -> TrendLimits:
    lines = {name: _decimal(text) for name, text in content["in_unit"].items()}
    return {
        "limit_set": number,
        "sha256": sha256,
        "n": content["n"],
        "method": content["method"],
        "lower": lines["lower"],
        "centre": lines["centre"],
        "upper": lines["upper"],
    }


def _decimal(text: str) -> str:
    """A line as decimal text; empty where the scale leads nowhere."""
    number = Decimal(text)
    return str(number) if number.is_finite() else ""
