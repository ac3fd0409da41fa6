"""What actions need beside the house: the site's seal."""

from datetime import timedelta
from pathlib import Path

import pytest

from batchqc.actions.certificates import Press
from batchqc.documents.pades import load_seal
from batchqc.documents.pki import PkiFiles, PkiNames, create_pki
from batchqc.settings import bundled
from tests.cast import NOW


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> PkiFiles:
    """Root and seal of the house."""
    return create_pki(
        tmp_path_factory.mktemp("pki") / "keys",
        names=PkiNames("Lakeside Cell Therapy", "Lakeside root", "Lakeside seal"),
        root_passphrase="root in the safe",
        seal_passphrase="seal on the server",
        crl_url="http://crl.example.org/root.crl",
        now=NOW - timedelta(days=1),
    )


@pytest.fixture(scope="session")
def press(pki: PkiFiles) -> Press:
    """What makes the house's certificates."""
    key = load_seal(pki.seal_p12, "seal on the server")
    return Press(bundled("reports") / "fonts", lambda: key)
