"""The first records of a database: its site, and its first administrator."""

import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.orm import Session

from batchqc.actions.people import register_person
from batchqc.core.drawable import undrawable_within
from batchqc.core.permissions import Role
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.registers import Site, the_site
from batchqc.records.transaction import Transaction

SERIES: Final = re.compile(r"[A-Z0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class NewSite:
    """The site of a new database.

    Args:
        name: who makes and issues.
        address: lines, separated by line ends.
        time_zone: IANA name; dates of manufacture and expiry are dates there.
        series: what certificate numbers begin with, such as ``COA``.
        specimen: where certificates are only for show, the sentence that each page carries.
        statements: sentences that each of its certificates carries.
    """

    name: str
    address: str
    time_zone: str
    series: str
    specimen: str = ""
    statements: tuple[str, ...] = ()


def create_site(tx: Transaction, new: NewSite) -> Site:
    """Record the site of this database, once.

    Raises:
        Conflict: it has its site.
        InvalidInput: a part is missing or impossible.
    """
    if the_site(tx.session) is not None:
        raise Conflict("BQC-SYS-002", "this database has its site already")
    try:
        ZoneInfo(new.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput("BQC-SYS-003", f'"{new.time_zone}" is not an IANA time zone') from error
    if not (new.name.strip() and new.address.strip() and SERIES.fullmatch(new.series)):
        raise InvalidInput(
            "BQC-SYS-004", "a site needs a name, an address and a series of 1 to 10 of A-Z 0-9"
        )
    texts = {"name": new.name, "address": new.address, "specimen": new.specimen}
    if unseen := list(undrawable_within({**texts, "statements": new.statements})):
        raise InvalidInput("BQC-SYS-004", "the site is printed on certificates", reasons=unseen)
    site = Site(
        name=new.name.strip(),
        address=new.address.strip(),
        time_zone=new.time_zone,
        series=new.series,
        specimen=new.specimen,
        statements="\n".join(new.statements),
        created_at=tx.now,
    )
    tx.add(site)
    tx.audit("site recorded", rows=[site], after={"name": site.name, "time zone": site.time_zone})
    return site


def register_first_administrator(
    tx: Transaction, *, user_id: str, name: str, password: str
) -> None:
    """Register the administrator who registers everybody else."""
    register_person(tx, user_id=user_id, name=name, roles=[Role.ADMIN], password=password)


def own_site(session: Session) -> Site:
    """The site of this database.

    Raises:
        NotFound: before it was set up.
    """
    site = the_site(session)
    if site is None:
        raise NotFound("BQC-SYS-005", "this database has no site", hint="Run `batchqc init`.")
    return site
