"""How many flags the rules raise by themselves, over all charts of a review."""

from collections.abc import Sequence
from typing import Final

from batchqc.actions.review_tables import table
from batchqc.actions.review_trends import Reviewed
from batchqc.core.canonical import Json

_COUNTED: Final = (
    "charts are counted as if independent; rules as if they began anew after each flag; a censored"
    " lot counts as one"
)


def flags(found: Sequence[Reviewed]) -> dict[str, Json]:
    """Lots judged, signals found, and signals to expect where nothing changes."""
    from batchqc.statistics.attribute_review import number_text  # noqa: PLC0415 - SciPy
    from batchqc.statistics.flag_rates import flag_rates  # noqa: PLC0415 - SciPy

    rates = [(one.title, rate) for one in found for rate in flag_rates(one.trend)]
    rows = [
        (title, one.by, one.rules, number_text(one.average), one.interval, one.signals, one.n,
         number_text(one.expected))
        for title, one in rates
    ]  # fmt: skip
    if rates:
        every = [one for _, one in rates]
        expected = number_text(sum(one.expected for one in every))
        seen, n = sum(one.signals for one in every), sum(one.n for one in every)
        rows.append(("All", "", "", "", "", seen, n, expected))
    told = dict.fromkeys(one.method for _, one in rates)
    note = ". ".join([*told, _COUNTED]) if rates else "No lot was judged by limits"
    return table(
        "multiplicity", "False flags to expect",
        ("Attribute", "Judged by", "Rules", "Lots to a false flag", "Interval", "Signals", "n",
         "Expected"),
        rows, note=f"{note}.", numbers=5,
    )  # fmt: skip
