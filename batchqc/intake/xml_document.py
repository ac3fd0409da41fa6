"""An XML document, read once from its first byte to its last: rows, and the texts in them.

- A document type declaration is refused, so that no entity is ever read; so are elements deeper
  than 100 or more than 2,000,000, a text of more than 131,072 characters at a place, and an
  encoding that is not that of the profile.
- Nothing but the declared places is kept; each text has its line, and whether the bytes of the
  file there are that text.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from xml.parsers import expat

from batchqc.core.profiles import Elements
from batchqc.core.xml_paths import Step, XmlPath
from batchqc.intake.problems import Place, Report, Wrong, shown

DEEPEST: Final = 100
MOST_ELEMENTS: Final = 2_000_000
LONGEST: Final = 131_072

_HINT: Final = "Export it again from the program of the instrument."
_ATTRIBUTE: Final = re.compile(rb"""\s+([^\s=<>/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_Way = tuple[str, XmlPath, tuple[Step, ...]]


class Found(NamedTuple):
    """The text of a place, its line, and whether the bytes there are that text."""

    text: str
    line: int
    is_literal: bool


@dataclass(frozen=True, slots=True)
class XmlRow:
    """What stands below one row: number from 2, line of its begin, and what was found by place."""

    number: int
    line: int
    cells: dict[str, Found] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """What stands at a place; "" where the row has none."""
        return self.cells[name].text if name in self.cells else ""


class _Stop(Exception):
    """What is wrong is reported, and nothing more is read."""


@dataclass(slots=True)
class _Open:
    """An element that has begun; ``texts`` are the places whose text it holds."""

    tag: str
    attributes: Mapping[str, str]
    index: int
    line: int
    texts: list[tuple[str, XmlPath]] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    begins: tuple[int, int] | None = None


class XmlDocument:
    """One document: ``rows`` in order, ``labels`` of what stands outside them."""

    def __init__(self, data: bytes, elements: Elements, encoding: str, report: Report) -> None:
        """Take a document.

        Args:
            data: its text in UTF-8, whatever it declares.
            elements: what is read of it.
            encoding: of the file, as the profile declares it.
            report: takes the problems.
        """
        self.rows: list[XmlRow] = []
        self.labels: list[tuple[str, Found]] = []
        self._data, self._elements, self._encoding, self._report = data, elements, encoding, report
        self._ways = _ways(elements)
        self._open: list[_Open] = []
        self._count = 0
        self._row: XmlRow | None = None
        self._parser = expat.ParserCreate("utf-8")
        self._parser.XmlDeclHandler = self._declaration
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def is_read(self) -> bool:
        """Read it to its end; else what is wrong has been reported."""
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            said = f"not well-formed XML: {expat.ErrorString(error.code)} in line {error.lineno}"
            self._report.add(Wrong("E117", said, _HINT), place=Place(line=error.lineno))
            return False
        except _Stop:
            return False
        return True

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        wanted = codecs.lookup(self._encoding).name
        try:
            is_same = not encoding or codecs.lookup(encoding).name in _also_named(wanted)
        except LookupError:
            is_same = False
        if not is_same:
            said = f"the profile says {wanted}, and the document says {shown(encoding or '')}"
            self._stop(Wrong("E103", said, "Choose the profile of this export."))

    def _doctype(self, name: str, *_others: object) -> None:
        message = f"the document declares its type ({shown(name)}), by which text can be hidden"
        self._stop(Wrong("E117", message, "Export it without a line <!DOCTYPE …>."))

    def _stop(self, wrong: Wrong) -> None:
        self._report.add(wrong, place=Place(line=self._parser.CurrentLineNumber))
        raise _Stop

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        begins, line = self._parser.CurrentByteIndex, self._parser.CurrentLineNumber
        element = _Open(tag, attributes, begins, line)
        self._open.append(element)
        self._count += 1
        if len(self._open) > DEEPEST or self._count > MOST_ELEMENTS:
            said = f"elements are more than {DEEPEST} deep, or more than {MOST_ELEMENTS:,}"
            self._stop(Wrong("E117", said, _HINT))
        if self._is_row():
            self._begin_row(line)
        for name, path, steps in self._ways.get((len(self._open), tag), ()):
            if _is_there(steps, self._open):
                if path.attribute:
                    self._take(name, path, self._attribute(element, path.attribute))
                else:
                    element.texts.append((name, path))
                    self._parser.CharacterDataHandler = self._text

    def _begin_row(self, line: int) -> None:
        self._row = XmlRow(len(self.rows) + 2, line)
        self.rows.append(self._row)
        for name, path in self._elements.places.items():
            if not path.steps and path.up < len(self._open):
                of = self._open[-1 - path.up]
                self._take(name, path, self._attribute(of, path.attribute))

    def _text(self, piece: str) -> None:
        element = self._open[-1]
        if element.texts:
            here = (self._parser.CurrentByteIndex, self._parser.CurrentLineNumber)
            element.begins = element.begins or here
            element.pieces.append(piece)
            if here[0] - element.begins[0] + len(piece) > LONGEST:
                message = f"{element.tag} holds more than {LONGEST:,} characters"
                self._stop(Wrong("E114", message, "Check that this is the export of the profile."))

    def _end(self, _tag: str) -> None:
        element = self._open[-1]
        for name, path in element.texts:
            self._take(name, path, self._content(element))
        if self._is_row():
            self._row = None
        self._open.pop()
        if element.texts and not any(one.texts for one in self._open):
            self._parser.CharacterDataHandler = None

    def _is_row(self) -> bool:
        steps = self._elements.row.steps
        return len(self._open) == len(steps) and _is_there(steps, self._open)

    def _content(self, element: _Open) -> Found:
        """The text of an element that ends here, without outer spaces."""
        text = "".join(element.pieces)
        start, line = element.begins or (self._parser.CurrentByteIndex, element.line)
        raw = self._data[start : self._parser.CurrentByteIndex].strip()
        line += text[: len(text) - len(text.lstrip())].count("\n")
        return Found(text.strip(), line, raw == text.strip().encode())

    def _attribute(self, element: _Open, name: str) -> Found | None:
        """The text of an attribute, looked up in the bytes of its element."""
        text = element.attributes.get(name)
        at = element.index + 1 + len(element.tag.encode())
        while text is not None and (one := _ATTRIBUTE.match(self._data, at)) is not None:
            at = one.end()
            if one[1] == name.encode():
                which = 3 if one[2] is None else 2
                line = element.line + self._data.count(b"\n", element.index, one.start(which))
                return Found(text, line, one[which] == text.encode())
        return None

    def _take(self, name: str, path: XmlPath, found: Found | None) -> None:
        """Keep what stands at a place."""
        if found is None:
            return
        if path.from_root:
            self.labels.append((name, found))
        elif self._row is not None and name not in self._row.cells:
            self._row.cells[name] = found
        elif self._row is not None:
            lines = f"{self._row.cells[name].line} and {found.line}"
            message = f'"{name}" stands twice in row {self._row.number} (lines {lines})'
            hint = "Give each population its own name; nobody else can say which one counts."
            place = Place(self._row.number, found.line, name)
            self._report.add(Wrong("E107", message, hint), place=place, text=found.text)


def _also_named(wanted: str) -> frozenset[str]:
    """What a document of an encoding may call it: by the order of its bytes, or with its mark."""
    marked = {"utf-8": ("utf-8-sig",), "utf-16": ("utf-16-le", "utf-16-be")}
    return frozenset((wanted, *marked.get(wanted, ())))


def _ways(elements: Elements) -> Mapping[tuple[int, str], list[_Way]]:
    """Places that have a way of their own, from the root, by depth and last tag."""
    found: dict[tuple[int, str], list[_Way]] = {}
    for name, path in elements.places.items():
        steps = path.steps if path.from_root else (*elements.row.steps, *path.steps)
        if path.steps:
            found.setdefault((len(steps), steps[-1].tag), []).append((name, path, steps))
    return found


def _is_there(steps: tuple[Step, ...], elements: list[_Open]) -> bool:
    """Whether the open elements are those of a way of the same length."""
    pairs = zip(reversed(steps), reversed(elements), strict=True)
    return all(step.matches(element.tag, element.attributes) for step, element in pairs)
