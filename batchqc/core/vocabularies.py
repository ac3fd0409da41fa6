"""Controlled vocabularies: the words that a qualitative result may be, and their synonyms.

A vocabulary is part of the approved specification and versioned with it. A word that is not
listed is not read; nothing is guessed (requirement 4.25).
"""

from dataclasses import dataclass

from batchqc.core.identifiers import fold


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a vocabulary, and other words that mean the same."""

    name: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A named, versioned list of terms."""

    id: str
    version: int
    terms: tuple[Term, ...]

    def read(self, text: str) -> str | None:
        """The term that ``text`` means, compared without case and extra spaces, or ``None``."""
        wanted = plain(text)
        for term in self.terms:
            if wanted in {plain(word) for word in (term.name, *term.synonyms)}:
                return term.name
        return None

    @property
    def reference(self) -> str:
        """Name and version, as records cite it."""
        return f"{self.id} v{self.version}"

    @property
    def words(self) -> str:
        """Every word that can be read, for a message."""
        return ", ".join(word for term in self.terms for word in (term.name, *term.synonyms))


def plain(text: str) -> str:
    """A word as it is compared: without case, in one form of Unicode, with single spaces."""
    return " ".join(fold(text).split())
