"""By what a certificate is found: terms of some kinds, and the words of all that it says.

Terms and words are compared without case; words without accents too. Nothing is decided by them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from batchqc.core.certificates import CertificateContent
from batchqc.core.identifiers import fold

# But letters that Unicode 6.1 did not call so: SQLite's index of words goes by that.
_WORD: Final = re.compile(r"[^\W_\u19b0-\u19c9\u1cf2\u1cf3]+")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
#: Parts that say the same on very many certificates or nothing to people, and are not searched.
_UNSAID: Final = frozenset(
    {"type", "utc", "accept", "software", "audit", "decision_rule", "layout", "status", "log"}
)
LONGEST_WORD: Final = 60


class Kind(StrEnum):
    """What a term is of."""

    LOT = "lot"
    PRODUCT = "product"
    DONOR = "donor"
    DISPOSITION = "disposition"
    ANALYTE = "analyte"
    SIGNER = "signer"


class Term(NamedTuple):
    """A folded value of a kind."""

    kind: Kind
    value: str


def term(kind: Kind, text: str) -> Term:
    """The term that a text is, as a person types it."""
    return Term(kind, fold(text))


def terms_of(content: CertificateContent, disposition: str) -> list[Term]:
    """The terms of a certificate, each once; a signer is found by user id and by name.

    Args:
        content: as frozen.
        disposition: that it was reserved with.
    """
    found = [
        term(Kind.LOT, content["lot"]["id"]),
        term(Kind.PRODUCT, content["product"]["code"]),
        term(Kind.DISPOSITION, disposition),
        *(term(Kind.DONOR, one["code"]) for one in content["donors"]),
        *(term(Kind.ANALYTE, one["analyte"]) for one in content["lines"] if one["analyte"]),
    ]
    for one in content["signatures"]:
        found += [term(Kind.SIGNER, one["user_id"]), term(Kind.SIGNER, one["name"])]
    return list(dict.fromkeys(found))


def words_of(text: str) -> list[str]:
    """The words of a text: letters and digits, without case and accents, in their order."""
    bare = text if text.isascii() else _without_accents(text)  # of most texts there is none
    return [one[:LONGEST_WORD] for one in _WORD.findall(bare.casefold())]


def _without_accents(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(one for one in plain if not unicodedata.combining(one))


def words_said(
    content: CertificateContent, words_of: Callable[[str], Iterable[str]] = words_of
) -> str:
    """Every word that a certificate says, once, in the order of the alphabet, between spaces.

    ``words_of`` is for who asks for very many, and knows the words of most texts.
    """
    words = {word for text in _texts(content) for word in words_of(text)}
    return " ".join(sorted(words))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            if name not in _UNSAID:
                yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str) and not _HASH.fullmatch(value):
        yield value
