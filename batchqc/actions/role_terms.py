"""On what terms roles are granted: every problem at once, and the row of a grant or withdrawal."""

from collections.abc import Collection
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.core.accounts import Terms, exclusion, terms_problems
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Role
from batchqc.errors import InvalidInput, NotFound
from batchqc.records.laboratory import rule_of
from batchqc.records.people import Person, RoleChange
from batchqc.records.registers import the_site
from batchqc.records.transaction import Transaction


def site_day(session: Session, now: datetime) -> date:
    """The day at the site.

    Raises:
        NotFound: before it was set up.
    """
    site = the_site(session)
    if site is None:
        raise NotFound("BQC-SYS-005", "this database has no site", hint="Run `batchqc init`.")
    return now.astimezone(ZoneInfo(site.time_zone)).date()


def check_grant(
    tx: Transaction, *, new: Collection[Role], held: Collection[Role], terms: Terms
) -> None:
    """Refuse to grant what cannot be held together, or on terms that do not do.

    Args:
        tx: when, and with which rule of training.
        new: the roles to grant.
        held: those that the person holds besides.
        terms: of every new role.

    Raises:
        InvalidInput: with every reason.
    """
    if not new:
        return
    day = site_day(tx.session, tx.now)
    found = [exclusion([*new, *held])]
    found += [problem for role in new for problem in terms_problems(role, terms, day)]
    refuses = rule_of(tx.session, Register.TRAINING) is Rule.REFUSE
    if refuses and terms.training is None and set(new) - {Role.AUDITOR}:
        found.append("the rule of training asks for a record of training: reference and two days")
    reasons = list(dict.fromkeys(filter(None, found)))
    if reasons:
        raise InvalidInput("BQC-ACC-013", "the role cannot be granted", reasons=reasons)


def role_change(
    tx: Transaction, person: Person, number: int, role: Role, terms: Terms | None
) -> RoleChange:
    """The row by which a role is granted on ``terms``, or withdrawn, where these are ``None``."""
    training = terms.training if terms else None
    return RoleChange(
        person=person,
        number=number,
        role=role.value,
        granted=int(terms is not None),
        changed_at=tx.now,
        last_day=terms.last_day.isoformat() if terms and terms.last_day else "",
        training=training.reference.strip() if training else "",
        trained_on=training.trained_on.isoformat() if training else "",
        expires_on=training.expires_on.isoformat() if training else "",
    )
