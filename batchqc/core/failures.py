"""Which results of a lot fail, each of which opens an investigation (requirements 2.01, 3.01).

A result fails where its run fails the criterion alone. What is beside it (a second run, another
version of the run) may make the verdict CANNOT_JUDGE, and takes nothing back. Retests belong to
the investigation that they are for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from batchqc.core.assays import REPORTABLE, Measurement, RunKey
from batchqc.core.donors import Donor
from batchqc.core.entries import SecondEntry
from batchqc.core.investigations import (
    Attribute,
    Investigation,
    attribute_of,
    attributes_of,
)
from batchqc.core.judging import judge
from batchqc.core.runs import RunValidity
from batchqc.core.specifications import Specification, closure
from batchqc.core.subjects import Derived, Measured
from batchqc.core.superseding import newest
from batchqc.core.verdicts import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Failure:
    """A criterion that some runs fail, with the sentence of that verdict."""

    criterion: str
    stage: str
    specification: str
    sentence: str
    attributes: frozenset[Attribute]
    runs: frozenset[RunKey]

    def is_covered(self, investigations: Iterable[Investigation]) -> bool:
        """Whether one of the lot's investigations is for it."""
        return any(
            one.criterion == self.criterion
            and one.attributes == self.attributes
            and self.runs <= one.runs
            for one in investigations
        )


def failures(
    specification: Specification,
    verdicts: Iterable[Verdict],
    measurements: Sequence[Measurement],
    donors: Sequence[Donor],
    validity: Mapping[RunKey, RunValidity],
) -> Iterator[Failure]:
    """Every failure of a lot by one of its specifications.

    Args:
        specification: what judges the lot at one stage.
        verdicts: of it over the lot.
        measurements: all of the lot.
        donors: of the lot.
        validity: of its runs; what an invalid run says is no result (requirement 3.15).
    """
    found = {one.criterion.id: one for one in verdicts}
    known = [
        one for one in measurements if not one.retest_of and one.second is not SecondEntry.MISMATCH
    ]
    for verdict in found.values():
        group = found.get(verdict.counted_in)
        if verdict.outcome in {Outcome.PASS, None}:
            continue
        if group is not None and group.outcome is Outcome.PASS:
            continue  # enough of its group pass
        if isinstance(verdict.criterion.subject, Measured | Derived):
            alone = replace(
                specification, criteria=tuple(closure(specification, verdict.criterion))
            )
            attributes = attributes_of(specification, verdict.criterion)
            own = [one for one in known if attribute_of(one) in attributes]
            for rows in _alone(verdict, own):
                (failed,) = (
                    one
                    for one in judge(alone, rows, donors, validity=validity)
                    if one.criterion.id == verdict.criterion.id
                )
                if failed.outcome is Outcome.FAIL:
                    runs = frozenset(one.run for one in rows if one.result_type == REPORTABLE)
                    yield Failure(
                        verdict.criterion.id,
                        specification.stage.value,
                        specification.reference,
                        failed.sentence,
                        attributes,
                        runs,
                    )


def _alone(verdict: Verdict, own: Sequence[Measurement]) -> Iterator[list[Measurement]]:
    """Each run of a measured criterion by itself; of a derived one, the newest of all."""
    if isinstance(verdict.criterion.subject, Derived):
        yield list(newest(own))
        return
    for run in dict.fromkeys(one.run for one in own):
        yield [replace(one, superseded_by="") for one in own if one.run == run]
