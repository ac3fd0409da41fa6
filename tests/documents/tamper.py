"""Changing certificates in the ways of an attacker, and of one who has the seal's key."""

from asn1crypto import cms
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from batchqc.documents.pades import SealKey
from batchqc.documents.verifier.signatures import extract


def with_container(pdf: bytes, container: bytes, *, which: int = -1) -> bytes:
    """The file with another signature in the gap of a seal."""
    gap, resume = extract(pdf).seals[which].byte_range[1:3]
    digits = container.hex().upper().encode().ljust(resume - gap - 2, b"0")
    return pdf[: gap + 1] + digits + pdf[resume - 1 :]


def resealed(pdf: bytes, key: SealKey, *, which: int = -1) -> bytes:
    """A changed file whose seal holds again, as only who has the key can make it."""
    extracted = extract(pdf).seals[which]
    container = cms.ContentInfo.load(extracted.cms)
    (signer,) = container["content"]["signer_infos"]
    digest = hashes.Hash(hashes.SHA256())
    digest.update(extracted.signed)
    for one in signer["signed_attrs"]:
        if one["type"].native == "message_digest":
            one["values"] = [digest.finalize()]
    attributes = cms.CMSAttributes(list(signer["signed_attrs"]))
    signer["signed_attrs"] = attributes
    signed = attributes.dump(force=True)
    signer["signature"] = key.key.sign(b"\x31" + signed[1:], ec.ECDSA(hashes.SHA256()))
    return with_container(pdf, container.dump(force=True), which=which)
