"""What of a lot cannot be judged although results are on record, and so never fails (2.07, 3.06).

Two runs without a plan, a version that drops a row, replicates that lie too far apart: nothing
counts, and only the signed conclusion of an investigation changes that (design, decided once, 3).
Nothing fails either, so that none opens by itself; a person opens one, with the reason. It sets
nothing aside, and what may be concluded is what may be concluded of a result that fails.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from batchqc.core.assays import REPORTABLE, Measurement
from batchqc.core.failures import Failure
from batchqc.core.investigations import Investigation, attribute_of, attributes_of
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured
from batchqc.core.superseding import same_run
from batchqc.core.unverified import why_unverified
from batchqc.core.verdicts import Outcome, Verdict, word

#: Between the sentence of the verdict and the reason of who opened it.
_BY_HAND: Final = "; opened by hand: "


def questioned(
    specification: Specification,
    verdict: Verdict,
    measurements: Sequence[Measurement],
    investigations: Iterable[Investigation],
) -> Failure | None:
    """What an investigation that a person opens would be of; ``None`` where there is nothing.

    Results that wait for their second entry are not looked at before it, and what a conclusion set
    aside is settled. Of a run in several versions the superseded ones are the original.

    Args:
        specification: what judges the lot at one stage.
        verdict: of one of its criteria.
        measurements: all of the lot.
        investigations: of the lot.
    """
    criterion = verdict.criterion
    if verdict.outcome is not Outcome.CANNOT_JUDGE or not isinstance(criterion.subject, Measured):
        return None
    known = tuple(investigations)
    attributes = attributes_of(specification, criterion)
    own = [
        one
        for one in measurements
        if one.result_type == REPORTABLE
        and attribute_of(one) in attributes
        and not one.retest_of
        and not any(each.sets_aside(one) for each in known)
    ]
    corrected = {same_run(one.run) for one in own if one.superseded_by}
    runs = frozenset(
        one.run for one in own if one.superseded_by or same_run(one.run) not in corrected
    )
    is_open = any(
        one.conclusion is None and one.attributes == attributes and runs <= one.runs
        for one in known
    )
    if not own or is_open or why_unverified(own):
        return None
    return Failure(
        criterion.id,
        specification.stage.value,
        specification.reference,
        verdict.sentence,
        attributes,
        runs,
    )


def by_hand(asked: Failure, reason: str) -> Failure:
    """What a person opens, with the reason in its sentence."""
    return replace(asked, sentence=f"{asked.sentence}{_BY_HAND}{reason}")


def is_by_hand(sentence: str) -> bool:
    """Whether an investigation of this sentence was opened by a person, and of no failure."""
    return sentence.startswith(word(Outcome.CANNOT_JUDGE)) and _BY_HAND in sentence
