"""Layout files: TOML that says how certificates look and for whom, and everything wrong with one.

Every problem is reported at once, with the line, the key and what was expected. Unknown keys are
refused. Only a layout that names a recipient may withhold anything.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from batchqc.core.certificate_layouts import Language, Layout, PaperSize
from batchqc.core.identifiers import code_problem, id_problem
from batchqc.documents.spec_keys import Keys, SpecProblem
from batchqc.documents.spec_keys import Path as Place
from batchqc.documents.spec_toml import read_toml

SCHEMA: Final = "batchqc/layout/1"
LONGEST_LINE: Final = 80
MOST_LINES: Final = 8
_LARGEST: Final = 1_000_000
_KEYS: Final = (
    "schema",
    "id",
    "version",
    "title",
    "language",
    "paper",
    "recipient",
    "product",
    "letterhead",
    "order",
    "titles",
    "withhold",
    "footnotes",
)
_LETTERHEAD: Final = ("address", "contact")


@dataclass(frozen=True, slots=True)
class LayoutReading:
    """What a file says: a layout, or every problem in it."""

    layout: Layout | None
    problems: tuple[SpecProblem, ...]


def read_layout(data: bytes, *, file: str) -> LayoutReading:
    """Read the bytes of a layout file; ``file`` is the name to show in problems."""
    content = read_toml(data, file=file)
    if isinstance(content, SpecProblem):
        return LayoutReading(None, (content,))
    keys = Keys(data.decode("utf-8"), file)
    keys.refuse_unknown((), content, _KEYS)
    if content.get("schema") != SCHEMA:
        keys.problem(("schema",), f'expected schema = "{SCHEMA}"')
    letterhead = _table(keys, content, "letterhead")
    keys.refuse_unknown(("letterhead",), letterhead, _LETTERHEAD)
    layout = Layout(
        id=_code(keys, content, "id"),
        version=_version(keys, content),
        title=_line(keys, content, "title"),
        language=keys.choice((), content, "language", Language) or Language.ENGLISH,
        paper=keys.choice((), content, "paper", PaperSize) or PaperSize.A4,
        sha256=hashlib.sha256(data).hexdigest(),
        recipient=_line(keys, content, "recipient", default=""),
        product=_code(keys, content, "product") if "product" in content else "",
        address=_lines(keys, ("letterhead",), letterhead, "address"),
        contact=_lines(keys, ("letterhead",), letterhead, "contact"),
        order=_criteria(keys, content, "order"),
        titles=_titles(keys, content),
        withhold=_criteria(keys, content, "withhold"),
        footnotes=_printable(keys, ("footnotes",), keys.texts((), content, "footnotes")),
    )
    if layout.withhold and not layout.recipient:
        keys.problem(("withhold",), "only a layout with a recipient may withhold anything")
    problems = tuple(sorted(keys.problems, key=lambda one: one.line))
    return LayoutReading(None if problems else layout, problems)


def unshown(layout: Layout, *, fonts: Path) -> list[str]:
    """Each text of the layout with a character that a page could only show by its number.

    Args:
        layout: as read.
        fonts: the folder of the fonts of documents.
    """
    from batchqc.documents.coa_fonts import as_shown  # noqa: PLC0415 - only who imports pays for it

    texts = [
        ("recipient", layout.recipient),
        *(("letterhead.address", one) for one in layout.address),
        *(("letterhead.contact", one) for one in layout.contact),
        *((f"titles.{name}", one) for name, one in layout.titles),
        *(("footnotes", one) for one in layout.footnotes),
    ]
    shown = [(key, text, as_shown(text, folder=fonts)) for key, text in texts]
    return [
        f"{key}: the page would show “{there}”: use characters that its fonts have"
        for key, text, there in shown
        if there != unicodedata.normalize("NFC", text)
    ]


def _version(keys: Keys, content: Mapping[str, Any]) -> int:
    version = content.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and 1 <= version <= _LARGEST:
        return version
    keys.problem(("version",), "expected a whole number from 1, such as version = 1")
    return 0


def _code(keys: Keys, content: Mapping[str, Any], key: str) -> str:
    name = keys.text((), content, key)
    problem = id_problem(name) if key == "id" else code_problem(name)
    if name and problem:
        keys.problem((key,), problem)
    return name


def _line(keys: Keys, content: Mapping[str, Any], key: str, *, default: str | None = None) -> str:
    text = keys.text((), content, key, default=default)
    return next(iter(_printable(keys, (key,), [text])), "") if text else text


def _lines(keys: Keys, path: Place, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Lines of the letterhead: few enough, and short enough, to stand beside the number."""
    found = _printable(keys, (*path, key), keys.texts(path, table, key))
    if len(found) > MOST_LINES or any(len(one) > LONGEST_LINE for one in found):
        keys.problem(
            (*path, key), f"expected at most {MOST_LINES} lines of {LONGEST_LINE} characters"
        )
    return found


def _criteria(keys: Keys, content: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = keys.texts((), content, key)
    for name, many in Counter(found).items():
        if many > 1:
            keys.problem((key,), f"{name} is named {many} times")
    return found


def _titles(keys: Keys, content: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Wordings, each of one criterion: two with the same could not be told apart."""
    table = _table(keys, content, "titles")
    named = [(name, keys.text(("titles",), table, name)) for name in table]
    for name, text in named:
        _printable(keys, ("titles", name), [text])
    for text, many in Counter(text.strip().casefold() for _, text in named if text).items():
        if many > 1:
            keys.problem(("titles",), f"“{text}” is the wording of {many} criteria")
    return tuple(named)


def _table(keys: Keys, content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = content.get(key, {})
    if isinstance(table, dict):
        return table
    keys.problem((key,), f"expected a table [{key}]")
    return {}


def _printable(keys: Keys, path: Place, texts: Sequence[str]) -> tuple[str, ...]:
    for text in texts:
        if not text.isprintable():
            keys.problem(path, "expected one line without control characters")
    return tuple(texts)
