"""What of the measurements may make a result, and why typed ones may not: yet, or at all.

Nothing here says what was typed.
"""

from collections.abc import Sequence

from batchqc.core.assays import Measurement
from batchqc.core.entries import SecondEntry


def why_unverified(found: Sequence[Measurement]) -> str:
    """Why there is no result of what was typed, or "".

    One that waits makes no result, whatever else there is; one that did not match makes none where
    nothing else is on record.
    """
    waiting = _runs(found, SecondEntry.WAITS)
    if waiting:
        return f"typed and not verified by a second person: {waiting}"
    if found and all(one.second is SecondEntry.MISMATCH for one in found):
        runs = _runs(found, SecondEntry.MISMATCH)
        return f"two people typed different results: {runs}; it has to be typed anew"
    return ""


def matching(found: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """What two people did not type differently, by upload, run, sample and replicate."""
    return tuple(
        sorted((one for one in found if one.second is not SecondEntry.MISMATCH), key=_order)
    )


def _order(one: Measurement) -> tuple[str, str, str, str, int, int]:
    return (one.run.upload, one.run.run, one.sample, one.aliquot, one.replicate, one.cell.row)


def _runs(found: Sequence[Measurement], second: SecondEntry) -> str:
    return "; ".join(sorted({str(one.run) for one in found if one.second is second}))
