"""What a rendering of a certificate is that is not the sealed document: a draft, or a copy.

It says so across each page, in the head and in the foot; it has no signature fields and holds no
data for machines, so that nobody takes it for the certificate.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from batchqc.documents.coa_drawing import INK, Box, Mark, Style, Text, width_of
from batchqc.documents.coa_paper import A4, MARGIN, WIDTH
from batchqc.documents.coa_words import Words

DRAFT: Final = "DRAFT"
COPY: Final = "COPY"
SUPERSEDED: Final = "SUPERSEDED"
WITHDRAWN: Final = "WITHDRAWN"
SPECIMEN: Final = "SPECIMEN"

_FRAMED: Final = Style("bold", 8.6, 12)


@dataclass(frozen=True, slots=True)
class Marked:
    """How a rendering is marked.

    Args:
        words: each stands in the head of every page, the last one across it.
        says: sentences in the foot of every page, each by its key among the fixed words, with
            what stands in its braces.
    """

    words: tuple[str, ...]
    says: tuple[tuple[str, Mapping[str, object]], ...]

    def told(self, words: Words) -> tuple[str, ...]:
        """The sentences in the language of the words."""
        return tuple(words(key, **values) for key, values in self.says)

    @property
    def is_draft(self) -> bool:
        """Whether it has neither code nor hash: there is no such certificate."""
        return DRAFT in self.words


def title_of(marked: Marked | None, number: str, words: Words) -> str:
    """The title of the document."""
    if marked is None:
        return words("title_of", number=number)
    return words("draft_title") if marked.is_draft else words("copy_title", number=number)


def document_id(sha256: str, marked: Marked | None, words: Words) -> str:
    """The /ID of the document: its own for every marking of the same content."""
    if marked is None:
        return sha256
    told = "\n".join((sha256, *marked.words, *marked.told(words)))
    return hashlib.sha256(told.encode()).hexdigest()


def stamps_of(specimen: str, marked: Marked | None) -> tuple[str, ...]:
    """The words that mark each page."""
    return (*((SPECIMEN,) if specimen else ()), *(marked.words if marked else ()))


def framed(words: Sequence[str], *, right: float = 0, y: float = 0) -> list[Mark]:
    """The words in a frame, in the middle of the head; nothing where there are none.

    Args:
        words: that mark the page.
        right: where the frame ends, if not in the middle.
        y: of its upper edge.
    """
    if not words:
        return []
    text = " · ".join(words)
    width = width_of(text, _FRAMED)
    x = right - width - 7 if right else (A4.width - width) / 2
    return [Box(x - 7, y, width + 14, 16, outline=INK), Text(x, y + 11.2, _FRAMED, text)]


def stamped(marks: Sequence[Mark], height: float, words: Sequence[str]) -> tuple[list[Mark], float]:
    """The words in the middle of a head, or beneath it where a name needs the room; its height."""
    half = width_of(" · ".join(words), _FRAMED) / 2 + 11
    middle = A4.width / 2
    meets = any(
        one.y - one.style.size < 16
        and one.x < middle + half
        and one.x + width_of(one.text, one.style) > middle - half
        for one in marks
        if isinstance(one, Text)
    )
    if words and meets:
        return framed(words, right=MARGIN + WIDTH, y=height + 4), height + 22
    return framed(words), height
