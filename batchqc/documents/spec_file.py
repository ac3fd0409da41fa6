"""Specification files: TOML that a QA person reads and writes, and everything wrong with one.

- Every problem is reported at once, with the file, the line, the key and what was expected.
- Limits are text, so that ``98.0`` keeps its zero. Unknown keys are refused.
- A specification comes out only where there is no problem at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from batchqc.core.canonical import LARGEST_INTEGER
from batchqc.core.criteria import Criterion
from batchqc.core.identifiers import id_problem
from batchqc.core.rounding import Rounding
from batchqc.core.specifications import Specification, Stage
from batchqc.core.subjects import DonorFact, Group, Measured
from batchqc.core.vocabularies import Vocabulary
from batchqc.documents.spec_criterion import read_criterion
from batchqc.documents.spec_keys import Keys, SpecProblem
from batchqc.documents.spec_links import check_links
from batchqc.documents.spec_toml import read_effective, read_toml, read_vocabularies

SCHEMA: Final = "batchqc/specification/1"
LARGEST_VERSION: Final = 1_000_000
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


def read_specification(data: bytes, *, file: str, is_stored: bool = False) -> SpecReading:
    """Read the bytes of a specification file.

    Args:
        data: UTF-8 TOML.
        file: the name to show in problems.
        is_stored: whether it was imported before, perhaps when fewer files were refused.
    """
    content = read_toml(data, file=file)
    if isinstance(content, SpecProblem):
        return SpecReading(None, (content,))
    return _Document(content, Keys(data.decode("utf-8"), file, is_stored=is_stored)).read()


def _rule(criteria: tuple[Criterion, ...]) -> str:
    return GUARDED_RULE if any(one.guard is not None for one in criteria) else DECISION_RULE


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
        vocabularies = read_vocabularies(keys, content)
        criteria = self._criteria(vocabularies, rounding)
        specification = Specification(
            id=name,
            version=self._version(),
            product=keys.text((), content, "product"),
            stage=keys.choice((), content, "stage", Stage) or Stage.RELEASE,
            title=keys.text((), content, "title"),
            effective=read_effective(keys, content),
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
        if isinstance(version, int) and version is not True and 1 <= version <= self._most():
            return version
        said = f"expected a whole number from 1 to {LARGEST_VERSION}, such as version = 1"
        self.keys.problem(("version",), said)
        return 1

    def _most(self) -> int:
        return LARGEST_INTEGER if self.keys.is_stored else LARGEST_VERSION

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
