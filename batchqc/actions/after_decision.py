"""What came in after the final decision over a lot: neither it nor its certificate holds that."""

import json
from collections.abc import Sequence

from batchqc.actions.evaluation import LotCase
from batchqc.core.assays import RunKey
from batchqc.core.lot_states import UNDECIDED
from batchqc.documents.archive import FolderArchive
from batchqc.errors import BatchqcError
from batchqc.records.decisions import DispositionRow


def rested_on(archive: FolderArchive, decisions: Sequence[DispositionRow]) -> frozenset[str]:
    """The keys of the runs on which the newest final decision over a lot rests.

    Raises:
        IntegrityFailure: what was signed is not in the store as it was.
    """
    if not decisions or decisions[-1].disposition in UNDECIDED:
        return frozenset()
    content = json.loads(archive.get(decisions[-1].content_sha))
    return frozenset(key for key, _ in content["runs"])


def came_after(archive: FolderArchive, case: LotCase) -> frozenset[RunKey]:
    """The runs that the final decision over a lot does not rest on; none where there is none.

    Where what was signed cannot be read, no run is said to be in it.
    """
    if case.disposition in UNDECIDED:
        return frozenset()
    try:
        held = rested_on(archive, case.dispositions)
    except (BatchqcError, ValueError):
        held = frozenset()
    return frozenset(run.run_key for run in case.runs if run.key not in held)
