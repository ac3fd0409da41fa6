"""What keeps doses where they are: what came or changed after the decision over their lot.

A verdict may change without a further run of the lot: by another lot's part of a run, by a version
of a method, by a correction of a donor. Whatever blocks now and did not when the decision was
signed keeps the doses.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from batchqc.core.assays import Measurement, RunKey
from batchqc.core.investigations import attributes_of
from batchqc.core.specifications import Specification
from batchqc.core.verdicts import Outcome, Verdict

#: A criterion by the reference of its specification and its own id.
Named: TypeAlias = tuple[str, str]


def against_doses(
    judged: Iterable[tuple[Specification, Iterable[Verdict]]],
    measurements: Iterable[Measurement],
    later: Collection[RunKey],
    known: Collection[Named],
    accepted: Collection[Named] = (),
) -> Iterator[str]:
    """The sentence of each verdict that fails, or that blocks and did not when it was decided.

    A verdict of which a later run speaks is no longer the one that was signed.

    Args:
        judged: each specification that judges the lot, with its verdicts.
        measurements: all of the lot.
        later: the runs on which its newest decision does not rest.
        known: the criteria that no result met when it was signed; QA knew of these.
        accepted: those that failed then, in spite of which the lot is supplied by exception.
    """
    touched = {(one.stage, one.run.test) for one in measurements if one.run in later}
    for specification, verdicts in judged:
        for one in verdicts:
            tests = {
                (stage, test) for stage, test, _ in attributes_of(specification, one.criterion)
            }
            named = (specification.reference, one.criterion.id)
            if named in accepted and tests.isdisjoint(touched):
                continue
            is_known = named in known and not tests & touched
            if one.outcome is Outcome.FAIL or (one.blocks and not is_known):
                yield one.sentence


def failing_now(
    judged: Iterable[tuple[Specification, Iterable[Verdict]]], failed: Collection[Named]
) -> Iterator[str]:
    """The sentence of each verdict that fails.

    Args:
        judged: each specification that judges the lot, with its verdicts.
        failed: the criteria that failed when the decision was signed; QA knew of these.
    """
    for specification, verdicts in judged:
        for one in verdicts:
            is_known = (specification.reference, one.criterion.id) in failed
            if one.outcome is Outcome.FAIL and not is_known:
                yield one.sentence
