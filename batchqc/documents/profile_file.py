"""Profile files: TOML that says how an instrument's files are read, and what is wrong with one.

Every problem is reported at once, with the line, the key and what was expected. Unknown keys are
refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from batchqc.core.identifiers import code_problem, id_problem
from batchqc.core.profiles import Elements, Header, Layout, Marks, Profile, ResultColumn, Source
from batchqc.core.units import unit_problem
from batchqc.documents.profile_xml import XML_KEYS, check_elements, read_elements
from batchqc.documents.spec_keys import Keys, Path, SpecProblem
from batchqc.documents.spec_toml import read_toml

SCHEMA: Final = "batchqc/profile/1"
#: Encodings that a profile may declare, as Python names them.
ENCODINGS: Final = (
    "utf-8", "utf-16", "cp1250", "cp1251", "cp1252", "cp437", "cp850", "iso-8859-1",
    "iso-8859-2", "iso-8859-15", "mac-roman",
)  # fmt: skip
DELIMITERS: Final = {",": ",", ";": ";", "TAB": "\t", ":": ":", "": ""}
CONTRACT_COLUMNS: Final = (
    "lot_id", "sample_id", "aliquot", "replicate", "started_at", "measured_at", "analyst",
    "instrument_id", "run_id", "method_id", "comment",
)  # fmt: skip
_NEEDED: Final = ("sample_id", "replicate", "measured_at", "analyst")
_TIMES: Final = ("started_at", "measured_at")
_MOMENT: Final = (("Y", "y"), ("m", "b", "B"), ("d",), ("H", "I"), ("M",))  # each of them once
_MORE: Final = ("S", "f", "p", "z", "a", "A")
_TYPES: Final = ("reportable", "raw", "control", "standard", "blank")
_DECIMAL: Final = (".", ",")
_THOUSANDS: Final = ("", ",", ".", "'", " ", "\u00a0", "\u202f")
_KEYS: Final = (
    "schema",
    "id",
    "version",
    "title",
    "sources",
    "file",
    "header",
    "xml",
    "columns",
    "results",
)
_FILE: Final = ("layout", "encoding", "delimiter", "decimal", "thousands")
_HEADER: Final = ("row", "holds", "rows", "after", "until", "skip")
_SOURCE: Final = ("column", "label", "fixed", "asked", "formats", "offset", "before", "after")
_RESULT: Final = ("column", "test", "analyte", "unit", "suffix", "absent", "result_type")


@dataclass(frozen=True, slots=True)
class ProfileReading:
    """What a file says: a profile, or every problem in it."""

    profile: Profile | None
    problems: tuple[SpecProblem, ...]


def read_profile(data: bytes, *, file: str) -> ProfileReading:
    """Read the bytes of a profile file.

    Args:
        data: UTF-8 TOML.
        file: the name to show in problems.
    """
    content = read_toml(data, file=file)
    if isinstance(content, SpecProblem):
        return ProfileReading(None, (content,))
    return _Document(content, Keys(data.decode(), file)).read()


class _Document:
    def __init__(self, content: Mapping[str, Any], keys: Keys) -> None:
        self.content, self.keys = content, keys

    def read(self) -> ProfileReading:
        keys, content = self.keys, self.content
        keys.refuse_unknown((), content, _KEYS)
        if content.get("schema") != SCHEMA:
            keys.problem(("schema",), f'expected schema = "{SCHEMA}"')
        name = keys.text((), content, "id")
        if name and id_problem(name):
            keys.problem(("id",), id_problem(name) or "")
        file = self._table("file", _FILE)
        layout = keys.choice(("file",), file, "layout", Layout) or Layout.TABLE
        profile = Profile(
            id=name,
            version=self._whole((), content, "version", 1_000_000),
            title=keys.text((), content, "title"),
            layout=layout,
            encoding=self._one_of(("file",), file, "encoding", ENCODINGS, "utf-8"),
            delimiter=DELIMITERS[self._one_of(("file",), file, "delimiter", tuple(DELIMITERS), "")],
            marks=Marks(
                self._one_of(("file",), file, "decimal", _DECIMAL, "."),
                self._one_of(("file",), file, "thousands", _THOUSANDS, ""),
            ),
            header=self._header(),
            elements=self._elements(),
            columns=self._columns(),
            results=self._results(),
            sources=keys.texts((), content, "sources"),
        )
        self._check(profile)
        problems = tuple(sorted(keys.problems, key=lambda one: one.line))
        return ProfileReading(None if problems else profile, problems)

    def _check(self, profile: Profile) -> None:
        """What only the whole can say."""
        if profile.marks.decimal == profile.marks.thousands:
            self.keys.problem(("file", "thousands"), "is the decimal mark too")
        if profile.layout in {Layout.LONG, Layout.WIDE}:
            for key in ("header", "xml", "columns", "results"):
                if key in self.content:
                    self.keys.problem((key,), f'layout "{profile.layout}" is a contract: remove it')
        else:
            self._check_table(profile)

    def _check_table(self, profile: Profile) -> None:
        if not profile.results:
            self.keys.problem(("results",), "expected at least one table [[results]]")
        missing = [name for name in _NEEDED if name not in profile.columns]
        if missing:
            self.keys.problem(("columns",), f"does not say where {', '.join(missing)} comes from")
        header, is_headless = profile.header, profile.layout in {Layout.PAGE, Layout.XML}
        if is_headless and "header" in self.content:
            self.keys.problem(("header",), f"layout {profile.layout} has no header row: remove it")
        if not is_headless and bool(header.row) == bool(header.holds):
            self.keys.problem(("header",), 'expected either row = 6 or holds = ["…", "…"]')
        if profile.layout is Layout.XML:
            check_elements(self.keys, profile)
        elif "xml" in self.content:
            self.keys.problem(("xml",), 'belongs to layout = "xml": remove it')
        measured = {(one.test, one.analyte, one.result_type) for one in profile.results}
        if len(measured) < len(profile.results):
            self.keys.problem(("results",), "two columns of results measure the same")

    def _header(self) -> Header:
        path, table = ("header",), self._table("header", _HEADER)
        until = table.get("until", "")
        if not isinstance(until, str):
            self.keys.problem((*path, "until"), "expected text")
            until = ""
        return Header(
            row=self._whole(path, table, "row", 10_000) if "row" in table else 0,
            holds=self.keys.texts(path, table, "holds"),
            rows=self._whole(path, table, "rows", 3) if "rows" in table else 1,
            after=self.keys.texts(path, table, "after"),
            until=until,
            skip=self.keys.texts(path, table, "skip"),
        )

    def _elements(self) -> Elements:
        return (
            read_elements(self.keys, self._table("xml", XML_KEYS))
            if "xml" in self.content
            else Elements()
        )

    def _columns(self) -> dict[str, Source]:
        table = self._table("columns", CONTRACT_COLUMNS)
        return {
            name: self._source(("columns", name), name, value)
            for name, value in table.items()
            if name in CONTRACT_COLUMNS
        }

    def _source(self, path: Path, name: str, value: object) -> Source:
        if isinstance(value, str) and value.strip():
            value = {"column": value}
        if not isinstance(value, dict):
            self.keys.problem(path, "expected the header of a column, or a table { … }")
            return Source()
        self.keys.refuse_unknown(path, value, _SOURCE)
        texts = {
            key: self.keys.text(path, value, key)
            for key in ("column", "label", "fixed", "offset", "before", "after")
            if key in value
        }
        formats = self.keys.texts(path, value, "formats")
        asked = value.get("asked", False) is True
        places = [key for key in ("column", "label", "fixed") if key in value]
        if len(places) + asked != 1:
            self.keys.problem(path, "expected one of column, label, fixed, or asked = true")
        if "offset" in texts and not formats:
            self.keys.problem((*path, "offset"), "belongs to formats")
        for problem in filter(None, map(_form_problem, formats)):
            self.keys.problem((*path, "formats"), problem)
        if formats and (name not in _TIMES or not {"column", "label"} & set(places)):
            self.keys.problem((*path, "formats"), "only a time that stands in the file has a form")
        if name in _TIMES and not formats and {"column", "label"} & set(places):
            formats = ("ISO 8601",)
        return Source(asked=asked, formats=formats, **texts)

    def _results(self) -> tuple[ResultColumn, ...]:
        tables = self.content.get("results", [])
        if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
            self.keys.problem(("results",), "expected tables [[results]]")
            return ()
        return tuple(
            self._result(("results", str(n)), one) for n, one in enumerate(tables, start=1)
        )

    def _result(self, path: Path, table: Mapping[str, Any]) -> ResultColumn:
        self.keys.refuse_unknown(path, table, _RESULT)
        test, analyte = (self.keys.text(path, table, key) for key in ("test", "analyte"))
        for key, code in (("test", test), ("analyte", analyte)):
            if code and code_problem(code):
                self.keys.problem((*path, key), code_problem(code) or "")
        unit = self.keys.text(path, table, "unit", default="")
        if unit and unit_problem(unit):
            self.keys.problem((*path, "unit"), unit_problem(unit) or "")
        return ResultColumn(
            name=self.keys.text(path, table, "column"),
            test=test,
            analyte=analyte,
            unit=unit,
            suffix=self.keys.text(path, table, "suffix", default=""),
            absent=self.keys.texts(path, table, "absent"),
            result_type=self._one_of(path, table, "result_type", _TYPES, "reportable"),
        )

    def _table(self, key: str, known: tuple[str, ...]) -> Mapping[str, Any]:
        value = self.content.get(key, {})
        if not isinstance(value, dict):
            self.keys.problem((key,), f"expected a table [{key}]")
            return {}
        self.keys.refuse_unknown((key,), value, known)
        return value

    def _whole(self, path: Path, table: Mapping[str, Any], key: str, most: int) -> int:
        value = table.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            return value
        self.keys.problem((*path, key), f"expected a whole number from 1 to {most}")
        return 1

    def _one_of(
        self, path: Path, table: Mapping[str, Any], key: str, words: tuple[str, ...], default: str
    ) -> str:
        value = table.get(key, default)
        if isinstance(value, str) and value in words:
            return value
        listed = ", ".join(f'"{word}"' for word in words if word)
        self.keys.problem((*path, key), f"expected one of {listed}")
        return default


def _form_problem(form: str) -> str:
    """Why a form of ``strptime`` does not say one moment of the site's clock, or ""."""
    named = re.findall("%(.)", form.replace("%%", ""))
    known = {*chain(*_MOMENT), *_MORE}
    if strange := [f"%{one}" for one in named if one not in known]:
        return f'"{form}" has {", ".join(strange)}, which is not read'
    if any(len(set(one) & set(named)) != 1 for one in _MOMENT) or len(set(named)) < len(named):
        return f'"{form}" does not say year, month, day, hour and minute, each once'
    if ("I" in named) != ("p" in named):
        return f'"{form}": %I and %p belong together'
    return ""
