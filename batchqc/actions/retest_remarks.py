"""What a certificate says of results that were measured again under an investigation (1.33)."""

from collections.abc import Iterator

from batchqc.actions.evaluation import LotCase
from batchqc.core.verdicts import Verdict


def retest_remarks(verdict: Verdict) -> list[str]:
    """Under which investigations the replicates of a result were measured again, and how often."""
    runs: dict[str, set[str]] = {}
    for one in verdict.measurements:
        if one.retest_of:
            runs.setdefault(one.retest_of, set()).add(str(one.run))
    title = verdict.criterion.title
    return [
        f"{title}: retested under {number} (retests: {len(own)}, each judged alone);"
        " the original is invalidated."
        for number, own in runs.items()
    ]


def retest_statements(case: LotCase) -> Iterator[str]:
    """How many results of a lot were investigated, and with which conclusion."""
    found = case.known.investigations
    concluded = [one for one in found if one.conclusion is not None]
    if concluded:
        void = sum(one.conclusion.is_cause for one in concluded if one.conclusion is not None)
        numbers = ", ".join(one.number for one in concluded)
        yield (
            "Results investigated as out of specification, late or contradictory:"
            f" {len(concluded)} ({numbers});"
            f" invalidated with an assignable laboratory cause: {void}."
        )
