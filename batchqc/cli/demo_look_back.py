"""The demonstration's look-back: a donor's result comes late, and is reactive."""

from batchqc.actions.donor_tests import record_tests
from batchqc.actions.look_backs import frozen_list
from batchqc.actions.whereabouts import Whereabouts
from batchqc.cli import demo_cast as cast
from batchqc.cli import demo_simulated as simulated
from batchqc.cli.demo_story import Chapter, Story
from batchqc.core.genealogy import NodeKind, id_of, kind_of
from batchqc.core.permissions import Permission
from batchqc.records.cell_banks import bank_by, bank_statuses
from batchqc.records.look_backs import open_look_backs
from batchqc.records.transaction import reading


def look_back(story: Story) -> str:
    """The donor officer records the result; what came of the donor is held by itself."""
    archive = story.place.archive
    story.do(
        cast.DONOR_OFFICER,
        Permission.KEEP_DONOR_RECORDS,
        lambda tx: len(record_tests(tx, archive, simulated.LATE_TESTS)),
    )
    with reading(story.place.engine) as session:
        (row,) = open_look_backs(session)
        return f"{row.natural_key} from {row.source}"


def chapter(story: Story) -> Chapter:
    """What is held, and where every dose is."""
    with reading(story.place.engine) as session:
        (row,) = open_look_backs(session)
        number, source, reason = row.natural_key, row.source, row.reason
        found = frozen_list(story.place.archive, row)
        keys = [key for key, _ in found["nodes"]]
        lots = [id_of(key) for key in keys if kind_of(key) is NodeKind.LOT]
        named = [bank_by(session, id_of(key)) for key in keys if kind_of(key) is NodeKind.CELL_BANK]
        held = [one for one in named if one is not None]
        statuses = bank_statuses(session, held)
        banks = {one.bank: statuses[one.id].value for one in held}
    cases = [story.case(lot) for lot in lots]
    labels = {case.lot.id: ", ".join((case.disposition, *case.overlays)) for case in cases}
    doses = [Whereabouts(**one).sentence for one in found["doses"]]
    return Chapter(
        "look_back",
        f"{number} from {source}, simulated",
        (
            f"{reason}: everything that came of the donor is held by itself",
            *(f"{lot}: {label}" for lot, label in labels.items()),
            *(f"bank {bank}: {status}" for bank, status in banks.items()),
            *doses,
        ),
        {
            "number": number,
            "source": source,
            "reason": reason,
            "lots": labels,
            "banks": banks,
            "doses": list(found["doses"]),
            "incomplete": list(found["incomplete"]),
        },
    )
