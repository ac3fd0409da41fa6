"""One certificate of a bundle, by the stand-alone verifier that lies beside."""

from datetime import datetime

from batchqc.documents.certificate_check import check


def check_pdf(pdf: bytes, *, root: bytes, lot: str, number: str, at: datetime) -> list[str]:
    """What is wrong with a certificate, in words; empty where nothing is."""
    report = check(pdf, root_pem=root, lot=lot, number=number, at=at)
    return [f"{one.name}: {one.reason}" for one in report.checks if not one.ok]
