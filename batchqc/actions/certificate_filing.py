"""Filing a certificate where it is found again, with the number that is reserved for it."""

from batchqc.core.certificate_terms import terms_of, words_said
from batchqc.core.certificates import CertificateContent
from batchqc.records.certificate_index import CertificateTerm, CertificateText
from batchqc.records.decisions import Certificate
from batchqc.records.transaction import Transaction


def file_certificate(
    tx: Transaction, certificate: Certificate, content: CertificateContent
) -> None:
    """File a certificate under its terms and words."""
    terms = terms_of(content, certificate.disposition.disposition)
    values = [{"certificate_id": certificate.id, **one._asdict()} for one in terms]
    tx.add_many(CertificateTerm, values)
    words = {"certificate_id": certificate.id, "words": words_said(content)}
    tx.add_many(CertificateText, [words])
