"""Method files: TOML that says what must hold in a run, and everything wrong with one.

As in specifications, every problem is told at once with its line, limits are text, unknown keys are
refused, and a method comes out only where there is no problem at all.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from batchqc.core.acceptance import Limits, Words
from batchqc.core.assays import INVESTIGATIONAL, REPORTABLE, RESULT_TYPES
from batchqc.core.identifiers import code_problem
from batchqc.core.methods import Method, ValidityCriterion
from batchqc.core.rounding import Rounding
from batchqc.core.vocabularies import Vocabulary
from batchqc.documents.analysis_file import read_analysis
from batchqc.documents.spec_accept import parse_limits, read_words
from batchqc.documents.spec_keys import CriterionKeys, Keys, SpecProblem
from batchqc.documents.spec_toml import read_effective, read_toml, read_vocabularies

MOST_RETESTS: Final = 12
SCHEMA: Final = "batchqc/method/1"
_KEYS: Final = (
    "schema",
    "id",
    "version",
    "title",
    "effective",
    "vocabularies",
    "validity",
    "max_retests",
    "analysis",
)
_OF_VALUES: Final = ("result_type", "unit", "accept", "vocabulary")
_VALIDITY: Final = ("analyte", "aliquot", "required", "max_cv", *_OF_VALUES)
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.]{0,19}")


@dataclass(frozen=True, slots=True)
class MethodReading:
    """What a file says: a method, or every problem in it."""

    method: Method | None
    problems: tuple[SpecProblem, ...]


def read_method(data: bytes, *, file: str, is_stored: bool = False) -> MethodReading:
    """Read the bytes of a method file; ``file`` is the name to show in problems.

    One that ``is_stored`` was imported before, perhaps when fewer files were refused.
    """
    content = read_toml(data, file=file)
    if isinstance(content, SpecProblem):
        return MethodReading(None, (content,))
    keys = Keys(data.decode("utf-8"), file, is_stored=is_stored)
    keys.refuse_unknown((), content, _KEYS)
    if content.get("schema") != SCHEMA:
        keys.problem(("schema",), f'expected schema = "{SCHEMA}"')
    code = keys.text((), content, "id")
    if code and code_problem(code):
        keys.problem(("id",), code_problem(code) or "")
    vocabularies = read_vocabularies(keys, content)
    tables = keys.tables((), content, "validity", required=False)
    method = Method(
        id=code,
        version=_version(keys, content),
        title=keys.text((), content, "title"),
        effective=read_effective(keys, content),
        validity=tuple(
            _criterion(CriterionKeys(keys, name, table, group="validity"), vocabularies)
            for name, table in tables.items()
        ),
        sha256=hashlib.sha256(data).hexdigest(),
        max_retests=_max_retests(keys, content),
        analysis=read_analysis(keys, content),
    )
    problems = tuple(sorted(keys.problems, key=lambda one: one.line))
    return MethodReading(None if problems else method, problems)


def _version(keys: Keys, content: Mapping[str, Any]) -> str:
    """A whole number, or text as files state it after the ``v``."""
    version = content.get("version")
    is_number = isinstance(version, int) and not isinstance(version, bool) and version >= 1
    text = str(version) if is_number or isinstance(version, str) else ""
    if _VERSION.fullmatch(text):
        return text
    keys.problem(("version",), 'expected what files state, such as version = 4 or version = "2.1"')
    return ""


def _max_retests(keys: Keys, content: Mapping[str, Any]) -> int | None:
    """How often a failing result may be measured again; nothing is allowed where it is absent."""
    number = content.get("max_retests")
    if number is None:
        return None
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= MOST_RETESTS:
        return number
    keys.problem(("max_retests",), f"expected a whole number from 0 to {MOST_RETESTS}")
    return None


def _criterion(keys: CriterionKeys, vocabularies: Mapping[str, Vocabulary]) -> ValidityCriterion:
    keys.keys.refuse_unknown(keys.path, keys.table, _VALIDITY)
    if "max_cv" in keys.table:
        for key in _OF_VALUES:
            if key in keys.table:
                keys.problem(key, "max_cv is of the reportable replicates: remove this key")
        result_type, accept = REPORTABLE, None
    else:
        result_type, accept = _result_type(keys), _accept(keys, vocabularies)
    return ValidityCriterion(
        id=keys.name,
        analyte=keys.code("analyte"),
        accept=accept,
        max_cv=keys.positive("max_cv"),
        result_type=result_type,
        aliquot=keys.text("aliquot", default=""),
        unit=keys.unit() if isinstance(accept, Limits) else "",
        required=keys.flag("required", default=True),
    )


def _result_type(keys: CriterionKeys) -> str:
    known = [one for one in RESULT_TYPES if one not in {REPORTABLE, INVESTIGATIONAL}]
    found = keys.text("result_type")
    if found in known:
        return found
    keys.problem("result_type", f"expected one of {', '.join(known)}")
    return REPORTABLE


def _accept(keys: CriterionKeys, vocabularies: Mapping[str, Vocabulary]) -> Limits | Words:
    if "vocabulary" in keys.table:
        return read_words(keys, vocabularies)
    if "unit" not in keys.table:
        keys.problem("unit", 'expected a unit, such as unit = "%" (1 where there is none)')
    text = keys.table.get("accept")
    limits = parse_limits(text) if isinstance(text, str) else None
    if limits is None:
        keys.problem("accept", 'expected limits as text, such as ">= 0.98" or "50 to 200"')
        return Limits("", ())
    if limits.passing(Rounding.ABSOLUTE).is_empty:
        keys.problem("accept", f'"{limits.text}" is impossible: no value can pass')
    return limits
