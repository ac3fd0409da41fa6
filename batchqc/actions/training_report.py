"""Who is trained for what, until when, and who signed without it (requirement 1.09)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.role_terms import site_day
from batchqc.actions.setup import own_site
from batchqc.core.accounts import Trained, trained, untrained
from batchqc.core.laboratory import Span, span_on
from batchqc.records.laboratory import training_spans
from batchqc.records.people import (
    Person,
    RoleChange,
    all_people,
    grants_in,
    is_active,
    role_changes_of,
)
from batchqc.records.signatures import SignatureRow

SOON = "expires soon"


@dataclass(frozen=True, slots=True)
class Trainee:
    """A person, a role or method, the record of training with its days, and what it is today."""

    user_id: str
    name: str
    subject: str
    reference: str
    trained_on: str
    expires_on: str
    state: str


@dataclass(frozen=True, slots=True)
class SignedWithout:
    """How often somebody signed in a role without training in date, the first and the last time."""

    user_id: str
    role: str
    why: str
    signatures: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """Of a day of the site; ``until`` is the last day on which what expires is said to be soon."""

    day: date
    until: date
    trainees: Sequence[Trainee]
    without: Sequence[SignedWithout]


def training_report(session: Session, *, now: datetime, within: int) -> TrainingReport:
    """Of every active account.

    Args:
        session: only read.
        now: of when it is.
        within: how many days ahead an end is soon, and how many back signatures are looked at.
    """
    day = site_day(session, now)
    until, methods = day + timedelta(days=within), training_spans(session)
    people = [
        one for one in all_people(session) if not one.is_laboratory and is_active(session, one)
    ]
    trainees: list[Trainee] = []
    for person in people:
        trainees += _in_roles(person, role_changes_of(session, person), day, until)
        trainees += [
            _in_method(person, method, spans, day, until)
            for (user_id, method), spans in sorted(methods.items())
            if user_id == person.user_id
        ]
    begins = now - timedelta(days=within)
    return TrainingReport(day, until, trainees, tuple(_signed_without(session, begins)))


def _in_roles(
    person: Person, changes: Sequence[RoleChange], day: date, until: date
) -> Iterator[Trainee]:
    for change, grant in grants_in(changes):
        state = trained(grant, day)
        if state is Trained.NOT_NEEDED or not grant.counts_on(day):
            continue
        soon = state is Trained.IN_DATE and date.fromisoformat(change.expires_on) <= until
        yield Trainee(
            person.user_id, person.name, f"role: {grant.role}", change.training,
            change.trained_on, change.expires_on, SOON if soon else state.value,
        )  # fmt: skip


def _in_method(
    person: Person, method: str, spans: Sequence[Span], day: date, until: date
) -> Trainee:
    span = span_on(spans, day)
    last = span or spans[-1]
    state = Trained.IN_DATE.value if last.until > until else SOON
    if span is None:
        state = "still to come"
    elif day > span.until:
        state = Trained.EXPIRED.value
    days = (last.since.isoformat(), last.until.isoformat())
    return Trainee(person.user_id, person.name, f"method: {method}", "", *days, state)


def _signed_without(session: Session, begins: datetime) -> Iterator[SignedWithout]:
    """Signatures by what the records of roles said at their moment, whatever the rule was then."""
    zone = ZoneInfo(own_site(session).time_zone)
    found: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    changes: dict[int, Sequence[RoleChange]] = {}
    query = select(SignatureRow).where(SignatureRow.at >= begins).order_by(SignatureRow.at)
    for one in session.scalars(query):
        if one.person_id not in changes:
            changes[one.person_id] = role_changes_of(session, one.person)
        then = [change for change in changes[one.person_id] if change.changed_at <= one.at]
        for _, grant in grants_in(then):
            why = untrained(one.person.user_id, grant, one.at.astimezone(zone).date())
            if grant.role == one.role and why:
                found[one.person.user_id, one.role, why].append(one.at)
    for (user_id, role, why), times in sorted(found.items()):
        yield SignedWithout(user_id, role, why, len(times), times[0], times[-1])
