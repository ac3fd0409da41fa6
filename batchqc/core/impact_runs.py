"""Impact and runs: the evidence of a lot, with what must not be judged marked or left out.

A verdict over a run that is not valid is CANNOT_JUDGE in both versions. Evidence has no place for
validity, so such rows are handed on under no method: no criterion asks for that, and none judges.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from batchqc.core.assays import REPORTABLE
from batchqc.core.entries import SecondEntry
from batchqc.core.impact import Evidence, Grouped
from batchqc.core.runs import Validity, runs_that_count

NO_METHOD: Final = ""


def usable_evidence(evidence: Grouped, validity: Mapping[int, Validity]) -> Grouped:
    """The evidence of one lot as ``judging`` would read it.

    Args:
        evidence: by test and analyte.
        validity: of the runs that have criteria, by their surrogate id.
    """
    if all(
        validity.get(one[1]) in {None, Validity.VALID} for own in evidence.values() for one in own
    ):
        return evidence
    return {pair: _usable(own, validity) for pair, own in evidence.items()}


def _usable(own: Sequence[Evidence], validity: Mapping[int, Validity]) -> list[Evidence]:
    rows = [Evidence(*one) for one in own]
    reported = [one for one in rows if one.result_type == REPORTABLE]
    void = [one for one in reported if one.second == SecondEntry.MISMATCH]
    runs = {one.run: validity.get(one.run) for one in reported if one not in void}
    counted = runs_that_count(runs)
    if counted is None:
        return [one._replace(method=NO_METHOD) for one in rows]
    return [
        one for one in rows if one.result_type != REPORTABLE or one.run in counted or one in void
    ]
