"""What came in after a decision over a lot: neither it nor its certificate holds that."""

import json
from collections.abc import Sequence

from batchqc.actions.evaluation import LotCase
from batchqc.core.assays import RunKey
from batchqc.core.lot_states import UNDECIDED
from batchqc.documents.archive import FolderArchive
from batchqc.errors import BatchqcError
from batchqc.records.decisions import DispositionRow


def rested_on(archive: FolderArchive, decisions: Sequence[DispositionRow]) -> frozenset[str]:
    """The keys of the runs on which the newest decision over a lot rests, where it is final.

    Raises:
        IntegrityFailure: what was signed is not in the store as it was.
    """
    if not decisions or decisions[-1].disposition in UNDECIDED:
        return frozenset()
    return _runs_in(archive, decisions[-1])


def came_after(archive: FolderArchive, case: LotCase) -> frozenset[RunKey]:
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


def _runs_in(archive: FolderArchive, decision: DispositionRow) -> frozenset[str]:
    return frozenset(key for key, _ in json.loads(archive.get(decision.content_sha))["runs"])
