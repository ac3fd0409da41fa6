"""Wells in a file are held against the potency analysis of their method, run by run."""

from collections import defaultdict
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from batchqc.core.assays import Measurement, RunKey
from batchqc.core.identifiers import fold
from batchqc.core.methods import Method, method_on
from batchqc.core.wells import is_well, read_wells
from batchqc.intake.problems import WHOLE_FILE, Place, Report, Wrong
from batchqc.intake.register import Register


def wells_among(parsed: Sequence[Measurement], register: Register) -> list[Measurement]:
    """The rows of which ``check_plates`` may have something to say."""
    return [one for one in parsed if may_be_well(register, one.method, one.analyte)]


def may_be_well(register: Register, method: str, analyte: str) -> bool:
    """Whether some version of a method analyses wells of an analyte."""
    return any(
        one.id == method and one.analysis is not None and one.analysis.readout == analyte
        for one in register.analysed
    )


def check_plates(parsed: Sequence[Measurement], register: Register, report: Report) -> None:
    """Report every well that is not as its method asks, and what a run lacks."""
    plates: dict[tuple[RunKey, str], list[Measurement]] = defaultdict(list)
    methods: dict[str, Method] = {}
    for one in parsed if register.analysed else ():
        method = _method(one, register)
        if method is not None and method.analysis and is_well(one, method.analysis):
            plates[one.run, method.reference].append(one)
            methods[method.reference] = method
    for (run, reference), rows in plates.items():
        analysis = methods[reference].analysis
        for problem in read_wells(rows, analysis).problems if analysis else ():
            cell = problem.row.cell if problem.row else None
            place = Place(cell.row, cell.line, problem.column) if cell else WHOLE_FILE
            text = cell.text if cell and problem.column == "value" else ""
            said = problem.said if cell else f"run {run.run} ({run.test}): {problem.said}"
            report.add(Wrong("E412", said, problem.todo), place=place, text=text)


def _method(one: Measurement, register: Register) -> Method | None:
    """The version that is for a row; ``None`` where none is known to be."""
    lot = register.lots[fold(one.lot)]
    day = one.measured_at.astimezone(ZoneInfo(lot.time_zone)).date()
    found = method_on(register.analysed, code=one.method, stated=one.version, day=day)
    return found if isinstance(found, Method) else None
