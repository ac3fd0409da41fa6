"""``batchqc pki``: the keys of the site: how long they last, new ones, revoked ones; services."""

from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives import hashes

from batchqc import clock
from batchqc.actions.site_keys import REASONS, record_list, record_new_seal
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, Workplace, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.documents.key_states import key_states
from batchqc.documents.pki import SealKind
from batchqc.documents.pki_dev import dev_services
from batchqc.documents.pki_life import (
    Root,
    certificates_in,
    certify_key,
    next_list,
    next_seal,
    open_root,
    put_list_in_place,
    put_seal_in_place,
)
from batchqc.documents.token_key import token_public_key
from batchqc.errors import InvalidInput, SigningUnavailable
from batchqc.records.transaction import transaction

app = typer.Typer(help="Keys of the site: how long they last, new ones, revoked ones.")

_Root = Annotated[
    Path, typer.Option("--root", dir_okay=False, help="root.p12, out of its safe for this.")
]


@app.command()
def status(context: typer.Context) -> None:
    """Until when seal, root, revocation list and timestamp service can be used.

    To be run every day: it fails where less than 90 days are left of one, or one cannot be used.
    """
    place = workplace(context)
    now = place.now()
    states = list(key_states(place.press.sealing, place.press.seal_key(), at=now))
    rows = [
        (
            one.what,
            f"{one.until:%Y-%m-%d}" if one.until else "",
            one.days(now),
            one.wrong or ("due" if one.is_due(now) else "ok"),
        )
        for one in states
    ]
    table(("What", "Until", "Days left", ""), rows, empty="")
    due = [one for one in states if one.is_due(now)]
    if due:
        raise SigningUnavailable(
            "BQC-PKI-004",
            "keys or certificates of the site are to be renewed or mended",
            reasons=[f"{one.what}: {one.wrong or f'{one.days(now)} days left'}" for one in due],
            hint="See batchqc/guide/keys.md for each of them.",
        )


@app.command("renew-seal")
def renew_seal(
    context: typer.Context,
    user: User,
    reason: Reason,
    root: _Root,
    *,
    kind: Annotated[SealKind, typer.Option(help="Of the new key.")] = SealKind.P256,
) -> None:
    """Let the root certify a new seal, with the names and the passphrase of the one of now.

    The old one stays beside it under another name; documents that it sealed stay valid.
    """
    place = workplace(context)
    if place.settings.token is not None:
        raise InvalidInput(
            "BQC-PKI-009",
            "the seal's key is in a token, which makes its own keys",
            hint="See batchqc/guide/keys.md: make a key in the token, then `batchqc pki certify`.",
        )
    actor = at_keyboard(place, user).acting(Permission.KEEP_KEYS)
    passphrase = _passphrase(place)
    old = certificates_in(place.settings.seal, passphrase)[0]
    opened = _opened(place, root)
    now = place.now()
    new = next_seal(
        opened, place.settings.seal, passphrase=passphrase, like=old, kind=kind, now=now
    )
    number = next_list(opened, [], now=now)
    with transaction(place.engine, actor, now) as tx:
        record_new_seal(tx, new, before=old, list_number=number, reason=reason)
    put_list_in_place(opened.files, number)
    put_seal_in_place(place.settings.seal, old)
    say(f"The seal is {new.fingerprint(hashes.SHA256()).hex()[:16]} from now on.")
    say(f"Restart the servers; publish {opened.files.revocation_list}; put the root away.")


@app.command()
def certify(
    context: typer.Context,
    user: User,
    reason: Reason,
    root: _Root,
    *,
    crl_url: Annotated[str, typer.Option(help="Of the root's list; for the first seal.")] = "",
) -> None:
    """Let the root certify the seal key in the token: BATCHQC_SEAL gets its certificates."""
    place = workplace(context)
    token, seal = place.settings.token, place.settings.seal
    old = certificates_in(seal, "")[0] if token is not None and seal.exists() else None
    if token is None or (old is None and not crl_url):
        wrong = "no token is configured" if token is None else "there is no seal of before"
        raise InvalidInput(
            "BQC-PKI-011",
            wrong,
            hint="A key in a token is certified by `batchqc pki certify`; a first one with"
            " --crl-url.",
        )
    actor = at_keyboard(place, user).acting(Permission.KEEP_KEYS)
    key = token_public_key(token, _passphrase(place))
    opened = _opened(place, root)
    now = place.now()
    new = certify_key(opened, seal, key, like=old, crl_url=crl_url, now=now)
    number = next_list(opened, [], now=now)
    with transaction(place.engine, actor, now) as tx:
        record_new_seal(tx, new, before=old, list_number=number, reason=reason)
    put_list_in_place(opened.files, number)
    put_seal_in_place(seal, old)
    say(f"{seal} holds the certificates of the key {token.key}. Restart the servers.")


@app.command()
def revoke(
    context: typer.Context,
    user: User,
    reason: Reason,
    root: _Root,
    *,
    seal: Annotated[
        Path | None, typer.Option(help="PKCS#12 or PEM file; the seal of now where none is named.")
    ] = None,
    because: Annotated[str, typer.Option(help=", ".join(REASONS))] = "key stolen",
) -> None:
    """Revoke a seal: both its certificates stand on the root's list from now on.

    Nothing more is sealed with it. Publish the list where the certificates say that it is.
    """
    if because not in REASONS:
        raise InvalidInput("BQC-PKI-010", f"a seal is revoked because: {', '.join(REASONS)}")
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_KEYS)
    revoked = certificates_in(seal or place.settings.seal, _passphrase(place))
    opened = _opened(place, root)
    now = place.now()
    number = next_list(opened, revoked, reason=REASONS[because], now=now)
    with transaction(place.engine, actor, now) as tx:
        record_list(tx, revoked, list_number=number, reason=reason)
        put_list_in_place(
            opened.files, number
        )  # even where the commit fails: nothing more is sealed
    say(f"{len(revoked)} certificates are revoked. Publish {opened.files.revocation_list}.")


@app.command()
def crl(context: typer.Context, user: User, reason: Reason, root: _Root) -> None:
    """Make the root's list anew before it is stale; what is revoked stays revoked."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_KEYS)
    opened = _opened(place, root)
    now = place.now()
    number = next_list(opened, [], now=now)
    with transaction(place.engine, actor, now) as tx:
        record_list(tx, [], list_number=number, reason=reason)
    put_list_in_place(opened.files, number)
    say(f"List {number} is made. Publish {opened.files.revocation_list}.")


@app.command()
def dev(
    folder: Annotated[Path, typer.Argument(help="Of their keys; made where it does not exist.")],
    port: Annotated[int, typer.Option(help="Of the loopback address; 0 takes a free one.")] = 8318,
    site_list: Annotated[
        Path | None, typer.Option(help="root.crl of the site, to be served as well.")
    ] = None,
) -> None:
    """Start services to try signatures with: timestamps, revocation lists, OCSP. Loopback only.

    They need the extra: pip install 'batchqc[pki-dev]'. Nobody else believes what they say.
    """
    with dev_services(folder, port=port, now=clock.now(), site_list=site_list) as services:
        say(f"BATCHQC_TIMESTAMP_URL={services.url}")
        say(f"BATCHQC_TIMESTAMP_ROOT={services.root}")
        say("BATCHQC_SEAL_LEVEL=B-LTA")
        if site_list is not None:
            say(f"{site_list} is served under {services.list_url}")
        try:
            services.serve_forever()
        except KeyboardInterrupt:
            say("Stopped.")


def _opened(place: Workplace, root: Path) -> Root:
    passphrase = typer.prompt("Passphrase of the root", hide_input=True)
    return open_root(root, passphrase, place.settings.sealing.root)


def _passphrase(place: Workplace) -> str:
    given = place.settings.seal_passphrase
    if given is not None:
        return given.get_secret_value()
    return str(typer.prompt("Passphrase of the seal key", hide_input=True))
