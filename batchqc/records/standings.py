"""All that says what an account opens now, by one statement for who shows a token.

Each request asks it first, so it is asked as a whole: the session, the person, every change of the
roles, the newest of what only the newest counts of, and the site, whose days count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from batchqc.core.accounts import Grant
from batchqc.records.people import (
    AccountChange,
    Password,
    PasswordRule,
    Person,
    RoleChange,
    SignIn,
    SignOut,
    grants_in,
    newest_account_change,
    newest_password,
    newest_password_rule,
    role_changes_of,
)
from batchqc.records.registers import Site


@dataclass(frozen=True, slots=True)
class Standing:
    """A person, what was changed of the roles, and what counts of account, password and rule."""

    person: Person
    changes: Sequence[RoleChange]
    account: AccountChange | None
    password: Password | None
    rule: PasswordRule | None

    @property
    def is_active(self) -> bool:
        """Whether the account was never deactivated, or reactivated since."""
        return self.account is None or bool(self.account.active)

    @property
    def grants(self) -> list[Grant]:
        """The newest grant of each role that was not withdrawn."""
        return [grant for _, grant in grants_in(self.changes)]


def standing_of(session: Session, person: Person) -> Standing:
    """How a person stands, whatever proves who comes."""
    return Standing(
        person,
        role_changes_of(session, person),
        newest_account_change(session, person),
        newest_password(session, person),
        newest_password_rule(session),
    )


def standing_behind(
    session: Session, token_sha256: str, now: datetime
) -> tuple[SignIn, Standing, Site] | None:
    """The session of a token, how its person stands, and the site.

    ``None`` where the session has ended, or there is none, or no site.
    """
    rows = session.execute(_behind(), {"token": token_sha256, "now": now}).all()
    if not rows:
        return None
    sign_in, _, account, password, rule, site = rows[0]
    changes = [row[1] for row in rows if row[1] is not None]
    return sign_in, Standing(sign_in.person, changes, account, password, rule), site


@cache
def _behind() -> Select[*tuple[Any, ...]]:
    query = (
        select(SignIn, RoleChange, AccountChange, Password, PasswordRule, Site)
        .select_from(SignIn)
        .options(joinedload(SignIn.person, innerjoin=True))
        .join(Site, Site.id == select(func.min(aliased(Site).id)).scalar_subquery())
        .outerjoin(SignOut, SignOut.sign_in_id == SignIn.id)
        .outerjoin(RoleChange, RoleChange.person_id == SignIn.person_id)
    )
    kind: type[AccountChange | Password]
    for kind in (AccountChange, Password):
        other = aliased(kind)
        newest = select(func.max(other.number)).where(other.person_id == SignIn.person_id)
        of_person = kind.person_id == SignIn.person_id
        counts = kind.number == newest.correlate(SignIn).scalar_subquery()
        query = query.outerjoin(kind, and_(of_person, counts))
    newest_rule = select(func.max(aliased(PasswordRule).number)).scalar_subquery()
    return (
        query.outerjoin(PasswordRule, PasswordRule.number == newest_rule)
        .where(
            SignIn.token_sha256 == bindparam("token"),
            SignIn.ends_at > bindparam("now"),
            SignOut.id.is_(None),
        )
        .order_by(RoleChange.number)
    )
