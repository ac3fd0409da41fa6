"""A file as it comes in, and its record: whether it is accepted or refused."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Final, NoReturn

from batchqc.core.canonical import Json
from batchqc.documents.attachments import is_run
from batchqc.documents.file_names import may_be_results, misnamed, misnamed_toml
from batchqc.errors import InvalidInput
from batchqc.intake.contract import Asked, Reading
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import Upload

BEGINNING: Final = 1024  # bytes by which the kind of a file is told


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file as it came in; ``data`` is ``None`` where it was larger than the limit.

    ``profile`` names how it is read ("" is by a contract), ``asked`` is what was stated beside it.
    ``supersedes`` is why it supersedes runs on record, as who sends it says; ``None`` where it is
    not said to. ``typed`` is "by hand" where a person typed the results and no file came.
    ``retest`` is the number of the investigation whose retests it holds, or "".
    """

    name: str
    size: int
    data: bytes | None
    client: str
    profile: str = ""
    asked: Asked = field(default_factory=Asked)
    supersedes: str | None = None
    typed: str = ""
    retest: str = ""

    @property
    def sha256(self) -> str:
        """The hash of its bytes, or "" where they were not kept."""
        return "" if self.data is None else hashlib.sha256(self.data).hexdigest()


def check_name(name: str, data: bytes | None) -> None:
    """Refuse a file whose name is no good: its bytes are given back under it.

    ``data`` are its bytes, or the first thousand; ``None`` where they were not kept.

    Raises:
        InvalidInput: BQC-UPL-008 whoever opens it would run it; BQC-UPL-009 its name ends like
            another kind of content.
    """
    _check_not_run(name)
    check_ending(name, data)


def check_results_name(name: str, data: bytes | None, *, profile: str) -> None:
    """Refuse results whose name is no good; ``profile`` reads them, "" is the template.

    What no reader takes anyway, a renamed workbook or page, is left to the reader: it tells what
    the file is and how to save it, and the refused file stays on record.

    Raises:
        InvalidInput: see ``check_name``.
    """
    _check_not_run(name)
    if data and may_be_results(data[:BEGINNING], by_profile=bool(profile)):
        check_ending(name, data)


def check_ending(name: str, data: bytes | None) -> None:
    """Refuse a file whose name ends like another kind of content than it has.

    Raises:
        InvalidInput: BQC-UPL-009.
    """
    if contradiction := misnamed(name, data[:BEGINNING]) if data else "":
        _refuse_name(contradiction)


def check_toml_name(name: str) -> None:
    """Refuse a controlled document whose name ends like anything but text.

    Raises:
        InvalidInput: BQC-UPL-009.
    """
    if contradiction := misnamed_toml(name):
        _refuse_name(contradiction)


def add_upload(
    tx: Transaction, sequence: int, file: ReceivedFile, reading: Reading, *, sha256: str
) -> Upload:
    """The record of a file that was read, the how many-th of the year."""
    upload = Upload(
        year=tx.now.year,
        number=sequence,
        sha256=sha256,
        size=file.size,
        file=file.name,
        client=file.client,
        contract=reading.contract,
        profile=file.profile,
        stated=_as_text(file.asked),
        accepted=int(reading.accepted),
        rows=reading.rows_read,
        problems=json.dumps([asdict(one) for one in reading.problems], ensure_ascii=False),
        uploaded_by=tx.actor.user_id,
        received_at=tx.now,
        supersedes=file.supersedes or "",
        typed=file.typed,
        retest=file.retest,
    )
    tx.add(upload)
    return upload


def told(upload: Upload, reading: Reading) -> dict[str, Json]:
    """What the audit trail tells of a file."""
    return {
        "file": upload.file,
        "sha256": upload.sha256,
        "rows": reading.rows_read,
        "measurements": reading.results,
        "problems": len(reading.problems),
    }


def _check_not_run(name: str) -> None:
    if is_run(name):
        raise InvalidInput(
            "BQC-UPL-008",
            f"whoever opens a file named {name} runs it",
            hint="Export the results as a text file, such as .csv or .txt.",
        )


def _refuse_name(contradiction: str) -> NoReturn:
    raise InvalidInput(
        "BQC-UPL-009",
        f"{contradiction}: its name and its content do not fit together",
        hint="Send the file that is meant, or end its name as what it holds ends: results are"
        " .csv, .tsv, .txt or .xml, a controlled document is .toml.",
    )


def _as_text(asked: Asked) -> str:
    stated = {"cells": dict(asked.cells), "samples": dict(asked.samples)}
    return json.dumps(stated, ensure_ascii=False, sort_keys=True) if asked != Asked() else ""


def stated_beside(upload: Upload) -> Asked:
    """What was stated beside an upload on record."""
    return Asked(**json.loads(upload.stated)) if upload.stated else Asked()


def is_stated_anew(asked: Asked, upload: Upload) -> bool:
    """Whether something else is stated than was beside an upload on record; nothing is the same."""
    return asked not in (Asked(), stated_beside(upload))
