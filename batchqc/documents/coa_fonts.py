"""The fonts of documents, and which characters they can show truthfully."""

import unicodedata
from functools import lru_cache, partial
from pathlib import Path

from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont, TTFontFace

_FONT_FILES = {"sans": "DejaVuSans", "bold": "DejaVuSans-Bold", "mono": "DejaVuSansMono"}


def use_fonts(folder: Path) -> None:
    """Make the certificate's fonts known to ReportLab; ``folder`` holds the DejaVu files.

    ReportLab keeps fonts in one register per process, and a font serves one open document at a
    time: the caller holds a lock from here to the end of drawing.
    """
    for font in _fonts(folder):
        pdfmetrics.registerFont(font)
        # Else it is the font of whoever used the same file first under another name.
        pdfmetrics._fonts[font.fontName] = font  # noqa: SLF001 - there is no other way


def as_shown(text: str, *, folder: Path) -> str:
    """``text`` with each character that the page could not show as its number: ``[U+1F9EC]``.

    Those are characters without a glyph (the page would show an empty box); control, format and
    private-use characters; line and paragraph separators; and right-to-left letters, which would
    be drawn in the wrong order. A decided lot gets its certificate, whatever a comment says.
    """
    return unicodedata.normalize("NFC", text).translate(_shown_marks(folder))


@lru_cache(maxsize=4)
def _fonts(folder: Path) -> tuple[TTFont, TTFont, TTFont]:
    sans, bold, mono = (_font(face, folder / f"{n}.ttf") for face, n in _FONT_FILES.items())
    return sans, bold, mono


def _font(name: str, path: Path) -> TTFont:
    """A font whose parts are cut out, and compressed, once for each set of characters."""
    font = TTFont(name, path)
    face = font.face
    # The last glyphs of a font may share one width. ReportLab scales it, and would then write it
    # into the embedded font as it is: those of the fixed-width font would contradict the page's.
    shared = [width for width, _ in face.hmetrics if isinstance(width, int)][-1]
    face.hmetrics = [(w if isinstance(w, int) else shared, left) for w, left in face.hmetrics]
    cut = face.makeSubset
    cached = lru_cache(maxsize=64)(lambda characters: cut(list(characters)))
    face.makeSubset = lambda characters: cached(tuple(characters))
    add = face.addSubsetObjects

    def add_compressed(document: pdfdoc.PDFDocument, part: str, characters: list[int]) -> object:
        added = add(document, part, characters)
        file = document.idToObject[f"fontFile:{face.filename}({part})"]
        file.filters = [_COMPRESSED_ONCE] if file.filters else file.filters
        return added

    face.addSubsetObjects = add_compressed
    # ReportLab writes the width of each character into each document.
    face.getCharWidth = lru_cache(maxsize=4096)(partial(_written_width, face))
    return font


class _CompressedOnce(pdfdoc.PDFStreamFilterZCompress):  # type: ignore[misc]  # ReportLab has no types
    """ReportLab's compression, which knows again what it compressed: a font is large."""

    encode = staticmethod(lru_cache(maxsize=64)(pdfdoc.PDFZCompress.encode))


_COMPRESSED_ONCE = _CompressedOnce()


def _written_width(face: TTFontFace, code: int) -> bytes:
    return bytes(pdfdoc.format(face.charWidths.get(code, face.defaultWidth), None))


@lru_cache(maxsize=4)
def _glyphs(folder: Path) -> frozenset[int]:
    """What every font of the text can draw."""
    sans, bold, _ = _fonts(folder)
    return frozenset(sans.face.charToGlyph.keys() & bold.face.charToGlyph.keys())


class _ShownMarks(dict[int, str]):
    """How each character is shown; one that is shown as it is was looked at once."""

    def __init__(self, glyphs: frozenset[int]) -> None:
        self._glyphs = glyphs

    def __missing__(self, code: int) -> str:
        mark = chr(code)
        if code not in self._glyphs or not _plain(mark):
            return f"[U+{code:04X}]"
        self[code] = mark
        return mark


@lru_cache(maxsize=4)
def _shown_marks(folder: Path) -> _ShownMarks:
    return _ShownMarks(_glyphs(folder))


def _plain(mark: str) -> bool:
    category = unicodedata.category(mark)
    directions = {"R", "AL", "AN"}
    return (
        not category.startswith("C")
        and category not in {"Zl", "Zp"}
        and unicodedata.bidirectional(mark) not in directions
    )
