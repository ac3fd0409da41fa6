"""The site's seal on a document: PAdES B-B, ECDSA P-256.

Importing it is cheap: pyHanko, half a second, is loaded by the first ``seal``. The last seal locks
the document; one before it certifies it and lets only further seals follow.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from batchqc.errors import SigningUnavailable

SEAL_FIELD = "QARelease"


@dataclass(frozen=True, slots=True)
class SealKey:
    """The seal: private key and certificate. Only ``load_seal`` makes one.

    ``certifying`` is its certificate for what certifies, ``certificate`` where it has no other.
    """

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    certifying: x509.Certificate

    @property
    def sha256(self) -> str:
        """SHA-256 of the certificate: says which seal was used."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def valid_at(self, moment: datetime) -> bool:
        """Whether the certificate is valid then."""
        both = (self.certificate, self.certifying)
        return all(one.not_valid_before_utc <= moment <= one.not_valid_after_utc for one in both)


def load_seal(path: Path, passphrase: str) -> SealKey:
    """The seal from its PKCS#12 file.

    Raises:
        SigningUnavailable: BQC-CRT-010 no such file, BQC-CRT-011 wrong passphrase or damaged,
            BQC-CRT-012 no ECDSA P-256 key with its certificate inside.
    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise SigningUnavailable(
            "BQC-CRT-010",
            f"the seal {path} cannot be read: {problem.strerror}",
            hint="Mount the seal's PKCS#12 file where the settings say that it is.",
        ) from problem
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, passphrase.encode())
    except ValueError as problem:
        raise SigningUnavailable(
            "BQC-CRT-011", "the seal does not open: wrong passphrase, or a damaged file"
        ) from problem
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or not isinstance(key.curve, ec.SECP256R1)
        or certificate is None
        or certificate.public_key() != key.public_key()
    ):
        raise SigningUnavailable(
            "BQC-CRT-012", "the seal must be an ECDSA P-256 key with its certificate"
        )
    further = [one for one in others if one.public_key() == key.public_key()]
    return SealKey(key, certificate, further[0] if further else certificate)


def seal(  # noqa: PLR0913 - what a signature says, all optional
    pdf: bytes,
    key: SealKey,
    *,
    field: str = SEAL_FIELD,
    name: str | None = None,
    reason: str | None = None,
    location: str | None = None,
    certifies: bool = False,
    signed_at: datetime,
) -> bytes:
    """The document with the site's seal, as one incremental update.

    Args:
        pdf: the document.
        key: from ``load_seal``.
        field: name of the signature field: an empty one of the document, else a new invisible one.
        name: who seals, as readers of the signature panel see it.
        reason: why.
        location: where.
        certifies: whether further signatures may follow, and nothing else (DocMDP, P = 2). Without
            it nothing may follow.
        signed_at: what the signature says about its time; with a time zone.

    Raises:
        SigningUnavailable: BQC-CRT-013 where the certificate is not valid at ``signed_at``.
        InvalidInput: BQC-CRT-002 where the bytes are no PDF, or the field is signed already.
    """
    if not key.valid_at(signed_at):
        raise SigningUnavailable(
            "BQC-CRT-013",
            f"the seal is valid from {key.certificate.not_valid_before_utc:%Y-%m-%d} "
            f"to {key.certificate.not_valid_after_utc:%Y-%m-%d}, not on {signed_at:%Y-%m-%d}",
            hint="Issue a new seal with the root.",
        )
    from batchqc.documents.pades_signing import Words, signed  # noqa: PLC0415 - see the docstring

    words = Words(field, name, reason, location, certifies=certifies)
    certificate = key.certifying if certifies else key.certificate
    return signed(pdf, key.key, certificate, words=words, at=signed_at)
