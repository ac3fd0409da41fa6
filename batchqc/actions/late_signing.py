"""Whether what was signed on paper may be entered late, and what the audit trail says of it."""

from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Final
from zoneinfo import ZoneInfo

from batchqc.actions.witnessed import unlike_trail
from batchqc.core.canonical import Json
from batchqc.core.late_entries import Paper, instant, late_problems
from batchqc.core.permissions import Role
from batchqc.errors import IntegrityFailure, InvalidInput
from batchqc.records.people import Person
from batchqc.records.signatures import SignatureRow
from batchqc.records.system_stops import STOPS, folded_stops, had_role, stop_rows
from batchqc.records.transaction import Transaction

#: Under which the audit entry of a signature tells its paper.
LATE: Final = "late entry"


def check_paper(
    tx: Transaction, person: Person, paper: Paper | None, rests_on: Mapping[str, datetime] | None
) -> None:
    """Refuse a paper that cannot be entered.

    Args:
        tx: of the person who signs.
        person: who signs.
        paper: when and on which form it was signed; ``None`` where it is signed now.
        rests_on: the true time of what the signature rests on, by what it is in words; ``None``
            for what is never entered late.

    Raises:
        InvalidInput: with every reason.
        IntegrityFailure: the register of stops is not as the audit trail says.
    """
    if paper is None:
        return
    if rests_on is None:
        raise InvalidInput(
            "BQC-LAT-002",
            "this is signed in the system only; it is not entered from paper",
            hint="Leave out the time and the form.",
        )
    tx.lock(STOPS)
    rows = stop_rows(tx.session)
    if damage := list(unlike_trail(tx.session, [STOPS], rows)):
        raise IntegrityFailure(
            "BQC-LAT-003", "the register of stops is damaged", reasons=damage,
            hint="Stop. Run `batchqc audit verify` and call the system owner.",
        )  # fmt: skip
    problems = late_problems(
        paper,
        signer=person.user_id,
        now=tx.now,
        stops=folded_stops(rows),
        rests_on=rests_on,
    )
    happened, role = instant(paper.happened_at), Role(tx.actor.role)
    if happened and MINYEAR < happened.year < MAXYEAR:  # no stop was in another year
        day = happened.astimezone(ZoneInfo(tx.actor.time_zone)).date()
        if not had_role(tx.session, person, role, happened, day=day):
            problems = (*problems, f"{person.user_id} was not {role} at {paper.happened_at}")
    if problems:
        raise InvalidInput(
            "BQC-LAT-001",
            "what was signed on paper cannot be entered so",
            reasons=problems,
            hint="See the paper and the stops: batchqc stop list. What is not on a paper form of a"
            " stop is signed in the system, now.",
        )


def said_late(signature: SignatureRow) -> dict[str, Json]:
    """What the audit entry of a signature says of its paper; nothing where there is none."""
    if not signature.happened_at:
        return {}
    return {LATE: {"happened at": signature.happened_at, "paper": signature.paper}}
