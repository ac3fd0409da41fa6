"""What the root of the site says of its seals: its certificate, and its list of revoked ones.

The list counts only where the root signed it and its day for the next one is not past. A list
that is missing, forged or stale says nothing, and then nothing is sealed.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from batchqc.errors import SigningUnavailable


@dataclass(frozen=True, slots=True)
class RootFiles:
    """Where the root's certificate (PEM) and its revocation list (DER) lie."""

    certificate: Path
    revocation_list: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """The root and the list that it signed; only ``read_authority`` makes one."""

    root: x509.Certificate
    revoked: x509.CertificateRevocationList

    def issued(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate is one of the root's."""
        return _is_of(self.root, certificate)

    def revoked_at(self, certificate: x509.Certificate) -> datetime | None:
        """Since when a certificate is revoked; ``None`` where it is not."""
        found = self.revoked.get_revoked_certificate_by_serial_number(certificate.serial_number)
        return found.revocation_date_utc if found else None


def read_authority(files: RootFiles, *, at: datetime) -> Authority:
    """Root and list, as they hold at a moment.

    Raises:
        SigningUnavailable: BQC-CRT-018 one of them is missing, forged, or stale.
    """
    authority = signed_authority(files)
    until = authority.revoked.next_update_utc
    if until is None or until < at:
        raise _unusable(files, f"is stale since {until:%Y-%m-%d}" if until else "has no end")
    return authority


def signed_authority(files: RootFiles) -> Authority:
    """Root and list, whatever the day.

    Raises:
        SigningUnavailable: BQC-CRT-018 one of them is missing or forged.
    """
    try:
        found = _read(files.certificate.read_bytes(), files.revocation_list.read_bytes())
    except (OSError, ValueError) as problem:
        raise _unusable(files, f"cannot be read: {problem}") from problem
    if found is None:
        raise _unusable(files, f"is not signed by the root in {files.certificate}")
    return found


def check_seal(
    certificates: tuple[x509.Certificate, ...], files: RootFiles, *, at: datetime
) -> None:
    """Refuse a seal that is revoked, or was never the root's.

    Raises:
        SigningUnavailable: BQC-CRT-014 it is, or BQC-CRT-018 nobody can tell.
    """
    authority = read_authority(files, at=at)
    for one in certificates:
        since = authority.revoked_at(one)
        if since is not None:
            raise SigningUnavailable(
                "BQC-CRT-014",
                f"the seal was revoked on {since:%Y-%m-%d}",
                hint="Make a new one with `batchqc pki renew-seal`, then `certificate resume`.",
            )
        if not authority.issued(one):
            raise SigningUnavailable(
                "BQC-CRT-014",
                f"the seal was not issued by the root in {files.certificate}",
                hint="Let BATCHQC_ROOT name the root that issued it.",
            )


@lru_cache(maxsize=4)  # the same bytes say the same, and are verified once
def _read(certificate: bytes, revocation_list: bytes) -> Authority | None:
    root = x509.load_pem_x509_certificate(certificate)
    revoked = x509.load_der_x509_crl(revocation_list)
    key = root.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return None
    return Authority(root, revoked) if _is_by(revoked, key) else None


@lru_cache(maxsize=64)  # as above: certificates are equal where their bytes are
def _is_of(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_by(
    revoked: x509.CertificateRevocationList, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
) -> bool:
    try:
        return revoked.is_signature_valid(key)
    except TypeError:  # another kind of key than the signature's
        return False


def _unusable(files: RootFiles, why: str) -> SigningUnavailable:
    return SigningUnavailable(
        "BQC-CRT-018",
        f"whether the seal is revoked cannot be told: the list {files.revocation_list} {why}",
        hint="Put root.pem and the newest root.crl beside the seal, or `batchqc pki crl`.",
    )
