"""How many flags the rules raise by themselves, over all charts of a review."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from batchqc.actions.review_tables import table
from batchqc.actions.review_trends import Reviewed
from batchqc.core.canonical import Json

if TYPE_CHECKING:
    from batchqc.statistics.lot_series import Trend

_COUNTED: Final = (
    "charts are counted as if independent; rules as if they began anew after each flag; score of a"
    " censored lot counts as one"
)


class _Judging(NamedTuple):
    """Rules by which some lots of an attribute were judged, and their run length in words."""

    rules: str
    average: float
    interval: str
    method: str
    assumptions: str


def flags(found: Sequence[Reviewed]) -> dict[str, Json]:
    """Lots judged, signals found, and signals to expect where nothing changes."""
    from batchqc.statistics.attribute_review import number_text  # noqa: PLC0415 - SciPy

    rows: list[tuple[str, ...]] = []
    lots = seen = 0
    expected = 0.0
    told: dict[str, None] = {}
    for one in found:
        for by, how, count, signals in _judged(one.trend):
            rows.append(
                (one.title, by, how.rules, number_text(how.average), how.interval, str(signals),
                 str(count), number_text(count / how.average))
            )  # fmt: skip
            lots, seen, expected = lots + count, seen + signals, expected + count / how.average
            told[f"{how.method}; {how.assumptions}"] = None
    if rows:
        rows.append(("All", "", "", "", "", str(seen), str(lots), number_text(expected)))
    note = ". ".join([*told, _COUNTED]) if rows else "No lot was judged by limits."
    return table(
        "multiplicity", "False flags to expect",
        ("Attribute", "Judged by", "Rules", "Lots to a false flag", "Interval", "Signals", "n",
         "Expected"),
        rows, note=f"{note.rstrip('.')}.", numbers=5,
    )  # fmt: skip


def _judged(trend: "Trend") -> Iterator[tuple[str, _Judging, int, int]]:
    counted = Counter(one.by for one in trend.lots if one.by and one.value is not None)
    seen = Counter(one.by for one in trend.signals)
    for by, count in counted.items():
        yield by, _judging(trend, by), count, seen[by]


def _judging(trend: "Trend", by: str) -> _Judging:
    from batchqc.statistics.trend_limits import false_alarms  # noqa: PLC0415 - SciPy

    for one in trend.sets:
        if by == f"limit set {one.number}":
            figure: Mapping[str, Any] = one.content["run_length"]
            rules = ", ".join(one.lines.rules)
            break
    else:
        rules, figure = "beyond 3", false_alarms(("1",)).row
    low, high = figure.get("lower"), figure.get("upper")
    interval = "exact" if low is None else f"{float(low):.6g} to {float(high or 0):.6g}"
    return _Judging(
        rules, float(figure["value"]), interval, str(figure["method"]), str(figure["assumptions"])
    )
