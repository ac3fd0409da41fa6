"""Timestamps (RFC 3161): that a service which is trusted saw some bytes no later than it says."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asn1crypto import cms, core, tsp, x509

from batchqc.documents.verifier.chains import Path, check_stamps, path_to_root, verify_signature
from batchqc.documents.verifier.findings import Failed, demand

_IMPRINTS: Final = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A timestamp: when, and the service's certificate with those above it."""

    at: datetime
    path: Path


def token_in(answer: bytes) -> bytes:
    """The token in what a service answered (DER).

    Raises:
        Failed: it granted none.
    """
    found = tsp.TimeStampResp.load(answer, strict=True)
    status = found["status"]["status"].native
    demand(status in {"granted", "granted_with_mods"}, "the timestamp service granted nothing")
    return bytes(found["time_stamp_token"].dump())


def read_stamp(
    token: bytes, data: bytes, *, pool: Iterable[x509.Certificate], roots: Path
) -> Stamp:
    """The timestamp over some bytes, by a service that a root vouches for.

    Whether its certificates were valid then, and are not revoked, is asked elsewhere.

    Raises:
        Failed: it is about other bytes, by nobody who is trusted, or cannot be read.
    """
    info = cms.ContentInfo.load(token, strict=True)
    demand(info["content_type"].native == "signed_data", "a timestamp is no signature")
    signed = info["content"]
    content = signed["encap_content_info"]
    demand(content["content_type"].native == "tst_info", "a timestamp is about something else")
    told = content["content"].parsed
    kind = told["message_imprint"]["hash_algorithm"]["algorithm"].native
    demand(kind in _IMPRINTS, f"a timestamp by {kind} is not accepted")
    same = told["message_imprint"]["hashed_message"].native == hashlib.new(kind, data).digest()
    demand(same, "the timestamp is about other bytes")
    inside = [one.chosen for one in signed["certificates"] if one.name == "certificate"]
    demand(len(signed["signer_infos"]) == 1, "a timestamp has more than one signature")
    signer = signed["signer_infos"][0]
    certificate = _signer(signer, [*inside, *pool])
    _check_signed(signer, bytes(content["content"]), certificate)
    check_stamps(certificate)
    return Stamp(told["gen_time"].native, path_to_root(certificate, [*inside, *pool], roots))


def _signer(signer: cms.SignerInfo, known: list[x509.Certificate]) -> x509.Certificate:
    sid = signer["sid"].chosen
    demand(isinstance(sid, cms.IssuerAndSerialNumber), "a timestamp does not name its signer")
    for one in known:
        if (one.serial_number, one.issuer.dump()) == (
            sid["serial_number"].native,
            sid["issuer"].dump(),
        ):
            return one
    raise Failed("the certificate of the timestamp service is not there")


def _check_signed(signer: cms.SignerInfo, told: bytes, certificate: x509.Certificate) -> None:
    digest = signer["digest_algorithm"]["algorithm"].native
    demand(digest in _IMPRINTS, f"a timestamp by {digest} is not accepted")
    found: dict[str, core.Asn1Value] = {}
    for attribute in signer["signed_attrs"]:
        name = attribute["type"].native
        once = name not in found and len(attribute["values"]) == 1
        demand(once, f"the timestamp has two values of {name}")
        found[name] = attribute["values"][0]
    needed = {"content_type", "message_digest"} <= found.keys()
    demand(needed, "a timestamp lacks signed attributes")
    demand(found["content_type"].native == "tst_info", "a timestamp is about something else")
    own = found["message_digest"].native == hashlib.new(digest, told).digest()
    demand(own, "a timestamp was changed")
    _check_named(found, certificate)
    kind = signer["signature_algorithm"].signature_algo
    demand(kind in {"rsassa_pkcs1v15", "ecdsa"}, f"a timestamp by {kind} is not accepted")
    attributes = b"\x31" + signer["signed_attrs"].dump()[1:]
    verify_signature(certificate, signer["signature"].native, attributes, digest=digest)


def _check_named(found: dict[str, core.Asn1Value], certificate: x509.Certificate) -> None:
    """The signed attributes name the certificate (RFC 2634 with SHA-1, RFC 5035)."""
    der = certificate.dump()
    if "signing_certificate_v2" in found:
        one = found["signing_certificate_v2"]["certs"][0]
        kind = one["hash_algorithm"]["algorithm"].native
        demand(kind in _IMPRINTS, "a timestamp names its certificate by another hash")
        named, expected = one["cert_hash"].native, hashlib.new(kind, der).digest()
    elif "signing_certificate" in found:
        named = found["signing_certificate"]["certs"][0]["cert_hash"].native
        expected = hashlib.sha1(der, usedforsecurity=False).digest()
    else:
        raise Failed("a timestamp does not name its certificate")
    demand(named == expected, "the timestamp names another certificate")
