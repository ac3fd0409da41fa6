"""The demonstration's trend: eight lots by viability, in the order of manufacture."""

from typing import Final

from batchqc.actions.trends import Trends
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_story import Chapter, Story
from batchqc.core.specifications import Stage
from batchqc.core.trends import Attribute
from batchqc.records.transaction import reading

ATTRIBUTE: Final = Attribute(cast.PRODUCT["code"], Stage.RELEASE.value, "", "viability")


def chapter(story: Story) -> Chapter:
    """Each lot with its score, and what signals: too few lots for limits, enough to be odd."""
    with reading(story.place.engine) as session:
        trend = Trends().of(session, story.place.archive, ATTRIBUTE)
    scored = (
        f"{one.lot.lot} {one.lot.observed.text}"
        + ("" if one.score is None else f" ({one.score:+.2f})")
        for one in trend.lots
    )
    signals = list(trend.signals)
    return Chapter(
        "trend",
        "Trend of viability, in % (sigma of the self-starting Q chart)",
        (", ".join(scored), *(one.said for one in signals)),
        {
            "lots": [one.lot.lot for one in trend.lots],
            "scores": [None if one.score is None else f"{one.score:.4f}" for one in trend.lots],
            "signals": [{"lot": one.lot, "rule": one.rule, "by": one.by} for one in signals],
        },
    )
