"""Specification files: TOML that a QA person reads and writes, and everything wrong with one.

- Every problem is reported at once, with the file, the line, the key and what was expected.
- Limits are text, so that ``98.0`` keeps its zero. Unknown keys are refused.
- A specification comes out only where there is no problem at all.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from batchqc.core.acceptance import ReportOnly
from batchqc.core.criteria import Criterion
from batchqc.core.identifiers import id_problem
from batchqc.core.rounding import Rounding
from batchqc.core.specifications import Specification, Stage
from batchqc.core.subjects import DonorFact, Group, Measured
from batchqc.core.vocabularies import Term, Vocabulary, plain
from batchqc.documents.spec_criterion import read_criterion
from batchqc.documents.spec_keys import Keys, SpecProblem
from batchqc.documents.spec_links import check_links

SCHEMA: Final = "batchqc/specification/1"
LARGEST_FILE: Final = 5_000_000
DECISION_RULE: Final = "simple acceptance: measurement uncertainty is not considered"
GUARDED_RULE: Final = (
    "guard bands: a result within the stated band of a limit is not accepted; where none is stated,"
    " simple acceptance"
)
_KEYS: Final = (
    "schema", "id", "version", "product", "stage", "title", "effective", "rounding",
    "decision_rule", "sources", "vocabularies", "criteria", "market",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SpecReading:
    """What a file says: a specification, or every problem in it."""

    specification: Specification | None
    problems: tuple[SpecProblem, ...]


def read_specification(data: bytes, *, file: str) -> SpecReading:
    """Read the bytes of a specification file.

    Args:
        data: UTF-8 TOML.
        file: the name to show in problems.
    """
    if len(data) > LARGEST_FILE:
        return _refused(file, 0, f"the file is larger than {LARGEST_FILE} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return _refused(file, line, "not UTF-8 text; save the file as UTF-8")
    try:
        content = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:  # numbers beyond all bounds too
        return _refused(file, _line_of_error(str(error)), f"not valid TOML: {error}")
    return _Document(content, Keys(text, file)).read()


def _rule(criteria: tuple[Criterion, ...]) -> str:
    return GUARDED_RULE if any(one.guard is not None for one in criteria) else DECISION_RULE


def _refused(file: str, line: int, message: str) -> SpecReading:
    return SpecReading(None, (SpecProblem(file, line, "", message),))


def _line_of_error(message: str) -> int:
    _, found, rest = message.partition("at line ")
    number = rest.split(",", maxsplit=1)[0]
    return int(number) if found and number.isdigit() else 0


class _Document:
    """Reads the top level, then each vocabulary and criterion; collects every problem."""

    def __init__(self, content: Mapping[str, Any], keys: Keys) -> None:
        self.content = content
        self.keys = keys

    def read(self) -> SpecReading:
        keys, content = self.keys, self.content
        keys.refuse_unknown((), content, _KEYS)
        if content.get("schema") != SCHEMA:
            keys.problem(("schema",), f'expected schema = "{SCHEMA}"')
        name = keys.text((), content, "id")
        if name and id_problem(name):
            keys.problem(("id",), id_problem(name) or "")
        rounding = keys.choice((), content, "rounding", Rounding) or Rounding.ABSOLUTE
        vocabularies = self._vocabularies()
        criteria = self._criteria(vocabularies, rounding)
        specification = Specification(
            id=name,
            version=self._version(),
            product=keys.text((), content, "product"),
            stage=keys.choice((), content, "stage", Stage) or Stage.RELEASE,
            title=keys.text((), content, "title"),
            effective=self._effective(),
            rounding=rounding,
            criteria=criteria,
            decision_rule=keys.text((), content, "decision_rule", default=_rule(criteria)),
            vocabularies=tuple(vocabularies.values()),
            sources=keys.texts((), content, "sources"),
            market=keys.text((), content, "market", default="").strip().upper(),
        )
        problems = tuple(sorted(keys.problems, key=lambda one: one.line))
        return SpecReading(None if problems else specification, problems)

    def _version(self) -> int:
        version = self.content.get("version")
        if isinstance(version, int) and not isinstance(version, bool) and version >= 1:
            return version
        self.keys.problem(("version",), "expected a whole number from 1, such as version = 1")
        return 1

    def _effective(self) -> date:
        effective = self.content.get("effective")
        if isinstance(effective, date) and not isinstance(effective, datetime):
            return effective
        self.keys.problem(("effective",), "expected a date, such as effective = 2026-01-15")
        return date.min

    def _vocabularies(self) -> dict[str, Vocabulary]:
        found = {}
        tables = self.keys.tables((), self.content, "vocabularies", required=False)
        for name, table in tables.items():
            path = ("vocabularies", name)
            version = table.get("version")
            if not isinstance(version, int) or isinstance(version, bool):
                self.keys.problem((*path, "version"), "expected a whole number")
            terms = [
                Term(term, self.keys.texts(path, table, term))
                for term in table
                if term != "version"
            ]
            if len(terms) < 2:
                self.keys.problem(path, "expected at least two words, one that passes and one not")
            self._unambiguous(path, terms)
            if any(plain(one.name) == ReportOnly().text for one in terms):
                self.keys.problem(path, f'"{ReportOnly().text}" is no word of a vocabulary')
            found[name] = Vocabulary(name, version if isinstance(version, int) else 0, tuple(terms))
        return found

    def _unambiguous(self, path: tuple[str, ...], terms: list[Term]) -> None:
        seen: dict[str, str] = {}
        for term in terms:
            for word in (term.name, *term.synonyms):
                other = seen.setdefault(plain(word), term.name)
                if other != term.name:
                    self.keys.problem(
                        (*path, term.name), f'"{word}" means both "{other}" and "{term.name}"'
                    )

    def _criteria(
        self, vocabularies: Mapping[str, Vocabulary], rounding: Rounding
    ) -> tuple[Criterion, ...]:
        tables = self.keys.tables((), self.content, "criteria", required=True)
        criteria = [
            read_criterion(self.keys, name, table, vocabularies, rounding)
            for name, table in tables.items()
        ]
        counted = {name for one in criteria for name in one.needs if isinstance(one.subject, Group)}
        if tables and not any(
            one.required and one.is_judged and one.id not in counted for one in criteria
        ):
            self.keys.problem(
                ("criteria",), "no judged criterion or group is required: any lot would pass"
            )
        check_links(self.keys, criteria)
        seen: dict[object, str] = {}
        for one in criteria:
            match one.subject:
                case Measured(test=test, analyte=analyte):
                    key: object = (test, analyte)
                case DonorFact() as key:
                    pass
                case _:
                    continue
            other = seen.setdefault(key, one.id)
            if other != one.id:
                self.keys.problem(
                    ("criteria", one.id), f'measures the same as criterion "{other}": remove one'
                )
        return tuple(criteria)
