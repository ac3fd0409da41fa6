"""A site's keys, and a certificate that it sealed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batchqc.core.certificates import CertificateContent
from batchqc.documents.coa_layout import render
from batchqc.documents.pades import SealKey, load_seal, seal
from batchqc.documents.pki import PkiFiles, PkiNames, create_pki
from tests.documents.certificate_content import certificate_content
from tests.documents.external import nss_database

NAMES = PkiNames("Mekong Cell Therapy Centre", "Mekong Root", "Mekong Seal")
CRL_URL = "http://crl.example.org/root.crl"


@dataclass(frozen=True)
class Site:
    """Keys of a site, the moment at which it seals, and pdfsig's database with its root."""

    files: PkiFiles
    key: SealKey
    sealed_at: datetime
    nss: Path

    @property
    def root_pem(self) -> bytes:
        return self.files.root_pem.read_bytes()


def make_site(folder: Path, *, since: datetime) -> Site:
    files = create_pki(
        folder / "pki",
        names=NAMES,
        root_passphrase="root in the safe",
        seal_passphrase="seal on the server",
        crl_url=CRL_URL,
        now=since,
    )
    key = load_seal(files.seal_p12, "seal on the server")
    return Site(
        files, key, since + timedelta(hours=1), nss_database(folder / "nss", files.root_pem)
    )


@pytest.fixture(scope="session")
def since(tmp_path_factory: pytest.TempPathFactory) -> datetime:
    """Yesterday by the machine's clock: pdfsig and openssl judge certificates by that."""
    made = tmp_path_factory.getbasetemp().stat().st_mtime
    return datetime.fromtimestamp(int(made), UTC) - timedelta(days=1)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, since: datetime) -> Site:
    return make_site(tmp_path_factory.mktemp("site"), since=since)


@pytest.fixture(scope="session")
def impostor(tmp_path_factory: pytest.TempPathFactory, since: datetime) -> Site:
    """Another site that calls itself and its keys by the same names."""
    return make_site(tmp_path_factory.mktemp("impostor"), since=since)


@pytest.fixture(scope="session")
def fonts() -> Path:
    return Path(__file__).parents[2] / "reports" / "fonts"


@pytest.fixture(scope="session")
def content() -> CertificateContent:
    return certificate_content()


@pytest.fixture(scope="session")
def rendered(content: CertificateContent, fonts: Path) -> bytes:
    return render(content, fonts=fonts)


def sealed_by(site: Site, pdf: bytes, content: CertificateContent) -> bytes:
    """The document with every seal that its content names."""
    seals = content["seals"]
    for one in seals:
        words = {"field": one["field"], "reason": one["says"]}
        pdf = seal(pdf, site.key, **words, certifies=one is not seals[-1], signed_at=site.sealed_at)
    return pdf


@pytest.fixture(scope="session")
def sealed(rendered: bytes, content: CertificateContent, site: Site) -> bytes:
    return sealed_by(site, rendered, content)


@pytest.fixture(scope="session")
def reviewed(rendered: bytes, content: CertificateContent, site: Site) -> bytes:
    """The document with the first of its two seals only."""
    one = content["seals"][0]
    words = {"field": one["field"], "reason": one["says"]}
    return seal(rendered, site.key, **words, certifies=True, signed_at=site.sealed_at)
