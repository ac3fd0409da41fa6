"""The control chart of a criterion within a page, in the colours of the page.

It is the picture that the API answers. Its colours are replaced by names that the style sheet
defines for light, dark and print.
"""

import re
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup
from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase
from batchqc.api.doors import Door
from batchqc.core.trends import Attribute, is_numeric
from batchqc.core.verdicts import Verdict
from batchqc.errors import BatchqcError

_COLOURS: Final = {
    "#1a1d21": "ink", "#5b626b": "grey", "#c9cdd2": "pale", "#eef2f4": "tint", "#ffffff": "paper",
    "#b33c00": "red", "#0060a0": "blue", "#00795a": "green", "#8a4f7d": "purple",
}  # fmt: skip
_COLOUR: Final = re.compile(r'"(#[0-9a-f]{6})"')


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, or why there is none."""

    svg: Markup | None
    why_not: str = ""


def chart_of(session: Session, door: Door, case: LotCase, verdict: Verdict) -> Chart:
    """The chart of all lots of the product in this criterion."""
    version, criterion = case.version, verdict.criterion
    if not is_numeric(criterion):
        return Chart(None)
    attribute = Attribute(case.row.product.code, version.stage, version.market, criterion.id)
    try:
        drawn = door.trends.page(session, door.archive, attribute, kind="svg").decode()
    except BatchqcError as error:
        return Chart(None, error.message)
    return Chart(Markup(_COLOUR.sub(_named, drawn)))  # noqa: S704 - our own picture, escaped there


def _named(found: re.Match[str]) -> str:
    name = _COLOURS.get(found[1])
    return f'"var(--chart-{name})"' if name else found[0]
