"""What keeps doses where they are, of results that came in after the decision over their lot."""

from collections.abc import Collection, Iterable, Iterator

from batchqc.core.assays import Measurement, RunKey
from batchqc.core.investigations import attributes_of
from batchqc.core.specifications import Specification
from batchqc.core.verdicts import Outcome, Verdict


def against_doses(
    judged: Iterable[tuple[Specification, Iterable[Verdict]]],
    measurements: Iterable[Measurement],
    later: Collection[RunKey],
) -> Iterator[str]:
    """The sentence of each verdict that fails, or that a later run leaves without a judgement.

    Args:
        judged: each specification that judges the lot, with its verdicts.
        measurements: all of the lot.
        later: the runs on which its newest decision does not rest.
    """
    touched = {(one.stage, one.run.test) for one in measurements if one.run in later}
    for specification, verdicts in judged:
        for one in verdicts:
            tests = {
                (stage, test) for stage, test, _ in attributes_of(specification, one.criterion)
            }
            if one.outcome is Outcome.FAIL or (one.blocks and tests & touched):
                yield one.sentence
