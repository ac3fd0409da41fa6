"""``batchqc archive dossier`` and ``import``: a lot with all its records, elsewhere."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import inspect

from batchqc.actions.dossier_import import import_dossier
from batchqc.actions.dossiers import export_dossier
from batchqc.actions.exports import Exporter
from batchqc.cli.archive_export import written
from batchqc.cli.show import say
from batchqc.cli.workplace import Reason, User, Workplace, at_keyboard, settings_of, workplace
from batchqc.core.permissions import Permission
from batchqc.documents.bundle_kit import read_anchors
from batchqc.documents.malware import check_harmless_file
from batchqc.records.database import migrate
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.settings import bundled


def dossier(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="The lot.")],
    user: User,
    out: Annotated[Path, typer.Option(help="The ZIP file to write; never replaced.")],
) -> None:
    """Write everything on record of a lot, to be imported into an empty instance.

    Neither passwords nor keys are in it. That you export is on record before anything is written.
    """
    place = workplace(context)
    exporter = Exporter(
        at_keyboard(place, user).acting(Permission.EXPORT_RECORDS),
        place.now,
        lambda: read_anchors(place.settings.trust, place.settings.timestamp_root),
        place.press.log_key,
    )
    with written(out) as write:
        for chunk in export_dossier(place.engine, place.archive, exporter, lot):
            write(chunk)
    say(f"{out} holds the dossier of lot {lot}.")


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The dossier.")],
    reason: Reason,
    log_key: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="log.vkey of the other site, from the site itself."
        ),
    ] = None,
) -> None:
    """Import the dossier of a lot into an empty instance, where it is read and verified.

    ``--home`` names a folder that is not there yet, or an empty one. Before anything is written,
    every record is compared with its part of the audit trail, and every verdict computed anew.
    Nobody can sign in there.
    """
    place = Workplace.at(settings_of(context))
    if isinstance(place.settings.store, Path):
        place.settings.store.parent.mkdir(parents=True, exist_ok=True)
    if not inspect(place.engine).get_table_names():
        migrate(place.engine, bundled("migrations"))
    check_harmless_file(place.settings.malware_scanner, file)
    keys = log_key.read_text("utf-8") if log_key else ""
    with transaction(place.engine, SYSTEM, place.now()) as tx:
        found = import_dossier(tx, place.archive, file, reason=reason, keys=keys)
        row, inside = found.row, found.row.log_keys
        told = f"Lot {row.lot} of {row.site}: {found.rows} rows, {found.entries} entries"
    say(f"{told}; {found.verdicts} verdicts were computed anew, and all is the same.")
    if not keys:
        say("It was believed by the keys inside: compare them with the site's own (--log-key).")
        say(inside)
