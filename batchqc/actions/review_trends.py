"""Trends of the attributes of a product over the lots that were made within a period.

A chart is of one attribute under one specification version, one version of its method and one
site: what differs in one of them is another phase, and no figure is made over both.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from batchqc.actions.review_lots import ReviewedLot
from batchqc.actions.review_tables import table
from batchqc.core.canonical import Json
from batchqc.core.criteria import Category, Criterion
from batchqc.core.quality_reviews import scale_of
from batchqc.core.quantities import Amount, Interval, parse_amount
from batchqc.core.verdicts import Verdict

if TYPE_CHECKING:
    from batchqc.statistics.attribute_review import Attribute, AttributeReview
    from batchqc.statistics.figures import Figure


_COUNTED: Final = (
    "charts are counted as if independent",
    "rules are counted as if they began anew after each flag",
)


@dataclass(frozen=True, slots=True)
class Point:
    """The result of one lot: its text, and its amount where it is one number."""

    lot: ReviewedLot
    verdict: Verdict
    amount: Amount | None


@dataclass(frozen=True, slots=True)
class Phase:
    """One attribute under one specification version, one version of its method, and one site."""

    stage: str
    specification: str
    method: str
    site: str
    criterion: Criterion
    points: tuple[Point, ...]


def phases_of(lots: Sequence[ReviewedLot]) -> list[Phase]:
    """The phases of every attribute with a numeric result, in the order of their first lots."""
    found: dict[tuple[str, ...], list[Point]] = {}
    criteria: dict[tuple[str, ...], Criterion] = {}
    for lot in lots:
        for version, verdict in lot.judged:
            if verdict.derivation.result == "":
                continue
            amount = _amount(verdict.derivation.result)
            used = sorted({one.version for one in verdict.measurements if one.version})
            method = " ".join([verdict.criterion.method, *(f"v{one}" for one in used)])
            name = (
                version.stage, verdict.criterion.id, version.reference, method, lot.row.site.name,
            )  # fmt: skip
            criteria.setdefault(name, verdict.criterion)
            found.setdefault(name, []).append(Point(lot, verdict, amount))
    phases = [
        Phase(name[0], name[2], name[3], name[4], criteria[name], tuple(points))
        for name, points in found.items()
        if any(point.amount for point in points)
    ]
    order = list(dict.fromkeys((one.stage, one.criterion.id) for one in phases))
    return sorted(phases, key=lambda one: order.index((one.stage, one.criterion.id)))


def trends(phases: Sequence[Phase]) -> tuple[list[Json], list[Json]]:
    """Charts with what is said of each, and the tables behind them."""
    from batchqc.statistics.attribute_review import (  # noqa: PLC0415 - SciPy, for reviews only
        review_attribute,
    )

    reviews = [review_attribute(_attribute(phase)) for phase in phases]
    titles = _titles(phases)
    charts: list[Json] = [
        _chart(title, phase, review)
        for title, phase, review in zip(titles, phases, reviews, strict=True)
    ]
    tables: list[Json] = list(_tables(titles, phases, reviews))
    return charts, tables


def false_flags(charts: Sequence[Mapping[str, Json]]) -> list[tuple[str, object]]:
    """What the rules flag where nothing changes, over all charts with limits."""
    from batchqc.statistics.attribute_review import (  # noqa: PLC0415
        RULES,
        expected_flags,
        number_text,
        run_length,
    )

    lots = sum(int(str(one["n"])) for one in charts if one["lower"] or one["upper"])
    average = run_length()
    ends = f"{number_text(average.lower)} to {number_text(average.upper)}"
    seen = sum(len(found) for one in charts if isinstance(found := one["signals"], list))
    return [
        ("Rules", ", ".join(f"Nelson {one}" for one in RULES)),
        ("Charts with limits, points in all", lots),
        ("Average run length to a false flag", f"{number_text(average.value)} ({ends})"),
        ("Expected false flags in all", number_text(expected_flags(lots))),
        ("Signals found", seen),
        ("Assumed", "; ".join((*average.assumptions, *_COUNTED))),
        ("Method", average.method),
    ]


def _amount(text: str) -> Amount | None:
    """The number of a result; one without an end is shown cut, and read as it is shown."""
    return parse_amount(text.removesuffix("…"))


def _attribute(phase: Phase) -> "Attribute":
    from batchqc.statistics.attribute_review import Attribute  # noqa: PLC0415

    passing, resolution = phase.criterion.passing, phase.criterion.resolution
    limits = passing if isinstance(passing, Interval) else Interval()
    return Attribute(
        [None if one.amount is None else Fraction(one.amount.number) for one in phase.points],
        ["=" if one.amount is None else one.amount.qualifier for one in phase.points],
        [one.lot.donor for one in phase.points],
        scale_of(phase.criterion),
        limits.low,
        limits.high,
        None if resolution is None else Fraction(resolution),
    )


def _titles(phases: Sequence[Phase]) -> list[str]:
    """Title of each chart; an attribute with several phases counts them."""
    names = [(one.stage, one.criterion.id) for one in phases]
    titles = []
    for number, phase in enumerate(phases):
        title = f"{phase.criterion.title} ({phase.stage})"
        if (count := names.count(names[number])) > 1:
            title += f", phase {names[: number + 1].count(names[number])} of {count}"
        titles.append(title)
    return titles


def _chart(title: str, phase: Phase, review: "AttributeReview") -> dict[str, Json]:
    from batchqc.statistics.attribute_review import number_text  # noqa: PLC0415

    limits = phase.criterion.passing
    low, high = (limits.low, limits.high) if isinstance(limits, Interval) else (None, None)
    return {
        "title": title,
        "unit": phase.criterion.unit,
        "acceptance": phase.criterion.acceptance,
        "specification": phase.specification,
        "method": phase.method,
        "site": phase.site,
        "scale": review.scale,
        "n": review.n,
        "censored": review.censored,
        "centre": number_text(review.centre),
        "lower": number_text(review.lower),
        "upper": number_text(review.upper),
        "specification_lower": "" if low is None else _shown(low),
        "specification_upper": "" if high is None else _shown(high),
        "lots": [one.lot.row.lot for one in phase.points],
        "values": ["" if one.amount is None else one.amount.text for one in phase.points],
        "signals": [
            [one.rule, phase.points[one.point - 1].lot.row.lot, one.point,
             ", ".join(str(member) for member in one.members), number_text(one.centre),
             number_text(one.sigma)]
            for one in review.signals
        ],
        "figures": [_figure(one) for one in review.figures],
        "limitations": list(review.limitations),
    }  # fmt: skip


def _shown(limit: Fraction) -> str:
    from batchqc.core.quantities import decimal_text  # noqa: PLC0415

    return decimal_text(limit)


def _figure(one: "Figure") -> dict[str, Json]:
    from batchqc.statistics.attribute_review import number_text  # noqa: PLC0415

    return {
        "name": one.name,
        "value": number_text(one.value),
        "lower": number_text(one.lower),
        "upper": number_text(one.upper),
        "confidence": number_text(one.confidence) if one.confidence else "",
        "n": one.n,
        "method": one.method,
        "assumptions": list(one.assumptions),
        "limitations": list(one.limitations),
    }


def _tables(
    titles: Sequence[str], phases: Sequence[Phase], reviews: Sequence["AttributeReview"]
) -> Iterator[dict[str, Json]]:
    from batchqc.statistics.attribute_review import number_text  # noqa: PLC0415

    each = list(zip(titles, phases, reviews, strict=True))
    yield table(
        "results", "Results of every lot",
        ("Attribute", "Lot", "Made on", "Donor", "Specification", "Method", "Site", "Verdict",
         "Unit", "Result"),
        ((title, one.lot.row.lot, one.lot.made_on, one.lot.donor, phase.specification,
          phase.method, phase.site, one.verdict.outcome or "for information",
          phase.criterion.unit, one.verdict.derivation.result)
         for title, phase, _ in each for one in phase.points),
        note="What the charts show.", numbers=1,
    )  # fmt: skip
    yield table(
        "figures", "Figures",
        ("Attribute", "Figure", "Scale", "Method", "Assumptions", "Limitations", "Confidence",
         "Lower", "Upper", "n", "Value"),
        ((title, one.name, review.scale, one.method, "; ".join(one.assumptions),
          "; ".join(one.limitations), number_text(one.confidence) if one.confidence else "",
          number_text(one.lower), number_text(one.upper), one.n, number_text(one.value))
         for title, _, review in each for one in review.figures),
        numbers=5,
    )  # fmt: skip
    yield table(
        "signals", "Signals",
        ("Attribute", "Rule", "Lot", "Points", "Centre", "Sigma"),
        ((title, one.rule, phase.points[one.point - 1].lot.row.lot,
          " ".join(str(member) for member in one.members), number_text(one.centre),
          number_text(one.sigma)) for title, phase, review in each for one in review.signals),
        note="Points are counted over the lots of the chart; centre and sigma are on its scale.",
        numbers=2,
    )  # fmt: skip
    yield table(
        "potency", "Potency, lot by lot", ("Lot", "Made on", "Attribute", "Verdict", "Unit",
                                           "Result"),
        ((one.lot.row.lot, one.lot.made_on, title, one.verdict.outcome or "for information",
          phase.criterion.unit, one.verdict.derivation.result)
         for title, phase, _ in each if phase.criterion.category is Category.POTENCY
         for one in phase.points),
        note="Results of the category potency, of lots made within the period.", numbers=1,
    )  # fmt: skip
