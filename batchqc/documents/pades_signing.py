"""Signing with pyHanko: only this and the other ``pades_…`` know it, loaded by the first seal.

The key is used as it was opened: pyHanko's own signer reads and checks it twice for each signature.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any

from asn1crypto import x509 as asn1_x509
from asn1crypto.tsp import SigningCertificateV2
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import fields, signers
from pyhanko.sign.attributes import (
    CMSAttributeProvider,
    SignedAttributeProviderSpec,
    SigningCertificateV2Provider,
)
from pyhanko.sign.general import SigningError, as_signing_certificate_v2
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.stamp import BaseStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from batchqc.documents.pades_timestamps import Stamper, reserved_for
from batchqc.documents.signing_keys import SigningKey
from batchqc.documents.timestamps import Service
from batchqc.errors import InvalidInput

# Hexadecimal digits kept free for the signature, which needs about 2,700 (3,800 with RSA-3072). A
# fixed number spares pyHanko a trial signature.
_RESERVED = 4096


@dataclass(frozen=True, slots=True)
class Words:
    """Which field is signed, and what the signature says: who, why, where."""

    field: str
    name: str | None
    reason: str | None
    location: str | None
    certifies: bool


def signed(
    pdf: bytes,
    key: SigningKey,
    certificate: x509.Certificate,
    *,
    words: Words,
    at: datetime,
    service: Service | None = None,
) -> bytes:
    """The document with a signature in ``words.field``, as one incremental update.

    Where there is a ``service``, it stamps the signature.

    Raises:
        InvalidInput: BQC-CRT-002 where the bytes are no PDF, or the field is signed already.
        SigningUnavailable: the key, or BQC-CRT-016 the service, does not answer.
    """
    signer = _pdf_signer(_Signer(key, _certificate(certificate)), words, service)
    reserved = reserved_for(service) if service else _RESERVED
    try:
        writer = undated_writer(pdf)
        return asyncio.run(_steps(signer, writer, at=at, reserved=reserved))
    except (PdfError, SigningError) as problem:
        raise InvalidInput("BQC-CRT-002", f"this document cannot be sealed: {problem}") from problem


def undated_writer(pdf: bytes) -> IncrementalPdfFileWriter:
    """A writer that leaves the document's own dates alone: pyHanko would stamp them with now."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    writer._update_meta = lambda: None  # type: ignore[method-assign]  # noqa: SLF001 - see above
    return writer


class _Signer(signers.Signer):
    """A signer with a key that is open already."""

    def __init__(self, key: SigningKey, certificate: asn1_x509.Certificate) -> None:
        # The root comes from whoever verifies, never from the document.
        super().__init__(
            signing_cert=certificate,
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # it has no types
            embed_roots=False,
        )
        self.signed_attr_prov_spec = _Attributes(certificate)
        self._key = key

    async def async_sign_raw(
        self,
        data: bytes,
        digest_algorithm: str,  # noqa: ARG002 - it is SHA-256, as the signer was told
        dry_run: bool = False,  # noqa: FBT001, FBT002, ARG002 - pyHanko's signature
    ) -> bytes:
        """The raw signature."""
        return self._key.sign(data)


class _Attributes(SignedAttributeProviderSpec):
    """What a signature of PAdES says beside its digest: by which certificate it was made."""

    def __init__(self, certificate: asn1_x509.Certificate) -> None:
        self._certificate = certificate

    def signed_attr_providers(
        self,
        data_digest: bytes,  # noqa: ARG002 - pyHanko's signature
        digest_algorithm: str,  # noqa: ARG002 - as above
    ) -> list[CMSAttributeProvider]:
        """The one provider."""
        return [_OwnCertificate(self._certificate)]


class _OwnCertificate(SigningCertificateV2Provider):
    """The same attribute as bytes that were read.

    What asn1crypto was told piece by piece it encodes anew whenever it is asked, every layer of it
    several times: of these eight layers a thousand pieces for each signature. One certificate
    always has the same.
    """

    async def build_attr_value(self, dry_run: bool = False) -> SigningCertificateV2:  # noqa: ARG002, FBT001, FBT002 - pyHanko's signature
        """The attribute."""
        return SigningCertificateV2.load(_said_of(self.signing_cert))


class _AsDrawn(BaseStampStyle):
    """No stamp: the page says already what the signature stands for."""

    def create_stamp(self, *_: Any) -> None:
        """Leave the field as it looks."""


@lru_cache(maxsize=4)
def _certificate(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


@lru_cache(maxsize=4)
def _said_of(certificate: asn1_x509.Certificate) -> bytes:
    return bytes(as_signing_certificate_v2(certificate).dump())


def _pdf_signer(signer: _Signer, words: Words, service: Service | None) -> signers.PdfSigner:
    permitted = fields.MDPPerm.FILL_FORMS if words.certifies else fields.MDPPerm.NO_CHANGES
    return signers.PdfSigner(
        signers.PdfSignatureMetadata(
            field_name=words.field,
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=words.certifies,
            docmdp_permissions=permitted,
            name=words.name,
            reason=words.reason,
            location=words.location,
        ),
        signer=signer,
        timestamper=Stamper(service) if service else None,
        stamp_style=_AsDrawn(),
        new_field_spec=fields.SigFieldSpec(
            words.field,
            field_mdp_spec=fields.FieldMDPSpec(fields.FieldMDPAction.ALL),
            doc_mdp_update_value=fields.MDPPerm.NO_CHANGES,
        ),
    )


async def _steps(
    signer: signers.PdfSigner, writer: IncrementalPdfFileWriter, *, at: datetime, reserved: int
) -> bytes:
    """The steps of ``PdfSigner.async_sign_pdf``, with our time instead of the machine's."""
    session = signer.init_signing_session(writer)
    session.system_time = at
    document = session.prepare_tbs_document(None, bytes_reserved=reserved)
    prepared, output = document.digest_tbs_document()
    await document.perform_signature(
        prepared.document_digest, PdfCMSSignedAttributes(signing_time=at)
    )
    output.seek(0)
    return bytes(output.read())
