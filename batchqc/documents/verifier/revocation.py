"""Was a certificate taken back? By revocation lists (CRL) and answers about one (OCSP).

Both may come with the file or from whoever verifies; each must be signed by the issuer, or an
answer by whom the issuer named for that. One that is old says nothing about what came later.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asn1crypto import core, crl, ocsp, pem, x509

from batchqc.documents.verifier.chains import (
    check_issued,
    check_validity,
    said_name,
    verify_signature,
)
from batchqc.documents.verifier.findings import Failed, demand

# Bytes, of all of them: each names certificates that are tried as its signer's.
_LARGEST_ANSWERS: Final = 1_000_000
_PARTIAL: Final = (
    "only_contains_user_certs",
    "only_contains_ca_certs",
    "only_contains_attribute_certs",
    "indirect_crl",
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Revocation lists and answers."""

    lists: tuple[crl.CertificateList, ...]
    answers: tuple[ocsp.OCSPResponse, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What was said about a certificate: as of when, until when anew, and since when it is revoked.

    ``until`` and ``revoked_at`` are ``None`` where there is no such time.
    """

    said_at: datetime
    until: datetime | None
    revoked_at: datetime | None
    reason: str


def read_evidence(lists: Sequence[bytes], answers: Sequence[bytes] = ()) -> Evidence:
    """Revocation lists, DER or PEM, and answers, DER; each once, however often it is there.

    Raises:
        Failed: one cannot be read, or the answers are larger than any service's are.
    """
    lists, answers = tuple(dict.fromkeys(lists)), tuple(dict.fromkeys(answers))
    demand(sum(map(len, answers)) <= _LARGEST_ANSWERS, "the answers of issuers are too large")
    try:
        return Evidence(
            tuple(
                crl.CertificateList.load(one, strict=True) for data in lists for one in _der(data)
            ),
            tuple(ocsp.OCSPResponse.load(one, strict=True) for one in answers),
        )
    except (ValueError, TypeError) as problem:
        raise Failed("a revocation list or answer cannot be read") from problem


def _der(data: bytes) -> list[bytes]:
    return [one for _, _, one in pem.unarmor(data, multiple=True)] if pem.detect(data) else [data]


def standing_of(
    certificate: x509.Certificate, issuer: x509.Certificate, evidence: Evidence, *, at: datetime
) -> list[Standing]:
    """All that is said about a certificate by now; empty where nobody says anything.

    Raises:
        Failed: what is said about it is not signed by whom it must be, or cannot be read.
    """
    found = [*_by_lists(certificate, issuer, evidence), *_by_answers(certificate, issuer, evidence)]
    # A list of after its end need not name it any more.
    end = certificate.not_valid_after
    return [one for one in found if one.revoked_at or one.said_at <= min(at, end)]


def _by_lists(
    certificate: x509.Certificate, issuer: x509.Certificate, evidence: Evidence
) -> Iterator[Standing]:
    for one in evidence.lists:
        if one.issuer.dump() != issuer.subject.dump() or not _is_by_key(one, issuer):
            continue
        body, algorithm = one["tbs_cert_list"], one["signature_algorithm"]
        usage = issuer.key_usage_value
        may = usage is None or "crl_sign" in usage.native
        demand(may, f"{said_name(issuer)} may not sign revocation lists")
        value = one["signature"].native
        verify_signature(issuer, value, body.dump(), digest=algorithm.hash_algo)
        demand(_is_whole(one), "a revocation list is of a part only")
        entry = next(
            (
                entry
                for entry in body["revoked_certificates"] or ()
                if entry["user_certificate"].native == certificate.serial_number
            ),
            None,
        )
        times = body["this_update"].native, body["next_update"].native
        if entry is None:
            yield Standing(*times, None, "")
        else:
            why, doubted = entry.crl_reason_value, entry.invalidity_date_value
            since = [entry["revocation_date"].native, *([doubted.native] if doubted else [])]
            yield Standing(*times, min(since), why.native if why else "")


def _is_by_key(one: crl.CertificateList, issuer: x509.Certificate) -> bool:
    """Whether the list does not name another key of the same issuer."""
    named = one.authority_key_identifier_value
    key = named["key_identifier"].native if named is not None else None
    return key in {None, issuer.key_identifier, issuer.public_key.sha1}


def _is_whole(one: crl.CertificateList) -> bool:
    unknown = one.critical_extensions - {"issuing_distribution_point"}
    point = one.issuing_distribution_point_value
    partial = point is not None and (
        any(point[key].native for key in _PARTIAL)
        or not isinstance(point["only_some_reasons"], core.Void)
    )
    return not unknown and not partial and one.delta_crl_indicator_value is None


def _by_answers(
    certificate: x509.Certificate, issuer: x509.Certificate, evidence: Evidence
) -> Iterator[Standing]:
    for answer in evidence.answers:
        basic = answer.basic_ocsp_response
        every = basic["tbs_response_data"]["responses"]
        about = [one for one in every if _is_about(one["cert_id"], certificate, issuer)]
        if about:
            _check_answer(basic, issuer)
        for one in about:
            status = one["cert_status"]
            times = one["this_update"].native, one["next_update"].native
            demand(status.name != "unknown", "the issuer says that it does not know the seal")
            if status.name == "revoked":
                why = status.chosen["revocation_reason"].native or ""
                yield Standing(*times, status.chosen["revocation_time"].native, why)
            else:
                yield Standing(*times, None, "")


def _is_about(named: ocsp.CertId, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    kind = named["hash_algorithm"]["algorithm"].native
    demand(kind in {"sha1", "sha256"}, f"an answer by {kind} is not accepted")
    key = bytes(issuer.public_key["public_key"])
    expected = [
        hashlib.new(kind, one, usedforsecurity=False).digest()
        for one in (issuer.subject.dump(), key)
    ]
    found = [named["issuer_name_hash"].native, named["issuer_key_hash"].native]
    return found == expected and named["serial_number"].native == certificate.serial_number


def _check_answer(basic: ocsp.BasicOCSPResponse, issuer: x509.Certificate) -> None:
    """The issuer signed it, or one that it named for answers by then (RFC 6960, 4.2.2.2)."""
    signer, problem = issuer, Failed("an answer is signed by nobody who may")
    inside = basic["certs"]
    known = [] if isinstance(inside, core.Void) else list(inside)
    signed = basic["tbs_response_data"].dump()
    made = basic["tbs_response_data"]["produced_at"].native
    for signer in (issuer, *known):
        try:
            if signer is not issuer:
                check_issued(signer, issuer)
                purposes = signer.extended_key_usage_value
                named = [] if purposes is None else [one.native for one in purposes]
                demand("ocsp_signing" in named, f"{said_name(signer)} is not for answers")
                check_validity((signer,), made)
            digest = basic["signature_algorithm"].hash_algo
            verify_signature(signer, basic["signature"].native, signed, digest=digest)
        except Failed as found:
            problem = found
        else:
            return
    raise problem
