"""Authorities, timestamps and revocation lists of a test, and seals that keep them for later."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import BytesIO

from asn1crypto import crl as asn1_crl
from asn1crypto import keys as asn1_keys
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from batchqc.core.certificates import CertificateContent
from batchqc.documents.pades_signing import _AsDrawn, _Signer
from tests.documents.conftest import Site

LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")


@dataclass(frozen=True)
class Authority:
    """A root with its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class Stamps:
    """A timestamp service: its root, its certificate and key."""

    root: Authority
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    def at(self, moment: datetime) -> DummyTimeStamper:
        """The service as it answers at a moment."""
        return DummyTimeStamper(
            asn1(self.certificate),
            asn1_keys.PrivateKeyInfo.load(
                self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            ),
            certs_to_embed=_store(self.root.certificate),
            fixed_dt=moment.replace(microsecond=0),
        )


def authority(name: str, *, since: datetime, years: int = 30) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = _builder(subject, subject, key, since, since + timedelta(days=365 * years))
    usage = x509.KeyUsage(**_usages("key_cert_sign", "crl_sign"))
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return Authority(key, built.add_extension(usage, critical=True).sign(key, hashes.SHA256()))


def timestamp_service(*, since: datetime, until: datetime | None = None) -> Stamps:
    root = authority("Timestamp root", since=since)
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Timestamp service")])
    end = until or since + timedelta(days=3650)
    built = _builder(subject, root.certificate.subject, key, since, end)
    built = built.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True
    ).add_extension(x509.KeyUsage(**_usages("digital_signature")), critical=True)
    return Stamps(root, built.sign(root.key, hashes.SHA256()), key)


def root_of(site: Site) -> Authority:
    """The root of a site, from its safe."""
    data = site.files.root_p12.read_bytes()
    key, certificate, _ = pkcs12.load_key_and_certificates(data, b"root in the safe")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert certificate is not None
    return Authority(key, certificate)


def revocation_list(
    by: Authority,
    *,
    at: datetime,
    revoked: x509.Certificate | None = None,
    since: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    doubted: datetime | None = None,
    part: x509.IssuingDistributionPoint | None = None,
) -> bytes:
    """A revocation list, DER, good for a year: ``doubted`` is since when the key may be stolen."""
    built = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by.certificate.subject)
        .last_update(at)
        .next_update(at + timedelta(days=365))
        .add_extension(x509.CRLNumber(7), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False
        )
    )
    if part is not None:
        built = built.add_extension(part, critical=True)
    if revoked is not None:
        entry = x509.RevokedCertificateBuilder().serial_number(revoked.serial_number)
        entry = entry.revocation_date(since or at)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        if doubted is not None:
            naive = doubted.astimezone(UTC).replace(tzinfo=None)
            entry = entry.add_extension(x509.InvalidityDate(naive), critical=False)
        built = built.add_revoked_certificate(entry.build())
    return built.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def sealed_at_level(
    site: Site,
    pdf: bytes,
    content: CertificateContent,
    *,
    level: str,
    stamps: Stamps,
    lists: Sequence[bytes] = (),
    at: datetime | None = None,
    late: timedelta = timedelta(0),
) -> bytes:
    """The document with its seals, all at one moment; above B-T with ``lists`` inside.

    The last seal is stamped so ``late``, whatever it says of its time.
    """
    moment = at or site.sealed_at
    for one in content["seals"]:
        first, last = one is content["seals"][0], one is content["seals"][-1]
        stamped = moment + timedelta(minutes=1) + (late if last else timedelta(0))
        stamper = None if level == "B-B" else stamps.at(stamped)
        metadata = signers.PdfSignatureMetadata(
            field_name=one["field"],
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=first,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES if last else fields.MDPPerm.FILL_FORMS,
            reason=one["says"],
        )
        own = _Signer(site.key.key, asn1(site.key.certificate if last else site.key.certifying))
        signer = signers.PdfSigner(
            metadata, signer=own, timestamper=stamper, stamp_style=_AsDrawn()
        )
        pdf = asyncio.run(_signed(signer, _writer(pdf), moment))
    if level in {"B-LT", "B-LTA"}:
        pdf = with_evidence(
            pdf,
            certificates=[root_of(site).certificate, stamps.root.certificate],
            lists=lists,
            stamper=stamps.at(moment + timedelta(minutes=2)) if level == "B-LTA" else None,
        )
    return pdf


async def _signed(
    signer: signers.PdfSigner, writer: IncrementalPdfFileWriter, at: datetime
) -> bytes:
    """The steps of ``PdfSigner.async_sign_pdf``, at a time of our own."""
    session = signer.init_signing_session(writer)
    session.system_time = at
    document = session.prepare_tbs_document(None, bytes_reserved=10240)
    prepared, output = document.digest_tbs_document()
    await document.perform_signature(
        prepared.document_digest, PdfCMSSignedAttributes(signing_time=at)
    )
    output.seek(0)
    return output.read()


def with_evidence(
    pdf: bytes,
    *,
    certificates: Sequence[x509.Certificate] = (),
    lists: Sequence[bytes] = (),
    answers: Sequence[bytes] = (),
    stamper: DummyTimeStamper | None = None,
    change: Callable[[IncrementalPdfFileWriter], object] = lambda _: None,
) -> bytes:
    """The document with evidence inside, and with a timestamp over it where there is a service.

    ``change`` is what an attacker, who can have anything stamped, does to it besides.
    """
    writer = _writer(pdf)
    change(writer)
    if certificates or lists or answers:
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            None,
            certs=[asn1(one) for one in certificates],
            crls=[asn1_crl.CertificateList.load(one) for one in lists],
            ocsps=[asn1_ocsp.OCSPResponse.load(one) for one in answers],
        )
    output = BytesIO()
    if stamper is None:
        writer.write(output)
    else:
        PdfTimeStamper(stamper).timestamp_pdf(writer, "sha256", output=output)
    return output.getvalue()


@lru_cache
def asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _writer(pdf: bytes) -> IncrementalPdfFileWriter:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    writer._update_meta = lambda: None
    return writer


def _store(*certificates: x509.Certificate) -> SimpleCertificateStore:
    store = SimpleCertificateStore()
    store.register_multiple([asn1(one) for one in certificates])
    return store


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    since: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


def _usages(*granted: str) -> dict[str, bool]:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return {name: name in granted for name in names}


def answered(stamps: Stamps, data: bytes, *, at: datetime) -> bytes:
    """What the service answers about some bytes."""
    request = tsp.TimeStampReq(
        {
            "version": 1,
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": hashlib.sha256(data).digest(),
            },
            "cert_req": True,
        }
    )
    return stamps.at(at).request_tsa_response(request).dump()
