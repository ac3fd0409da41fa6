"""What the root does later: it certifies a new seal, and revokes one.

The root comes out of its safe for it, in its PKCS#12 file. A new file takes the place of the one of
before, which stays beside it under another name; nothing is overwritten.
"""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from cryptography.x509.oid import NameOID

from batchqc.documents.pki import (
    Issuer,
    SealKind,
    certify,
    new_seal_key,
    revocation_list,
    seal_file,
    write_new,
)
from batchqc.documents.revocation import RootFiles, signed_authority
from batchqc.documents.signing_keys import PublicKey
from batchqc.errors import Conflict, InvalidInput, NotFound, SigningUnavailable


@dataclass(frozen=True, slots=True)
class Root:
    """The root, opened; its list and certificate lie where ``files`` says."""

    issuer: Issuer
    files: RootFiles


def open_root(path: Path, passphrase: str, files: RootFiles) -> Root:
    """The root from its PKCS#12 file.

    Raises:
        SigningUnavailable: BQC-PKI-005 it cannot be opened, or is another root than the site's.
    """
    try:
        data = path.read_bytes()
        key, certificate, _ = pkcs12.load_key_and_certificates(data, passphrase.encode())
        known = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    except (OSError, ValueError) as problem:
        raise _closed(path, "wrong passphrase, or a file that is missing or damaged") from problem
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate != known:
        raise _closed(path, f"it is not the root in {files.certificate}")
    return Root((known, key), files)


def list_address(certificate: x509.Certificate) -> str:
    """Where a certificate says that the list of its root is found."""
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    return "".join(str(name.value) for point in points for name in point.full_name or ())


def next_seal(
    root: Root,
    seal: Path,
    *,
    passphrase: str,
    like: x509.Certificate,
    kind: SealKind,
    now: datetime,
) -> x509.Certificate:
    """Write a new seal beside the one in a file, with the names and addresses of that one.

    ``put_seal_in_place`` lets it take the place.

    Returns:
        Its certificate.
    """
    key = new_seal_key(kind)
    pair = certify(
        key.public_key(),
        subject=like.subject,
        issuer=root.issuer,
        crl_url=list_address(like),
        now=now,
    )
    beside = _next(seal)
    beside.unlink(missing_ok=True)  # of a try that never came into its place
    write_new(beside, seal_file(key, pair, passphrase=passphrase))
    return pair[0]


def certify_key(
    root: Root,
    to: Path,
    key: PublicKey,
    *,
    like: x509.Certificate | None,
    crl_url: str = "",
    now: datetime,
) -> x509.Certificate:
    """Write certificates of a key that lies in a token, as a PEM file beside the one of before.

    Args:
        root: opened.
        to: the file; ``put_seal_in_place`` lets the new one take its place.
        key: the public half.
        like: whose names and addresses it gets; ``None`` for a first seal.
        crl_url: where the root's list will be found; blank is where ``like`` says.
        now: when they begin.

    Returns:
        The first of them.
    """
    pair = certify(
        key,
        subject=like.subject if like else _named_after(root.issuer[0]),
        issuer=root.issuer,
        crl_url=crl_url or (list_address(like) if like else ""),
        now=now,
    )
    beside = _next(to)
    beside.unlink(missing_ok=True)
    write_new(beside, b"".join(one.public_bytes(Encoding.PEM) for one in pair), mode=0o644)
    return pair[0]


def put_seal_in_place(path: Path, old: x509.Certificate | None) -> None:
    """Let the new seal take its place; the old one stays beside it, named by its certificate."""
    name = old.fingerprint(hashes.SHA256()).hex()[:16] if old else "old"
    _put_in_place(path, name)


def next_list(
    root: Root,
    certificates: Iterable[x509.Certificate],
    *,
    reason: x509.ReasonFlags = x509.ReasonFlags.unspecified,
    now: datetime,
) -> int:
    """Write the next list of revoked certificates beside the one of before.

    ``put_list_in_place`` lets it take the place.

    Args:
        root: opened.
        certificates: are revoked from now on; without any, the list is only made anew.
        reason: why, of those.
        now: when it begins.

    Returns:
        Its number.

    Raises:
        InvalidInput: BQC-PKI-006 one of them is not the root's.
        Conflict: BQC-PKI-007 one of them is revoked already.
        SigningUnavailable: BQC-CRT-018 the list of before is missing or forged.
    """
    authority = signed_authority(root.files)
    revoked = list(authority.revoked)
    for one in certificates:
        if one.issuer != root.issuer[0].subject:
            raise InvalidInput("BQC-PKI-006", "this certificate was not issued by the root")
        if authority.revoked_at(one) is not None:
            raise Conflict("BQC-PKI-007", "this certificate is revoked already")
        revoked.append(
            x509.RevokedCertificateBuilder()
            .serial_number(one.serial_number)
            .revocation_date(now)
            .add_extension(x509.CRLReason(reason), critical=False)
            .build()
        )
    number = list_number(authority.revoked) + 1
    beside = _next(root.files.revocation_list)
    beside.unlink(missing_ok=True)
    data = revocation_list(root.issuer, number=number, now=now, revoked=revoked)
    write_new(beside, data, mode=0o644)
    return number


def put_list_in_place(files: RootFiles, number: int) -> None:
    """Let the new list take its place; the one of before stays beside it under its number."""
    _put_in_place(files.revocation_list, str(number - 1))


def list_number(revoked: x509.CertificateRevocationList) -> int:
    """The number of a list."""
    return revoked.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def certificates_in(path: Path, passphrase: str) -> list[x509.Certificate]:
    """The certificates in a PEM file, or in a PKCS#12 file that the passphrase opens.

    Raises:
        NotFound: BQC-PKI-008 there are none.
    """
    try:
        data = path.read_bytes()
        if b"-----BEGIN CERTIFICATE-----" in data:
            return x509.load_pem_x509_certificates(data)
        _, first, others = pkcs12.load_key_and_certificates(data, passphrase.encode())
    except (OSError, ValueError) as problem:
        raise _no_certificates(path) from problem
    if first is None:
        raise _no_certificates(path)
    return [first, *others]


def _named_after(root: x509.Certificate) -> x509.Name:
    (organisation,) = root.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    name = x509.NameAttribute(NameOID.COMMON_NAME, f"{organisation.value!s}: seal")
    return x509.Name([organisation, name])


def _next(path: Path) -> Path:
    return path.with_name(f"{path.name}.next")


def _put_in_place(path: Path, name: str) -> None:
    """Whenever a crash comes, a file is in the place: the one of before has two names first."""
    if path.exists():
        with contextlib.suppress(FileExistsError):  # of a try that a crash ended
            path.with_name(f"{path.stem}-{name}{path.suffix}").hardlink_to(path)
    _next(path).replace(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _closed(path: Path, why: str) -> SigningUnavailable:
    return SigningUnavailable(
        "BQC-PKI-005",
        f"the root {path} does not open: {why}",
        hint="Take the root out of its safe, and name its file with --root.",
    )


def _no_certificates(path: Path) -> NotFound:
    return NotFound(
        "BQC-PKI-008",
        f"{path} holds no certificate, or its passphrase is another one",
        hint="Name the PKCS#12 file of the seal, or a PEM file.",
    )
