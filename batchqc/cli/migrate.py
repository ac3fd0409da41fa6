"""``batchqc migrate``: the database of an earlier version, brought to the schema of this one."""

from collections.abc import Iterator
from typing import Annotated

import typer

from batchqc import __version__
from batchqc.cli.show import say
from batchqc.cli.workplace import Workplace, installation
from batchqc.records.certificate_index import not_indexed
from batchqc.records.database import grant_runtime, migrate
from batchqc.records.transaction import reading
from batchqc.settings import bundled


def bring_up(
    context: typer.Context,
    *,
    runtime_role: Annotated[
        str,
        typer.Option(help="PostgreSQL: the role of the servers; it gets what is new, too."),
    ] = "",
) -> None:
    """Bring the database to this version of batchqc, and tell what else is to be done once.

    Stop the servers and copy database and store first; run it as the owner of the database. What
    is on record stays as it is. It changes nothing to do it again.
    """
    place = installation(context)
    migrate(place.engine, bundled("migrations"))
    if runtime_role:
        grant_runtime(place.engine, runtime_role)
    say(f"The database has the schema of batchqc {__version__}.")
    for owed in _owed(place):
        say(f"To be done once: {owed}")


def _owed(place: Workplace) -> Iterator[str]:
    """What a version of before did not have, and this one needs."""
    settings, roots = place.settings, place.settings.sealing.root
    if not settings.log_key.is_file():
        yield (
            "batchqc log key, by QA: certificates stay pending without the key of the log; hand"
            " log.vkey to auditors"
        )
    for file in (roots.certificate, roots.revocation_list):
        if not file.is_file():
            yield f"copy {file.name}, which init made, to {file}: nothing is sealed without it"
    if not settings.component_key.is_file():
        yield f"openssl rand -hex 32 > {settings.component_key}, mode 0600, for authenticators"
    if not (settings.trust / "root.pem").is_file():
        yield f"copy root.pem to {settings.trust}: bundles for auditors hold it"
    with reading(place.engine) as session:
        if not_indexed(session, limit=1):
            yield "batchqc certificate index, so that searches find what was issued before"
