"""The site's seal on a document: PAdES B-B, ECDSA P-256.

The only module that knows pyHanko. Importing it is cheap: pyHanko itself, half a second, is loaded
by the first ``seal``. A seal is the last thing that happens to a document: it locks it.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from batchqc.errors import InvalidInput, SigningUnavailable

if TYPE_CHECKING:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.signers import PdfSigner

SEAL_FIELD = "QARelease"

# Hexadecimal digits kept free for the signature, which needs about 2,700. A fixed number spares
# pyHanko a trial signature.
_RESERVED = 8192


@dataclass(frozen=True, slots=True)
class SealKey:
    """The seal: private key and certificate. Only ``load_seal`` makes one."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def sha256(self) -> str:
        """SHA-256 of the certificate: says which seal was used."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def valid_at(self, moment: datetime) -> bool:
        """Whether the certificate is valid then."""
        begin = self.certificate.not_valid_before_utc
        return begin <= moment <= self.certificate.not_valid_after_utc


def load_seal(path: Path, passphrase: str) -> SealKey:
    """The seal from its PKCS#12 file.

    Raises:
        SigningUnavailable: BQC-CRT-010 no such file, BQC-CRT-011 wrong passphrase or damaged,
            BQC-CRT-012 no ECDSA P-256 key with its certificate inside.
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
        key, certificate, _ = pkcs12.load_key_and_certificates(data, passphrase.encode())
    except ValueError as problem:
        raise SigningUnavailable(
            "BQC-CRT-011", "the seal does not open: wrong passphrase, or a damaged file"
        ) from problem
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or not isinstance(key.curve, ec.SECP256R1)
        or certificate is None
        or certificate.public_key() != key.public_key()
    ):
        raise SigningUnavailable(
            "BQC-CRT-012", "the seal must be an ECDSA P-256 key with its certificate"
        )
    return SealKey(key, certificate)


def seal(  # noqa: PLR0913 - four words about the signature, all optional
    pdf: bytes,
    key: SealKey,
    *,
    field: str = SEAL_FIELD,
    name: str | None = None,
    reason: str | None = None,
    location: str | None = None,
    signed_at: datetime,
) -> bytes:
    """The document with the site's seal, as one incremental update.

    Args:
        pdf: a document without signatures.
        key: from ``load_seal``.
        field: name of the signature field; it is invisible.
        name: who seals, as readers of the signature panel see it.
        reason: why.
        location: where.
        signed_at: what the signature says about its time; with a time zone.

    Raises:
        SigningUnavailable: BQC-CRT-013 where the certificate is not valid at ``signed_at``.
        InvalidInput: BQC-CRT-002 where the bytes are no PDF, or already carry the field.
    """
    if not key.valid_at(signed_at):
        raise SigningUnavailable(
            "BQC-CRT-013",
            f"the seal is valid from {key.certificate.not_valid_before_utc:%Y-%m-%d} "
            f"to {key.certificate.not_valid_after_utc:%Y-%m-%d}, not on {signed_at:%Y-%m-%d}",
            hint="Issue a new seal with the root.",
        )
    from pyhanko.pdf_utils.incremental_writer import (  # noqa: PLC0415 - see module docstring
        IncrementalPdfFileWriter,
    )
    from pyhanko.pdf_utils.misc import PdfError  # noqa: PLC0415
    from pyhanko.sign.general import SigningError  # noqa: PLC0415

    signer = _signer(key, field=field, words=(name, reason, location))
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        # pyHanko would stamp the document's own dates with the clock of the machine.
        writer._update_meta = lambda: None  # type: ignore[method-assign]  # noqa: SLF001
        return asyncio.run(_sealed(signer, writer, signed_at=signed_at))
    except (PdfError, SigningError) as problem:
        raise InvalidInput("BQC-CRT-002", f"this document cannot be sealed: {problem}") from problem


def _signer(
    key: SealKey, *, field: str, words: tuple[str | None, str | None, str | None]
) -> "PdfSigner":
    from asn1crypto import keys  # noqa: PLC0415 - see module docstring
    from asn1crypto import x509 as asn1_x509  # noqa: PLC0415
    from pyhanko.sign import fields, signers  # noqa: PLC0415
    from pyhanko_certvalidator.registry import SimpleCertificateStore  # noqa: PLC0415

    name, reason, location = words
    encoding = serialization.Encoding.DER
    private = key.key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signers.PdfSigner(
        signers.PdfSignatureMetadata(
            field_name=field,
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
            name=name,
            reason=reason,
            location=location,
        ),
        signer=signers.SimpleSigner(
            signing_cert=asn1_x509.Certificate.load(key.certificate.public_bytes(encoding)),
            signing_key=keys.PrivateKeyInfo.load(private),
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
            # The root comes from whoever verifies, never from the document.
            embed_roots=False,
        ),
        new_field_spec=fields.SigFieldSpec(
            field,
            field_mdp_spec=fields.FieldMDPSpec(fields.FieldMDPAction.ALL),
            doc_mdp_update_value=fields.MDPPerm.NO_CHANGES,
        ),
    )


async def _sealed(
    signer: "PdfSigner", writer: "IncrementalPdfFileWriter", *, signed_at: datetime
) -> bytes:
    """The steps of ``PdfSigner.async_sign_pdf``, with our time instead of the machine's."""
    from pyhanko.sign.signers.pdf_cms import (  # noqa: PLC0415 - see module docstring
        PdfCMSSignedAttributes,
    )

    session = signer.init_signing_session(writer)
    session.system_time = signed_at
    document = session.prepare_tbs_document(None, bytes_reserved=_RESERVED)
    prepared, output = document.digest_tbs_document()
    await document.perform_signature(
        prepared.document_digest, PdfCMSSignedAttributes(signing_time=signed_at)
    )
    output.seek(0)
    return bytes(output.read())
