"""Rows of a portion split into columns at once, where every cell is plain text.

Plain is what needs no look at its row: no quotation marks, no control characters, no outer spaces,
nothing that a spreadsheet left behind or would run, every row as long as the header.
"""

from collections.abc import Iterable, Sequence
from unicodedata import is_normalized

from batchqc.core.spreadsheets import APOSTROPHE
from batchqc.intake.cells import IDS_AND_CODES, LONGEST, longest_in, spreadsheet_problems
from batchqc.intake.header import COLUMNS, Header


class NotPlainError(Exception):
    """Something has to be looked at row by row."""


def is_plain_id(text: str) -> bool:
    """Whether a stated id needs no look, and no escape in JSON; it may be blank."""
    is_text = text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
    return is_text and len(text) <= LONGEST and (not text or text[0].isalnum())


def plain_columns(
    rows: bytes, header: Header, encoding: str, delimiter: str
) -> Sequence[Sequence[str]]:
    """The cells by columns; a name of ``header`` is "" where the column has none.

    Raises:
        NotPlainError: some cell is not plain.
    """
    width = len(header.names)
    try:
        text = rows.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotPlainError from error
    if "\r" in text:
        if not text.count("\r\n") == text.count("\r") == text.count("\n"):
            raise NotPlainError
        text = text.replace("\r\n", "\n")
    count = text.count("\n")
    if '"' in text or "\\" in text or not text.endswith("\n"):
        raise NotPlainError
    # With a mark before each row, the cells of a column stand ``width`` apart: where they do
    # not, some row has more or fewer cells.
    flat = f"\n{text[:-1]}".replace("\n", f"{delimiter}\n").split(delimiter)
    first = flat[1::width]
    if len(flat) - 1 != count * width or "".join(first).count("\n") != count:
        raise NotPlainError
    columns = [[cell[1:] for cell in first], *(flat[i::width] for i in range(2, width + 1))]
    _check_text(text.replace("\n", "").replace("\t", " " if delimiter == "\t" else "\t"))
    for index, column in enumerate(columns):
        _check_cells(header, index, set(column))
    return columns


def _check_text(text: str) -> None:
    if text.isascii():
        is_sound = text.isprintable()
    else:
        is_sound = text.isprintable() and "\ufffd" not in text and is_normalized("NFC", text)
    if not is_sound:
        raise NotPlainError


def _check_cells(header: Header, index: int, texts: Iterable[str]) -> None:
    name = header.names[index]
    is_read = header.columns.get(name) == index
    longest = longest_in(name) if is_read else None
    for text in texts:
        if not text:
            continue
        if (
            not name
            or text.strip().lower() in COLUMNS
            or (longest is not None and len(text) > longest)
        ):
            raise NotPlainError
        if not text[0].isalnum() and (
            text[0] == APOSTROPHE or any(spreadsheet_problems(text, column=name))
        ):
            raise NotPlainError
        if name != "comment" and (text[0].isspace() or text[-1].isspace()):
            raise NotPlainError
        if name in IDS_AND_CODES and not text.isascii():
            raise NotPlainError
