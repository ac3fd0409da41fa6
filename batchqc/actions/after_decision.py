"""What came in after a decision over a lot: neither it nor its certificate holds that."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from batchqc.actions.evaluation import LotCase
from batchqc.core.after_decision import Named
from batchqc.core.assays import RunKey
from batchqc.core.lot_states import UNDECIDED
from batchqc.core.verdicts import Outcome
from batchqc.documents.archive import Archive
from batchqc.errors import BatchqcError
from batchqc.records.decisions import DispositionRow

#: What a decision was signed over that is no PASS.
NO_PASS: Final = frozenset({Outcome.FAIL, Outcome.CANNOT_JUDGE})


def rested_on(archive: Archive, decisions: Sequence[DispositionRow]) -> frozenset[str]:
    """The keys of the runs on which the newest decision over a lot rests, where it is final.

    Raises:
        IntegrityFailure: what was signed is not in the store as it was.
    """
    if not decisions or decisions[-1].disposition in UNDECIDED:
        return frozenset()
    return _runs_in(archive, decisions[-1])


def came_after(archive: Archive, case: LotCase) -> frozenset[RunKey]:
    """The runs that the newest decision over a lot does not rest on; none where there is none.

    Where what was signed cannot be read, no run is said to be in it.
    """
    if not case.dispositions:
        return frozenset()
    try:
        held = _runs_in(archive, case.dispositions[-1])
    except (BatchqcError, ValueError):
        held = frozenset()
    return frozenset(run.run_key for run in case.runs if run.key not in held)


def known_of(
    archive: Archive,
    decisions: Sequence[DispositionRow],
    outcomes: Collection[Outcome] = NO_PASS,
) -> frozenset[Named]:
    """The criteria with some outcomes in the newest decision over a lot, as it was signed.

    Where that cannot be read, none: nothing is taken for known.
    """
    if not decisions:
        return frozenset()
    try:
        return frozenset(_known(_content(archive, decisions[-1]), frozenset(outcomes)))
    except (BatchqcError, ValueError):
        return frozenset()


def _known(content: dict[str, Any], outcomes: frozenset[str]) -> Iterator[Named]:
    own = (content["specification"]["id"], content["verdicts"])
    for reference, verdicts in (
        own, *((one["specification"], one["verdicts"]) for one in content["beside"]),
    ):  # fmt: skip
        yield from ((reference, one["criterion"]) for one in verdicts if one["verdict"] in outcomes)


def _runs_in(archive: Archive, decision: DispositionRow) -> frozenset[str]:
    return frozenset(key for key, _ in _content(archive, decision)["runs"])


def _content(archive: Archive, decision: DispositionRow) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(archive.get(decision.content_sha))
    return content
