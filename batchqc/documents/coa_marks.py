"""What a rendering of a certificate is that is not the sealed document: a draft, or a copy.

It says so across each page, in the head and in the foot; it has no signature fields and holds no
data for machines, so that nobody takes it for the certificate.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from batchqc.documents.coa_drawing import INK, Box, Mark, Style, Text, width_of
from batchqc.documents.coa_paper import A4
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
