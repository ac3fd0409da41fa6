"""The characters that are taken are those that the bundled fonts draw."""

import unicodedata
from pathlib import Path

from batchqc.core.drawable import undrawable
from batchqc.documents.coa_fonts import as_shown


def test_what_is_taken_is_what_the_page_shows_as_it_is(fonts: Path):
    """Every code point of three planes and of the private use areas; space is another question."""
    wrong = []
    for code in (*range(0x20000), *range(0xF0000, 0xF0010), 0x10FFFF):
        mark = chr(code)
        if mark.isspace() or 0xD800 <= code <= 0xDFFF or mark.isascii():
            continue
        is_shown = as_shown(mark, folder=fonts) == unicodedata.normalize("NFC", mark)
        if is_shown is not (undrawable(mark) is None):
            wrong.append(f"U+{code:04X}")
    assert wrong == []
