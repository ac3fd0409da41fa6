"""Layouts of certificates: how what is frozen stands on the page, and for whom.

A layout changes order, wording, language and paper, and never a result, limit or verdict. Which
layout a certificate was frozen with stands in its content, with all that the page takes from it,
so that the page is made of the content alone. A layout that names a recipient is for renditions.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from batchqc.core.certificates import CertificateContent, ResultLine


class Language(StrEnum):
    """In which language the fixed words of a certificate are."""

    ENGLISH = "en"
    GERMAN = "de"
    FRENCH = "fr"
    SPANISH = "es"


class PaperSize(StrEnum):
    """On which paper a certificate is printed."""

    A4 = "A4"
    LETTER = "Letter"


@dataclass(frozen=True, slots=True)
class Layout:
    """One version of a layout, as its file says.

    Args:
        recipient: for whom its renditions are; blank is a layout of the site's certificates.
        product: the code of the product that it is for; blank is every product.
        address: lines that stand for those of the site; empty leaves them.
        contact: lines beneath the address.
        order: ids of criteria that come first, in this order.
        titles: wording of criteria, by their id.
        withhold: ids of criteria that are left out for the recipient.
        footnotes: remarks before the record.
    """

    id: str
    version: int
    title: str
    language: Language
    paper: PaperSize
    sha256: str
    recipient: str = ""
    product: str = ""
    address: tuple[str, ...] = ()
    contact: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    titles: tuple[tuple[str, str], ...] = ()
    withhold: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """Id and version as people write it."""
        return f"{self.id} v{self.version}"


class LayoutPart(TypedDict):
    """The layout that content was frozen with, and what the page takes from it.

    ``sha256`` is of the approved bytes. ``titles`` are wordings by the id of their criterion.
    """

    id: str
    version: int
    sha256: str
    language: str
    paper: str
    address: list[str]
    contact: list[str]
    titles: dict[str, str]
    footnotes: list[str]


def laid_out(
    content: "CertificateContent", layout: Layout, *, without: Collection[str] = ()
) -> "CertificateContent":
    """The content as a layout has it: its part of it, and lines and notes in its order.

    Lines of one category stay together, in the order in which the layout names the first of each.
    Notes are numbered as they are met. Without the lines of criteria that are left out go the notes
    that only they refer to.
    """
    shown = [line for line in content["lines"] if line["criterion"] not in without]
    gone = {note for line in content["lines"] for note in line["notes"]}
    numbers: dict[int, int] = {}
    lines = _ordered(shown, layout.order)
    for note in [note for line in lines for note in line["notes"]]:
        numbers.setdefault(note, len(numbers) + 1)
    for note in range(1, len(content["notes"]) + 1):
        if note not in gone:
            numbers[note] = len(numbers) + 1
    part = part_of(layout)
    criteria = {line["criterion"] for line in lines}
    part["titles"] = {name: text for name, text in layout.titles if name in criteria}
    renumbered: list[ResultLine] = [
        {**line, "notes": [numbers[note] for note in line["notes"]]} for line in lines
    ]
    notes = [content["notes"][note - 1] for note in numbers]
    return {**content, "lines": renumbered, "notes": notes, "layout": part}


def part_of(layout: Layout) -> LayoutPart:
    """What content keeps of a layout."""
    return {
        "id": layout.id,
        "version": layout.version,
        "sha256": layout.sha256,
        "language": layout.language.value,
        "paper": layout.paper.value,
        "address": list(layout.address),
        "contact": list(layout.contact),
        "titles": dict(layout.titles),
        "footnotes": list(layout.footnotes),
    }


def _ordered(lines: "list[ResultLine]", order: Collection[str]) -> "list[ResultLine]":
    if not order:
        return lines
    place = {name: number for number, name in enumerate(order)}
    named = sorted(lines, key=lambda line: place.get(line["criterion"], len(place)))
    categories = list(dict.fromkeys(line["category"] for line in named))
    return sorted(named, key=lambda line: categories.index(line["category"]))
