"""Which criteria of a specification some measurements speak about, directly or through others."""

from collections.abc import Iterable

from batchqc.core.assays import CONTROL, REPORTABLE, Measurement
from batchqc.core.identifiers import fold
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured


def touched(specification: Specification, measurements: Iterable[Measurement]) -> frozenset[str]:
    """The ids of the criteria whose verdict may change by ``measurements``.

    These are the criteria that measure what was measured at their stage, by its control too, and
    all that is computed from them.
    """
    stage = specification.stage
    measured = {
        (one.result_type, one.run.test, fold(one.analyte))
        for one in measurements
        if one.stage == stage
    }
    found = {
        one.id
        for one in specification.criteria
        if isinstance(one.subject, Measured) and _is_measured(one.subject, measured)
    }
    size = -1
    while size < len(found):
        size = len(found)
        found |= {one.id for one in specification.criteria if found.intersection(one.needs)}
    return frozenset(found)


def _is_measured(subject: Measured, measured: set[tuple[str, str, str]]) -> bool:
    kinds = (REPORTABLE, CONTROL) if subject.control else (REPORTABLE,)
    analyte = fold(subject.analyte)  # that of a control is in any case
    return any((kind, subject.test, analyte) in measured for kind in kinds)
