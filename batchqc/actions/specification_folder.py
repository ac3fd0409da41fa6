"""The site's own folder of specification files, compared with what the system holds.

The database is the authority; a file that differs has no effect, and is named with its line.
"""

from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from batchqc.documents.archive import Archive
from batchqc.documents.spec_file import read_specification
from batchqc.records.specifications import version_by

SAME: Final = "the same"


def compare_folder(
    session: Session, archive: Archive, folder: Path | None
) -> list[tuple[str, str]]:
    """Each file of the folder, and how it differs from the version of its id and number.

    A folder within it that is called like a file is none; a file that cannot be read says so.
    """
    found = sorted(folder.rglob("*.toml")) if folder and folder.is_dir() else []
    files = [path for path in found if not path.is_dir()]
    return [
        (str(path.relative_to(folder or path)), _compared(session, archive, path)) for path in files
    ]


def _compared(session: Session, archive: Archive, path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    specification = read_specification(data, file=path.name).specification
    if specification is None:
        return "not a specification; see batchqc spec lint"
    row = version_by(session, specification.id, specification.version)
    if row is None:
        return f"{specification.reference} is not imported"
    held = archive.get(row.sha256)
    if held == data:
        return SAME
    return f"line {_first_difference(held, data)} differs from {specification.reference}"


def _first_difference(held: bytes, data: bytes) -> int:
    pairs = zip(held.split(b"\n"), data.split(b"\n"), strict=False)
    same = 0
    for one, other in pairs:
        if one != other:
            break
        same += 1
    return same + 1
