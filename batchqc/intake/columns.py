"""Whole columns of the long contract at once: the quick way through what has nothing wrong.

Every rule is that of ``rows`` and ``cells``, asked once for each different text instead of once for
each row. Where any answer is a problem, or a cell needs more than being split at the delimiters
(quotation marks, outer spaces, control characters), nothing is read here: the rows are then read
one by one, and each problem gets its place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from operator import gt, lt
from typing import Final, NamedTuple

from batchqc.core.assays import INVESTIGATIONAL, REPORTABLE, RESULT_TYPES
from batchqc.core.blocks import Block
from batchqc.core.canonical import utc_text
from batchqc.core.identifiers import fold
from batchqc.core.lots import Sample
from batchqc.core.superseding import run_name, unnamed
from batchqc.intake.answers import Answers
from batchqc.intake.cells import free_id_problem
from batchqc.intake.header import Header
from batchqc.intake.plain import NotPlainError, plain_columns
from batchqc.intake.plan import Plan, Unplanned, find_plan
from batchqc.intake.plate_wells import may_be_well
from batchqc.intake.problems import Wrong
from batchqc.intake.register import Register, RegisteredLot
from batchqc.intake.row_checks import too_early
from batchqc.intake.rows import KEY, Seen, is_replicate, method_of
from batchqc.intake.scan import Before
from batchqc.intake.times import read_time
from batchqc.intake.values import (
    unit_wrong,
    unused_value_problems,
    value_problems,
)

_SURELY_LATER: Final = timedelta(days=2)  # than any hour of a date, wherever on earth


@dataclass(frozen=True, eq=False, slots=True)
class _Whose:
    """A sample of a lot; ``late`` is a time (UTC) from which no measurement of it is too early."""

    lot: RegisteredLot
    sample: Sample
    plan: str
    late: str


@dataclass(frozen=True, eq=False, slots=True)
class _What:
    """What is measured, and how."""

    plan: Plan
    result_type: str
    unit: str
    method: str
    version: str


class _When(NamedTuple):
    """A time: the moment, its text with its offset, and in UTC."""

    moment: datetime | None
    text: str
    utc: str


@dataclass(slots=True)
class ColumnReader:
    """Reads the rows of a file portion by portion, where they are plain.

    Args:
        register: what is registered; more may come into it between portions.
        need: called with the folded ids of the lots of a portion before they are looked up.
        header: of the file.
        stated: what who uploads states for every row.
        encoding: of the file, such as ``utf-8``.
        delimiter: of the file.
        seen: keys and run ids of all portions.
    """

    register: Register
    need: Callable[[frozenset[str]], None]
    header: Header
    stated: Mapping[str, str]
    encoding: str
    delimiter: str
    seen: Seen
    _lots: dict[str, tuple[RegisteredLot, str]] = field(default_factory=dict)
    _whose: Answers[tuple[str, str], _Whose] = field(init=False)
    _what: Answers[tuple[str, ...], _What] = field(init=False)
    _values: Answers[tuple[_What, str], str] = field(init=False)
    _times: Answers[str, _When] = field(init=False)
    _people: Answers[str, str] = field(init=False)
    _names: Answers[str, str] = field(init=False)
    _runs: Answers[tuple[str, str], str] = field(init=False)
    _numbers: Answers[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self._whose = Answers(self._ask_whose)
        self._what = Answers(self._ask_what)
        self._values = Answers(_ask_value)
        self._times = Answers(self._ask_time)
        self._people = Answers(self._ask_person)
        self._names = Answers(_ask_name)
        self._runs = Answers(self._ask_run)
        self._numbers = Answers(_ask_number)

    def read(self, rows: bytes, before: Before, first_line: int) -> Block | None:
        """The measurements of a portion, or ``None`` where it has to be read row by row.

        Args:
            rows: whole rows of the file, without the header.
            before: what was read of the file before.
            first_line: the physical line on which the rows begin.
        """
        if self.register.laboratory.rules:
            return None
        try:
            columns = plain_columns(rows, self.header, self.encoding, self.delimiter)
            return self._read(columns, before.rows + 2, first_line)
        except NotPlainError:
            return None

    def _read(self, columns: Sequence[Sequence[str]], row: int, line: int) -> Block:
        count = len(columns[0])

        def column(name: str) -> Sequence[str]:
            index = self.header.columns.get(name)
            return [self.stated.get(name, "")] * count if index is None else columns[index]

        self.need(frozenset(map(fold, set(column("lot_id")))))
        whose = self._whose.of(column("lot_id"), column("sample_id"))
        what = self._what.of(
            [one.plan for one in whose], column("test_code"), column("analyte"),
            column("result_type"), column("unit"), column("method_id"),
        )  # fmt: skip
        measured, started = self._read_times(
            whose, what, column("measured_at"), column("started_at")
        )
        tests = [one.plan.test for one in what]
        runs = self._runs.of(tests, column("run_id"))
        lots = [one.lot.id for one in whose]
        self._check_known(lots, tests, runs)
        numbers = range(row, row + count)
        block = Block(
            lot=lots,
            test=tests,
            run=runs,
            sample=[one.sample.id for one in whose],
            aliquot=self._names.of(column("aliquot")),
            analyte=[one.plan.analyte for one in what],
            replicate=self._numbers.of(column("replicate")),
            value=self._values.of(what, column("value")),
            unit=[one.unit for one in what],
            started=[one.text for one in started],
            measured=[one.text for one in measured],
            measured_at=[one.utc for one in measured],
            analyst=self._people.of(column("analyst")),
            instrument=self._names.of(column("instrument_id")),
            method=[one.method for one in what],
            version=[one.version for one in what],
            result_type=[one.result_type for one in what],
            comment=column("comment"),
            row=numbers,
            line=range(line, line + count),
            column=["value"] * count,
            original=[""] * count,
            is_plain=True,
        )
        self._remember_keys([column(name) for name in KEY], numbers)
        return block

    def _read_times(
        self,
        whose: Sequence[_Whose],
        what: Sequence[_What],
        measured: Sequence[str],
        started: Sequence[str],
    ) -> tuple[list[_When], list[_When]]:
        """When each row was measured and started, neither too early nor to come."""
        if "" in measured:
            raise NotPlainError
        then, begun = self._times.of(measured), self._times.of(started)
        if "" in started:
            for one, text in zip(what, started, strict=True):
                if not text and one.result_type == REPORTABLE and one.plan.subject is not None:
                    _demand(not one.plan.subject.needs_start)
        utc = [one.utc for one in then]
        _demand(not any(map(gt, (one.utc for one in begun), utc)))
        if any(map(lt, utc, (one.late for one in whose))):
            for own, time in zip(whose, then, strict=True):
                if time.utc < own.late:
                    _demand(not too_early(time.moment, own.lot, own.sample))
        return then, begun

    def _check_known(self, lots: Sequence[str], tests: Sequence[str], runs: Sequence[str]) -> None:
        known = self.register.known.runs
        for lot, test, run in set(zip(lots, tests, runs, strict=True)) if known else ():
            _demand((fold(lot), *run_name(test, run)) not in known)

    def _remember_keys(self, columns: Sequence[Sequence[str]], rows: Iterable[int]) -> None:
        """As ``rows.key_of`` does; cells of plain text have no outer spaces."""
        keys = [
            blake2b("\x1f".join(texts).casefold().encode(), digest_size=16).digest()
            for texts in zip(*columns, strict=True)
        ]
        new = dict(zip(keys, rows, strict=True))
        _demand(len(new) == len(keys) and self.seen.keys.keys().isdisjoint(new))
        self.seen.keys.update(new)

    def _ask_whose(self, key: tuple[str, str]) -> _Whose:
        lot = self.register.lots.get(fold(key[0]))
        sample = self.register.samples.get(fold(key[1]))
        if lot is None or sample is None or self._is_news(lot):
            raise NotPlainError
        plan = lot.plan_at(sample.stage)
        if plan is None or fold(sample.lot) != fold(lot.id):
            raise NotPlainError
        made = datetime.combine(lot.manufactured_on, datetime.min.time(), UTC)
        name = f"{plan.reference} {sample.stage}"
        self._lots.setdefault(name, (lot, sample.stage))
        return _Whose(lot, sample, name, utc_text(max(sample.taken_at, made + _SURELY_LATER)))

    def _is_news(self, lot: RegisteredLot) -> bool:
        """Whether it is still to be told that the lot is decided."""
        return bool(lot.decided) and lot.id not in self.seen.decided

    def _ask_what(self, key: tuple[str, ...]) -> _What:
        name, test, analyte, type_text, unit, method_text = key
        lot, stage = self._lots[name]
        result_type = type_text or REPORTABLE
        is_judged = result_type == REPORTABLE
        _demand(bool(test and analyte) and result_type in RESULT_TYPES)
        _demand(result_type != INVESTIGATIONAL)  # which is held against its investigation
        plan = find_plan(lot, stage=stage, test=test, analyte=analyte, is_reportable=is_judged)
        if isinstance(plan, Unplanned) or free_id_problem(method_text, "") is not None:
            raise NotPlainError
        method = method_of(method_text, plan)
        if isinstance(method, Wrong):
            raise NotPlainError
        _demand(not may_be_well(self.register, method[0], analyte))  # a run may span portions
        criterion, subject = plan.criterion, plan.subject
        if is_judged and criterion is not None and subject is not None:
            _demand(unit_wrong(unit, criterion=criterion, subject=subject) is None)
        return _What(plan, result_type, unit, *method)

    def _ask_time(self, text: str) -> _When:
        if not text:
            return _When(None, "", "")
        moment = read_time(text)
        if isinstance(moment, Wrong) or moment > self.register.now:
            raise NotPlainError
        return _When(moment, moment.isoformat(), utc_text(moment))

    def _ask_person(self, text: str) -> str:
        person = self.register.people.get(fold(text)) if text else None
        if person is None:
            raise NotPlainError
        return person

    def _ask_run(self, key: tuple[str, str]) -> str:
        test, run = key
        _demand(free_id_problem(run, "run_id") is None)
        return self.seen.runs.setdefault((test, fold(run)), run) if run else unnamed(test)


def _ask_value(key: tuple[_What, str]) -> str:
    what, text = key
    criterion, subject = what.plan.criterion, what.plan.subject
    problems: Iterator[Wrong]
    if what.result_type == REPORTABLE and criterion is not None and subject is not None:
        problems = value_problems(text, criterion=criterion, subject=subject)
    else:
        problems = unused_value_problems(text)
    _demand(next(problems, None) is None)
    return text


def _ask_name(text: str) -> str:
    """An id that nothing registers; it may be blank."""
    _demand(free_id_problem(text, "") is None)
    return text


def _ask_number(text: str) -> int:
    _demand(is_replicate(text))
    return int(text)


def _demand(is_plain: bool) -> None:  # noqa: FBT001 - reads as a sentence
    if not is_plain:
        raise NotPlainError
