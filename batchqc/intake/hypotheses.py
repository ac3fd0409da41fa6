"""Investigational results are held against the open investigations of their lot."""

from collections.abc import Iterable

from batchqc.core.assays import Measurement
from batchqc.core.hypotheses import hypothesis_problem
from batchqc.core.identifiers import fold
from batchqc.intake.problems import Place, Report, Wrong
from batchqc.intake.register import Register


def check_hypotheses(parsed: Iterable[Measurement], register: Register, report: Report) -> None:
    """Report investigational results that no open investigation asks for.

    A file of retests is held against its plan instead, where none is taken either.
    """
    if register.investigations is None or register.retest is not None:
        return
    for one in parsed:
        problem = hypothesis_problem(one, register.investigations.get(fold(one.lot), ()))
        if problem is not None:
            place = Place(one.cell.row, one.cell.line, "result_type")
            report.add(Wrong("E411", *problem), place=place, text=one.result_type)
