"""Who lowered a policy or a rule, or opened a gate by a record, within the life of a lot."""

from collections.abc import Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.kept import KeptRows
from batchqc.core.cell_banks import BankStatus
from batchqc.core.laboratory import Register
from batchqc.core.lot_states import Disposition
from batchqc.core.lots import Lot
from batchqc.core.lowering import Lowered, Setting, lowered
from batchqc.core.opening import Ended, Opened, opened
from batchqc.core.policies import Policy
from batchqc.records.base import Row
from batchqc.records.cell_banks import CellBankEvent
from batchqc.records.decisions import dispositions_of
from batchqc.records.laboratory import rule_rows
from batchqc.records.policies import policy_rows
from batchqc.records.registers import LotRow


def lowered_within(session: Session, row: LotRow, lot: Lot) -> Iterator[Lowered]:
    """Each lowering since a lot was made or registered; ``lot`` is the lot as corrected.

    The policy of exceptional supply opens nothing but that, and that is of rejected lots only.
    """
    zone = ZoneInfo(row.site.time_zone)
    decided = dispositions_of(session, row)
    is_rejected = bool(decided) and decided[-1].disposition == Disposition.REJECTED
    policies = (
        Setting(
            Policy(one.policy), one.value, one.signature.person.user_id,
            one.signature.at.astimezone(zone).date(),
        )
        for one in policy_rows(session)
        if is_rejected or one.policy != Policy.SUPPLY_BY_EXCEPTION
    )  # fmt: skip
    rules = (
        Setting(Register(one.register), one.rule, one.set_by, one.set_at.astimezone(zone).date())
        for one in rule_rows(session)
    )
    yield from lowered((*policies, *rules), since=_first_day(row, lot))


def opened_within(row: LotRow, lot: Lot, kept: KeptRows, origin: Iterable[Row]) -> Iterator[Opened]:
    """What was recorded since a lot was made or registered, and may have opened a gate of it.

    Args:
        row: of the lot.
        lot: as corrected.
        kept: what stands of it in the registers of the laboratory.
        origin: rows about what it comes from.
    """
    zone = ZoneInfo(row.site.time_zone)
    ended = (
        Ended(
            f"bank {one.cell_bank.bank}", one.recorded_by, one.recorded_at.astimezone(zone).date()
        )
        for one in origin
        if isinstance(one, CellBankEvent) and one.status == BankStatus.AVAILABLE
    )
    yield from opened(kept.told(zone), ended, since=_first_day(row, lot))


def _first_day(row: LotRow, lot: Lot) -> date:
    registered_on = row.registered_at.astimezone(ZoneInfo(row.site.time_zone)).date()
    return min(lot.manufactured_on, registered_on)
