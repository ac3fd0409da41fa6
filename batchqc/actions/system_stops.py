"""QA records stops of the system, signed, and afterwards when they ended (requirement 1.40)."""

from collections.abc import Sequence

from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.late_entries import instant, stop_problems
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.system_stops import STOPS, SystemStop, entries_between, stop_rows
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
    return _tell(tx, (), stop, began, ended, credentials)


def end_stop(
    tx: Transaction, *, stop: int, ended: str, credentials: Credentials
) -> SystemStop | Refusal:
    """Record when a stop ended.

    Raises:
        NotFound: there is no such stop.
        Conflict: its end is on record.
        InvalidInput: the time cannot be, with every reason.
    """
    require(tx, Permission.RECORD_STOP)
    check_reason(credentials.reason)
    tx.lock(STOPS)
    told = [row for row in stop_rows(tx.session) if row.stop == stop]
    if not told:
        raise NotFound("BQC-LAT-005", f"there is no stop {stop} of the system")
    if told[-1].ended:
        raise Conflict("BQC-LAT-006", f"stop {stop} of the system ended at {told[-1].ended}")
    return _tell(tx, told, stop, told[-1].began, ended or "?", credentials)


def _tell(
    tx: Transaction,
    told: Sequence[SystemStop],
    stop: int,
    began: str,
    ended: str,
    credentials: Credentials,
) -> SystemStop | Refusal:
    problems = stop_problems(began, ended, now=tx.now)
    if problems:
        raise InvalidInput("BQC-LAT-004", "the system cannot have been down so", reasons=problems)
    number = len(told) + 1
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
        "system stop recorded",
        rows=[signature, row],
        about=[STOPS],
        reason=credentials.reason,
        after={"stop": stop, "began": began, "ended": ended, **_meanwhile(tx, row)},
    )
    return row


def _meanwhile(tx: Transaction, row: SystemStop) -> dict[str, Json]:
    """How many entries were written while the system is told to have been down."""
    began, ended = instant(row.began), instant(row.ended)
    if began is None or ended is None:
        return {}
    return {"entries meanwhile": entries_between(tx.session, began, ended)}
