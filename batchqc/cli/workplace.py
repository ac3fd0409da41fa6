"""What a command works with: database, store, seal and clock, and the person at the keyboard."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from sqlalchemy import Engine

from batchqc import clock
from batchqc.actions.certificates import Press
from batchqc.actions.codes import needs_code, prove_to_come_in
from batchqc.actions.own_store import check_of
from batchqc.actions.passwords import prove
from batchqc.actions.people import Principal, principal, the_person
from batchqc.actions.setup import own_site
from batchqc.actions.signing import Credentials, code_is_asked
from batchqc.actions.views import log_view
from batchqc.core.late_entries import Paper
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.documents.log_key import load_log_key
from batchqc.documents.store_marker import NOT_OWN
from batchqc.documents.stores import open_archive
from batchqc.errors import Conflict, NotFound, NotSignedIn, SignatureRefused, StoreUnavailable
from batchqc.records.database import (
    address_of,
    check_schema,
    may_change_records,
    open_database,
)
from batchqc.records.database_check import hasty_settings
from batchqc.records.transaction import SYSTEM, Actor, reading, transaction
from batchqc.settings import Settings, bundled, read_settings

if TYPE_CHECKING:
    from batchqc.documents.pades import SealKey

_LOG: Final = logging.getLogger("batchqc.trial")
User = Annotated[
    str,
    typer.Option(
        "--user",
        "-u",
        envvar="BATCHQC_USER",
        prompt="User id",
        help="Who acts; the password is asked for.",
    ),
]
Reason = Annotated[
    str, typer.Option(prompt="Reason", help="Why, in words that a stranger understands.")
]
NOT_LATE: Final = ("", "")
Late = Annotated[
    tuple[str, str],
    typer.Option(
        help="What was signed on paper while the system was down: when (RFC 3339 with its offset),"
        " and the number of the form.",
        metavar="TIME FORM",
    ),
]


@dataclass(frozen=True, slots=True)
class Workplace:
    """Database, store, seal and clock of one installation, and the command that works with them."""

    settings: Settings
    engine: Engine
    archive: Archive
    press: Press
    now: Callable[[], datetime]
    command: str = ""

    @classmethod
    def at(cls, settings: Settings, *, now: Callable[[], datetime] = clock.now) -> "Workplace":
        """The installation that ``settings`` describe; nothing is created."""
        engine = open_database(
            settings.database,
            component_key=settings.component_key,
            code_drift=settings.code_drift,
        )
        return cls(
            settings,
            engine,
            open_archive(
                settings.store,
                endpoint=settings.store_endpoint,
                region=settings.store_region,
                check=check_of(engine),
            ),
            Press(
                bundled("reports") / "fonts",
                cache(lambda: _seal_key(settings)),
                lambda: load_log_key(settings.log_key),  # read anew: it may be rolled over
                settings.sealing,
            ),
            now,
        )


def settings_of(context: typer.Context) -> Settings:
    """The settings of the folder that ``--home`` names, else those of the environment."""
    home: Path | None = context.find_root().obj
    return read_settings(home)


def workplace(context: typer.Context) -> Workplace:
    """The installation that a command works with.

    Raises:
        NotFound: nothing was set up there.
        Conflict: its database is one of an earlier or of a later version.
    """
    place = installation(context)
    check_schema(place.engine, bundled("migrations"))
    return place


def check_store(place: Workplace) -> None:
    """Refuse to begin with a store that is not that of the database.

    One that cannot be reached now is waited for: readiness tells.

    Raises:
        StoreUnavailable: BQC-ARC-018 it has no marker and lacks files, BQC-ARC-019 it is that of
            another installation, BQC-ARC-020 its marker is damaged.
    """
    try:
        place.archive.check_own(marks=True)
    except OSError:
        return
    except StoreUnavailable as problem:
        if problem.code in NOT_OWN:
            raise


def check_disk(place: Workplace) -> None:
    """Refuse to begin with a database that does not wait for its disk, but in a trial.

    Raises:
        Conflict: BQC-SYS-033.
    """
    found = ", ".join(hasty_settings(place.engine))
    if not found or not place.settings.disk_required:
        return
    raise Conflict(
        "BQC-SYS-033",
        f"the database does not wait for its disk ({found}): what was acknowledged can be lost",
        hint="Switch it on again (`ALTER SYSTEM RESET`, and look at what the role and the database"
        " set) and restart the database. BATCHQC_DISK_REQUIRED=false serves all the same, for"
        " trials whose records do not count.",
    )


def tell_trial(place: Workplace) -> None:
    """Log that what is recorded here does not count, where that is so: it waits for no disk."""
    if found := ", ".join(hasty_settings(place.engine)):
        _LOG.warning(
            "a trial: the database does not wait for its disk (%s); no record counts", found
        )


def tell_rights(place: Workplace) -> None:
    """Log that who gets into this server gets at the records themselves, where that is so."""
    if may_change_records(place.engine):
        logging.getLogger("batchqc.rights").warning(
            "the role in BATCHQC_DATABASE may change records: let servers connect as the one that"
            " `batchqc migrate --runtime-role` was given"
        )


def installation(context: typer.Context) -> Workplace:
    """The installation that a command works with, of whatever version its database is.

    Raises:
        NotFound: nothing was set up there.
    """
    settings = settings_of(context)
    url = address_of(settings.database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise NotFound(
            "BQC-SYS-006",
            f"there is no database {url.database}",
            hint="Run `batchqc init`, or name the folder: batchqc --home <folder> ...",
        )
    return replace(Workplace.at(settings), command=context.command_path)


@dataclass(frozen=True, slots=True)
class Keyboard:
    """A person who has proved who they are, for the length of one command."""

    person: Principal
    password: str
    code: str = ""
    """The code that signs, where the rule of the site asks for one."""

    def acting(self, permission: Permission) -> Actor:
        """The person in the role that allows ``permission``."""
        return self.person.acting(permission)

    def signing(self, reason: str, *, late: tuple[str, str] = NOT_LATE) -> Credentials:
        """The components of a signature, the reason, and time and form of what is entered late."""
        paper = Paper(*late) if any(late) else None
        return Credentials(self.person.user_id, self.password, reason, code=self.code, paper=paper)


def at_keyboard(
    place: Workplace, user_id: str, *, to: str = "", with_code: bool = False, can_prove: bool = True
) -> Keyboard:
    """Ask for what ``user_id`` signs in with, and check it; the attempt is on record.

    A code counts once: where the signature needs it, it is kept for that, and nothing else is done.

    Args:
        place: the installation.
        user_id: who acts.
        to: what the password will sign, where it signs something.
        with_code: whether a code signs it too, whatever the rule of the site is.
        can_prove: whether codes can be proved; where their key is lost, none is asked for.

    Raises:
        NotSignedIn: it is wrong, or the account is locked.
    """
    with reading(place.engine) as session:
        has_code = needs_code(session, user_id)
        to_sign = (
            bool(to)
            and has_code
            and (with_code or code_is_asked(session, the_person(session, user_id)))
        )
    password = typer.prompt(f"Password, to {to}" if to else "Password", hide_input=True)
    code = typer.prompt("Code of your authenticator") if has_code and can_prove else ""
    given, purpose = {"user_id": user_id, "password": password}, "command line"
    with transaction(place.engine, SYSTEM, place.now()) as tx:
        refusal = (
            prove(tx, **given, purpose=purpose)
            if to_sign or not can_prove
            else prove_to_come_in(tx, **given, code=code, purpose=purpose)
        )
    if refusal is not None:
        raise NotSignedIn(refusal.code, refusal.message, hint=refusal.hint)
    with reading(place.engine) as session:
        zone = own_site(session).time_zone
        person = principal(session, user_id=user_id, time_zone=zone, now=place.now())
    if Role.AUDITOR in person.roles:
        _log(place, person)
    return Keyboard(person, password, code if to_sign else "")


def _log(place: Workplace, person: Principal) -> None:
    """The command that an auditor gives is on record before it is answered."""
    actor = Actor(person.user_id, Role.AUDITOR.value, person.time_zone)
    with transaction(place.engine, actor, place.now()) as tx:
        log_view(tx, request=place.command, route=place.command, records={})


def raise_refusal(answer: object) -> None:
    """Turn a remembered refusal into the error that the door shows, after its commit.

    Raises:
        SignatureRefused: where ``answer`` is a refusal.
    """
    if isinstance(answer, Refusal):
        raise SignatureRefused(answer.code, answer.message, hint=answer.hint)


def _seal_key(settings: Settings) -> "SealKey":
    from batchqc.documents.pades import open_seal  # noqa: PLC0415 - only who seals pays for it

    given = settings.seal_passphrase
    passphrase = (
        typer.prompt("Passphrase of the seal key", hide_input=True)
        if given is None
        else given.get_secret_value()
    )
    return open_seal(settings.seal, passphrase, settings.token)
