"""What a decision after the first one must say, and when it may be made (requirements 2.3, 2.24).

A recall names its class and how far it goes. An exceptional supply of a lot that failed names who
asked, why no other treatment will do, the risk and who was told; it is off until QA switches it on.
A destruction names the method and a witness.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from batchqc.core.failures import Failure
from batchqc.core.gates import Gate
from batchqc.core.investigations import Investigation, State
from batchqc.core.lot_states import Disposition, may_decide

RECALL_CLASSES: Final = ("I", "II", "III")

#: What must be said with each decision, by name, and what it is.
PARTICULARS: Final[Mapping[Disposition, Mapping[str, str]]] = {
    Disposition.RECALLED: {
        "class": f"one of {', '.join(RECALL_CLASSES)}",
        "scope": "what is recalled, from whom",
    },
    Disposition.SUPPLIED: {
        "physician": "who treats the patient, as the site refers to them",
        "request": "reference of the physician's request",
        "hazard": "the immediate significant hazard to the patient",
        "alternatives": "which alternatives were considered, and why none will do",
        "risk evaluation": "reference of the manufacturer's evaluation, given to the physician",
        "confirmation": "reference of the physician's confirmation",
        "notified": "which sponsor, holder or authority was told, and when",
    },
    Disposition.DESTROYED: {
        "method": "how the lot was destroyed",
        "witness": "the user id of who saw it, beside the one who signs",
    },
}

#: Gates that are closed for an exceptional supply, too: of whom and of what the cells are, and
#: whatever else than a failing result keeps a lot held.
_ASKED: Final = ("Donor", "Genealogy", "Registers", "Deviations")


class Account(NamedTuple):
    """Whom a user id belongs to, and whether the account is in use."""

    user_id: str
    is_person: bool
    is_open: bool


def witness_problem(named: str, account: Account | None, signer: str) -> str:
    """Why ``named`` witnesses no destruction that ``signer`` signs, or "".

    Args:
        named: as given.
        account: whose user id that is; ``None`` where it is nobody's.
        signer: a user id.
    """
    if account is None:
        return f'nobody has the user id "{named}"; the witness is named by theirs'
    if not account.is_person:
        return f"{account.user_id} is a contract laboratory; a person witnesses the destruction"
    if not account.is_open:
        return f"the account {account.user_id} is closed; who witnesses has one in use"
    return "who witnesses the destruction does not sign it" if account.user_id == signer else ""


def particulars_problems(wanted: Disposition, given: Mapping[str, str]) -> tuple[str, ...]:
    """Everything that is missing from, or wrong with, what is said with a decision."""
    asked = PARTICULARS[wanted]
    missing = [
        f'"{name}" is missing: {what}' for name, what in asked.items() if not _said(given, name)
    ]
    unknown = [f'"{name}" belongs to no {wanted} lot' for name in given if name not in asked]
    wrong = []
    named = given.get("class", "").strip()
    if wanted is Disposition.RECALLED and named and named not in RECALL_CLASSES:
        wrong = [f'"class" is {asked["class"]}, not "{named}"']
    return (*missing, *unknown, *wrong)


def later_hindrances(
    current: Disposition,
    wanted: Disposition,
    *,
    is_usable: bool,
    supply_allowed: bool,
    witness: str,
) -> Iterator[str]:
    """Every reason why a lot may not be decided so.

    Args:
        current: what the label says now.
        wanted: what it is to say.
        is_usable: neither expired nor on hold.
        supply_allowed: whether QA switched the exceptional supply on.
        witness: why who is named witnesses no destruction; "" where nothing is against it.
    """
    if not may_decide(current, wanted):
        yield f"nothing leads from {current} to {wanted}"
    if wanted is Disposition.DESTROYED and current is Disposition.RELEASED and is_usable:
        yield "a released lot that may be used is not destroyed: it is neither expired nor on hold"
    if wanted is Disposition.SUPPLIED and not supply_allowed:
        yield "exceptional supply is off at this site; QA switches it on, with a reason"
    if witness:
        yield witness


def supply_hindrances(
    gates: Iterable[Gate], investigations: Iterable[Investigation], failures: Iterable[Failure]
) -> Iterator[str]:
    """What stands against an exceptional supply of a lot that failed.

    Donor, cell banks, registers and deviations are as for a release: a lot that is not in use is
    not held for them. And the laboratory has begun to look at whatever fails.

    Args:
        gates: between the lot and its release.
        investigations: of the lot, as they stand.
        failures: whatever fails of it.
    """
    known = tuple(investigations)
    for gate in gates:
        if gate.name in _ASKED:
            yield from (f"{gate.name}: {reason}" for reason in gate.reasons)
    for one in known:
        if one.state is State.PHASE_I:
            yield f"Investigations: {one.number} ({one.criterion}): {one.state}"
    for failure in failures:
        if not failure.is_covered(known):
            yield f"Investigations: nothing investigates: {failure.sentence}"


def _said(given: Mapping[str, str], name: str) -> bool:
    return any(letter.isalnum() for letter in given.get(name, ""))
