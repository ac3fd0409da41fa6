"""The order in which criteria are judged: what is computed comes after what it is computed from."""

from collections.abc import Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter

from batchqc.core.criteria import Criterion


def in_order(criteria: Sequence[Criterion]) -> tuple[list[Criterion], list[Criterion]]:
    """Every criterion after those it is computed from, and those that wait for themselves."""
    by_id = {criterion.id: criterion for criterion in criteria}
    sorter = TopologicalSorter(
        {one.id: [need for need in one.needs if need in by_id] for one in criteria}
    )
    with suppress(CycleError):
        sorter.prepare()
    ordered: dict[str, Criterion] = {}
    while ready := sorter.get_ready():
        ordered.update((name, by_id[name]) for name in ready)
        sorter.done(*ready)
    return list(ordered.values()), [one for one in criteria if one.id not in ordered]
