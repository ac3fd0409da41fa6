"""Administrations: a site reports that a container was given to a recipient, by pseudonym.

What has happened is recorded, whatever stands against it: a dose of a lot on hold that was given
all the same must be found by who looks for it. What stands against it is told and kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from batchqc.actions.cell_banks import today_of
from batchqc.actions.clinical_sites import the_clinical_site
from batchqc.actions.containers import (
    Move,
    add_events,
    day_of,
    expiry_of,
    lock_lots_of,
    the_containers,
)
from batchqc.actions.labels import label_of
from batchqc.actions.origins import GENEALOGY
from batchqc.actions.permission import require
from batchqc.actions.registers import refuse_all
from batchqc.actions.shipments import start_of
from batchqc.actions.times import day_problem
from batchqc.core.containers import ContainerStatus, move_problem, shipping_problems
from batchqc.core.identifiers import fold, line_problem
from batchqc.core.permissions import Permission
from batchqc.core.recipients import pseudonym_problem
from batchqc.errors import Conflict
from batchqc.records.containers import Container, newest_events, status_of
from batchqc.records.shipments import (
    Administration,
    Recipient,
    receipts_of,
    recipient_by,
    shipped_of,
)
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewAdministration:
    """That a container was given to a recipient of a site on a day, and who at the site says so."""

    container: str
    site: str
    recipient: str
    administered_on: date
    reported_by: str


@dataclass(frozen=True, slots=True)
class Administered:
    """An administration as recorded, and what stood against it, in words."""

    row: Administration
    doubts: tuple[str, ...]


def record_administration(tx: Transaction, new: NewAdministration) -> Administered:
    """Record that a container was given to a recipient.

    Raises:
        InvalidInput: with everything that is wrong; what looks like a name is refused.
        Conflict: the container cannot have been given: it went elsewhere, or is gone.
    """
    require(tx, Permission.SHIP)
    tx.lock(GENEALOGY)
    site = the_clinical_site(tx.session, new.site)
    (row,) = the_containers(tx.session, [new.container])
    lock_lots_of(tx, [row])
    event = newest_events(tx.session, [row.id]).get(row.id)
    since = day_of(tx.session, event.happened_at) if event else date.min
    problems = [
        pseudonym_problem(new.recipient, site=site.code),
        line_problem("who reports it", new.reported_by),
        day_problem("the day", new.administered_on, since=since, today=today_of(tx)),
    ]
    refuse_all(
        "BQC-GEN-021", "the administration is not recorded", [one for one in problems if one]
    )
    shipped = shipped_of(tx.session, [row.id])
    wrong = [move_problem(row.container, status_of(event), ContainerStatus.ADMINISTERED)]
    if row.lot is None:
        wrong.append(f"{row.container} is of a bank; nobody is given a bank")
    if shipped and shipped[-1].shipment.clinical_site.folded != site.folded:
        there = shipped[-1].shipment.clinical_site.code
        wrong.append(f"{row.container} went to {there}, not to {site.code}")
    reasons = [one for one in wrong if one]
    if reasons:
        raise Conflict("BQC-GEN-021", "the administration is not recorded", reasons=reasons)
    doubts = tuple(_doubts(tx, row, site.code, new.administered_on))
    recipient = recipient_by(tx.session, new.recipient)
    known = recipient or Recipient(
        pseudonym=new.recipient,
        folded=fold(new.recipient),
        site=site.code,
        registered_at=tx.now,
    )
    given = Administration(
        container=row,
        recipient=known,
        administered_on=new.administered_on.isoformat(),
        reported_by=new.reported_by.strip(),
        recorded_by=tx.actor.user_id,
        recorded_at=tx.now,
    )
    rows = [given] if recipient else [known, given]
    tx.add(*rows)
    tx.audit(
        "administration recorded",
        rows=rows,
        about=[row.key, known.key, *([row.lot.key] if row.lot else [])],
        after={"doubts": list(doubts)},
    )
    happened = start_of(tx.session, new.administered_on)
    reason = f"Given to {known.pseudonym}"
    add_events(tx, [row], Move((), ContainerStatus.ADMINISTERED, site.code, happened, reason))
    return Administered(given, doubts)


def _doubts(tx: Transaction, row: Container, site: str, day: date) -> Iterator[str]:
    """What stands against a dose that was given."""
    if row.lot is not None:
        yield from shipping_problems(label_of(tx.session, row.lot), site=site, today=day)
    expires_on = expiry_of(tx.session, row)
    if day > expires_on:
        yield f"{row.container} expired on {expires_on}"
    shipped = shipped_of(tx.session, [row.id])
    if not shipped:
        yield f"{row.container} never went to a site with a shipment"
    elif not receipts_of(tx.session, [shipped[-1].shipment_id]):
        yield f"no receipt of {shipped[-1].shipment.natural_key} is recorded"
