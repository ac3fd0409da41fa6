"""Webhooks: who outside is told of events. Registered and ended by an administrator."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not, refuse_all
from batchqc.actions.signing import check_reason
from batchqc.core.events import kind_problem, webhook_secret
from batchqc.core.identifiers import code_problem, fold
from batchqc.core.permissions import Permission
from batchqc.documents.posting import url_problem
from batchqc.errors import Conflict
from batchqc.records.events import Webhook, WebhookEnd, end_of, newest_event, webhook_by
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook to register: name, address, and the kinds of events; none is all of them."""

    name: str
    url: str
    kinds: tuple[str, ...] = ()


def register_webhook(tx: Transaction, new: NewWebhook, *, key: bytes) -> tuple[Webhook, str]:
    """Register a webhook; it is told of what happens from now on.

    Args:
        tx: of an administrator.
        new: what is asked for.
        key: the installation's, from which secrets are derived.

    Returns:
        The webhook and its secret, which is shown now and never again.

    Raises:
        InvalidInput: with everything that is wrong.
        Conflict: the name was given before.
    """
    require(tx, Permission.MANAGE_WEBHOOKS)
    found = [_name_problem(new.name), url_problem(new.url), *map(kind_problem, new.kinds)]
    problems = [one for one in found if one]
    refuse_all("BQC-EVT-001", "the webhook cannot be registered", problems)
    tx.lock("webhooks")
    if webhook_by(tx.session, new.name) is not None:
        raise Conflict("BQC-EVT-002", f"the name {new.name} was given before", hint="Take another.")
    secret = webhook_secret(key, f"webhook:{new.name}")
    row = Webhook(
        name=new.name,
        folded=fold(new.name),
        url=new.url,
        kinds="\n".join(dict.fromkeys(new.kinds)),
        begins_after=newest_event(tx.session),
        secret_sha256=sha256_of_secret(secret),
        registered_by=tx.actor.user_id,
        registered_at=tx.now,
    )
    tx.add(row)
    tx.audit("webhook registered", rows=[row], after={"url": row.url, "kinds": kinds_of(row)})
    return row, secret


def end_webhook(tx: Transaction, *, name: str, reason: str) -> WebhookEnd:
    """End a webhook: it is told no more, and its name is not given again.

    Raises:
        Conflict: it has ended.
    """
    require(tx, Permission.MANAGE_WEBHOOKS)
    check_reason(reason)
    row = the_webhook(tx.session, name)
    tx.lock(row.key)
    if end_of(tx.session, row) is not None:
        raise Conflict("BQC-EVT-004", f"webhook {row.name} has ended")
    end = WebhookEnd(webhook=row, reason=reason, ended_by=tx.actor.user_id, ended_at=tx.now)
    tx.add(end)
    tx.audit("webhook ended", rows=[end], about=[row.key], reason=reason)
    return end


def the_webhook(session: Session, name: str) -> Webhook:
    """The webhook of a name, or NotFound."""
    return found_or_not(webhook_by(session, name), "BQC-EVT-003", f"there is no webhook {name}")


def kinds_of(row: Webhook) -> Sequence[str]:
    """The kinds of events that a webhook asked for; none is all."""
    return row.kinds.split("\n") if row.kinds else []


def _name_problem(name: str) -> str | None:
    return "the name has no /" if "/" in name else code_problem(name)


def sha256_of_secret(secret: str) -> str:
    """By what a secret is known again."""
    return hashlib.sha256(secret.encode()).hexdigest()
