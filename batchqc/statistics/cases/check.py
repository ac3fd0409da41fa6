"""Runs the method that a case names, and compares every value that its source gives."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeGuard

import numpy as np

from batchqc.errors import BatchqcError, NotEstimable
from batchqc.statistics.cases.case import Case
from batchqc.statistics.figures import Figure

Given: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Mapping[str, object]

#: What stands where nothing was computed.
NOT_COMPUTED: Final = "not computed"
#: Beside the input: how the case names its method, and the keys that it asks for.
NAMED: Final = "named by the case"
WANTED: Final = "asked for by the case"
#: Where an answer is a refusal, its message.
REFUSED: Final = "refused"
OTHER_FORM: Final = "of another form"
#: What input of another form ends in, beside a refusal.
_MISREAD: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class CaseMethod:
    """How a case of a kind is computed.

    Args:
        words: which all stand in the method of the case, in small letters.
        run: from the input of the case to its answers, under the keys that the source uses. The
            input also says the ``method`` in words, and the keys ``wanted``.
        needs: keys that the input must have.
    """

    words: tuple[str, ...]
    run: Callable[[Given], Answer]
    needs: frozenset[str] = frozenset()

    def takes(self, case: Case) -> bool:
        """Whether it is the method that the case names."""
        name = case.method.casefold()
        return self.needs <= set(case.given) and all(one in name for one in self.words)


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a case: computed, expected and whether it holds."""

    path: str
    computed: object
    expected: object
    holds: bool

    @property
    def difference(self) -> float | None:
        """Of two numbers."""
        if isinstance(self.computed, float) and isinstance(self.expected, float):
            return self.computed - self.expected
        return None


def check(case: Case, methods: Sequence[CaseMethod]) -> list[Line]:
    """Every value that the source of a case gives, beside the one computed.

    The most particular method that takes the case and answers everything computes it. What a
    refusal said stands where the value would; it holds where the source has no value either.
    """
    fitting = sorted(
        (one for one in methods if one.takes(case)),
        key=lambda one: (len(one.words), len(one.needs)),
        reverse=True,
    )
    if not fitting:
        return [Line("method", NOT_COMPUTED, case.method, holds=False)]
    answers = []
    for method in fitting:
        answers.append(_answer(case, method))
        if _told(case, answers[-1]) == len(case.expected):
            break
    best = max(answers, key=lambda one: _told(case, one))  # of equals the most particular
    return list(_lines(case, "", best, case.expected))


def _answer(case: Case, method: CaseMethod) -> Answer:
    given = {NAMED: case.method, WANTED: [*case.expected], **case.given}
    try:
        return method.run(given)
    except NotEstimable as refusal:
        nothing = [key for key, value in case.expected.items() if value is None]
        return {REFUSED: refusal.message, **dict.fromkeys(nothing)}
    except (BatchqcError, *_MISREAD) as refusal:  # its input is of another form
        return {REFUSED: f"{type(refusal).__name__}: {refusal}", OTHER_FORM: True}


def _told(case: Case, answer: Answer) -> int:
    """How many of the keys that were asked for are answered; to refuse is an answer to all."""
    if OTHER_FORM in answer:
        return -1
    return sum(_of(answer, key) is not NOT_COMPUTED for key in case.expected)


def _lines(case: Case, path: str, computed: object, expected: object) -> Iterator[Line]:
    if isinstance(expected, Mapping):
        for key, value in expected.items():
            own = _of(computed, key)
            yield from _lines(case, f"{path}.{key}" if path else key, own, value)
        return
    computed = _plain(computed)
    if isinstance(expected, list):
        found = computed if isinstance(computed, list) else [computed]
        if len(found) != len(expected):
            yield Line(f"{path} (number of values)", len(found), len(expected), holds=False)
        for place, (own, value) in enumerate(zip(found, expected, strict=False), 1):
            yield from _lines(case, f"{path}[{place}]", own, value)
        return
    yield _line(case, path, computed, expected)


def _line(case: Case, path: str, computed: object, expected: object) -> Line:
    if _is_number(expected) and _is_number(computed):
        own, value = float(computed), float(expected)
        return Line(path, own, value, holds=case.tolerance_at(path).allows(own, value))
    return Line(path, computed, expected, holds=computed == expected)


def _of(computed: object, key: str) -> object:
    """The answer under a key; a published value is one more answer to the same question."""
    if not isinstance(computed, Mapping):
        return NOT_COMPUTED
    for name in (key, key.removesuffix("_published")):
        if name in computed:
            return computed[name]
    return computed.get(REFUSED, NOT_COMPUTED)


def _plain(computed: object) -> object:
    if isinstance(computed, Figure):
        return computed.value
    if isinstance(computed, np.ndarray | np.generic):
        return computed.tolist()
    return list(computed) if isinstance(computed, tuple) else computed


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
