"""Markdown as the guide is written with: tables, pictures, error codes, links between pages.

Of HTML within a file only pictures are taken; everything else is shown as it is written.
"""
# ruff: noqa: ARG002 - the renderer hands the same to every rule

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import quote, urlsplit

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import escape

_CODE: Final = re.compile(r"BQC-[A-Z0-9]{3}-[0-9]{3}")
_PNG: Final = b"\x89PNG\r\n\x1a\n"


class Renderer(RendererHTML):
    """Renders a page; ``env`` has its ``name`` below the ``folder`` of the guide."""

    def html_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Pictures; everything else as it is written."""
        return f"<p>{_pictures(tokens[idx].content, env)}</p>\n"

    def html_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """The same within a line."""
        return _pictures(tokens[idx].content, env)

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A picture of the guide."""
        return _picture(str(tokens[idx].attrGet("src")), tokens[idx].content, env)

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A link to another page, to a place of this one, or out."""
        to = _address(str(tokens[idx].attrGet("href")), env)
        out = ' rel="noreferrer"' if urlsplit(to).scheme else ""
        return f'<a href="{escape(to)}"{out}>'

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A table that scrolls by itself; each has a name of its own."""
        env["tables"] = number = env.get("tables", 0) + 1
        named = f'aria-label="Table {number}"'
        return f'<div class="scroll" tabindex="0" role="region" {named}><table>'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Its end."""
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """The head of a column; where it says nothing, it is none."""
        return "<th>" if tokens[idx + 1].content else "<td>"

    def th_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Its end."""
        return "</th>" if tokens[idx - 1].content else "</td>"

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A block of code that is told by its indent: as any other."""
        return self.fence(tokens, idx, options, env)

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A block of code that scrolls by itself."""
        return f'<pre tabindex="0"><code>{escape(tokens[idx].content)}</code></pre>\n'

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Text; the first telling of an error code is its anchor."""
        return _CODE.sub(lambda one: _anchor(one[0], env), str(escape(tokens[idx].content)))


def _anchor(code: str, env: Any) -> str:
    seen = env.setdefault("codes", set())
    if env["name"] != "errors" or code in seen:
        return code
    seen.add(code)
    return f'<code id="{code}">{code}</code>'


def _address(href: str, env: Any) -> str:
    """Where a link of a page leads."""
    parts = urlsplit(href)
    if parts.scheme or parts.netloc or not parts.path:
        return href if parts.scheme in {"", "https", "http"} else ""
    return _inside(parts.path.removesuffix(".md"), env) + (
        f"#{parts.fragment}" if parts.fragment else ""
    )


def _inside(path: str, env: Any) -> str:
    """A path beside a page as the guide serves it; what lies outside of the guide stays as said."""
    steps: list[str] = []
    for step in (PurePosixPath(env["name"]).parent / path).parts:
        if step == "..":
            if not steps:
                return "/guide"
            steps.pop()
        else:
            steps.append(step)
    return f"/guide/{quote('/'.join(steps))}"


def _picture(source: str, alt: str, env: Any) -> str:
    address = _inside(source, env)
    return f'<img src="{escape(address)}" alt="{escape(alt)}"{_size(address, env)} loading="lazy">'


def _size(address: str, env: Any) -> str:
    """Width and height of a PNG file, so that nothing moves when it comes."""
    path: Path = env["folder"] / address.removeprefix("/guide/")
    head = path.read_bytes()[:24] if path.suffix == ".png" and path.is_file() else b""
    if not head.startswith(_PNG):
        return ""
    width, height = (int.from_bytes(head[at : at + 4]) for at in (16, 20))
    return f' width="{width}" height="{height}"'


def _pictures(html: str, env: Any) -> str:
    reader = _Pictures()
    reader.feed(html)
    if reader.others:
        return str(escape(html))
    return " ".join(_picture(one.get("src", ""), one.get("alt", ""), env) for one in reader.found)


class _Pictures(HTMLParser):
    """Reads the pictures of a piece of HTML, and whether anything else is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.others = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A picture, or something else."""
        if tag == "img":
            self.found.append({name: value or "" for name, value in attrs})
        else:
            self.others = True

    def handle_endtag(self, tag: str) -> None:
        """The end of something else."""
        self.others = True

    def handle_data(self, data: str) -> None:
        """Text between pictures is none."""
        self.others = self.others or bool(data.strip())
