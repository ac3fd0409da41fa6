"""What an issued certificate says, for machines and mails: all made of its frozen content."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, cast

from sqlalchemy.orm import Session

from batchqc.actions.certificate_states import CertificateState, state_of
from batchqc.actions.certificates import content_of_certificate, the_certificate, the_issue
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.certificates import CertificateContent
from batchqc.documents import csv_file, fhir
from batchqc.documents.archive import Archive
from batchqc.documents.certificate_csv import certificate_csv
from batchqc.documents.certificate_fhir import certificate_fhir
from batchqc.documents.certificate_text import certificate_text


class DataFormat(StrEnum):
    """The frozen content itself, and what is made of it."""

    JSON = "json"
    FHIR = "fhir"
    CSV = "csv"
    TEXT = "text"


def _json(content: CertificateContent) -> bytes:
    return canonical_bytes(cast("Json", content))


#: How each is made, its media type, and how its file name ends.
FORMATS: Final[Mapping[DataFormat, tuple[Callable[[CertificateContent], bytes], str, str]]] = (
    MappingProxyType(
        {
            DataFormat.JSON: (_json, "application/json", "json"),
            DataFormat.FHIR: (certificate_fhir, fhir.MEDIA_TYPE, "fhir.json"),
            DataFormat.CSV: (certificate_csv, csv_file.MEDIA_TYPE, "csv"),
            DataFormat.TEXT: (certificate_text, "text/plain; charset=utf-8", "txt"),
        }
    )
)


@dataclass(frozen=True, slots=True)
class CertificateData:
    """The bytes, their media type, the name of their file, and how the certificate stands now."""

    data: bytes
    media_type: str
    file: str
    state: CertificateState


def data_of(
    session: Session, archive: Archive, *, number: str, form: DataFormat
) -> CertificateData:
    """What an issued certificate says, in a format.

    It stays what it was when it was frozen; whether the certificate still counts is in ``state``.

    Raises:
        NotFound: there is no such certificate.
        Conflict: while it is pending, and where it is void.
        IntegrityFailure: its content in the store is damaged.
    """
    certificate = the_certificate(session, number)
    the_issue(session, certificate)
    make, media_type, ending = FORMATS[form]
    content = content_of_certificate(archive, certificate)
    file = f"{content['number']}_{content['lot']['id']}.{ending}"
    return CertificateData(make(content), media_type, file, state_of(session, certificate))
