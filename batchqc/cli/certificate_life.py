"""``batchqc certificate show`` and ``copy``, ``batchqc lot draft-certificate``."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from batchqc.actions.certificate_life import life_of
from batchqc.actions.certificate_states import standing_of
from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.evaluation import study
from batchqc.actions.lots import the_lot
from batchqc.cli.certificate import Number
from batchqc.cli.csv_out import expect_new, write_new
from batchqc.cli.lot import Lot
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import User, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.records.transaction import reading, transaction

To = Annotated[Path, typer.Option(help="A PDF file to write; not replaced.")]


def show(context: typer.Context, number: Number) -> None:
    """The whole life of a certificate: each event with its time, person, reason and link."""
    place = workplace(context)
    with reading(place.engine) as session:
        row = the_certificate(session, number)
        content = content_of_certificate(place.archive, row)
        life, zone = life_of(session, row), ZoneInfo(row.site.time_zone)
        known = [
            ("Certificate", row.natural_key),
            ("Lot", row.lot.lot),
            ("Status", standing_of(session, row)),
            ("Conclusion", content["conclusion"]),
            ("SHA-256 of its content", row.content_sha),
        ]
    facts(known)
    events = [
        (f"{one.at.astimezone(zone):%Y-%m-%d %H:%M %z}", one.what, one.by, one.reason, one.about)
        for one in life
    ]
    table(("When", "What", "Who", "Why", "See"), events, empty="")
    replaced = content["supersedes"]
    if replaced and (changes := replaced.get("changes", [])):
        say(f"It says otherwise than {replaced['number']}:")
        rows = [(one["what"], one["before"], one["after"]) for one in changes]
        table(("What", "Before", "Now"), rows, empty="")


def copy(
    context: typer.Context,
    number: Number,
    recipient: Annotated[str, typer.Option("--for", prompt="For whom", help="Who gets it.")],
    to: To,
    user: User,
) -> None:
    """Print a copy for somebody: marked on each page, without seals; it is on record."""
    from batchqc.actions.certificate_copies import (  # noqa: PLC0415 - others start faster
        copied,
        copy_document,
        print_copy,
    )

    expect_new(to)
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.ISSUE_CERTIFICATE)
    with transaction(place.engine, actor, place.now()) as tx:
        made = print_copy(tx, number=number, recipient=recipient).number
    with reading(place.engine) as session:
        found = copied(session, place.archive, number=number, copy=made)
    write_new(to, copy_document(found, place.press.fonts))
    say(f"Copy {made} of {found.content['number']} is written to {to}.")


def draft(context: typer.Context, lot: Lot, to: To) -> None:
    """Write what the certificate of a lot would say now: no number, no seals, not stored."""
    from batchqc.actions.certificate_drafts import (  # noqa: PLC0415 - others start faster
        draft_content,
        draft_document,
    )

    place = workplace(context)
    with reading(place.engine) as session:
        now = place.now()
        case = study(session, place.archive, lot=the_lot(session, lot), now=now)
        content = draft_content(session, place.archive, case=case, now=now)
    write_new(to, draft_document(content, place.press.fonts))
    say(f"{to} is written. It is a draft of lot {case.lot.id} ({case.disposition}).")
