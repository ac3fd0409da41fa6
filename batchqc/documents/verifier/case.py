"""The question about a file, and what the checks find on their way."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from asn1crypto import x509

from batchqc.documents.verifier.chains import Path
from batchqc.documents.verifier.containers import Seal
from batchqc.documents.verifier.pdf_objects import PdfValue
from batchqc.documents.verifier.proofs import Issue
from batchqc.documents.verifier.revocation import Evidence
from batchqc.documents.verifier.signatures import Parts

LATE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a file, and what whoever asks holds in trust.

    Args:
        root_pem: the site's root, from the site and not from the file.
        at: the moment of asking; with a time zone.
        number: the certificate number that it must have; ``None`` leaves it to the reader.
        lot: the lot that it must be about.
        content_sha256: the hash of the content that it must render.
        tsa_roots: roots of timestamp services, PEM.
        crls: revocation lists, DER or PEM, besides those in the file.
        proofs: proof files of the transparency log, of any certificates, oldest first.
        log_keys: ``log.vkey``, from the site by another way than the proof.
        late: how long after the time that it states a certificate may first be proven.
    """

    root_pem: bytes
    at: datetime
    number: str | None = None
    lot: str | None = None
    content_sha256: str | None = None
    tsa_roots: bytes = b""
    crls: tuple[bytes, ...] = ()
    proofs: tuple[bytes, ...] = ()
    log_keys: str = ""
    late: timedelta = LATE


@dataclass(frozen=True, slots=True)
class SealField:
    """A signature field; without a signature, format and range are empty.

    ``permits`` is what a certification permits afterwards (DocMDP): 2 is to sign; without one, 0.
    ``made`` is when the signature says that it was made (a PDF date).
    """

    name: str
    sub_filter: str
    reason: str
    permits: int
    made: str
    byte_range: tuple[PdfValue, ...]
    contents: bytes


@dataclass(slots=True)
class Case:
    """A file, the question, and what is found: by *coverage*, *container*, *root* and so on."""

    pdf: bytes
    question: Question
    parts: Parts = field(init=False)
    seals: tuple[Seal, ...] = field(init=False)
    roots: Path = field(init=False)
    paths: tuple[Path, ...] = field(init=False)
    title: str = ""
    subject: str = ""
    kind: str = ""
    named_content: str = ""
    fields: tuple[SealField, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    number: str = ""
    lot: str = ""
    content_sha256: str = ""
    language: str = ""
    recipient: str = ""
    withheld: int = 0
    known: tuple[x509.Certificate, ...] = ()
    evidence: Evidence = field(default_factory=lambda: Evidence((), ()))
    seal_times: tuple[datetime, ...] = ()
    log_time: datetime | None = None
    earliest: datetime | None = None
    issue: Issue | None = None

    @property
    def rendition(self) -> str:
        """What the document is where it is no certificate but the rendition of one, or ""."""
        if not self.recipient:
            return ""
        of = f"a rendition of certificate {self.number} for {self.recipient}"
        return f"{of}; results withheld: {self.withheld}"

    @property
    def documents(self) -> list[str]:
        """SHA-256 of the file, and of what it was before evidence or a timestamp was added."""
        return [hashlib.sha256(self.pdf[:end]).hexdigest() for end in self.parts.ends]

    @property
    def proven_at(self) -> datetime:
        """The moment for which certificates must be valid: the earliest that is proven, or now."""
        return self.earliest or self.question.at

    def proves(self, moment: datetime) -> None:
        """The seals were there at a moment."""
        self.earliest = min(moment, self.earliest or moment)
