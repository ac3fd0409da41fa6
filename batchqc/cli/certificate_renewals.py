"""``batchqc certificate renew``, ``due`` and ``renewed``: what keeps certificates provable."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.certificate_renewals import (
    DUE_DAYS,
    due_certificates,
    newest_document,
    renew_certificate,
)
from batchqc.cli.certificate import Number
from batchqc.cli.csv_out import write_new
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Workplace, workplace
from batchqc.errors import BatchqcError, InvalidInput, SigningUnavailable
from batchqc.records.transaction import reading

_Within = Annotated[int, typer.Option(help="Days before the end of its proof.", min=0)]


def due(context: typer.Context, within: _Within = DUE_DAYS) -> None:
    """Certificates whose proof ends soon, the most urgent first; nothing is changed."""
    place = workplace(context)
    now = place.now()
    with reading(place.engine) as session:
        found = due_certificates(session, place.archive, at=now, within=within)
    rows = [(one.number, f"{one.until:%Y-%m-%d}", one.days) for one in found]
    table(("Certificate", "Proves itself until", "Days left"), rows, empty="None is due.")


def renew(
    context: typer.Context,
    numbers: Annotated[list[str] | None, typer.Argument(help="Certificates.")] = None,
    *,
    due: Annotated[bool, typer.Option("--due", help="Every one that is due.")] = False,
    within: _Within = DUE_DAYS,
) -> None:
    """Add a timestamp over all of a certificate, before its last one expires.

    ``--due`` is to be run every day. What was issued stays as it is: the longer document is stored
    beside it, and ``certificate renewed`` writes it. What was done stands where another one fails.
    """
    place = workplace(context)
    if bool(numbers) == due:
        raise InvalidInput("BQC-CRT-036", "name certificates, or say --due")
    if due:
        with reading(place.engine) as session:
            found = due_certificates(session, place.archive, at=place.now(), within=within)
        numbers = [one.number for one in found]
    failed = [why for one in numbers or () if (why := _renewed(place, one))]
    if failed:
        raise SigningUnavailable(
            "BQC-CRT-037",
            "not every certificate could be renewed",
            reasons=failed,
            hint="Mend what is named, and run this again before their proofs end.",
        )
    if not numbers:
        say("None is due.")


def renewed(
    context: typer.Context,
    number: Number,
    to: Annotated[Path | None, typer.Option(help="File; default <number>-renewed.pdf")] = None,
) -> None:
    """Write the newest renewed document of a certificate; without a renewal, the issued one."""
    place = workplace(context)
    with reading(place.engine) as session:
        pdf = newest_document(session, place.archive, number=number)
    path = to or Path(f"{number}-renewed.pdf")
    write_new(path, pdf)
    say(f"{path} is written.")


def _renewed(place: Workplace, number: str) -> str:
    try:
        until = renew_certificate(
            place.engine, place.archive, place.press.sealing, number=number, clock=place.now
        )
    except BatchqcError as problem:
        reasons = "; ".join(problem.reasons)
        return f"{number}: {problem.code}: {problem.message}" + (f" ({reasons})" * bool(reasons))
    say(f"{number} proves itself until {until:%Y-%m-%d}.")
    return ""
