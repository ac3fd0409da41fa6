"""What is still to be measured: the plan of each sample, less what is on record.

A test is open for a sample where the specification of the sample's stage measures it and no
reportable result of the sample is on record, whatever its verdict. A second result of what has one
is a retest, and nobody is asked for it here.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from batchqc.core.assays import CONTROL, REPORTABLE
from batchqc.core.lots import Sample
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured

#: Sample, test and analyte of a reportable result.
Reported = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class OpenReplicate:
    """One replicate that a sample still lacks; ``aliquot`` names the control, where it is one."""

    sample: Sample
    subject: Measured
    replicate: int
    result_type: str = REPORTABLE
    aliquot: str = ""


def open_replicates(
    specifications: Iterable[Specification],
    samples: Iterable[Sample],
    reported: Collection[Reported],
    *,
    test: str = "",
) -> Iterator[OpenReplicate]:
    """Every open replicate of a lot, by sample, in the order of the specification.

    Args:
        specifications: what judges the lot, one for each stage.
        samples: the samples to look at.
        reported: what is on record of them, by their ids as registered.
        test: only this one; "" for every test.
    """
    plans: dict[str, Specification] = {}
    for one in specifications:
        plans.setdefault(one.stage, one)
    for sample in samples:
        for subject in _measured(plans.get(sample.stage), test):
            if (sample.id, subject.test, subject.analyte) not in reported:
                yield from _replicates(sample, subject)


def _measured(plan: Specification | None, test: str) -> Iterator[Measured]:
    for criterion in plan.criteria if plan is not None else ():
        subject = criterion.subject
        if isinstance(subject, Measured) and test in {"", subject.test}:
            yield subject


def _replicates(sample: Sample, subject: Measured) -> Iterator[OpenReplicate]:
    """The replicates of the plan, and those of the control of the run, where it asks for one."""
    numbers = range(1, subject.replicates.n + 1)
    for number in numbers:
        yield OpenReplicate(sample, subject, number)
    for number in numbers if subject.control else ():
        yield OpenReplicate(sample, subject, number, CONTROL, subject.control)
