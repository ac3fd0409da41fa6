"""What the specification of a lot plans for a test and an analyte.

Codes are compared letter by letter; what is near is named in the hint and never taken.
"""

from typing import NamedTuple

from batchqc.core.criteria import Criterion
from batchqc.core.identifiers import fold
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured
from batchqc.intake.problems import Wrong, shown
from batchqc.intake.register import RegisteredLot


class Plan(NamedTuple):
    """What a row measures. ``criterion`` is ``None`` where the plan has no such analyte."""

    test: str
    analyte: str
    methods: tuple[str, ...]
    criterion: Criterion | None
    subject: Measured | None


class Unplanned(NamedTuple):
    """The column that names what the plan does not have, and the problem."""

    column: str
    wrong: Wrong


def find_plan(
    lot: RegisteredLot, *, stage: str, test: str, analyte: str, is_reportable: bool
) -> Plan | Unplanned:
    """The plan of a row. One that is not reportable needs a planned test, not a planned analyte."""
    specification = lot.plan_at(stage) if stage else lot.specification
    if specification is None:
        message = f"no specification of lot {lot.id} judges results of stage {stage}"
        hint = "Check the sample; or have a specification of that stage approved first."
        return Unplanned("sample_id", Wrong("E404", message, hint))
    planned = _planned(specification)
    own = [subject for subject in planned if subject.test == test]
    if not own:
        tests = sorted({subject.test for subject in planned})
        return Unplanned("test_code", _wrong(test, "test_code", tests, lot, specification))
    criterion = specification.criterion(test=test, analyte=analyte)
    if criterion is None and is_reportable:
        analytes = sorted({subject.analyte for subject in own})
        return Unplanned(
            "analyte", _wrong(analyte, f"analyte of {test}", analytes, lot, specification)
        )
    subject = next((one for one in own if one.analyte == analyte), None)
    methods = (subject.method,) if subject else tuple(sorted({one.method for one in own}))
    return Plan(test, analyte, methods, criterion, subject)


def _planned(specification: Specification) -> list[Measured]:
    subjects = (criterion.subject for criterion in specification.criteria)
    return [subject for subject in subjects if isinstance(subject, Measured)]


def _wrong(
    text: str, what: str, planned: list[str], lot: RegisteredLot, specification: Specification
) -> Wrong:
    listed = ", ".join(planned)
    message = f'{what} "{shown(text)}" is not in the plan of lot {lot.id}: {listed}'
    near = next((one for one in planned if fold(one) == fold(text)), None)
    hint = f'Write "{near}".' if near else f"The plan is {specification.reference}."
    return Wrong("E404", message, hint)
