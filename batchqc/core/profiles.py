"""Profiles: how the files of one instrument or site are read, declared and approved, never guessed.

A profile turns a table, a page of names and values, a plate, or an XML document into rows of the
long contract. It states encoding, delimiter, decimal mark, where the header stands, and for each
column of the contract where its text comes from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from batchqc.core.xml_paths import XmlPath


class Layout(StrEnum):
    """How a file is laid out.

    A plate has wells: the header numbers its columns, the first cell of a row is the letter, and
    the last one says what was read. Its column ``Well`` is made of number and letter. An XML
    document has elements, of which one kind are the rows; places below them are the columns.
    """

    LONG = "long"
    WIDE = "wide"
    TABLE = "table"
    PAGE = "page"
    PLATE = "plate"
    XML = "xml"


@dataclass(frozen=True, slots=True)
class Marks:
    """How numbers are written: the decimal mark, and the one between thousands ("" is none)."""

    decimal: str = "."
    thousands: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header of a table stands.

    Args:
        row: the row, from 1; 0 where it is found by ``holds``.
        holds: names that the header row holds, all of them.
        rows: how many rows make the header; their cells are joined by a space.
        after: cells of the line after which it is looked for; none is the beginning of the file.
        until: first filled cell of the row that ends the table; "" is a blank row, where ``after``
            is stated, else the end of the file.
        skip: rows whose first filled cell is one of these are left out, and listed.
    """

    row: int = 0
    holds: tuple[str, ...] = ()
    rows: int = 1
    after: tuple[str, ...] = ()
    until: str = ""
    skip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Elements:
    """What of an XML document is read.

    Args:
        row: the element that is a row.
        places: where each column stands; one that begins at the root is a line of name and value.
        skip: by column, the texts of rows that are left out, and listed.
        require: by column, the texts of which each row must say one, or the file is refused.
        refuse: by column, the texts by which a row refuses the file: what an instrument writes
            where it did not measure.
    """

    row: XmlPath = field(default_factory=XmlPath)
    places: Mapping[str, XmlPath] = field(default_factory=dict)
    skip: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    require: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refuse: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the text of a column of the contract comes from: one of four places.

    Args:
        column: the header of a column of the table.
        label: the first cell of a line of names and values; its text is the next cell.
        fixed: the same text in every row.
        asked: who uploads states it.
        formats: the forms of a time, as of ``strptime``; it is site-local.
        offset: the label of the line that holds the hours from UTC of that time.
        before: only what stands before the last such mark is read.
        after: only what stands after the first such mark is read.
    """

    column: str = ""
    label: str = ""
    fixed: str = ""
    asked: bool = False
    formats: tuple[str, ...] = ()
    offset: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column (or label) of results: what it measures, and in which unit.

    Args:
        name: its header or label.
        test: code of the test.
        analyte: code of the analyte.
        unit: UCUM code; "" for words.
        suffix: what each cell may end in, which is not part of the value.
        absent: cells that say "not reported".
        result_type: as in the contract.
    """

    name: str
    test: str
    analyte: str
    unit: str = ""
    suffix: str = ""
    absent: tuple[str, ...] = ()
    result_type: str = "reportable"


@dataclass(frozen=True, slots=True)
class Profile:
    """One version of a profile."""

    id: str
    version: int
    title: str
    layout: Layout
    encoding: str = "utf-8"
    delimiter: str = ""
    marks: Marks = Marks()
    header: Header = Header()
    columns: Mapping[str, Source] = field(default_factory=dict)
    results: tuple[ResultColumn, ...] = ()
    sources: tuple[str, ...] = ()
    elements: Elements = field(default_factory=Elements)

    @property
    def reference(self) -> str:
        """Id and version as people write it."""
        return f"{self.id} v{self.version}"

    @property
    def asked(self) -> tuple[str, ...]:
        """Columns of the contract that who uploads has to state."""
        return tuple(name for name, source in self.columns.items() if source.asked)
