"""``batchqc events``: look at events, tell webhooks of them, register and end webhooks."""

import time
from typing import Annotated

import typer

from batchqc import clock
from batchqc.actions.deliveries import Attempt, deliver_events
from batchqc.actions.webhooks import NewWebhook, end_webhook, kinds_of, register_webhook
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, Workplace, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.documents.webhook_key import made_key
from batchqc.errors import Conflict
from batchqc.records.events import GIVEN_UP, events_after, open_webhooks, told_up_to
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Events, and the webhooks that are told of them.")

Name = Annotated[str, typer.Argument(help="Name of the webhook.")]


@app.command("list")
def list_(
    context: typer.Context,
    kind: Annotated[str, typer.Option(help="Only of a kind: lot.released, or lot.*")] = "",
    after: Annotated[int, typer.Option(help="Only after this number.")] = 0,
    limit: Annotated[int, typer.Option(help="How many at the most.")] = 50,
) -> None:
    """Events, oldest first."""
    with reading(workplace(context).engine) as session:
        found = events_after(session, after, limit=limit, kinds=[kind] if kind else [])
        rows = [
            (one.number, f"{one.at:%Y-%m-%d %H:%M:%S}Z", one.kind, ", ".join(one.event.subjects))
            for one in found
        ]
    table(("#", "When (UTC)", "Kind", "Records"), rows, empty="No event.")


@app.command()
def webhooks(context: typer.Context) -> None:
    """The webhooks that are told of events, and how far."""
    with reading(workplace(context).engine) as session:
        rows = [
            (one.name, one.url, ", ".join(kinds_of(one)) or "all", told_up_to(session, one))
            for one in open_webhooks(session)
        ]
    table(("Name", "Address", "Kinds", "Told up to"), rows, empty="No webhook.")


@app.command()
def register(
    context: typer.Context,
    name: Name,
    url: Annotated[str, typer.Argument(help="https, or http on this machine.")],
    user: User,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only of a kind: lot.released, lot.*; several times.")
    ] = None,
) -> None:
    """Register a webhook. Its secret is shown now and never again."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_WEBHOOKS)
    with transaction(place.engine, actor, place.now()) as tx:
        key = made_key(place.settings.webhook_key, clock.new_token())
        _, secret = register_webhook(tx, NewWebhook(name, url, tuple(kind or ())), key=key)
    say(f"{name} is told of what happens from now on. Its secret, shown this once:")
    say(secret)


@app.command()
def end(context: typer.Context, name: Name, user: User, reason: Reason) -> None:
    """End a webhook; its name is not given again."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_WEBHOOKS)
    with transaction(place.engine, actor, place.now()) as tx:
        end_webhook(tx, name=name, reason=reason)
    say(f"{name} is told no more.")


@app.command()
def deliver(
    context: typer.Context,
    every: Annotated[
        int, typer.Option(min=0, help="Seconds between looks, until stopped; 0 looks once.")
    ] = 0,
) -> None:
    """Tell webhooks of all that is due. Where an event is given up, the command ends with 5."""
    place = workplace(context)
    while True:
        given_up = _deliver(place)
        if not every:
            break
        time.sleep(every)
    if given_up:
        raise Conflict(
            "BQC-EVT-008",
            "events were given up",
            reasons=given_up,
            hint="Mend the receiver, and pull what it missed: GET /events?after=<number - 1>.",
        )


def _deliver(place: Workplace) -> list[str]:
    """Tell what is due; answers what was given up."""
    from batchqc.api.workshops import sender_of  # noqa: PLC0415 - only who delivers waits for it

    with reading(place.engine) as session:
        if not open_webhooks(session):
            say("No webhook.")
            return []
    done = deliver_events(place.engine, sender_of(place.settings, place.now))
    if done is None:
        say("Another process is delivering.")
        return []
    for one in done:
        say(_line(one))
    return [_line(one) for one in done if one.outcome == GIVEN_UP]


def _line(one: Attempt) -> str:
    told = f"{one.webhook}: event {one.event.number} ({one.event.kind}) {one.outcome}"
    return f"{told}: {one.detail}" if one.detail else told
