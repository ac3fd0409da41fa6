"""The problems of a file as a CSV: the file's own rows with what is wrong and what to do."""

import json
from collections.abc import Iterator

from sqlalchemy.orm import Session

from batchqc.actions.profiles import profile_named
from batchqc.actions.received import ReceivedFile
from batchqc.actions.uploads import UploadReport
from batchqc.documents.archive import Archive
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import NotFound
from batchqc.intake.annotated import annotated_rows
from batchqc.intake.problems import Problem
from batchqc.records.uploads import Upload


def annotated_file(
    session: Session, archive: Archive, file: ReceivedFile, report: UploadReport
) -> bytes:
    """A file that was just read, with its problems; without its rows where it was too large."""
    profile = profile_named(session, archive, file.profile)
    return csv_bytes(annotated_rows(file.data or b"", report.reading.problems, profile))


def annotated_upload(session: Session, archive: Archive, upload: Upload) -> bytes:
    """An upload on record, with the problems that were told when it came.

    Raises:
        NotFound: its bytes were not kept.
    """
    return csv_bytes(
        annotated_rows(
            b"".join(chunks_of(archive, upload)),
            [Problem(**one) for one in json.loads(upload.problems)],
            profile_named(session, archive, upload.profile),
        )
    )


def chunks_of(archive: Archive, upload: Upload) -> Iterator[bytes]:
    """The bytes of an upload as they came, checked against their hash before the first chunk.

    Raises:
        NotFound: they were not kept.
    """
    if not upload.sha256:
        message = f"the bytes of {upload.natural_key} were too many to be kept"
        raise NotFound("BQC-UPL-003", message)
    return archive.chunks(upload.sha256)
