"""QA records stops of the system, signed, and afterwards when they ended (requirement 1.40).

A system that was down wrote no entry: a stop over a time of which the audit trail has entries is
refused. A wrong one is withdrawn, and told anew, as long as nothing was entered late for it.
"""

from collections.abc import Iterator, Sequence

from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.late_entries import instant, overlap_problems, stop_problems
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.system_stops import (
    STOPS,
    SystemStop,
    entries_between,
    folded_stops,
    late_signatures,
    stop_rows,
)
from batchqc.records.transaction import Transaction


def record_stop(
    tx: Transaction, *, began: str, ended: str = "", credentials: Credentials
) -> SystemStop | Refusal:
    """Record that the system was down.

    Args:
        tx: of QA.
        began: RFC 3339 with an offset, as typed.
        ended: the same; "" where the end is told later.
        credentials: both components of the signature, and why the system was down.

    Raises:
        InvalidInput: the times cannot be, with every reason.
    """
    require(tx, Permission.RECORD_STOP)
    check_reason(credentials.reason)
    tx.lock(STOPS)
    stop = max((row.stop for row in stop_rows(tx.session)), default=0) + 1
    _check(tx, stop, began, ended)
    return _tell(tx, (), stop, (began, ended), credentials)


def end_stop(
    tx: Transaction, *, stop: int, ended: str, credentials: Credentials
) -> SystemStop | Refusal:
    """Record when a stop ended.

    Raises:
        NotFound: there is no such stop.
        Conflict: its end is on record, or it was withdrawn.
        InvalidInput: the time cannot be, with every reason.
    """
    told = _told(tx, stop, credentials)
    if told[-1].ended:
        raise Conflict("BQC-LAT-006", f"stop {stop} of the system ended at {told[-1].ended}")
    _check(tx, stop, told[-1].began, ended or "?")
    return _tell(tx, told, stop, (told[-1].began, ended), credentials)


def withdraw_stop(tx: Transaction, *, stop: int, credentials: Credentials) -> SystemStop | Refusal:
    """Say that there was no such stop; what is right is recorded as another one.

    Raises:
        NotFound: there is no such stop.
        Conflict: it was withdrawn, or what was signed on paper was entered for it, each named.
    """
    told = _told(tx, stop, credentials)
    own = [one for one in folded_stops(told) if one.number == stop]
    entered = [
        f"{one.natural_key}: {one.name}, {one.meaning} {one.record} on {one.paper} at"
        f" {one.happened_at}"
        for one in late_signatures(tx.session)
        if (happened := instant(one.happened_at)) and any(it.covers(happened) for it in own)
    ]
    if entered:
        raise Conflict(
            "BQC-LAT-008",
            f"what was signed on paper was entered for stop {stop} of the system; it stays",
            reasons=entered,
        )
    return _tell(tx, told, stop, ("", ""), credentials)


def _told(tx: Transaction, stop: int, credentials: Credentials) -> Sequence[SystemStop]:
    """What was told of a stop that was not withdrawn, held until the end of the transaction."""
    require(tx, Permission.RECORD_STOP)
    check_reason(credentials.reason)
    tx.lock(STOPS)
    told = [row for row in stop_rows(tx.session) if row.stop == stop]
    if not told:
        raise NotFound("BQC-LAT-005", f"there is no stop {stop} of the system")
    if told[-1].is_withdrawn:
        raise Conflict("BQC-LAT-007", f"stop {stop} of the system was withdrawn")
    return told


def _check(tx: Transaction, stop: int, began: str, ended: str) -> None:
    problems = stop_problems(began, ended, now=tx.now)
    if not problems:
        others = [one for one in folded_stops(stop_rows(tx.session)) if one.number != stop]
        problems = (*overlap_problems(began, ended, others), *_meanwhile(tx, began, ended))
    if problems:
        raise InvalidInput("BQC-LAT-004", "the system cannot have been down so", reasons=problems)


def _meanwhile(tx: Transaction, began: str, ended: str) -> Iterator[str]:
    """The first and the last entry that were written while the system is told to have been down."""
    first, last = instant(began), instant(ended)
    if first and last and (entries := entries_between(tx.session, first, last)):
        said = " to ".join(
            f"entry {sequence} ({one.what}, {one.who}, {one.at.isoformat()})"
            for sequence, one in dict(entries).items()
        )
        yield f"the audit trail was written meanwhile: {said}"


def _tell(
    tx: Transaction,
    told: Sequence[SystemStop],
    stop: int,
    times: tuple[str, str],
    credentials: Credentials,
) -> SystemStop | Refusal:
    number, (began, ended) = len(told) + 1, times
    content: dict[str, Json] = {
        "type": "batchqc/system-stop/1", "stop": stop, "number": number, "began": began,
        "ended": ended,
    }  # fmt: skip
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.AUTHORED,
        record=f"system_stop:{stop}/{number}",
        record_sha256=sha256_of(content),
    )
    if isinstance(signature, Refusal):
        return signature
    row = SystemStop(
        stop=stop,
        number=number,
        began=began,
        ended=ended,
        reason=credentials.reason,
        signature=signature,
    )
    tx.add(row)
    tx.audit(
        "system stop withdrawn" if row.is_withdrawn else "system stop recorded",
        rows=[signature, row],
        about=[STOPS],
        reason=credentials.reason,
        after={"stop": stop, "began": began, "ended": ended},
    )
    return row
