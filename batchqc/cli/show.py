"""Printing for people: tables, and lines of names with values.

Text of users and of files is never markup, and never moves the cursor.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from batchqc.documents.verifier.findings import plain


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print a table, or ``empty`` where there is no row."""
    printed = Table(show_edge=False, pad_edge=False)
    for column in columns:
        printed.add_column(column, overflow="fold")
    for row in rows:
        printed.add_row(*(escape(shown(value)) for value in row))
    if printed.row_count:
        _print(printed)
    else:
        say(empty)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names with values, one a line."""
    for name, value in pairs:
        _print(f"[bold]{name}[/]: {escape(shown(value))}", soft_wrap=True)


def say(text: str) -> None:
    """Print one line."""
    _print(escape(shown(text)), soft_wrap=True)


def named(text: str) -> Path:
    """The path that an option names; a blank one is none, and not the folder of now."""
    if not text.strip():
        raise typer.BadParameter("it is blank")
    return Path(text)


def shown(what: object) -> str:
    """A text for a terminal: lines and tabs stay, other characters that control it are escaped."""
    return "".join(one if one in "\n\t" else plain(one) for one in str(what))


def _print(what: object, *, soft_wrap: bool = False) -> None:
    Console(highlight=False).print(what, soft_wrap=soft_wrap)  # as wide as the terminal is now
