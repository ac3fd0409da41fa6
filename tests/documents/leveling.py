"""Documents of each level of PAdES, and what independent tools take out of them."""

import re

from batchqc import clock
from batchqc.core.certificates import CertificateContent
from batchqc.documents.certificate_check import Extracted
from batchqc.documents.pades import Sealed, SealKey, proven, seal
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level, Sealing
from batchqc.documents.timestamps import Service
from tests.documents.conftest import Site
from tests.timestamp_service import TimestampService


def sealing_of(site: Site, level: Level, service: TimestampService | None) -> Sealing:
    root = RootFiles(site.files.root_pem, site.files.root_crl)
    return Sealing(level, root, Service(service.url, service.root) if service else None)


def sealed_to(
    sealing: Sealing, key: SealKey, rendered: bytes, content: CertificateContent
) -> Sealed:
    """The document with every seal that its content names, at a level."""
    pdf, seals, now = rendered, content["seals"], clock.now()
    for one in seals:
        pdf = seal(
            pdf, key, field=one["field"], reason=one["says"], certifies=one is not seals[-1],
            signed_at=now, stamped_by=sealing.stamped_by,
        )  # fmt: skip
    return proven(pdf, key, sealing, clock=clock.now)


def extracted_from(pdf: bytes) -> list[Extracted]:
    """Every signature and timestamp of the document, in the order in which they were made."""
    found = []
    for one in re.findall(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\]", pdf):
        gap, resume, rest = map(int, one)
        der = bytes.fromhex(pdf[gap + 1 : resume - 1].decode())
        length = 4 + int.from_bytes(der[2:4], "big")
        found.append(Extracted(pdf, der[:length], (0, gap, resume, rest)))
    return found
