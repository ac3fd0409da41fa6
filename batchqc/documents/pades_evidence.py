"""What lets a sealed document prove itself later: with pyHanko, see ``pades_signing``.

First everything that tells whether a certificate was revoked is fetched; then every certificate is
validated with that alone, and where one lacks it (``revocation_mode="require"``), nothing is
written. What held goes into the document's security store (DSS), in one update with the timestamp
over all of it, where there is one.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Final

from asn1crypto import cms, crl, ocsp, pem, x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.validation import DocumentSecurityStore, EmbeddedPdfSignature
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.authority import AuthorityWithCert
from pyhanko_certvalidator.errors import (
    CRLFetchError,
    OCSPFetchError,
    PathBuildingError,
    ValidationError,
)
from pyhanko_certvalidator.fetchers import Fetchers
from pyhanko_certvalidator.fetchers.aiohttp_fetchers import AIOHttpFetcherBackend

from batchqc.documents.pades_signing import undated_writer
from batchqc.documents.pades_timestamps import Stamper, reserved_for
from batchqc.documents.revocation import Authority, RootFiles, read_authority
from batchqc.documents.timestamps import Service
from batchqc.errors import SigningUnavailable

# pyHanko tells its doubts to these loggers; they are told as reasons to whoever asked.
for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False

_SECONDS: Final = 20
#: How far the clocks of services may be ahead of ours.
TOLERANCE: Final = timedelta(minutes=1)
#: What the timestamps of a document are called, with their number.
TIMESTAMP_FIELD: Final = "ArchiveTimestamp"


@dataclass(frozen=True, slots=True)
class Trust:
    """The root of the seals with its list, and the roots of the timestamp service."""

    authority: Authority
    services: tuple[x509.Certificate, ...]

    @property
    def site(self) -> x509.Certificate:
        """The root of the seals."""
        return x509.Certificate.load(self.authority.root.public_bytes(Encoding.DER))

    @property
    def roots(self) -> list[x509.Certificate]:
        """All of them."""
        return [self.site, *self.services]

    @property
    def site_list(self) -> crl.CertificateList:
        """What the root of the seals says of them."""
        return crl.CertificateList.load(self.authority.revoked.public_bytes(Encoding.DER))


@dataclass(slots=True)
class _Found:
    """Certificates, and what services say of them."""

    crls: list[crl.CertificateList] = field(default_factory=list)
    ocsps: list[ocsp.OCSPResponse] = field(default_factory=list)
    certificates: list[x509.Certificate] = field(default_factory=list)


def trust_of(root: RootFiles, service: Service, at: datetime) -> Trust:
    """Whom a site trusts.

    Raises:
        SigningUnavailable: BQC-CRT-018 the root's list says nothing, or BQC-CRT-019 the root of
            the timestamp service cannot be read.
    """
    return Trust(read_authority(root, at=at), _roots(service))


def with_evidence(
    pdf: bytes, trust: Trust, *, service: Service, archived: bool, at: datetime
) -> bytes:
    """The document with evidence of what it rests on, and where ``archived``, a timestamp over it.

    What it rests on is its newest timestamp of the document, or its signatures where it has none.

    Args:
        pdf: sealed and stamped.
        trust: whom the site trusts.
        service: stamps the document.
        archived: whether it does.
        at: when certificates must be valid.

    Raises:
        SigningUnavailable: BQC-CRT-016 the service does not answer, BQC-CRT-017 of a certificate
            nobody tells that it was not revoked, or it is not to be trusted.
    """
    try:
        return asyncio.run(_with_evidence(pdf, trust, _Archiving(service, archived=archived), at))
    except (ValidationError, PathBuildingError, PdfError, ValueError) as problem:
        raise not_reached([str(problem) or type(problem).__name__]) from problem


@dataclass(frozen=True, slots=True)
class _Archiving:
    service: Service
    archived: bool


async def _with_evidence(pdf: bytes, trust: Trust, how: _Archiving, at: datetime) -> bytes:
    stamper = Stamper(how.service)
    signed = list(_rests_on(pdf))
    if how.archived:
        token = await stamper.sample()
        signed.append(token["content"])
    found = await _fetched(signed, trust)
    context = ValidationContext(
        trust_roots=trust.roots,
        other_certs=found.certificates,
        crls=found.crls,
        ocsps=found.ocsps,
        moment=at,
        revocation_mode="require",
        time_tolerance=TOLERANCE,
    )
    paths = [await valid_path(one, context) for one in signed]
    writer = undated_writer(pdf)
    DocumentSecurityStore.supply_dss_in_writer(
        writer, None, paths=paths, validation_context=context
    )
    return await _written(writer, stamper, how)


async def _written(writer: IncrementalPdfFileWriter, stamper: Stamper, how: _Archiving) -> bytes:
    output = BytesIO()
    if not how.archived:
        writer.write(output)  # type: ignore[no-untyped-call]  # pyHanko
        return output.getvalue()
    number = len(writer.prev.embedded_timestamp_signatures) + 1
    # The length is known since the token above; it is asked for in this loop and not in another.
    reserved = await asyncio.to_thread(reserved_for, how.service)
    await PdfTimeStamper(stamper, field_name=f"{TIMESTAMP_FIELD}{number}").async_timestamp_pdf(
        writer, "sha256", bytes_reserved=reserved, output=output
    )
    return output.getvalue()


def _rests_on(pdf: bytes) -> Iterator[cms.SignedData]:
    reader = PdfFileReader(BytesIO(pdf))
    stamps: Sequence[EmbeddedPdfSignature] = reader.embedded_timestamp_signatures
    if stamps:
        yield stamps[-1].signed_data
        return
    for one in reader.embedded_regular_signatures:
        yield one.signed_data
        yield from extract_tst_data_iter(one.signer_info, signed=False)


async def valid_path(signed: cms.SignedData, context: ValidationContext) -> Any:
    """The certificates from a signature or timestamp up to a root, all valid in a context.

    Raises what pyHanko raises where there is no such path.
    """
    found = extract_certificate_info(signed)
    validator = CertificateValidator(
        found.signer_cert, intermediate_certs=found.other_certs, validation_context=context
    )
    return await validator.async_validate_usage(key_usage=set())  # type: ignore[no-untyped-call]  # pyHanko


async def _fetched(signed: Iterable[cms.SignedData], trust: Trust) -> _Found:
    found = _Found(crls=[trust.site_list])
    for one in signed:
        parts = extract_certificate_info(one)
        found.certificates += [parts.signer_cert, *parts.other_certs]
    found.certificates = list({one.sha256: one for one in found.certificates}.values())
    roots = {one.sha256 for one in trust.roots}
    authorities = [*trust.services, *found.certificates]
    backend = AIOHttpFetcherBackend(per_request_timeout=_SECONDS)
    async with backend as fetchers:
        for certificate in found.certificates:
            # Of the seals, the root's own list tells.
            if certificate.issuer == trust.site.subject or certificate.sha256 in roots:
                continue
            await _ask_about(certificate, authorities, fetchers, found)
    return found


async def _ask_about(
    certificate: x509.Certificate,
    authorities: Sequence[x509.Certificate],
    fetchers: Fetchers,
    found: _Found,
) -> None:
    """Ask both kinds of services; what neither tells is missed when the path is validated."""
    with suppress(CRLFetchError):
        found.crls += await fetchers.crl_fetcher.fetch(certificate)
    for authority in map(AuthorityWithCert, authorities):
        if authority.is_potential_issuer_of(certificate):
            with suppress(OCSPFetchError):
                found.ocsps.append(await fetchers.ocsp_fetcher.fetch(certificate, authority))


def _roots(service: Service) -> tuple[x509.Certificate, ...]:
    path = service.root
    try:
        data = path.read_bytes() if path else b""
        found = tuple(x509.Certificate.load(der) for _, _, der in pem.unarmor(data, multiple=True))
    except (OSError, ValueError) as problem:
        raise SigningUnavailable(
            "BQC-CRT-019",
            f"the root of the timestamp service cannot be read: {problem}",
            hint="Set BATCHQC_TIMESTAMP_ROOT to the PEM file of its root.",
        ) from problem
    return found


def not_reached(reasons: Sequence[str]) -> SigningUnavailable:
    """A document did not reach its level; it does not count."""
    return SigningUnavailable(
        "BQC-CRT-017",
        "the sealed document does not reach the level that is configured; it does not count",
        reasons=reasons,
        hint="Mend what is named, then run `batchqc certificate resume`, or `renew` again.",
    )
