"""A signature of a certificate: its container (CMS), and the X.509 behind it.

For ``certificate_check`` only. Accepted is one form: one signature, one certificate, SHA-256 with
ECDSA or RSA, no unsigned part.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import cms, core, pem, tsp, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from batchqc.documents.certificate_bytes import Failed

DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_ONE = b"\x02\x01\x01"
_SIGNED_DATA = core.ObjectIdentifier("1.2.840.113549.1.7.2").dump()
_DATA = core.ObjectIdentifier("1.2.840.113549.1.7.1").dump()
# SHA-256 with and without the NULL that some write after it.
_SHA256 = (
    bytes.fromhex("300d06096086480165030402010500"),
    bytes.fromhex("300b0609608648016503040201"),
)
# ecdsa-with-SHA256, sha256WithRSAEncryption, rsaEncryption: the kind of key that each needs.
_SIGNATURES = {
    bytes.fromhex("300a06082a8648ce3d040302"): "ec",
    bytes.fromhex("300d06092a864886f70d01010b0500"): "rsa",
    bytes.fromhex("300d06092a864886f70d0101010500"): "rsa",
}
# Extensions that this module judges; another critical one would be a condition it does not know.
_UNDERSTOOD = {"basic_constraints", "key_usage", "extended_key_usage"}
# Registers the attribute signing-certificate-v2 with asn1crypto's CMS.
_SIGNING_CERTIFICATE_V2 = tsp.SigningCertificateV2


@dataclass(frozen=True, slots=True)
class Seal:
    """The parts of a signature container."""

    certificate: x509.Certificate
    attributes: dict[str, core.Asn1Value]
    signed_attributes: bytes
    signature_algorithm: bytes
    signature: bytes


def read_container(der: bytes) -> Seal:
    """The container's parts.

    It is built again from them: whatever else it holds, and whatever is written differently than
    in distinguished encoding, makes a difference. So no byte of it can change unnoticed.

    Raises:
        Failed: where it is not exactly one PAdES B-B signature with its certificate.
    """
    signed = cms.ContentInfo.load(der)["content"]
    signer, certificate = signed["signer_infos"][0], signed["certificates"][0].chosen
    seal = Seal(
        certificate=certificate,
        attributes=_attributes(signer["signed_attrs"]),
        # What was signed is the SET, not its implicit tag [0] (RFC 5652, 5.4).
        signed_attributes=b"\x31" + signer["signed_attrs"].dump()[1:],
        signature_algorithm=signer["signature_algorithm"].dump(),
        signature=signer["signature"].native,
    )
    if der not in (_container(seal, digest) for digest in _SHA256):
        raise Failed("the signature container holds other things than one signature")
    return seal


def check_digest(seal: Seal, signed: bytes) -> None:
    """The signed attributes name the digest of exactly these bytes.

    Raises:
        Failed: where they do not.
    """
    content_type, digest = seal.attributes["content_type"], seal.attributes["message_digest"]
    _demand(content_type.native == "data", "the signature is about something else than data")
    _demand(digest.native == hashlib.sha256(signed).digest(), "the file was changed after sealing")


def check_signature(seal: Seal) -> None:
    """The signature over the signed attributes is the certificate's key's.

    Raises:
        Failed: where it is not.
    """
    kind = _SIGNATURES.get(seal.signature_algorithm, "")
    _demand(kind == seal.certificate.public_key.algorithm, "the algorithm is not the key's")
    _verify(seal.certificate, seal.signature, seal.signed_attributes, digest="sha256")


def check_binding(seal: Seal) -> None:
    """The signed attributes name the certificate, so that it cannot be exchanged.

    Raises:
        Failed: where they name another one, or none.
    """
    named = seal.attributes["signing_certificate_v2"]["certs"]
    _demand(len(named) == 1, "the signature does not name one certificate")
    _demand(named[0]["hash_algorithm"]["algorithm"].native == "sha256", "named by another hash")
    fingerprint = hashlib.sha256(seal.certificate.dump()).digest()
    _demand(named[0]["cert_hash"].native == fingerprint, "the signature names another certificate")


def read_root(root_pem: bytes) -> x509.Certificate:
    """The trusted root.

    Raises:
        Failed: where the text is no certificate of an authority.
    """
    kind, _, der = pem.unarmor(root_pem)
    _demand(kind == "CERTIFICATE", "the given root is no certificate")
    root = x509.Certificate.load(der, strict=True)
    _demand(bool(root.ca), "the given root is no certificate authority")
    usage = root.key_usage_value
    _demand(usage is not None and "key_cert_sign" in usage.native, "the root may not certify")
    return root


def check_issuer(certificate: x509.Certificate, root: x509.Certificate) -> None:
    """The root signed the certificate.

    Raises:
        Failed: where it did not.
    """
    _demand(certificate.issuer.dump() == root.subject.dump(), "the seal names another issuer")
    algorithm = certificate["signature_algorithm"]
    inner = certificate["tbs_certificate"]["signature"]
    _demand(algorithm.dump() == inner.dump(), "the certificate names two algorithms")
    _verify(
        root,
        certificate["signature_value"].native,
        certificate["tbs_certificate"].dump(),
        digest=algorithm.hash_algo,
    )


def check_purpose(certificate: x509.Certificate) -> None:
    """The certificate is for sealing documents and for nothing larger.

    Raises:
        Failed: where it is not.
    """
    _demand(not certificate.ca, "the seal is an authority itself")
    usage, purposes = certificate.key_usage_value, certificate.extended_key_usage_value
    needed = {"digital_signature", "non_repudiation"}
    _demand(usage is not None and needed <= usage.native, "the key is not meant for signatures")
    named = [] if purposes is None else [purpose.dotted for purpose in purposes]
    _demand(DOCUMENT_SIGNING in named, "the seal is not meant for documents")
    unknown = certificate.critical_extensions - _UNDERSTOOD
    _demand(not unknown, f"the seal has conditions unknown here: {', '.join(sorted(unknown))}")


def check_validity(certificate: x509.Certificate, at: datetime) -> None:
    """The certificate is valid at this moment.

    Raises:
        Failed: where it is not.
    """
    begin, end = certificate.not_valid_before, certificate.not_valid_after
    period = (
        f"{certificate.subject.human_friendly} is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}"
    )
    _demand(begin <= at <= end, period)


def _attributes(attributes: cms.CMSAttributes) -> dict[str, core.Asn1Value]:
    found: dict[str, core.Asn1Value] = {}
    for attribute in attributes:
        name = attribute["type"].native
        if name in found or len(attribute["values"]) != 1:
            raise Failed(f"the signed attribute {name} has two values")
        found[name] = attribute["values"][0]
    missing = {"content_type", "message_digest", "signing_certificate_v2"} - found.keys()
    _demand(not missing, f"signed attributes are missing: {', '.join(sorted(missing))}")
    return found


def _container(seal: Seal, digest: bytes) -> bytes:
    """A container of exactly these parts (RFC 5652, 5.1 and 5.3)."""
    certificate = seal.certificate
    serial = certificate["tbs_certificate"]["serial_number"].dump()
    signer = _der(
        0x30,
        _ONE,
        _der(0x30, certificate.issuer.dump(), serial),
        digest,
        b"\xa0" + seal.signed_attributes[1:],
        seal.signature_algorithm,
        _der(0x04, seal.signature),
    )
    signed = _der(
        0x30,
        _ONE,
        _der(0x31, digest),
        _der(0x30, _DATA),
        _der(0xA0, certificate.dump()),
        _der(0x31, signer),
    )
    return _der(0x30, _SIGNED_DATA, _der(0xA0, signed))


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    header = size if len(body) < 0x80 else bytes([0x80 | len(size)]) + size
    return bytes([tag]) + header + body


def _verify(certificate: x509.Certificate, signature: bytes, signed: bytes, *, digest: str) -> None:
    _demand(digest in _HASHES, f"{digest} is not accepted")
    key = load_der_public_key(certificate.public_key.dump())
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(_HASHES[digest]))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), _HASHES[digest])
        else:
            raise Failed("the key is neither ECDSA nor RSA")
    except InvalidSignature:
        raise Failed(f"the signature is not by {certificate.subject.human_friendly}") from None


def _demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise Failed(otherwise)
