"""The keys of a simulated site: one root, the seal of its first lots, and the seal of today."""

from datetime import datetime, timedelta
from pathlib import Path
from shutil import copyfile
from typing import Final

from batchqc import clock
from batchqc.actions.certificates import Press
from batchqc.cli import simulate_cast as cast
from batchqc.documents.log_key import create_log_key, load_log_key, log_name, publish
from batchqc.documents.pki import (
    PkiFiles,
    PkiNames,
    SealKind,
    create_pki,
    revocation_list,
    write_new,
)
from batchqc.documents.pki_life import next_seal, open_root, put_seal_in_place
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level, Sealing
from batchqc.settings import Settings, bundled

_CRL: Final = "https://crl.example/simulated-root.crl"  # a name that nobody can own
_NEW: Final = timedelta(days=2)


def first_press(settings: Settings, now: datetime) -> Press:
    """Make the keys; the press of the first lots, the seal of which has expired since."""
    from batchqc.documents.pades import load_seal  # noqa: PLC0415 - only who seals waits for it

    made = create_pki(
        settings.seal.parent, names=PkiNames(cast.SITE.name, "Simulated root", "Simulated seal"),
        root_passphrase=cast.FIRST_PASSWORD, seal_passphrase=cast.PASSWORD, crl_url=_CRL, now=now,
    )  # fmt: skip
    settings.trust.mkdir(parents=True, exist_ok=True)
    copyfile(made.root_pem, settings.trust / "root.pem")
    publish(settings.trust, create_log_key(settings.log_key, name=log_name(cast.SITE.name)).key)
    first = load_seal(made.seal_p12, cast.PASSWORD)
    then = Path(copyfile(made.root_crl, made.root_crl.with_name("root-of-the-first-lots.crl")))
    _renew(made)
    return Press(
        bundled("reports") / "fonts",
        lambda: first,
        lambda: load_log_key(settings.log_key),
        Sealing(Level.B_B, RootFiles(made.root_pem, then)),
    )


def _renew(made: PkiFiles) -> None:
    """The root certifies the seal of today, and signs its list anew."""
    from batchqc.documents.pades import load_seal  # noqa: PLC0415 - only who seals waits for it

    old, now = load_seal(made.seal_p12, cast.PASSWORD).certificate, clock.now() - _NEW
    root = open_root(made.root_p12, cast.FIRST_PASSWORD, RootFiles(made.root_pem, made.root_crl))
    next_seal(root, made.seal_p12, passphrase=cast.PASSWORD, like=old, kind=SealKind.P256, now=now)
    put_seal_in_place(made.seal_p12, old)
    made.root_crl.unlink()
    write_new(made.root_crl, revocation_list(root.issuer, number=2, now=now), mode=0o644)
