"""The seal in a PKCS#11 token: SoftHSM2, with keys of both kinds that never leave it."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pkcs11
import pytest
from pkcs11.util.ec import encode_named_curve_parameters

from batchqc import clock
from batchqc.core.certificates import CertificateContent
from batchqc.documents.certificate_check import check, extract_signatures
from batchqc.documents.pades import SealKey, open_seal, seal
from batchqc.documents.pki import SealKind
from batchqc.documents.pki_life import certify_key, open_root, put_seal_in_place
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level
from batchqc.documents.signing_keys import is_accepted
from batchqc.documents.token_key import Token, token_public_key
from batchqc.errors import SigningUnavailable
from tests.documents.conftest import CRL_URL, Site, sealed_by
from tests.documents.external import openssl_accepts, pdfsig
from tests.documents.leveling import sealed_to, sealing_of
from tests.documents.test_pades import accepted_by_pyhanko
from tests.timestamp_service import timestamp_service

PIN = "1234 on the server"
MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")


@dataclass(frozen=True)
class Tokens:
    """A token with a key of each kind, and the PEM files of their certificates."""

    p256: Token
    rsa: Token
    folder: Path

    def seal(self, kind: SealKind) -> tuple[Token, Path]:
        return (self.p256 if kind is SealKind.P256 else self.rsa, self.folder / f"{kind}.pem")


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Tokens]:
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        command = ["softhsm2-util", "--init-token", "--free", "--label", "site"]
        subprocess.run(
            [*command, "--pin", PIN, "--so-pin", "5678"], check=True, capture_output=True
        )
        library = pkcs11.lib(str(MODULE))
        library.reinitialize()  # it reads where its tokens are once
        with library.get_token(token_label="site").open(rw=True, user_pin=PIN) as session:
            session.generate_keypair(pkcs11.KeyType.RSA, 3072, label="rsa", store=True)
            curve = encode_named_curve_parameters("secp256r1")
            parameters = session.create_domain_parameters(
                pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: curve}, local=True
            )
            parameters.generate_keypair(label="p256", store=True)
        found = Tokens(Token(MODULE, "site", "p256"), Token(MODULE, "site", "rsa"), folder)
        root_files = RootFiles(site.files.root_pem, site.files.root_crl)
        root = open_root(site.files.root_p12, "root in the safe", root_files)
        for kind in SealKind:
            token, path = found.seal(kind)
            public = token_public_key(token, PIN)
            assert is_accepted(public)
            since = site.key.certificate.not_valid_before_utc
            certify_key(root, path, public, like=None, crl_url=CRL_URL, now=since)
            put_seal_in_place(path, None)
        yield found


@pytest.fixture(scope="module")
def keys(tokens: Tokens) -> dict[SealKind, SealKey]:
    found = {}
    for kind in SealKind:
        token, path = tokens.seal(kind)
        found[kind] = open_seal(path, PIN, token)
    return found


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("kind", SealKind)
def test_independent_tools_accept_what_a_token_sealed(
    keys: dict[SealKind, SealKey],
    kind: SealKind,
    site: Site,
    rendered: bytes,
    content: CertificateContent,
    tmp_path: Path,
):
    pdf = sealed_by(replace(site, key=keys[kind]), rendered, content)
    path = tmp_path / "certificate.pdf"
    path.write_bytes(pdf)
    told = pdfsig(path, site.nss)
    assert told.count("Signature is Valid.") == 2
    assert told.count("Certificate is Trusted.") == 2
    for extracted in extract_signatures(pdf):
        assert openssl_accepts(extracted, site.files.root_pem, tmp_path)
    assert accepted_by_pyhanko(pdf, site.files.root_pem)
    assert check(pdf, root_pem=site.root_pem, at=site.sealed_at).passed


@pytest.mark.parametrize("kind", SealKind)
def test_a_token_seals_to_the_highest_level(
    keys: dict[SealKind, SealKey],
    kind: SealKind,
    site: Site,
    rendered: bytes,
    content: CertificateContent,
    tmp_path: Path,
):
    with timestamp_service(tmp_path / "services") as service:
        sealing = sealing_of(site, Level.B_LTA, service)
        sealing.check(keys[kind], clock.now())
        assert sealed_to(sealing, keys[kind], rendered, content).level is Level.B_LTA


def test_a_token_that_was_away_is_asked_anew(
    tokens: Tokens, keys: dict[SealKind, SealKey], rendered: bytes, site: Site
):
    key, there = keys[SealKind.P256], tokens.folder / "tokens"
    away = there.rename(there.with_name("away"))
    there.mkdir()
    pkcs11.lib(str(MODULE)).reinitialize()  # it looks for tokens once
    with pytest.raises(SigningUnavailable) as refusal:
        seal(rendered, key, signed_at=site.sealed_at)
    assert refusal.value.code == "BQC-CRT-015"
    there.rmdir()
    away.rename(there)
    pkcs11.lib(str(MODULE)).reinitialize()
    assert seal(rendered, key, signed_at=site.sealed_at).startswith(rendered)


def test_a_token_seals_for_several_at_once(
    keys: dict[SealKind, SealKey], rendered: bytes, site: Site
):
    with ThreadPoolExecutor(3) as pool:
        found = pool.map(
            lambda kind: seal(rendered, keys[kind], signed_at=site.sealed_at), [*SealKind] * 3
        )
        assert all(accepted_by_pyhanko(one, site.files.root_pem) for one in found)


@pytest.mark.parametrize(
    ("change", "pin"),
    [
        ({"label": "another site"}, PIN),
        ({"key": "another key"}, PIN),
        ({"module": Path("/nowhere/library.so")}, PIN),
        ({"module": Path(__file__)}, PIN),
        ({}, "a wrong one"),
        ({"key": "rsa"}, PIN),
    ],
)
def test_a_token_that_cannot_sign_is_named(tokens: Tokens, change: dict[str, object], pin: str):
    token, path = tokens.seal(SealKind.P256)
    with pytest.raises(SigningUnavailable) as refusal:
        open_seal(path, pin, replace(token, **change))  # type: ignore[arg-type]
    assert refusal.value.code == "BQC-CRT-015"
    assert pin not in str(refusal.value)


def test_certificates_of_another_key_are_no_seal(tokens: Tokens, site: Site, tmp_path: Path):
    token, _ = tokens.seal(SealKind.P256)
    other = tmp_path / "other.pem"
    other.write_bytes(site.files.root_pem.read_bytes())
    for file, code in (
        (tmp_path / "none.pem", "BQC-CRT-010"),
        (site.files.root_crl, "BQC-CRT-012"),
        (other, "BQC-CRT-012"),  # of P-384
    ):
        with pytest.raises(SigningUnavailable) as refusal:
            open_seal(file, PIN, token)
        assert refusal.value.code == code
    _, of_rsa = tokens.seal(SealKind.RSA3072)
    _twin(token)
    with pytest.raises(SigningUnavailable, match="another key"):
        open_seal(of_rsa, PIN, Token(token.module, token.label, "twin"))


def _twin(token: Token) -> None:
    """Another RSA key of the token."""
    with (
        pkcs11.lib(str(MODULE))
        .get_token(token_label=token.label)
        .open(rw=True, user_pin=PIN) as session
    ):
        session.generate_keypair(pkcs11.KeyType.RSA, 3072, label="twin", store=True)


def test_the_pin_is_not_shown(keys: dict[SealKind, SealKey]):
    assert PIN not in repr(keys[SealKind.P256])
    assert keys[SealKind.P256].valid_at(
        keys[SealKind.P256].certificate.not_valid_before_utc + timedelta(1)
    )
