"""A file with its problems beside its rows: two more columns, in the order of the file.

Problems of the whole file and of the header stand below the header, one a line, in rows of their
own with no other cell filled. What an earlier copy said in the two columns is left out. A row that
cannot be read stands there as far as it can. A byte that is not of the encoding becomes U+FFFD,
which no file may hold: it is never mistaken for a character.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from batchqc.core.profiles import Profile
from batchqc.intake.decoding import UNDECODED
from batchqc.intake.elements import read_export
from batchqc.intake.problems import Problem

ANNOTATIONS: Final = ("problems", "what to do")


def annotated_rows(
    data: bytes, problems: Iterable[Problem], profile: Profile | None = None
) -> list[list[str]]:
    """The header and every row of a file, each with what is wrong with it and what to do.

    Args:
        data: the file; empty where it was not kept.
        problems: those that were found in it.
        profile: by which it was read; ``None`` is a contract.
    """
    table = read_export(data, profile)
    rows = sorted([*table.records, *table.left_out, *table.outside], key=lambda one: one.row)
    known = {one.row for one in rows}
    by_row: dict[int, list[Problem]] = {}
    for problem in problems:
        by_row.setdefault(problem.row if problem.row in known else 0, []).append(problem)
    header = table.header
    kept = len(header) - (len(ANNOTATIONS) if header[-len(ANNOTATIONS) :] == ANNOTATIONS else 0)
    cells = [[*one.cells[:kept], *one.cells[len(header) :]] for one in rows]
    width = max([kept, *map(len, cells)])
    lines = [_line(header[:kept], width, ANNOTATIONS)]
    lines += [_line((), width, (_said(one), one.hint)) for one in by_row.get(0, ())]
    for one, own in zip(rows, cells, strict=True):
        lines.append(_line(own, width, _told(by_row.get(one.row, ()))))
    return lines


def _line(cells: Sequence[str], width: int, more: Sequence[str]) -> list[str]:
    known = [UNDECODED.sub("\ufffd", cell) for cell in cells]
    return [*known, *[""] * (width - len(known)), *more]


def _told(problems: Sequence[Problem]) -> tuple[str, str]:
    hints = dict.fromkeys(one.hint for one in problems)
    return "; ".join(map(_said, problems)), " ".join(hints)


def _said(problem: Problem) -> str:
    told = f"{problem.code} {problem.message}"
    where = problem.column
    if problem.row <= 1:
        place = "the header" if problem.row else "the file"
        where = f"{place}, {where}" if where else place
    return f"{where}: {told}" if where else told
