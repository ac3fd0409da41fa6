"""The guide as HTML: Markdown (CommonMark and tables) from ``batchqc/guide``, rendered once.

Links between pages lead to pages; headings have anchors, and so have error codes on their page.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

import batchqc
from batchqc.errors import NotFound
from batchqc.web.guide_markdown import Renderer

FOLDER: Final = Path(batchqc.__file__).parent / "guide"
#: What is served beside pages, by its suffix.
FILES: Final[Mapping[str, str]] = {
    "png": "image/png", "csv": "text/csv; charset=utf-8", "xml": "text/plain; charset=utf-8",
    "toml": "text/plain; charset=utf-8",
}  # fmt: skip
_WORD: Final = re.compile(r"[^a-z0-9]+")
_AROUND: Final = 90
#: The order of the contents; what is not named stands behind.
_FIRST: Final = (
    "journey", "walkthrough", "pages", "administration", "setup", "uploads", "specifications",
    "releasing", "investigations", "certificates", "verify", "auditors", "archive", "validation",
)  # fmt: skip
_PARTS: Final = {"": 0, "decisions": 1, "measured": 2}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a page, by its anchor."""

    anchor: str
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class GuidePage:
    """A page: its name below the guide, title, headings, its HTML, and its words."""

    name: str
    title: str
    headings: tuple[Heading, ...]
    html: Markup
    words: str

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/guide/{self.name}"

    @property
    def part(self) -> str:
        """The folder that it is in, "" for the guide itself."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Found:
    """A page with a word in it: before it, the word, and after it."""

    page: GuidePage
    before: str
    word: str
    after: str
    many: int


@cache
def pages() -> Mapping[str, GuidePage]:
    """Every page of the guide, by its name."""
    found = [_rendered(path) for path in FOLDER.rglob("*.md")]
    return {one.name: one for one in sorted(found, key=_place)}


def the_page(name: str) -> GuidePage | None:
    """The page of a name."""
    return pages().get(name)


def contents() -> Mapping[str, Sequence[GuidePage]]:
    """The pages by their part: the guide, decisions, measurements."""
    return {
        part: [one for one in pages().values() if one.part == part]
        for part in dict.fromkeys(one.part for one in pages().values())
    }


def found_in(text: str) -> list[Found]:
    """The pages in which a text stands, those with it in their title first, then by how often."""
    wanted = text.strip().casefold()
    found = [_found(one, wanted) for one in pages().values() if wanted in one.words.casefold()]
    return sorted(found, key=lambda one: (wanted not in one.page.title.casefold(), -one.many))


def file_bytes(name: str) -> tuple[bytes, str]:
    """A picture or an example of the guide, and its kind.

    Raises:
        NotFound: BQC-WEB-082 there is none.
    """
    path = _files().get(name)  # looked up: no name is ever made a path
    if path is None:
        raise NotFound("BQC-WEB-082", f'the guide has no file "{name}"')
    return path.read_bytes(), FILES[path.suffix.removeprefix(".")]


@cache
def _files() -> Mapping[str, Path]:
    """What is served beside pages, by its name below the guide."""
    found = [path for suffix in FILES for path in FOLDER.rglob(f"*.{suffix}")]
    return {path.relative_to(FOLDER).as_posix(): path for path in found if path.is_file()}


def _rendered(path: Path) -> GuidePage:
    name = path.relative_to(FOLDER).with_suffix("").as_posix()
    markdown = MarkdownIt("commonmark", renderer_cls=Renderer).enable("table")
    tokens, where = (
        markdown.parse(path.read_text(encoding="utf-8")),
        {"name": name, "folder": FOLDER},
    )
    headings = tuple(_anchored(tokens))
    title = headings[0].text if headings else name
    html = markdown.renderer.render(tokens, markdown.options, where)
    words = Markup(html).striptags()  # noqa: S704 - what it renders is escaped there
    return GuidePage(name, title, headings, Markup(html), words)  # noqa: S704 - of our own files


def _anchored(tokens: Sequence[Token]) -> list[Heading]:
    """Give each heading its anchor."""
    found: list[Heading] = []
    for opened, inline in pairwise(tokens):
        if opened.type == "heading_open":
            text = "".join(one.content for one in inline.children or ())
            anchor = _WORD.sub("-", text.lower()).strip("-")
            again = sum(one.anchor == anchor for one in found)
            anchor = f"{anchor}-{again + 1}" if again else anchor
            opened.attrSet("id", anchor)
            found.append(Heading(anchor, text, int(opened.tag[1])))
    return found


def _found(page: GuidePage, wanted: str) -> Found:
    folded = page.words.casefold()
    at, length = folded.index(wanted), len(wanted)
    before, after = page.words[max(0, at - _AROUND) : at], page.words[at + length :][:_AROUND]
    return Found(page, before, page.words[at : at + length], after, folded.count(wanted))


def _place(page: GuidePage) -> tuple[int, int, str]:
    first = _FIRST.index(page.name) if page.name in _FIRST else len(_FIRST)
    return _PARTS.get(page.part, len(_PARTS)), first, page.name
