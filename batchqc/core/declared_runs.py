"""Whether what a potency analysis computes was declared, and whether its wells still stand."""

from collections.abc import Iterable, Iterator, Sequence

from batchqc.core.assays import REPORTABLE, Measurement, RunKey
from batchqc.core.methods import Method


def why_not_declared(rows: Sequence[Measurement], judging: Iterable[Method]) -> Iterator[str]:
    """Why results in a run do not count, where a method reports them only by its analysis.

    Args:
        rows: of the run.
        judging: the method versions that judge it.
    """
    for method in judging:
        analysis = method.analysis
        own = [
            one
            for one in rows
            if analysis is not None
            and (one.method, one.analyte) == (method.id, analysis.analyte)
            and one.result_type == REPORTABLE
        ]
        if analysis is not None and any(not one.wells for one in own):
            yield (
                f"{analysis.analyte} is computed by {method.reference} from wells, and this value"
                " was not declared from a fit"
            )


def why_wells_fail(run: RunKey, rows: Sequence[Measurement]) -> Iterator[str]:
    """Why the wells of a declared measurement do not stand any more."""
    if not rows:
        yield f"its wells are not on record: {run}"
    newer = sorted({one.superseded_by for one in rows if one.superseded_by})
    if newer:
        yield f"its wells are superseded by {', '.join(newer)}: {run}"
