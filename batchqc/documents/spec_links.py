"""How the criteria of a specification refer to each other, and every problem in it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter

from batchqc.core.acceptance import Words
from batchqc.core.criteria import Criterion
from batchqc.core.formulas import FormulaProblem
from batchqc.core.subjects import Aggregate, Derived, Group, Input, Measured
from batchqc.core.units import Unit, parse_unit
from batchqc.documents.spec_keys import Keys


def check_links(keys: Keys, criteria: Sequence[Criterion]) -> None:
    """Remember every reference that leads nowhere, back to itself, or to what cannot be used."""
    by_id = {criterion.id: criterion for criterion in criteria}
    for criterion in criteria:
        for key, problem in _problems(criterion, by_id):
            keys.problem(("criteria", criterion.id, key), problem)
    needs = {one.id: [need for need in one.needs if need in by_id] for one in criteria}
    with suppress(StopIteration):
        loop = next(_loops(needs))
        kind = by_id[loop[0]].subject
        key = "inputs" if isinstance(kind, Derived) else "of"
        shown = " <- ".join(loop)
        keys.problem(("criteria", loop[0], key), f"goes round in a circle: {shown}")


def _loops(needs: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        yield error.args[1]


def _problems(criterion: Criterion, by_id: Mapping[str, Criterion]) -> Iterator[tuple[str, str]]:
    subject = criterion.subject
    members = subject.members if isinstance(subject, Group) else ()
    for key, name in [("interim", name) for name in criterion.interim] + [
        ("of", name) for name in members
    ]:
        other = by_id.get(name)
        if other is None or other is criterion or not other.is_judged:
            yield key, f'"{name}" is not another criterion with a verdict'
    if isinstance(subject, Derived):
        yield from _derived(subject, by_id)


def _derived(subject: Derived, by_id: Mapping[str, Criterion]) -> Iterator[tuple[str, str]]:
    units = {}
    for one in subject.inputs:
        found = _unit_of(one, by_id)
        if isinstance(found, str):
            yield "inputs", f"{one.name}: {found}"
        else:
            units[one.name] = found
    if set(units) >= set(subject.formula.names):
        yield from _dimensions(subject, units)


def _unit_of(one: Input, by_id: Mapping[str, Criterion]) -> Unit | str:
    """The unit of an input, or why nothing can be computed with it."""
    other = by_id.get(one.criterion)
    if one.criterion and other is None:
        return f'there is no criterion "{one.criterion}"'
    unit = parse_unit(other.unit if other else one.unit)
    if unit is None or (other and isinstance(other.accept, Words)):
        return f"{one.criterion or one.name} is not a number with a unit"
    plan = other.subject.replicates if other and isinstance(other.subject, Measured) else None
    if plan and plan.aggregate is Aggregate.EACH:
        return f"{one.criterion} has a result for each replicate: use a mean or median"
    return unit


def _dimensions(subject: Derived, units: Mapping[str, Unit]) -> Iterator[tuple[str, str]]:
    wanted = parse_unit(subject.unit)
    try:
        found = subject.formula.unit(units)
    except FormulaProblem as problem:
        yield "formula", str(problem)
        return
    if wanted is not None and wanted.scale != 1 and subject.formula.has_factor_100:
        yield "formula", f"the result is in {subject.unit} already: remove the factor 100"
    if wanted is not None and not found.measures_like(wanted):
        yield "unit", f"the formula computes {found.base}, and {subject.unit} is {wanted.base}"
