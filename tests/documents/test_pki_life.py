"""A seal is renewed and revoked: whoever looks at the list finds what was sealed revoked."""

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from batchqc import clock
from batchqc.core.certificates import CertificateContent
from batchqc.documents.certificate_check import check, extract_signatures
from batchqc.documents.key_states import key_states
from batchqc.documents.pades import load_seal
from batchqc.documents.pki import PkiFiles, SealKind
from batchqc.documents.pki_life import (
    Root,
    certificates_in,
    list_address,
    list_number,
    next_list,
    next_seal,
    open_root,
    put_list_in_place,
    put_seal_in_place,
)
from batchqc.documents.revocation import RootFiles, check_seal, read_authority, signed_authority
from batchqc.documents.sealing import Level, Sealing
from batchqc.documents.timestamps import Service
from batchqc.errors import Conflict, InvalidInput, NotFound, SigningUnavailable
from tests.documents.conftest import CRL_URL, Site, sealed_by
from tests.documents.external import openssl_accepts, pdfsig, run
from tests.documents.test_pades import accepted_by_pyhanko
from tests.timestamp_service import timestamp_service

PASSPHRASE = "seal on the server"


@pytest.fixture
def own(site: Site, tmp_path: Path) -> Site:
    """A copy of the site's keys, for tests that change them."""
    folder = shutil.copytree(site.files.root_pem.parent, tmp_path / "pki")
    names = ("root.p12", "seal.p12", "root.pem", "root.crl")
    return replace(site, files=PkiFiles(*(folder / name for name in names)))


def files_of(site: Site) -> RootFiles:
    return RootFiles(site.files.root_pem, site.files.root_crl)


def root_of(site: Site) -> Root:
    return open_root(site.files.root_p12, "root in the safe", files_of(site))


def renew(site: Site, kind: SealKind = SealKind.P256) -> Site:
    """The site with a new seal."""
    old = certificates_in(site.files.seal_p12, PASSPHRASE)[0]
    next_seal(
        root_of(site), site.files.seal_p12, passphrase=PASSPHRASE, like=old, kind=kind,
        now=site.sealed_at,
    )  # fmt: skip
    put_seal_in_place(site.files.seal_p12, old)
    return replace(site, key=load_seal(site.files.seal_p12, PASSPHRASE))


def revoke(site: Site) -> int:
    both = certificates_in(site.files.seal_p12, PASSPHRASE)
    number = next_list(root_of(site), both, reason=x509.ReasonFlags.key_compromise, now=clock.now())
    put_list_in_place(files_of(site), number)
    return number


def unrevoked_by_openssl(pdf: bytes, site: Site, folder: Path) -> list[bool]:
    """Of each seal, whether openssl finds it valid and not on the list."""
    trust = folder / "trust.pem"
    listed = run("openssl", "crl", "-inform", "DER", "-in", site.files.root_crl)
    trust.write_text(site.files.root_pem.read_text() + listed)
    found = []
    for one in extract_signatures(pdf):
        (folder / "signed.bin").write_bytes(one.signed)
        (folder / "signature.der").write_bytes(one.cms)
        command = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER",
                   "-purpose", "any", "-in", "signature.der", "-content", "signed.bin",
                   "-CAfile", "trust.pem", "-crl_check_all", "-out", "/dev/null"]  # fmt: skip
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or "certificate revoked" in done.stderr, done.stderr
        found.append(done.returncode == 0)
    return found


def unrevoked_by_pyhanko(pdf: bytes, site: Site) -> list[bool]:
    context = ValidationContext(
        trust_roots=[load_cert_from_pemder(str(site.files.root_pem))],
        crls=[site.files.root_crl.read_bytes()], revocation_mode="require",
    )  # fmt: skip
    signatures = PdfFileReader(BytesIO(pdf)).embedded_signatures
    found = [validate_pdf_signature(one, context) for one in signatures]
    assert all(one.bottom_line or one.revoked for one in found)
    return [one.bottom_line for one in found]


@pytest.mark.requirement("5.10")
def test_what_a_revoked_seal_sealed_is_found_revoked_with_the_list(
    own: Site, sealed: bytes, tmp_path: Path
):
    assert unrevoked_by_openssl(sealed, own, tmp_path) == [True, True]
    assert unrevoked_by_pyhanko(sealed, own) == [True, True]
    assert revoke(own) == 2
    assert unrevoked_by_openssl(sealed, own, tmp_path) == [False, False]
    assert unrevoked_by_pyhanko(sealed, own) == [False, False]
    pair = (own.key.certificate, own.key.certifying)
    with pytest.raises(SigningUnavailable) as refusal:
        check_seal(pair, files_of(own), at=clock.now())
    assert refusal.value.code == "BQC-CRT-014"
    told = run("openssl", "crl", "-inform", "DER", "-in", own.files.root_crl, "-text", "-noout")
    assert told.count("Key Compromise") == 2
    assert re.search(r"CRL Number:\s+2\b", told)
    assert "Issuing Distribution Point" not in told


@pytest.mark.parametrize("kind", SealKind)
def test_a_new_seal_has_the_names_of_the_old_one_whose_documents_stay_valid(
    own: Site, sealed: bytes, rendered: bytes, content: CertificateContent, tmp_path: Path,
    kind: SealKind,
):  # fmt: skip
    before = own.files.seal_p12.read_bytes()
    new = renew(own, kind)
    assert isinstance(new.key.key.public_key(), rsa.RSAPublicKey) == (kind is SealKind.RSA3072)
    assert new.key.certificate.subject == own.key.certificate.subject
    assert new.key.certifying.subject == own.key.certifying.subject
    assert new.key.certificate.serial_number != own.key.certificate.serial_number
    assert list_address(new.key.certificate) == CRL_URL
    kept = own.files.seal_p12.with_name(f"seal-{own.key.sha256[:16]}.p12")
    assert kept.read_bytes() == before
    assert kept.stat().st_mode & 0o777 == 0o600
    assert own.files.seal_p12.stat().st_mode & 0o777 == 0o600
    later = sealed_by(new, rendered, content)
    for pdf in (sealed, later):
        path = tmp_path / "certificate.pdf"
        path.write_bytes(pdf)
        told = pdfsig(path, own.nss)
        assert told.count("Certificate is Trusted.") == 2
        assert accepted_by_pyhanko(pdf, own.files.root_pem)
        assert check(pdf, root_pem=own.root_pem, at=clock.now()).passed
        for one in extract_signatures(pdf):
            assert openssl_accepts(one, own.files.root_pem, tmp_path)


def test_an_old_seal_is_revoked_and_the_new_one_is_not(
    own: Site, sealed: bytes, rendered: bytes, content: CertificateContent, tmp_path: Path
):
    revoke(own)
    new = renew(own)
    later = sealed_by(new, rendered, content)
    assert unrevoked_by_openssl(sealed, own, tmp_path) == [False, False]
    assert unrevoked_by_openssl(later, own, tmp_path) == [True, True]
    check_seal((new.key.certificate, new.key.certifying), files_of(own), at=clock.now())


def test_a_list_is_made_anew_with_all_that_was_on_it(own: Site):
    revoke(own)
    later = clock.now() + timedelta(days=365)
    put_list_in_place(files_of(own), next_list(root_of(own), [], now=later))
    authority = read_authority(files_of(own), at=later)
    assert list_number(authority.revoked) == 3
    assert authority.revoked_at(own.key.certificate) is not None
    assert authority.revoked.last_update_utc == later.replace(microsecond=0)
    folder = own.files.root_crl.parent
    assert sorted(one.name for one in folder.glob("root*.crl")) == [
        "root-1.crl", "root-2.crl", "root.crl",
    ]  # fmt: skip
    earlier = RootFiles(own.files.root_pem, folder / "root-1.crl")
    assert len(signed_authority(earlier).revoked) == 0


def test_what_a_crash_left_is_taken_up(own: Site):
    number = next_list(root_of(own), [own.key.certificate], now=clock.now())
    folder = own.files.root_crl.parent
    (folder / "root-1.crl").hardlink_to(own.files.root_crl)  # and then the power failed
    before = own.files.root_crl.read_bytes()
    again = next_list(root_of(own), [own.key.certificate], now=clock.now())
    assert again == number
    put_list_in_place(files_of(own), again)
    assert (folder / "root-1.crl").read_bytes() == before
    assert signed_authority(files_of(own)).revoked_at(own.key.certificate) is not None


def test_what_is_revoked_already_is_not_revoked_again(own: Site):
    revoke(own)
    before = own.files.root_crl.read_bytes()
    with pytest.raises(Conflict) as refusal:
        revoke(own)
    assert refusal.value.code == "BQC-PKI-007"
    assert own.files.root_crl.read_bytes() == before


def test_another_root_of_the_same_names_is_not_the_root(own: Site, impostor: Site):
    with pytest.raises(SigningUnavailable, match="it is not the root in"):
        open_root(impostor.files.root_p12, "root in the safe", files_of(own))


@pytest.mark.parametrize(
    ("file", "passphrase"),
    [("root.p12", "another"), ("seal.p12", PASSPHRASE), ("none.p12", ""), ("root.pem", "")],
)
def test_what_is_not_the_root_does_not_open_as_it(own: Site, file: str, passphrase: str):
    with pytest.raises(SigningUnavailable) as refusal:
        open_root(own.files.root_pem.with_name(file), passphrase, files_of(own))
    assert refusal.value.code == "BQC-PKI-005"


@pytest.mark.parametrize("file", ["root.crl", "none.p12", "seal.p12"])
def test_a_file_without_certificates_is_named(own: Site, file: str):
    with pytest.raises(NotFound) as refusal:
        certificates_in(own.files.root_pem.with_name(file), "a wrong one")
    assert refusal.value.code == "BQC-PKI-008"


def test_a_seal_of_another_root_seals_nothing(own: Site, impostor: Site):
    with pytest.raises(SigningUnavailable) as refusal:
        check_seal((impostor.key.certificate,), files_of(own), at=clock.now())
    assert refusal.value.code == "BQC-CRT-014"
    with pytest.raises(SigningUnavailable, match="not signed by the root"):
        read_authority(RootFiles(own.files.root_pem, impostor.files.root_crl), at=clock.now())
    with pytest.raises(SigningUnavailable, match="stale since"):
        read_authority(files_of(own), at=clock.now() + timedelta(days=3660))


def test_the_states_of_keys_tell_what_is_due(own: Site, tmp_path: Path):
    now = clock.now()
    with timestamp_service(tmp_path / "services") as service:
        sealing = Sealing(Level.B_LTA, files_of(own), Service(service.url, service.root))
        found = {one.what: one for one in key_states(sealing, own.key, at=now)}
    assert [one for one in found.values() if one.is_due(now)] == []
    assert found["seal for releases"].until == own.key.certificate.not_valid_after_utc
    assert found["root"].days(now) > 29 * 365
    assert found["revocation list 1"].wrong == ""
    stamps = found[f"timestamp service {service.url}"]
    assert stamps.until
    assert stamps.until.year == 2049
    late = own.key.certificate.not_valid_after_utc - timedelta(days=89)
    states = list(key_states(sealing, own.key, at=late))
    assert [one.what for one in states if one.is_due(late)] == [
        "seal for releases", "seal for reviews", "revocation list 1",
        f"timestamp service {service.url}",  # which is down by now
    ]  # fmt: skip
    revoke(own)
    states = list(key_states(replace(sealing, service=None), own.key, at=now))
    assert [one.wrong[:10] for one in states] == ["revoked on", "revoked on", "", ""]
    own.files.root_crl.unlink()
    states = list(key_states(replace(sealing, service=None), own.key, at=now))
    assert all(one.wrong and one.is_due(now) for one in states)


def test_the_states_of_keys_tell_a_seal_of_another_root(own: Site, impostor: Site):
    sealing = Sealing(Level.B_B, files_of(own))
    states = list(key_states(sealing, impostor.key, at=clock.now()))
    assert [one.wrong for one in states] == ["not issued by the root"] * 2 + ["", ""]


def test_a_certificate_of_nobody_cannot_be_revoked(own: Site, tmp_path: Path):
    with timestamp_service(tmp_path / "services") as service:
        foreign = x509.load_pem_x509_certificate(service.root.read_bytes())
    with pytest.raises(InvalidInput) as refusal:
        next_list(root_of(own), [foreign], now=clock.now())
    assert refusal.value.code == "BQC-PKI-006"
