"""Statistics: certified and published answers, within the tolerance that each source allows."""

from collections.abc import Sequence
from functools import partial

from batchqc.cli.qualification.protocol import Check, Doing, Finding, held, is_first_of
from batchqc.core.canonical import Json
from batchqc.settings import shipped_cases
from batchqc.statistics.cases.case import Case, cases_in
from batchqc.statistics.cases.check import Line


def doings(checks: Sequence[Check]) -> dict[str, Doing]:
    """The checks of this section, by id."""
    cases = [*cases_in(shipped_cases())]
    return {
        one.id: partial(_computed, [case for case in cases if is_first_of(case.id, one, checks)])
        for one in checks
        if one.cases
    }


def _computed(cases: Sequence[Case]) -> Finding:
    from batchqc.statistics.cases.check import check  # noqa: PLC0415 - others start faster
    from batchqc.statistics.cases.methods import METHODS  # noqa: PLC0415 - others start faster

    found = [(case, check(case, METHODS)) for case in cases]
    values = sum(len(lines) for _, lines in found)
    wrong = [f"{case.id} {one.path}" for case, lines in found for one in lines if not one.holds]
    told = f" These do not: {', '.join(wrong)}." if wrong else ""
    return held(
        bool(values) and not wrong,
        f"{values - len(wrong)} of {values} values of {len(cases)} cases agree.{told}",
        [
            {"case": case.id, "method": case.method, "source": case.source,
             "values": [_told(one) for one in lines]}
            for case, lines in found
        ],
    )  # fmt: skip


def _told(line: Line) -> Json:
    return {
        "value": line.path,
        "computed": str(line.computed),
        "expected": str(line.expected),
        "holds": line.holds,
    }
