"""Plain text of 80 columns, as a mail shows it: headings, labels with values, paragraphs.

No value can break out of its place: line breaks become spaces, and a character that does not print
(a control, a change of direction) is written as its code point.
"""

import textwrap
from collections.abc import Iterator
from typing import Final

WIDTH: Final = 80
RULE: Final = "=" * WIDTH
LABEL: Final = 17


def heading(title: str) -> Iterator[str]:
    """A heading, with an empty line before it."""
    yield ""
    yield plain(title).upper()
    yield "-" * WIDTH


def paragraph(text: str, *, indent: int = 0, mark: str = "") -> Iterator[str]:
    """Wrapped text; ``mark`` stands before it, and further lines begin where the text began."""
    inner = " " * (indent + len(mark))
    lines = textwrap.wrap(
        plain(text),
        WIDTH,
        initial_indent=" " * indent + mark,
        subsequent_indent=inner,
        break_on_hyphens=False,
    )
    yield from lines or [f"{' ' * indent}{mark}".rstrip()]


def labelled(label: str, text: str, *, indent: int = 0) -> Iterator[str]:
    """A label, and its value in a column of its own; nothing where there is no value."""
    if text:
        yield from paragraph(text, indent=indent, mark=f"{label:{LABEL - indent}}")


def digest(word: str, sha256: str) -> Iterator[str]:
    """A hash on one line, with a word before it."""
    yield f"    {word:<7} {sha256}"


def apart(left: str, right: str) -> Iterator[str]:
    """Text with a word at the right edge; on a line of its own where both do not fit."""
    left, right = plain(left), plain(right)
    if len(left) + len(right) + 2 <= WIDTH:
        yield f"{left}{right:>{WIDTH - len(left)}}"
    else:
        yield from paragraph(left)
        yield f"{right:>{WIDTH}}"


def plain(text: str) -> str:
    """``text`` on one line, of characters that print."""
    return "".join(
        one if one.isprintable() else " " if one.isspace() else f"<U+{ord(one):04X}>"
        for one in text
    )
