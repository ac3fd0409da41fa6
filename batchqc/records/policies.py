"""Policies of the site, each change signed."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, relationship

from batchqc.core.policies import VALUES, Policy
from batchqc.records.absent import is_empty
from batchqc.records.base import Row, refers_to
from batchqc.records.once import once
from batchqc.records.signatures import SignatureRow


class PolicyRow(Row):
    """What a policy is from then on; the newest counts."""

    __tablename__ = "policy"

    policy: Mapped[str]
    number: Mapped[int]
    value: Mapped[str]
    reason: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")

    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("policy", "number"),)

    @property
    def natural_key(self) -> str:
        """Policy and the how many-th."""
        return f"{self.policy}/{self.number}"


#: What audit entries call the policies of the site.
POLICIES = "policies"


_POLICIES: Final = select(PolicyRow).order_by(PolicyRow.number)


@once
def policy_rows(session: Session) -> Sequence[PolicyRow]:
    """Every change of a policy, oldest first."""
    return () if is_empty(session, PolicyRow) else session.scalars(_POLICIES).all()


def next_policy_key(session: Session, policy: Policy) -> str:
    """The key of the next change of a policy; who changes it holds the lock of the policies."""
    number = 1 + sum(row.policy == policy for row in policy_rows(session))
    return f"{PolicyRow.__tablename__}:{policy}/{number}"


def is_now(policy: Policy, value: str) -> ColumnElement[bool]:
    """Whether a policy has a value, not its first, as a part of a question that asks more."""
    rows = select(PolicyRow.value).where(PolicyRow.policy == policy.value)
    return rows.order_by(PolicyRow.number.desc()).limit(1).scalar_subquery() == value


def policies_of(session: Session) -> dict[Policy, str]:
    """What each policy is now."""
    found = {policy: values[0] for policy, values in VALUES.items()}
    return found | {Policy(row.policy): row.value for row in policy_rows(session)}
