"""Is this the certificate that the site sealed? The stand-alone verifier, and a look at the pages.

Shares no code with the sealer: neither pyHanko nor ``batchqc.documents.pades`` is imported. What is
checked stands in ``verifier.examination``; *pages* is added here, because it needs pypdf.
"""

from datetime import datetime
from typing import Final

from batchqc.documents.certificate_meaning import on_pages
from batchqc.documents.verifier.case import Question
from batchqc.documents.verifier.examination import Step, examine
from batchqc.documents.verifier.findings import Check, CheckReport, Failed
from batchqc.documents.verifier.signatures import Extracted, extract
from batchqc.errors import InvalidInput

__all__ = ["PAGES", "Check", "CheckReport", "Extracted", "check", "check_all", "extract_signatures"]

PAGES: Final = Step(
    "pages", "every page says of which certificate and lot it is", ("number", "lot", "content"),
    on_pages,
)  # fmt: skip


def check(
    pdf: bytes,
    *,
    root_pem: bytes,
    lot: str | None = None,
    number: str | None = None,
    content_sha256: str | None = None,
    at: datetime,
) -> CheckReport:
    """Check a certificate of analysis from its file and the site's root. Never raises.

    Args:
        pdf: the file as received.
        root_pem: the root, from the site and not from the file.
        lot: the lot that it must be about; ``None`` leaves the comparison to the reader.
        number: the certificate number that it must have.
        content_sha256: the hash of the content that it must render.
        at: the moment of asking; with a time zone.
    """
    return check_all(pdf, Question(root_pem, at, number, lot, content_sha256))


def check_all(pdf: bytes, question: Question) -> CheckReport:
    """Every check, with all that whoever asks holds in trust. Never raises."""
    return examine(pdf, question, further=(PAGES,))


def extract_signature(pdf: bytes) -> Extracted:
    """The last seal; nothing is verified yet.

    Raises:
        InvalidInput: BQC-CRT-020 where there is none, or one of a part only.
    """
    return extract_signatures(pdf)[-1]


def extract_signatures(pdf: bytes) -> tuple[Extracted, ...]:
    """The seals in the order in which they were made; nothing is verified yet.

    Raises:
        InvalidInput: BQC-CRT-020 where there is none, or something else was added behind the last.
    """
    try:
        return extract(pdf).seals
    except Failed as problem:
        raise InvalidInput("BQC-CRT-020", f"the file has no complete seal: {problem}") from problem
