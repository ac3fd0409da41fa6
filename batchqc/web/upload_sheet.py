"""A file as a table with each problem below its row, a page of rows at a time.

The cells are those that the file holds, read by the strict reader of the upload; they are shown,
not judged. Rows with an error come first, then those with a remark, where only these are asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from batchqc.core.profiles import Profile
from batchqc.intake.elements import read_export
from batchqc.intake.problems import Problem, shown
from batchqc.intake.scan import Record

AT_ONCE: Final = 50
LARGEST_SHOWN: Final = 5_000_000  # bytes of which a table is shown; of more, the problems are
_OF_FILE: Final = 100


@dataclass(frozen=True, slots=True)
class SheetCell:
    """A cell as it is shown: ``sign`` is "bad", "trend" (a remark), or ""."""

    text: str
    sign: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of the file with its problems; without cells where the row cannot be shown."""

    number: int
    line: int
    cells: tuple[SheetCell, ...]
    problems: tuple[Problem, ...]

    @property
    def sign(self) -> str:
        """The worst of its problems."""
        return sign_of(self.problems)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of rows. ``blank`` are columns that hold nothing in it and are not shown."""

    header: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    blank: tuple[str, ...]
    of_file: tuple[Problem, ...]
    of_file_more: int
    page: int
    pages: int
    errors: int
    remarks: int
    has_table: bool
    only_problems: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.rows and not self.of_file


def sign_of(problems: Sequence[Problem]) -> str:
    """``bad`` where one is an error, ``trend`` where all are remarks, "" where there is none."""
    if not problems:
        return ""
    return "bad" if any(one.severity == "error" for one in problems) else "trend"


def sheet(
    data: bytes | None,
    problems: Sequence[Problem],
    profile: Profile | None,
    *,
    only_problems: bool,
    page: int,
) -> Sheet:
    """A page of a file.

    Args:
        data: its bytes; ``None`` where they are not kept, or too many to be shown.
        problems: what was found in it.
        profile: by which it was read; ``None`` is a contract.
        only_problems: whether rows without a problem are left out.
        page: which page, from 1; beyond the last one it is the last one.
    """
    header, records = _table(data, profile)
    by_row: dict[int, list[Problem]] = {}
    for one in problems:
        by_row.setdefault(one.row if one.row > 1 else 0, []).append(one)
    of_file = sorted(by_row.pop(0, []), key=lambda one: one.severity)  # "error" before "warning"
    numbers = sorted(by_row) if only_problems else sorted({*records, *by_row})
    if only_problems:
        numbers.sort(key=lambda number: sign_of(by_row[number]) != "bad")
    pages = max(1, -(-len(numbers) // AT_ONCE))
    page = min(page, pages)
    chosen = numbers[(page - 1) * AT_ONCE : page * AT_ONCE]
    kept = _kept(header, [records[n] for n in chosen if n in records], by_row, chosen)
    errors = sum(one.severity == "error" for one in problems)
    return Sheet(
        header=tuple(header[index] for index in kept),
        rows=tuple(_row(n, records.get(n), header, kept, tuple(by_row.get(n, ()))) for n in chosen),
        blank=tuple(name for index, name in enumerate(header) if index not in set(kept) and name),
        of_file=tuple(of_file[:_OF_FILE]),
        of_file_more=max(0, len(of_file) - _OF_FILE),
        page=page,
        pages=pages,
        errors=errors,
        remarks=len(problems) - errors,
        has_table=bool(records),
        only_problems=only_problems,
    )


def _table(data: bytes | None, profile: Profile | None) -> tuple[Sequence[str], dict[int, Record]]:
    if data is None or len(data) > LARGEST_SHOWN:
        return (), {}
    table = read_export(data, profile)
    return [shown(name) for name in table.header], {
        one.row: one for one in (*table.records, *table.left_out, *table.outside)
    }


def _kept(
    header: Sequence[str],
    records: Sequence[Record],
    by_row: dict[int, list[Problem]],
    chosen: Sequence[int],
) -> list[int]:
    """The columns that hold something in some rows, or a problem of theirs."""
    wrong = {one.column for number in chosen for one in by_row.get(number, ())}
    return [
        index
        for index, name in enumerate(header)
        if name in wrong or any(index < len(one.cells) and one.cells[index] for one in records)
    ]


def _row(
    number: int,
    record: Record | None,
    header: Sequence[str],
    kept: Sequence[int],
    problems: tuple[Problem, ...],
) -> SheetRow:
    if record is None:
        line = problems[0].line if problems else 0
        return SheetRow(number, line, (), problems)
    places = {name: index for index, name in enumerate(header)}
    ordered = sorted(problems, key=lambda one: places.get(one.column, -1))
    cells = tuple(_cells(record.cells, header, kept, problems))
    return SheetRow(number, record.line, cells, tuple(ordered))


def _cells(
    texts: Sequence[str], header: Sequence[str], kept: Sequence[int], problems: Sequence[Problem]
) -> Iterator[SheetCell]:
    for index in kept:
        own = [one for one in problems if one.column == header[index]]
        yield SheetCell(shown(texts[index]) if index < len(texts) else "", sign_of(own))
    for text in texts[len(header) :]:  # of a row that is too long
        yield SheetCell(shown(text), "bad")
