"""Why a lot is held, and why it stays so: a hold never ends before its reason does.

What QA held by its own judgement ends by QA's judgement while no dose of the lot may be given. Else
everything that stands against the lot is looked at, whichever of its holds is to end: the last one
that ends lets doses go.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import Final

from batchqc.core.gates import Gate
from batchqc.core.lot_states import IN_USE, Disposition
from batchqc.core.verdicts import Outcome, Verdict


class Cause(StrEnum):
    """What a hold is for: QA's own judgement, or what the system found."""

    QA = "QA"
    LATE_FAILURE = "late failure"
    OVERDUE = "overdue result"
    LOOK_BACK = "look-back"
    INVESTIGATION = "investigation"
    DEVIATION = "deviation"
    CELL_BANK = "cell bank"
    MATERIAL = "material"


#: Gates of which a closed one keeps a lot on hold.
_KEEP: Final = (
    "Registers",
    "Investigations",
    "Deviations",
    "Donor",
    "Genealogy",
    "Audit chain",
    "Records",
)
#: Beside those, of a lot of which doses may be given: what counts is judged and was reviewed.
_KEEP_IN_USE: Final = ("Results", "Other stages", "Review")


def why_held(
    cause: Cause,
    disposition: Disposition,
    *,
    verdicts: Iterable[Verdict],
    gates: Iterable[Gate],
    overdue: Iterable[tuple[str, date]] = (),
    look_backs: Iterable[str] = (),
) -> Iterator[str]:
    """Every reason why a hold does not end yet.

    Args:
        cause: of the hold.
        disposition: of the lot.
        verdicts: of every stage.
        gates: between the lot and its release; of a conditional release, without what is pending.
        overdue: criteria whose results were due, with their days.
        look_backs: the numbers of those that reached the lot and are open.
    """
    if cause is Cause.QA and disposition not in IN_USE:
        return
    fails = [one.sentence for one in verdicts if one.outcome is Outcome.FAIL]
    yield from (f"Results: {sentence}" for sentence in fails)
    for name, day in overdue:
        yield f"Results: the result of {name} was due on {day} and is not in"
    for number in look_backs:
        yield f"look-back {number} is open"
    asked = (*_KEEP, *_KEEP_IN_USE) if disposition in IN_USE else _KEEP
    for gate in gates:
        if gate.name in asked:
            yield from (f"{gate.name}: {one}" for one in gate.reasons if one not in fails)


def held_on(day: date, ended: Iterable[tuple[str, date, date]]) -> Iterator[str]:
    """Each hold that lay over a lot on a day, in words.

    The day on which a hold ended is free again: nothing leaves before the end is signed.

    Args:
        day: a date of the lot's site.
        ended: the number of each hold that has ended, with its first day and that of its end.
    """
    for number, since, until in ended:
        if since <= day < until:
            yield f"hold {number} lay over it from {since} to {until}, so nothing left on {day}"
