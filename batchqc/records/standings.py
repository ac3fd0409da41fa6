"""All that says what an account opens now, by one statement for who shows a token.

Each request asks it first, so it is asked as a whole: the session, the person, every change of the
roles, the newest of what only the newest counts of, whether an authenticator is lacking, and the
site, whose days count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from batchqc.core.accounts import Grant
from batchqc.core.policies import CodeAtSignIn, Policy
from batchqc.records.components import code_counts, confirmed_secret
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
from batchqc.records.policies import is_now, policies_of
from batchqc.records.registers import Site


@dataclass(frozen=True, slots=True)
class Standing:
    """A person, what was changed of the roles, and what counts of account, password and rule."""

    person: Person
    changes: Sequence[RoleChange]
    account: AccountChange | None
    password: Password | None
    rule: PasswordRule | None
    has_code: bool
    """Whether codes of an authenticator count."""
    asks_everybody: bool
    """Whether the site asks everybody for a code at sign-in."""

    @property
    def must_enrol(self) -> bool:
        """Whether nothing is allowed before an authenticator is enrolled."""
        return self.asks_everybody and self.password is not None and not self.has_code

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
        confirmed_secret(session, person) is not None,
        policies_of(session)[Policy.CODE_AT_SIGN_IN] == CodeAtSignIn.EVERYBODY,
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
    sign_in, _, account, password, rule, site, has_code, everybody = rows[0]
    changes = [row[1] for row in rows if row[1] is not None]
    standing = Standing(
        sign_in.person, changes, account, password, rule, bool(has_code), bool(everybody)
    )
    return sign_in, standing, site


@cache
def _behind() -> Select[*tuple[Any, ...]]:
    has_code = code_counts(SignIn.person_id)
    everybody = is_now(Policy.CODE_AT_SIGN_IN, CodeAtSignIn.EVERYBODY)
    query = (
        select(SignIn, RoleChange, AccountChange, Password, PasswordRule, Site, has_code, everybody)
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
