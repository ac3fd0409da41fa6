"""The site's seal on a document: PAdES B-B, or B-T with a timestamp; ECDSA P-256 or RSA-3072.

Importing it is cheap: pyHanko, half a second, is loaded by the first ``seal``. The last seal locks
the document; one before it certifies it and lets only further seals follow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from batchqc.documents.sealing import Level, Sealing
from batchqc.documents.signing_keys import FileKey, SigningKey, is_accepted
from batchqc.documents.timestamps import Service
from batchqc.documents.token_key import Token, load_token_key, read_certificates
from batchqc.errors import SigningUnavailable

SEAL_FIELD = "QARelease"


@dataclass(frozen=True, slots=True)
class SealKey:
    """The seal: private key and certificate. Only ``load_seal`` and ``token_seal`` make one.

    ``certifying`` is its certificate for what certifies, ``certificate`` where it has no other.
    """

    key: SigningKey
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

    def check_valid(self, moment: datetime) -> None:
        """Refuse it where it is not valid then.

        Raises:
            SigningUnavailable: BQC-CRT-013.
        """
        if not self.valid_at(moment):
            raise SigningUnavailable(
                "BQC-CRT-013",
                f"the seal is valid from {self.certificate.not_valid_before_utc:%Y-%m-%d} "
                f"to {self.certificate.not_valid_after_utc:%Y-%m-%d}, not on {moment:%Y-%m-%d}",
                hint="Make a new seal: `batchqc pki renew-seal`.",
            )


def load_seal(path: Path, passphrase: str) -> SealKey:
    """The seal from its PKCS#12 file.

    Raises:
        SigningUnavailable: BQC-CRT-010 no such file, BQC-CRT-011 wrong passphrase or damaged,
            BQC-CRT-012 no key of an accepted kind with its certificate inside.
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
        not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
        or not is_accepted(key.public_key())
        or certificate is None
        or certificate.public_key() != key.public_key()
    ):
        raise _no_seal()
    return _with_certificates(FileKey(key), [certificate, *others])


def open_seal(path: Path, passphrase: str, token: Token | None) -> SealKey:
    """The seal, from its PKCS#12 file, or from a token with its certificates in a PEM file.

    Args:
        path: the file.
        passphrase: opens the file, or the token (its PIN).
        token: the one that holds the key, where one does.

    Raises:
        SigningUnavailable: see ``load_seal`` and ``token_seal``.
    """
    return token_seal(token, path, passphrase) if token else load_seal(path, passphrase)


def token_seal(token: Token, certificates: Path, pin: str) -> SealKey:
    """The seal whose key is in a token, and whose certificates are in a PEM file.

    Raises:
        SigningUnavailable: BQC-CRT-010 no such file, BQC-CRT-012 no certificate of a key of an
            accepted kind inside, BQC-CRT-015 the token does not answer or has another key.
    """
    found = read_certificates(certificates)
    public = found[0].public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise _no_seal()
    if not is_accepted(public):
        raise _no_seal()
    return _with_certificates(load_token_key(token, public, pin), found)


def _with_certificates(key: SigningKey, found: Sequence[x509.Certificate]) -> SealKey:
    own = [one for one in found if one.public_key() == key.public_key()]
    return SealKey(key, own[0], own[1] if own[1:] else own[0])


def _no_seal() -> SigningUnavailable:
    return SigningUnavailable(
        "BQC-CRT-012", "the seal must be an ECDSA P-256 or RSA-3072 key with its certificate"
    )


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
    stamped_by: Service | None = None,
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
        stamped_by: the service that stamps the signature (B-T).

    Raises:
        SigningUnavailable: BQC-CRT-013 where the certificate is not valid at ``signed_at``,
            BQC-CRT-015 the token or BQC-CRT-016 the timestamp service does not answer.
        InvalidInput: BQC-CRT-002 where the bytes are no PDF, or the field is signed already.
    """
    key.check_valid(signed_at)
    from batchqc.documents.pades_signing import Words, signed  # noqa: PLC0415 - see the docstring

    words = Words(field, name, reason, location, certifies=certifies)
    certificate = key.certifying if certifies else key.certificate
    return signed(pdf, key.key, certificate, words=words, at=signed_at, service=stamped_by)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A document that reached its level, and until when it proves itself without anything new."""

    document: bytes
    level: Level
    provable_until: datetime


def proven(pdf: bytes, key: SealKey, sealing: Sealing, *, clock: Callable[[], datetime]) -> Sealed:
    """A sealed document with all that its level asks for, which is checked in it.

    Args:
        pdf: with all its seals, each stamped where the level asks for it.
        key: that sealed it.
        sealing: the level, and whom the site trusts.
        clock: the time, asked after each service has answered.

    Raises:
        SigningUnavailable: BQC-CRT-016 to BQC-CRT-019 it does not reach the level.
    """
    service = sealing.stamped_by
    if service is None:
        ends = (one.not_valid_after_utc for one in (key.certificate, key.certifying))
        return Sealed(pdf, sealing.level, min(ends))
    from batchqc.documents.pades_evidence import trust_of, with_evidence  # noqa: PLC0415 - as above
    from batchqc.documents.pades_levels import check_level, provable_until  # noqa: PLC0415 - pyHanko

    trust = trust_of(sealing.root, service, clock())
    if sealing.level.has_evidence:
        check_level(pdf, trust, level=Level.B_T, at=clock())
        archived = sealing.level is Level.B_LTA
        pdf = with_evidence(pdf, trust, service=service, archived=archived, at=clock())
    check_level(pdf, trust, level=sealing.level, at=clock())
    return Sealed(pdf, sealing.level, provable_until(pdf))


def renewed(pdf: bytes, sealing: Sealing, *, clock: Callable[[], datetime]) -> Sealed:
    """A sealed document with one more timestamp over all of it, and evidence for the last one.

    Raises:
        SigningUnavailable: BQC-CRT-016 to BQC-CRT-019; the newest timestamp has expired, or the
            services do not answer as they must.
    """
    from batchqc.documents.pades_evidence import trust_of, with_evidence  # noqa: PLC0415 - as above
    from batchqc.documents.pades_levels import check_archived, provable_until  # noqa: PLC0415 - pyHanko

    service = sealing.renewed_by
    trust = trust_of(sealing.root, service, clock())
    longer = with_evidence(pdf, trust, service=service, archived=True, at=clock())
    check_archived(longer, trust, at=clock())
    return Sealed(longer, Level.B_LTA, provable_until(longer))
