"""Policies and rules of registers that were lowered within the life of a lot."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.core.laboratory import Register
from batchqc.core.lot_states import Disposition
from batchqc.core.lots import Lot
from batchqc.core.lowering import Lowered, Setting, lowered
from batchqc.core.policies import Policy
from batchqc.records.decisions import dispositions_of
from batchqc.records.laboratory import rule_rows
from batchqc.records.policies import policy_rows
from batchqc.records.registers import LotRow


def lowered_within(session: Session, row: LotRow, lot: Lot) -> Iterator[Lowered]:
    """Each lowering since a lot was made or registered; ``lot`` is the lot as corrected.

    The policy of exceptional supply opens nothing but that, and that is of rejected lots only.
    """
    zone = ZoneInfo(row.site.time_zone)
    registered_on = row.registered_at.astimezone(zone).date()
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
    yield from lowered((*policies, *rules), since=min(lot.manufactured_on, registered_on))
