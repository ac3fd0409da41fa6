"""The first records of a database: its site, and its first administrator."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.orm import Session

from batchqc.actions.people import register_person
from batchqc.core.identifiers import code_problem
from batchqc.core.permissions import Role
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.registers import Site, the_site
from batchqc.records.transaction import Transaction


def create_site(tx: Transaction, *, name: str, address: str, time_zone: str, series: str) -> Site:
    """Record the site of this database, once.

    Args:
        tx: of the system.
        name: who makes and issues.
        address: lines, separated by line ends.
        time_zone: IANA name; dates of manufacture and expiry are dates there.
        series: what certificate numbers begin with, such as ``COA``.
    """
    if the_site(tx.session) is not None:
        raise Conflict("BQC-SYS-002", "this database has its site already")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput("BQC-SYS-003", f'"{time_zone}" is not an IANA time zone') from error
    if not name.strip() or not address.strip() or code_problem(series) or not series.isalnum():
        raise InvalidInput(
            "BQC-SYS-004", "a site needs a name, an address and a series of letters and digits"
        )
    site = Site(
        name=name.strip(),
        address=address.strip(),
        time_zone=time_zone,
        series=series.upper(),
        created_at=tx.now,
    )
    tx.add(site)
    tx.audit("site recorded", rows=[site], after={"name": site.name, "time zone": time_zone})
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
