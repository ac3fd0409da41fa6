"""The fixed words of certificates, by language, from the bundled files ``reports/words``.

A word of the record that no file lists stands as it was recorded.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from batchqc.core.certificate_layouts import Language
from batchqc.core.certificates import (
    UNREVIEWED,
    CertificateContent,
    ResultLine,
    SealPart,
    conclusion_of,
    seals_of,
)
from batchqc.core.lot_states import Disposition


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of one language; ``tag`` is its name as BCP 47 has it."""

    language: Language
    tag: str
    fixed: Mapping[str, str]
    terms: Mapping[str, Mapping[str, str]]

    def __call__(self, key: str, **values: object) -> str:
        """A fixed word or sentence, with what stands in its braces."""
        return self.fixed[key].format(**values)

    def term(self, kind: str, word: str) -> str:
        """A word of the record in this language, where it is one of its kind."""
        return self.terms[kind].get(word, word)


@lru_cache(maxsize=16)
def words_in(language: Language, folder: Path) -> Words:
    """The words of a language; ``folder`` is ``words`` of the reports."""
    read = tomllib.loads((folder / f"{language.value}.toml").read_text("utf-8"))
    return Words(language, read["tag"], read["words"], read["terms"])


def words_of(content: CertificateContent, folder: Path) -> Words:
    """The words that content asks for; English where it was frozen without a layout."""
    layout = content.get("layout")
    return words_in(Language(layout["language"]) if layout else Language.ENGLISH, folder)


def worded(content: CertificateContent, line: ResultLine) -> str:
    """The title of a line, as its layout words it."""
    layout = content.get("layout")
    return layout["titles"].get(line["criterion"], line["title"]) if layout else line["title"]


def conclusion_in(words: Words, content: CertificateContent) -> list[str]:
    """The conclusion in the language of the words, and then in those of the record.

    Only the record's stands where it is none that can be said anew, or is in English.
    """
    said = concluded_as(content)
    if words.language is Language.ENGLISH or not said:
        return [content["conclusion"]]
    key = "concluded_complies" if content["complies"] else "concluded_fails"
    titles = {line["criterion"]: worded(content, line) for line in content["lines"]}
    pending = [
        words(
            "pending_until",
            title=titles.get(one["criterion"], one["title"]),
            day=one["due_on"],
        )
        for one in content.get("pending", ())
    ]
    rules = content["specification"]
    own = words(
        "concluded_pending" if pending else key,
        lot=content["lot"]["id"],
        specification=f"{rules['id']} v{rules['version']}",
        disposition=words.term("disposition", said),
        pending="; ".join(pending),
    )
    return [own, words("of_the_record", text=content["conclusion"])]


def concluded_as(content: CertificateContent) -> str:
    """The disposition that the conclusion states; "" where its sentence is another one."""
    rules = content["specification"]
    pending = [
        (one["title"], date.fromisoformat(one["due_on"])) for one in content.get("pending", ())
    ]
    said = (
        one.value
        for one in Disposition
        if content["conclusion"]
        == conclusion_of(
            content["lot"]["id"],
            f"{rules['id']} v{rules['version']}",
            one.value,
            complies=content["complies"],
            pending=pending,
        )
    )
    return next(said, "")


def seal_in(words: Words, seal: SealPart, content: CertificateContent) -> str:
    """For which signature a seal stands, in the language of the words."""
    for one in content["signatures"]:
        if seals_of(None, one)[1]["says"] == seal["says"]:
            meaning = words.term("meaning", one["meaning"])
            return words("seal_says", meaning=meaning, name=one["name"], id=one["id"])
    return words("unreviewed") if seal["says"] == UNREVIEWED else seal["says"]


def withheld_lines(content: CertificateContent) -> int:
    """How many lines a rendition leaves out."""
    return sum(one["lines"] for one in content["rendition"]["withheld"])
