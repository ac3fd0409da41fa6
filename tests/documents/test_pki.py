"""The site's own root and seal."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from batchqc.documents.pki import DOCUMENT_SIGNING, REVIEW_UNIT, PkiFiles, create_pki
from batchqc.errors import Conflict, InvalidInput
from tests.documents.conftest import CRL_URL, NAMES, Site
from tests.documents.external import run

LEAP_DAY = datetime(2024, 2, 29, 9, 30, tzinfo=UTC)


def make(folder: Path, **changes: str) -> PkiFiles:
    passphrases = {"root_passphrase": "root", "seal_passphrase": "seal", **changes}
    return create_pki(folder, names=NAMES, crl_url=CRL_URL, now=LEAP_DAY, **passphrases)


def opened(
    path: Path, passphrase: str, further: int = 0
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key, certificate, others = pkcs12.load_key_and_certificates(
        path.read_bytes(), passphrase.encode()
    )
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert certificate is not None
    assert len(others) == further
    assert all(one.public_key() == key.public_key() for one in (certificate, *others))
    return key, certificate


def test_root_and_seal_lie_apart_under_their_own_passphrases(tmp_path: Path):
    files = make(tmp_path / "pki")
    root_key, root = opened(files.root_p12, "root")
    seal_key, seal = opened(files.seal_p12, "seal", 1)
    assert root_key.curve.name == "secp384r1"
    assert seal_key.curve.name == "secp256r1"
    assert root.public_key() != seal.public_key()
    with pytest.raises(ValueError):
        opened(files.root_p12, "seal")
    assert x509.load_pem_x509_certificate(files.root_pem.read_bytes()) == root


def test_the_root_lives_thirty_years_and_the_seal_ten(tmp_path: Path):
    files = make(tmp_path)
    _, root = opened(files.root_p12, "root")
    _, seal = opened(files.seal_p12, "seal", 1)
    assert root.not_valid_before_utc == seal.not_valid_before_utc == LEAP_DAY
    assert root.not_valid_after_utc == LEAP_DAY.replace(year=2054, day=28)
    assert seal.not_valid_after_utc == LEAP_DAY.replace(year=2034, day=28)


def test_the_seal_says_what_it_is_for_and_where_its_revocation_list_is(tmp_path: Path):
    files = make(tmp_path)
    _, root = opened(files.root_p12, "root")
    _, seal = opened(files.seal_p12, "seal", 1)
    seal.verify_directly_issued_by(root)
    extensions = seal.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    purposes = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert purposes == [ExtendedKeyUsageOID.EMAIL_PROTECTION, DOCUMENT_SIGNING]
    (point,) = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name == [x509.UniformResourceIdentifier(CRL_URL)]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    issuer = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert issuer.key_identifier == own.digest
    names = {name.oid: name.value for name in seal.subject}
    assert names == {
        NameOID.ORGANIZATION_NAME: NAMES.organisation,
        NameOID.COMMON_NAME: NAMES.seal,
    }


def test_the_certificate_for_reviews_differs_in_its_unit_and_number_only(tmp_path: Path):
    files = make(tmp_path)
    key, seal, (review,) = pkcs12.load_key_and_certificates(files.seal_p12.read_bytes(), b"seal")
    assert key
    assert seal
    assert (seal.serial_number, seal.subject) != (review.serial_number, review.subject)
    assert {one.value for one in review.subject} - {one.value for one in seal.subject} == {
        REVIEW_UNIT
    }
    assert list(review.extensions) == list(seal.extensions)
    assert review.not_valid_after_utc == seal.not_valid_after_utc


def test_keys_are_readable_by_their_owner_only(tmp_path: Path):
    files = make(tmp_path / "pki")
    for path in (files.root_p12, files.seal_p12):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "pki").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["root.p12", "seal.p12", "root.pem", "root.crl"])
def test_nothing_is_overwritten(tmp_path: Path, name: str):
    (tmp_path / name).write_text("precious")
    with pytest.raises(Conflict) as refusal:
        make(tmp_path)
    assert refusal.value.code == "BQC-PKI-002"
    assert refusal.value.reasons == (f"{tmp_path / name} exists",)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize(
    "passphrases",
    [{"root_passphrase": ""}, {"seal_passphrase": ""}, {"seal_passphrase": "root"}],
)
def test_root_and_seal_need_two_passphrases(tmp_path: Path, passphrases: dict[str, str]):
    with pytest.raises(InvalidInput) as refusal:
        make(tmp_path, **passphrases)
    assert refusal.value.code == "BQC-PKI-001"
    assert list(tmp_path.iterdir()) == []


def test_openssl_accepts_the_seal_and_the_empty_revocation_list(tmp_path: Path, site: Site):
    crl = run("openssl", "crl", "-inform", "DER", "-in", site.files.root_crl)
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(site.files.root_pem.read_text() + crl)
    export = ("-nokeys", "-passin", "pass:seal on the server")
    seal = tmp_path / "seal.pem"
    seal.write_text(run("openssl", "pkcs12", "-in", site.files.seal_p12, *export))
    checks = ("-crl_check", "-x509_strict", "-purpose", "smimesign")
    assert "OK" in run("openssl", "verify", "-CAfile", trusted, *checks, seal)
