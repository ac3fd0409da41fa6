"""Timestamps of checkpoints in a bundle: answers of a service by RFC 3161.

Looked at are what was stamped, the signature of the service over it, that its certificate is for
timestamps and was valid then, and who vouches for it, up to a root that you hold. Whether the
certificate was revoked is not looked at.
"""

import hashlib
from datetime import UTC, datetime

from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from batchqc.documents.bundle.bundle_log import Wrong

_LONGEST = 8  # certificates between service and root
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512(),
}  # fmt: skip


def stamped_at(answer: bytes, data: bytes, roots: list[x509.Certificate]) -> datetime:
    """When a service says that it saw some bytes.

    Raises:
        Wrong: the answer does not hold, or is about other bytes.
    """
    try:
        signed = tsp.TimeStampResp.load(answer, strict=True)["time_stamp_token"]["content"]
        encapsulated = signed["encap_content_info"]
        info = encapsulated["content"].parsed
        (signer,) = signed["signer_infos"]
        certificates = [
            x509.load_der_x509_certificate(one.chosen.dump()) for one in signed["certificates"]
        ]
        own = _signed_by(signer, certificates)
        told = _imprint(info["message_imprint"], data)
        at: datetime = info["gen_time"].native
        content = encapsulated["content"].contents
    except (ValueError, TypeError, KeyError) as error:
        raise Wrong(f"the timestamp cannot be read: {error}") from error
    if not told:
        raise Wrong("the timestamp is about other bytes")
    _check_signature(signer, content, own)
    _check_purpose(own)
    _check_chain(own, certificates, roots, at.astimezone(UTC))
    return at.astimezone(UTC)


def _imprint(imprint: tsp.MessageImprint, data: bytes) -> bool:
    name = imprint["hash_algorithm"]["algorithm"].native
    found: bytes = imprint["hashed_message"].native
    return name in _HASHES and hashlib.new(name, data).digest() == found


def _signed_by(signer: cms.SignerInfo, certificates: list[x509.Certificate]) -> x509.Certificate:
    chosen = signer["sid"].chosen
    for one in certificates:
        if (
            isinstance(chosen, cms.IssuerAndSerialNumber)
            and one.serial_number == chosen["serial_number"].native
            and one.issuer.public_bytes() == chosen["issuer"].dump()
        ):
            return one
    raise Wrong("the certificate of the timestamp service is not in its answer")


def _check_signature(signer: cms.SignerInfo, content: bytes, own: x509.Certificate) -> None:
    attributes = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
    name = signer["digest_algorithm"]["algorithm"].native
    digests = attributes.get("message_digest")
    if name not in _HASHES or digests is None:
        raise Wrong("the timestamp is not signed as RFC 3161 has it")
    if digests[0].native != hashlib.new(name, content).digest():
        raise Wrong("the timestamp was changed")
    signed = signer["signed_attrs"].untag().dump()
    key, signature = own.public_key(), signer["signature"].native
    chosen = signer["signature_algorithm"]
    algorithm = chosen.hash_algo if chosen["algorithm"].native != "rsassa_pkcs1v15" else name
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), _HASHES[algorithm])
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(_HASHES[algorithm]))
        else:
            raise Wrong("the key of the timestamp service is of another kind")
    except (InvalidSignature, KeyError):
        raise Wrong("the signature of the timestamp service does not hold") from None


def _check_purpose(own: x509.Certificate) -> None:
    try:
        usage = own.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise Wrong("the certificate of the service is not for timestamps") from None
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise Wrong("the certificate of the service is not for timestamps only")


def _check_chain(
    own: x509.Certificate,
    others: list[x509.Certificate],
    roots: list[x509.Certificate],
    at: datetime,
) -> None:
    current = own
    for _ in range(_LONGEST):
        if not current.not_valid_before_utc <= at <= current.not_valid_after_utc:
            raise Wrong("a certificate of the timestamp service was not valid then")
        if current in roots:
            return
        above = [one for one in (*roots, *others) if one != current and _issued(current, one)]
        if not above:
            break
        current = above[0]
    raise Wrong("the timestamp service is not vouched for by the root that you hold")


def _issued(one: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        basic = above.extensions.get_extension_for_class(x509.BasicConstraints)
        one.verify_directly_issued_by(above)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        return False
    return basic.value.ca
