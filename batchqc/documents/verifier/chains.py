"""From a certificate to a trusted root: who issued what, for which purpose, and valid when."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from asn1crypto import pem, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from batchqc.documents.verifier.findings import Failed, demand

_DOCUMENT_SIGNING: Final = "1.3.6.1.5.5.7.3.36"
_LONGEST: Final = 4
_MOST_TRIED: Final = 100  # signatures of authorities; a file may hold many that certify each other
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_SHORTEST: Final = {"rsa": 2048, "ec": 256}  # bits; with less, others could have found the key
# Extensions that are judged here; another critical one would be a condition that nobody knows.
_UNDERSTOOD: Final = {"basic_constraints", "key_usage", "extended_key_usage"}

Path = tuple[x509.Certificate, ...]
"""A certificate, whoever issued it, and so on up to a root."""


def read_roots(root_pem: bytes) -> Path:
    """The trusted roots of a file.

    Raises:
        Failed: where a part of the text is no certificate of an authority.
    """
    found = []
    for kind, _, der in pem.unarmor(root_pem, multiple=True):
        demand(kind == "CERTIFICATE", "the given root is no certificate")
        root = x509.Certificate.load(der, strict=True)
        demand(bool(root.ca), "the given root is no certificate authority")
        usage = root.key_usage_value
        may = usage is not None and "key_cert_sign" in usage.native
        demand(may, "the root may not certify")
        found.append(root)
    return tuple(found)


def path_to_root(
    certificate: x509.Certificate, pool: Iterable[x509.Certificate], roots: Path
) -> Path:
    """A certificate and those above it; ``pool`` are certificates that may stand between.

    Raises:
        Failed: none leads to a root.
    """
    return _path(certificate, list(pool), roots, [])


def _path(
    certificate: x509.Certificate,
    pool: list[x509.Certificate],
    roots: Path,
    tried: list[str],
    length: int = 1,
) -> Path:
    issuer, trusted = certificate.issuer.dump(), {one.dump() for one in roots}
    between = pool if length < _LONGEST else []
    problem = Failed(f"{said_name(certificate)} names another issuer")
    for candidate in (*roots, *between):
        if candidate.subject.dump() != issuer or candidate.dump() == certificate.dump():
            continue
        tried.append(said_name(candidate))
        demand(len(tried) <= _MOST_TRIED, "too many certificates are named like its issuers")
        try:
            _check_authority(candidate, below=length - 1)
            check_issued(certificate, candidate)
            if candidate.dump() in trusted:
                return certificate, candidate
            return certificate, *_path(candidate, pool, roots, tried, length + 1)
        except Failed as found:
            problem = found
    raise problem


def _check_authority(certificate: x509.Certificate, *, below: int) -> None:
    usage = certificate.key_usage_value
    may = bool(certificate.ca) and usage is not None and "key_cert_sign" in usage.native
    demand(may, f"{said_name(certificate)} may not certify")
    limit = certificate.max_path_length
    demand(limit is None or limit >= below, f"{said_name(certificate)} may not certify authorities")
    unknown = certificate.critical_extensions - _UNDERSTOOD
    demand(not unknown, f"{said_name(certificate)} has unknown conditions")


def check_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """The issuer signed the certificate.

    Raises:
        Failed: where it did not.
    """
    algorithm = certificate["signature_algorithm"]
    inner = certificate["tbs_certificate"]["signature"]
    demand(algorithm.dump() == inner.dump(), "the certificate names two algorithms")
    signed = certificate["tbs_certificate"].dump()
    value = certificate["signature_value"].native
    verify_signature(issuer, value, signed, digest=algorithm.hash_algo)


def check_purpose(certificate: x509.Certificate) -> None:
    """The certificate is for sealing documents and for nothing larger.

    Raises:
        Failed: where it is not.
    """
    demand(not certificate.ca, "the seal is an authority itself")
    usage, purposes = certificate.key_usage_value, certificate.extended_key_usage_value
    needed = {"digital_signature", "non_repudiation"}
    demand(usage is not None and needed <= usage.native, "the key is not meant for signatures")
    named = [] if purposes is None else [purpose.dotted for purpose in purposes]
    demand(_DOCUMENT_SIGNING in named, "the seal is not meant for documents")
    unknown = certificate.critical_extensions - _UNDERSTOOD
    demand(not unknown, f"the seal has conditions unknown here: {', '.join(sorted(unknown))}")


def check_stamps(certificate: x509.Certificate) -> None:
    """The certificate is for timestamps and for nothing else (RFC 3161, 2.3).

    Raises:
        Failed: where it is not.
    """
    purposes = certificate.extended_key_usage_value
    named = [] if purposes is None else [purpose.native for purpose in purposes]
    alone = named == ["time_stamping"] and "extended_key_usage" in certificate.critical_extensions
    demand(alone and not certificate.ca, f"{said_name(certificate)} is not for timestamps alone")
    demand(certificate.critical_extensions <= _UNDERSTOOD, "the service has unknown conditions")


def check_validity(path: Path, at: datetime) -> None:
    """Every certificate of a path is valid at this moment.

    Raises:
        Failed: where one is not.
    """
    for one in path:
        begin, end = one.not_valid_before, one.not_valid_after
        period = f"{said_name(one)} is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}"
        demand(begin <= at <= end, f"{period}, not on {at:%Y-%m-%d}")


def verify_signature(
    certificate: x509.Certificate, signature: bytes, signed: bytes, *, digest: str
) -> None:
    """The key of the certificate signed these bytes.

    Raises:
        Failed: where it did not, or with what is not accepted.
    """
    demand(digest in _HASHES, f"{digest} is not accepted")
    try:
        key = load_der_public_key(certificate.public_key.dump())
    except UnsupportedAlgorithm:
        raise Failed("the key is neither ECDSA nor RSA") from None
    if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        least = _SHORTEST["rsa" if isinstance(key, rsa.RSAPublicKey) else "ec"]
        demand(key.key_size >= least, f"the key of {said_name(certificate)} is too short")
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(_HASHES[digest]))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), _HASHES[digest])
        else:
            raise Failed("the key is neither ECDSA nor RSA")
    except InvalidSignature:
        raise Failed(f"the signature is not by {said_name(certificate)}") from None


def said_name(certificate: x509.Certificate) -> str:
    """How a certificate calls its owner."""
    return str(certificate.subject.human_friendly)
