"""``batchqc init``: database, site, root and seal, and the first administrator."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.setup import NewSite, create_site, register_first_administrator
from batchqc.cli.csv_out import expect_new, new_folder
from batchqc.cli.show import say
from batchqc.cli.workplace import Workplace, settings_of
from batchqc.documents.component_key import create_component_key
from batchqc.documents.log_key import check_log_name, create_log_key, log_name, publish
from batchqc.documents.pki import PkiNames, SealKind, create_pki
from batchqc.records.database import grant_runtime, migrate
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.settings import bundled


def init(  # noqa: PLR0913 - each is a fact that only the site knows
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option(prompt="Name of the site", help="Who makes and issues.")],
    address: Annotated[
        str,
        typer.Option(prompt="Address, lines separated by ;", help="Lines, separated by `;`."),
    ],
    time_zone: Annotated[
        str,
        typer.Option(
            prompt="Time zone, such as Europe/Vienna",
            help="IANA name. Dates of manufacture and expiry are dates there.",
        ),
    ],
    series: Annotated[
        str, typer.Option(help="What certificate numbers begin with: 1 to 10 of A-Z 0-9.")
    ] = "COA",
    admin: Annotated[
        str, typer.Option(prompt="User id of the first administrator", help="Registers the others.")
    ],
    admin_name: Annotated[
        str, typer.Option(prompt="Full name of the first administrator", help="As it is printed.")
    ],
    crl_url: Annotated[
        str,
        typer.Option(
            prompt="Address where the revocation list of the root will be found",
            help="An http address that auditors can reach; it stands in the seal's certificate.",
        ),
    ],
    seal_kind: Annotated[
        SealKind, typer.Option(help="Of the seal's key: RSA-3072 where a reader demands it.")
    ] = SealKind.P256,
    log: Annotated[
        str, typer.Option(help="Name of the transparency log; made of the site's where none is.")
    ] = "",
    runtime_role: Annotated[
        str,
        typer.Option(help="PostgreSQL: the role of the servers; it may only read and append."),
    ] = "",
) -> None:
    """Set up an installation: its database, its site, its keys, its first administrator.

    Two keys are made, under two passphrases that are asked for: the root, which belongs in a safe
    once this is done, and the seal, which the server needs. Another one signs the checkpoints of
    the transparency log. Hand trust/root.pem and trust/log.vkey to auditors.
    """
    settings = settings_of(context)
    log = log or log_name(name)
    check_log_name(log)
    passwords = {
        what: typer.prompt(what, hide_input=True, confirmation_prompt=True)
        for what in ("Passphrase of the root", "Passphrase of the seal key", "First password")
    }
    root, seal, first = passwords.values()
    place = Workplace.at(settings)
    folder = settings.seal.parent
    others = (settings.component_key.parent, settings.log_key.parent, settings.trust)
    for one in (folder.parent, *others):
        if not one.is_relative_to(folder):  # which is made with the keys
            new_folder(one)
    migrate(place.engine, bundled("migrations"))
    if runtime_role:
        grant_runtime(place.engine, runtime_role)
    site = NewSite(name, address.replace(";", "\n"), time_zone, series)
    with transaction(place.engine, SYSTEM, place.now()) as tx:
        create_site(tx, site)
        register_first_administrator(tx, user_id=admin, name=admin_name, password=first)
        for key in (settings.component_key, settings.log_key, settings.trust / "root.pem"):
            expect_new(key)  # before anything stands
        files = create_pki(
            folder,
            names=PkiNames(name, f"{name}: root", f"{name}: seal"),
            root_passphrase=root,
            seal_passphrase=seal,
            crl_url=crl_url,
            now=place.now(),
            kind=seal_kind,
        )
    create_component_key(settings.component_key)
    trust = settings.trust
    trust.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(files.root_pem, trust / "root.pem")
    _begin_log(place, trust, log)
    say(f"Set up. Move {files.root_p12} into a safe; hand what is in {trust} to auditors.")
    say(f"Next: batchqc user password --user {admin}, then batchqc user add.")


def _begin_log(place: Workplace, trust: Path, name: str) -> None:
    """Make the key of the log, and sign the first checkpoint with it."""
    signer = create_log_key(place.settings.log_key, name=name)
    publish(trust, signer.key)
    with transaction(place.engine, SYSTEM, place.now()) as tx:
        sign_checkpoint(tx, signer)
