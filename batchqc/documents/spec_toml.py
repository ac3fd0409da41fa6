"""What specifications, methods and profiles have in common as files: TOML, dates, vocabularies."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from batchqc.core.acceptance import ReportOnly
from batchqc.core.vocabularies import Term, Vocabulary, plain
from batchqc.documents.spec_keys import Keys, SpecProblem

LARGEST_FILE: Final = 5_000_000


def read_toml(data: bytes, *, file: str) -> dict[str, Any] | SpecProblem:
    """The content of a file of UTF-8 TOML, or why it cannot be read."""
    if len(data) > LARGEST_FILE:
        return _refused(file, 0, f"the file is larger than {LARGEST_FILE} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return _refused(file, line, "not UTF-8 text; save the file as UTF-8")
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:  # numbers beyond all bounds too
        return _refused(file, _line_of_error(str(error)), f"not valid TOML: {error}")


def read_effective(keys: Keys, content: Mapping[str, Any]) -> date:
    """The date from which a document applies."""
    effective = content.get("effective")
    if isinstance(effective, date) and not isinstance(effective, datetime):
        return effective
    keys.problem(("effective",), "expected a date, such as effective = 2026-01-15")
    return date.min


def read_vocabularies(keys: Keys, content: Mapping[str, Any]) -> dict[str, Vocabulary]:
    """The vocabularies of a file, by name."""
    found = {}
    tables = keys.tables((), content, "vocabularies", required=False)
    for name, table in tables.items():
        path = ("vocabularies", name)
        version = table.get("version")
        if not isinstance(version, int) or isinstance(version, bool):
            keys.problem((*path, "version"), "expected a whole number")
        terms = [Term(term, keys.texts(path, table, term)) for term in table if term != "version"]
        if len(terms) < 2:
            keys.problem(path, "expected at least two words, one that passes and one not")
        _unambiguous(keys, path, terms)
        if any(plain(one.name) == ReportOnly().text for one in terms):
            keys.problem(path, f'"{ReportOnly().text}" is no word of a vocabulary')
        found[name] = Vocabulary(name, version if isinstance(version, int) else 0, tuple(terms))
    return found


def _unambiguous(keys: Keys, path: tuple[str, ...], terms: Sequence[Term]) -> None:
    seen: dict[str, str] = {}
    for term in terms:
        for word in (term.name, *term.synonyms):
            other = seen.setdefault(plain(word), term.name)
            if other != term.name:
                keys.problem((*path, term.name), f'"{word}" means both "{other}" and "{term.name}"')


def _refused(file: str, line: int, message: str) -> SpecProblem:
    return SpecProblem(file, line, "", message)


def _line_of_error(message: str) -> int:
    _, found, rest = message.partition("at line ")
    number = rest.split(",", maxsplit=1)[0]
    return int(number) if found and number.isdigit() else 0
