"""The site's own public key infrastructure: a root, and the seal that it vouches for.

The rules:

- Root and seal lie in separate PKCS#12 files under separate passphrases, mode 0600: the server
  needs the seal only, the root stays offline.
- The root is ECDSA P-384 and lives 30 years; the seal is ECDSA P-256 or RSA-3072 and lives 10.
- The seal's key usage and CRL address are those that pdfsig, openssl and pyHanko all accept.
- The seal's key has two certificates, one for reviews and one for releases: pdfsig takes a second
  signature by the same certificate for a forgery.
- Nothing is overwritten.
"""

import calendar
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from batchqc.documents.signing_keys import RSA_BITS, PrivateKey, PublicKey
from batchqc.errors import Conflict, InvalidInput

ROOT_YEARS = 30
SEAL_YEARS = 10
#: Organisational unit in the subject of the certificate for reviews.
REVIEW_UNIT = "QC review"
DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")


Issuer = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


class SealKind(StrEnum):
    """Kinds of a seal's key."""

    P256 = "P-256"
    RSA3072 = "RSA-3072"


@dataclass(frozen=True, slots=True)
class PkiNames:
    """Organisation, and the common names of root and seal."""

    organisation: str
    root: str
    seal: str


@dataclass(frozen=True, slots=True)
class PkiFiles:
    """Where the files of a new infrastructure lie.

    ``root_p12`` belongs in a safe, ``seal_p12`` on the server; ``root_pem`` is handed to everyone
    who verifies, and ``root_crl`` (DER) is served under the address inside the certificates.
    """

    root_p12: Path
    seal_p12: Path
    root_pem: Path
    root_crl: Path


def create_pki(  # noqa: PLR0913 - what an infrastructure is
    folder: Path,
    *,
    names: PkiNames,
    root_passphrase: str,
    seal_passphrase: str,
    crl_url: str,
    now: datetime,
    kind: SealKind = SealKind.P256,
) -> PkiFiles:
    """Make root and seal, and write them with the root's certificate and its empty CRL.

    Args:
        folder: made where it does not exist.
        names: for the certificates' subjects.
        root_passphrase: opens the root's PKCS#12 file.
        seal_passphrase: opens the seal's PKCS#12 file; another one.
        crl_url: where the root's CRL will be found.
        now: both certificates begin here; with a time zone.
        kind: of the seal's key.

    Raises:
        InvalidInput: BQC-PKI-001 for an empty passphrase or the same one twice.
        Conflict: BQC-PKI-002 where one of the files exists; nothing was written.
    """
    if not root_passphrase or not seal_passphrase or root_passphrase == seal_passphrase:
        raise InvalidInput("BQC-PKI-001", "root and seal need two different passphrases")
    files = PkiFiles(*(folder / name for name in ("root.p12", "seal.p12", "root.pem", "root.crl")))
    _refuse_existing(files)
    root_key = ec.generate_private_key(ec.SECP384R1())
    seal_key = new_seal_key(kind)
    root = _root(root_key, subject=_name(names.organisation, names.root), now=now)
    subject = _name(names.organisation, names.seal)
    pair = certify(
        seal_key.public_key(), subject=subject, issuer=(root, root_key), crl_url=crl_url, now=now
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(files.root_p12, _pkcs12("root", root, root_key, passphrase=root_passphrase))
    write_new(files.seal_p12, seal_file(seal_key, pair, passphrase=seal_passphrase))
    write_new(files.root_pem, root.public_bytes(serialization.Encoding.PEM), mode=0o644)
    empty = revocation_list((root, root_key), number=1, now=now)
    write_new(files.root_crl, empty, mode=0o644)
    return files


def new_seal_key(kind: SealKind) -> PrivateKey:
    """A new private key of a seal."""
    if kind is SealKind.RSA3072:
        return rsa.generate_private_key(65537, RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def certify(
    key: PublicKey, *, subject: x509.Name, issuer: Issuer, crl_url: str, now: datetime
) -> tuple[x509.Certificate, x509.Certificate]:
    """The certificates of a seal's key: for releases, and for reviews.

    Args:
        key: the public half.
        subject: of the first; the second has a unit more.
        issuer: the root.
        crl_url: where the root's CRL will be found.
        now: when they begin; they live 10 years, and not longer than the root.
    """
    unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, REVIEW_UNIT)
    first, *others = subject
    for_reviews = x509.Name([first, unit, *others])
    seal, review = (
        _seal(key, subject=one, issuer=issuer, crl_url=crl_url, now=now)
        for one in (subject, for_reviews)
    )
    return seal, review


def seal_file(
    key: PrivateKey, pair: tuple[x509.Certificate, x509.Certificate], *, passphrase: str
) -> bytes:
    """The PKCS#12 file of a seal with its two certificates."""
    return _pkcs12("seal", pair[0], key, passphrase=passphrase, others=[pair[1]])


def _refuse_existing(files: PkiFiles) -> None:
    paths = (files.root_p12, files.seal_p12, files.root_pem, files.root_crl)
    existing = [str(path) for path in paths if os.path.lexists(path)]
    if existing:
        raise Conflict(
            "BQC-PKI-002",
            "keys and certificates are never overwritten",
            hint="Choose an empty folder.",
            reasons=[f"{path} exists" for path in existing],
        )


def _name(organisation: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _root(
    key: ec.EllipticCurvePrivateKey, *, subject: x509.Name, now: datetime
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(_years_later(now, ROOT_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA384())
    )


def _seal(
    key: PublicKey,
    *,
    subject: x509.Name,
    issuer: Issuer,
    crl_url: str,
    now: datetime,
) -> x509.Certificate:
    root, root_key = issuer
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    # pdfsig (NSS) distrusts a seal without emailProtection or without a CRL address.
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, DOCUMENT_SIGNING])
    address = x509.DistributionPoint(
        full_name=[x509.UniformResourceIdentifier(crl_url)],
        relative_name=None,
        reasons=None,
        crl_issuer=None,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(root.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(min(_years_later(now, SEAL_YEARS), root.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage("digital_signature", "content_commitment"), critical=True)
        .add_extension(purposes, critical=False)
        .add_extension(x509.CRLDistributionPoints([address]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(authority, critical=False)
        .sign(root_key, hashes.SHA384())
    )


def _key_usage(*granted: str) -> x509.KeyUsage:
    usages = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{usage: usage in granted for usage in usages})


def revocation_list(
    issuer: Issuer,
    *,
    number: int,
    now: datetime,
    revoked: Iterable[x509.RevokedCertificate] = (),
) -> bytes:
    """A CRL (DER) without an issuing distribution point, which openssl would stumble over.

    It is valid as long as a seal: the root is offline until then. One with a higher number takes
    its place.
    """
    root, key = issuer
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.subject)
        .last_update(now)
        .next_update(_years_later(now, SEAL_YEARS))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(authority, critical=False)
    )
    for one in revoked:
        builder = builder.add_revoked_certificate(one)
    return builder.sign(key, hashes.SHA384()).public_bytes(serialization.Encoding.DER)


def _pkcs12(
    name: str,
    certificate: x509.Certificate,
    key: PrivateKey,
    *,
    passphrase: str,
    others: Sequence[x509.Certificate] = (),
) -> bytes:
    protection = serialization.BestAvailableEncryption(passphrase.encode())
    return pkcs12.serialize_key_and_certificates(
        name.encode(), key, certificate, cas=others or None, encryption_algorithm=protection
    )


def _years_later(moment: datetime, years: int) -> datetime:
    year = moment.year + years
    last = calendar.monthrange(year, moment.month)[1]
    return moment.replace(year=year, day=min(moment.day, last))


def write_new(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Create the file with its final mode: a key is never readable by others, not for a moment."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
