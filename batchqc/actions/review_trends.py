"""Trends of the attributes of a product over the lots that were made within a period.

Series, phases, frozen limits and signals are those of the pages of trends, over all lots of the
product; shown are the lots of the period. Figures are of them, one phase at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from batchqc.actions.review_lots import ReviewedLot, ReviewedLots
from batchqc.actions.review_tables import table
from batchqc.actions.trends import Trends
from batchqc.core.canonical import Json
from batchqc.core.criteria import Category, Criterion
from batchqc.core.trend_phases import Phase
from batchqc.core.trends import Attribute, is_numeric
from batchqc.documents.archive import Archive
from batchqc.errors import IntegrityFailure, NotFound

if TYPE_CHECKING:
    from batchqc.statistics.attribute_review import AttributeReview
    from batchqc.statistics.figures import Figure
    from batchqc.statistics.lot_series import Judged, Trend


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One attribute over the lots of the period.

    ``judged`` are the lots by their ids, each with the criterion that judges it; ``phases`` is what
    is said of each phase of the trend.
    """

    trend: "Trend"
    judged: Mapping[str, tuple[ReviewedLot, Criterion]]
    phases: tuple["AttributeReview", ...]

    @property
    def title(self) -> str:
        """As the pages call it."""
        of = self.trend.attribute
        return f"{self.trend.criterion.title} ({', '.join(filter(None, of[1:3]))})"

    @property
    def each(self) -> Iterator[tuple[str, Phase, "AttributeReview"]]:
        """The phases, each with its name and what is said of it."""
        for phase, review in zip(self.trend.phases, self.phases, strict=True):
            yield f"Phase {phase.number}", phase, review


def reviewed_trends(
    session: Session, archive: Archive, product: str, lots: ReviewedLots, trends: Trends
) -> list[Reviewed]:
    """Every attribute of which a lot has a number; what cannot be read is told with ``lots``."""
    from batchqc.statistics.attribute_review import review_phase  # noqa: PLC0415 - numerics
    from batchqc.statistics.lot_series import part_of  # noqa: PLC0415 - SciPy

    found, attributes = [], _attributes(product, lots.lots)
    trends.prepare(session, archive, attributes)
    for attribute, judged in attributes.items():
        try:
            trend = part_of(trends.of(session, archive, attribute), judged)
        except NotFound:
            continue  # nothing judges these lots at this stage any more
        except IntegrityFailure as problem:
            lots.damaged.add(f"the trend of {attribute.name} cannot be read: {problem.message}")
            continue
        if any(one.value is not None for one in trend.lots):
            reviews = tuple(
                review_phase(trend, phase, judged[phase.lots[0].lot][1]) for phase in trend.phases
            )
            found.append(Reviewed(trend, judged, reviews))
    return found


def charts(found: Sequence[Reviewed]) -> list[Json]:
    """Chart, figures and signals of each attribute."""
    return [_chart(one) for one in found]


def _attributes(
    product: str, lots: Sequence[ReviewedLot]
) -> dict[Attribute, dict[str, tuple[ReviewedLot, Criterion]]]:
    found: dict[Attribute, dict[str, tuple[ReviewedLot, Criterion]]] = {}
    for lot in lots:
        for version, verdict in lot.judged:
            one = verdict.criterion
            if is_numeric(one):
                attribute = Attribute(product, version.stage, version.market, one.id)
                found.setdefault(attribute, {})[lot.row.lot] = (lot, one)
    return found


def _chart(one: Reviewed) -> dict[str, Json]:
    from batchqc.documents.review_chart import series_content  # noqa: PLC0415 - SciPy
    from batchqc.documents.trend_pages.of_lots import control_series  # noqa: PLC0415 - SciPy

    trend = one.trend
    return {
        "title": one.title,
        "attribute": trend.attribute.name,
        "unit": trend.criterion.unit,
        "acceptance": trend.criterion.acceptance,
        "scale": trend.scale.kind,
        "n": sum(each.n for each in one.phases),
        "censored": sum(each.censored for each in one.phases),
        "chart": series_content(control_series(trend)),
        "phases": [[name, *_phase(trend, phase)] for name, phase, _ in one.each],
        "signals": [
            [
                each.rule,
                each.by,
                each.lot,
                _lots(each.lots),
                _scale(trend, each.by),
                *_numbers(each.centre, each.sigma),
            ]
            for each in trend.signals
        ],
        "figures": [
            {"phase": name, **_figure(figure)}
            for name, _, review in one.each
            for figure in review.figures
        ],
        "limitations": [
            *trend.limitations,
            *(f"{name}: {text}" for name, _, review in one.each for text in review.limitations),
        ],
    }


def _phase(trend: "Trend", phase: Phase) -> list[str]:
    """Why it begins, methods, site, criterion, and what its lots of the period are judged by."""
    by = sorted({trend.by_lot[one.lot].by for one in phase.lots} - {""})
    return [
        phase.because, ", ".join(phase.methods), phase.site, phase.acceptance,
        f"{phase.lots[0].lot} to {phase.lots[-1].lot}", str(len(phase.lots)), ", ".join(by),
    ]  # fmt: skip


def _scale(trend: "Trend", by: str) -> str:
    """The scale that sigma is on."""
    held = (one.lines.scale.kind for one in trend.sets if by == f"limit set {one.number}")
    return next(held, trend.scale.kind)


def _lots(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]} ({len(names)})"


def _figure(one: "Figure") -> dict[str, Json]:
    value, lower, upper = _numbers(one.value, one.lower, one.upper)
    return {
        "name": one.name,
        "value": value,
        "lower": lower,
        "upper": upper,
        "confidence": f"{one.confidence:g}" if one.confidence else "",
        "n": one.n,
        "method": one.method,
        "assumptions": list(one.assumptions),
        "limitations": list(one.limitations),
    }


def _numbers(*values: Any) -> list[str]:
    from batchqc.statistics.attribute_review import number_text  # noqa: PLC0415 - SciPy

    return [number_text(one) for one in values]


def trend_tables(found: Sequence[Reviewed]) -> Iterator[dict[str, Json]]:
    """The tables behind the charts."""
    yield table(
        "results", "Results of every lot",
        ("Attribute", "Phase", "Lot", "Made on", "Donor", "Specification", "Method", "Site",
         "Verdict", "Judged by", "Score", "Unit", "Result"),
        ((one.title, lot.phase, *_identity(one, lot), lot.lot.specification,
          ", ".join(lot.lot.observed.methods), lot.lot.site, _verdict(lot), lot.by,
          *_numbers(lot.score), one.trend.criterion.unit, lot.lot.observed.text)
         for one in found for lot in one.trend.lots),
        note="What the charts show.", numbers=1,
    )  # fmt: skip
    yield table(
        "figures", "Figures",
        ("Attribute", "Phase", "Figure", "Scale", "Method", "Assumptions", "Limitations",
         "Confidence", "Lower", "Upper", "n", "Value"),
        ((one.title, name, each.name, one.trend.scale.kind, each.method,
          "; ".join(each.assumptions), "; ".join(each.limitations),
          f"{each.confidence:g}" if each.confidence else "",
          *_numbers(each.lower, each.upper), each.n, *_numbers(each.value))
         for one in found for name, _, review in one.each for each in review.figures),
        numbers=5,
    )  # fmt: skip
    yield table(
        "signals", "Signals",
        ("Attribute", "Rule", "By", "Lot", "Lots", "Scale", "Centre", "Sigma"),
        ((one.title, each.rule, each.by, each.lot, " ".join(each.lots), _scale(one.trend, each.by),
          *_numbers(each.centre, each.sigma)) for one in found for each in one.trend.signals),
        note="Of lots of the period; centre in the unit of the attribute, sigma on the scale.",
        numbers=2,
    )  # fmt: skip
    yield table(
        "potency", "Potency, lot by lot", ("Lot", "Made on", "Attribute", "Verdict", "Unit",
                                           "Result"),
        ((lot.lot.lot, lot.lot.manufactured_on, one.title, _verdict(lot),
          one.trend.criterion.unit, lot.lot.observed.text)
         for one in found if one.trend.criterion.category is Category.POTENCY
         for lot in one.trend.lots),
        note="Results of the category potency, of lots made within the period.", numbers=1,
    )  # fmt: skip


def _identity(one: Reviewed, lot: "Judged") -> tuple[str, str, str]:
    return lot.lot.lot, lot.lot.manufactured_on, one.judged[lot.lot.lot][0].donor


def _verdict(lot: "Judged") -> str:
    return str(lot.lot.observed.outcome or "for information")
