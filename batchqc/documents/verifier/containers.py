"""A seal's container (CMS): its parts, and that it was made over these bytes by its certificate.

Accepted is one form: one signature, its certificates, SHA-256 with ECDSA or RSA, and as the only
unsigned part a timestamp over the signature.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from asn1crypto import cms, core, tsp, x509

from batchqc.documents.verifier.chains import verify_signature
from batchqc.documents.verifier.findings import Failed, demand

_ONE: Final = b"\x02\x01\x01"
_SIGNED_DATA: Final = core.ObjectIdentifier("1.2.840.113549.1.7.2").dump()
_PLAIN_DATA: Final = core.ObjectIdentifier("1.2.840.113549.1.7.1").dump()
# SHA-256 with and without the NULL that some write after it.
_SHA256: Final = (
    bytes.fromhex("300d06096086480165030402010500"),
    bytes.fromhex("300b0609608648016503040201"),
)
# ecdsa-with-SHA256, sha256WithRSAEncryption, rsaEncryption: the kind of key that each needs.
_SIGNATURES: Final = {
    bytes.fromhex("300a06082a8648ce3d040302"): "ec",
    bytes.fromhex("300d06092a864886f70d01010b0500"): "rsa",
    bytes.fromhex("300d06092a864886f70d0101010500"): "rsa",
}
# Registers the attribute signing-certificate-v2 with asn1crypto's CMS.
_SIGNING_CERTIFICATE_V2: Final = tsp.SigningCertificateV2


@dataclass(frozen=True, slots=True)
class Seal:
    """The parts of a signature container; ``timestamp`` is a token (DER) or empty."""

    certificate: x509.Certificate
    certificates: tuple[x509.Certificate, ...]
    attributes: Mapping[str, core.Asn1Value]
    signed_attributes: bytes
    signature_algorithm: bytes
    signature: bytes
    unsigned_attributes: bytes
    timestamp: bytes


def read_container(der: bytes) -> Seal:
    """The container's parts.

    It is built again from them: whatever else it holds, and whatever is written differently than
    in distinguished encoding, makes a difference. So no byte of it can change unnoticed.

    Raises:
        Failed: where it is not exactly one PAdES signature with its certificates.
    """
    signed = cms.ContentInfo.load(der)["content"]
    signer = signed["signer_infos"][0]
    certificates = tuple(one.chosen for one in signed["certificates"])
    named = signer["sid"].chosen
    own = [
        one
        for one in certificates
        if one.serial_number == named["serial_number"].native
        and one.issuer.dump() == named["issuer"].dump()
    ]
    demand(len(own) == 1, "the signature container does not hold the certificate that it names")
    unsigned = signer["unsigned_attrs"]
    seal = Seal(
        certificate=own[0],
        certificates=certificates,
        attributes=_attributes(signer["signed_attrs"]),
        # What was signed is the SET, not its implicit tag [0] (RFC 5652, 5.4).
        signed_attributes=b"\x31" + signer["signed_attrs"].dump()[1:],
        signature_algorithm=signer["signature_algorithm"].dump(),
        signature=signer["signature"].native,
        unsigned_attributes=unsigned.dump(),
        timestamp=_timestamp(unsigned),
    )
    if der not in (_rebuilt(seal, digest) for digest in _SHA256):
        raise Failed("the signature container holds other things than one signature")
    return seal


def check_digest(seal: Seal, signed: bytes) -> None:
    """The signed attributes name the digest of exactly these bytes.

    Raises:
        Failed: where they do not.
    """
    content_type, digest = seal.attributes["content_type"], seal.attributes["message_digest"]
    demand(content_type.native == "data", "the signature is about something else than data")
    demand(digest.native == hashlib.sha256(signed).digest(), "the file was changed after sealing")


def check_signature(seal: Seal) -> None:
    """The signature over the signed attributes is the certificate's key's.

    Raises:
        Failed: where it is not.
    """
    kind = _SIGNATURES.get(seal.signature_algorithm, "")
    demand(kind == seal.certificate.public_key.algorithm, "the algorithm is not the key's")
    verify_signature(seal.certificate, seal.signature, seal.signed_attributes, digest="sha256")


def check_binding(seal: Seal) -> None:
    """The signed attributes name the certificate, so that it cannot be exchanged.

    Raises:
        Failed: where they name another one, or none.
    """
    named = seal.attributes["signing_certificate_v2"]["certs"]
    demand(len(named) == 1, "the signature does not name one certificate")
    demand(named[0]["hash_algorithm"]["algorithm"].native == "sha256", "named by another hash")
    fingerprint = hashlib.sha256(seal.certificate.dump()).digest()
    demand(named[0]["cert_hash"].native == fingerprint, "the signature names another certificate")


def _attributes(attributes: cms.CMSAttributes) -> dict[str, core.Asn1Value]:
    found: dict[str, core.Asn1Value] = {}
    for attribute in attributes:
        name = attribute["type"].native
        if name in found or len(attribute["values"]) != 1:
            raise Failed(f"the signed attribute {name} has two values")
        found[name] = attribute["values"][0]
    missing = {"content_type", "message_digest", "signing_certificate_v2"} - found.keys()
    demand(not missing, f"signed attributes are missing: {', '.join(sorted(missing))}")
    return found


def _timestamp(unsigned: cms.CMSAttributes) -> bytes:
    """The token of the only unsigned attribute that is accepted, or nothing."""
    if isinstance(unsigned, core.Void):
        return b""
    kinds = [one["type"].native for one in unsigned]
    alone = kinds == ["signature_time_stamp_token"] and len(unsigned[0]["values"]) == 1
    demand(alone, "the signature container holds other things than one signature")
    return bytes(unsigned[0]["values"][0].dump())


def _rebuilt(seal: Seal, digest: bytes) -> bytes:
    """A container of exactly these parts (RFC 5652, 5.1 and 5.3)."""
    certificate = seal.certificate
    serial = certificate["tbs_certificate"]["serial_number"].dump()
    unsigned = seal.unsigned_attributes
    signer = encoded(
        0x30,
        _ONE,
        encoded(0x30, certificate.issuer.dump(), serial),
        digest,
        b"\xa0" + seal.signed_attributes[1:],
        seal.signature_algorithm,
        encoded(0x04, seal.signature),
        unsigned and b"\xa1" + unsigned[1:],
    )
    signed = encoded(
        0x30,
        _ONE,
        encoded(0x31, digest),
        encoded(0x30, _PLAIN_DATA),
        encoded(0xA0, *(one.dump() for one in seal.certificates)),
        encoded(0x31, signer),
    )
    return encoded(0x30, _SIGNED_DATA, encoded(0xA0, signed))


def encoded(tag: int, *parts: bytes) -> bytes:
    """A value in distinguished encoding (X.690)."""
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    header = size if len(body) < 0x80 else bytes([0x80 | len(size)]) + size
    return bytes([tag]) + header + body


def all_certificates(seals: Sequence[Seal]) -> list[x509.Certificate]:
    """Every certificate inside some containers."""
    return [one for seal in seals for one in seal.certificates]
