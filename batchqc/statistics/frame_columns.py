"""Columns of pandas frames, read and written: what is missing is ``<NA>``, never NaN."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import pandas as pd

from batchqc.errors import InvalidInput
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, with_gaps

Frame: TypeAlias = pd.DataFrame

_NUMBERS: Final = ("value", "lower", "upper", "confidence", "df", "centre", "sigma", "score")


def column(frame: Frame, name: str) -> Floats:
    """The numbers of a column; NaN where one is missing.

    Raises:
        InvalidInput: it is not there, or holds what is no number.
    """
    found = _column(frame, name)
    cells = zip(found.tolist(), found.isna(), strict=True)
    return with_gaps([None if gone else one for one, gone in cells], f"column {name!r}")


def labels(frame: Frame, name: str) -> list[str]:
    """The labels of a column.

    Raises:
        InvalidInput: it is not there, or a label is missing.
    """
    found = _column(frame, name)
    places = [at for at, gone in enumerate(found.isna(), 1) if gone]
    if places:
        raise InvalidInput(
            "BQC-STA-003", f"column {name!r}: {len(places)} labels are missing",
            reasons=[f"row {at} has none" for at in places[:20]],
        )  # fmt: skip
    return [str(one) for one in found]


def figures(found: Iterable[Figure], limitations: Sequence[str] = ()) -> Frame:
    """Figures as a frame, a row for each; limitations of the whole are added to each."""
    rows = []
    for one in found:
        said = "; ".join(dict.fromkeys((*one.limitations, *limitations)))
        rows.append({**one.row, "limitations": said})
    return typed(pd.DataFrame(rows, columns=[*Figure("", 0.0, "", 0).row]))


def typed(frame: Frame) -> Frame:
    """Columns of numbers in which what is missing is ``<NA>``."""
    own = {name: "Float64" for name in _NUMBERS if name in frame}
    return frame.astype(own | ({"n": "Int64"} if "n" in frame else {}))


def _column(frame: Frame, name: str) -> "pd.Series[Any]":
    if not isinstance(frame, pd.DataFrame):
        raise InvalidInput("BQC-STA-003", f"{type(frame).__name__} is no pandas frame")
    if list(frame.columns).count(name) != 1:
        known = [str(one) for one in frame.columns]
        raise InvalidInput(
            "BQC-STA-003", f"the frame has no column {name!r}, or several", reasons=known,
            hint="Name the column: value=, lot=, group= ...",
        )  # fmt: skip
    return frame[name]
