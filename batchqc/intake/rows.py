"""One row of the long contract -> one measurement, or every reason why not.

- Ids of lots, samples and people are compared without case and come out as registered; an unknown
  one is a problem and is never created. Codes are compared letter by letter.
- The stage of a result is the stage of its sample.
- An absent ``run_id`` makes one run for each test and file; an absent ``method_id`` is the method
  of the plan, with an empty version; an absent ``result_type`` is reportable.
- A row that is not reportable needs a registered lot, sample and person, a test of the plan, a
  replicate and a time; its analyte, value and unit are kept and never judged.
- How many replicates there must be is a matter for the verdict.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Final

from batchqc.core.assays import REPORTABLE, RESULT_TYPES, Cell, Measurement, RunKey
from batchqc.core.identifiers import fold
from batchqc.core.laboratory import Done
from batchqc.core.lots import Sample
from batchqc.core.profiles import Marks
from batchqc.core.superseding import unnamed
from batchqc.intake.after_decision import stands_beside
from batchqc.intake.cells import Row
from batchqc.intake.laboratory import laboratory_problems
from batchqc.intake.marks import POINT, plain_number
from batchqc.intake.plan import Plan, Unplanned, find_plan
from batchqc.intake.problems import Report, Wrong, shown
from batchqc.intake.register import Register, RegisteredLot
from batchqc.intake.row_checks import site_day, too_early, unknown
from batchqc.intake.scan import Record
from batchqc.intake.times import read_time
from batchqc.intake.values import unit_wrong, unused_value_problems, value_problems

KEY: Final = ("lot_id", "sample_id", "aliquot", "test_code", "analyte", "run_id", "replicate")

_REPLICATE: Final = re.compile(r"[1-9][0-9]{0,5}")
_METHOD: Final = re.compile(r"(\S+)(?: v([0-9A-Za-z][0-9A-Za-z.]{0,19}))?")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file was seen to hold so far: keys with their rows, run ids, lots told as decided."""

    keys: dict[bytes, int] = field(default_factory=dict)
    runs: dict[tuple[str, str], str] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)


@dataclass(slots=True)
class RowReader:
    """Reads rows one after the other, and remembers their keys and runs."""

    register: Register
    upload: str
    names: tuple[str, ...]
    columns: Mapping[str, int]
    spoiled: frozenset[tuple[int, int]]
    report: Report
    shown: Mapping[str, str] = field(default_factory=dict)
    marks: Marks = POINT
    seen: Seen = field(default_factory=Seen)
    _plans: dict[tuple[str, str, str, str], Plan] = field(default_factory=dict)

    def read(self, record: Record) -> Measurement | None:
        """The measurement of a row; ``None`` where it has an error, each of which is reported."""
        row = Row(
            record,
            columns=self.columns,
            names=self.names,
            spoiled=self.spoiled,
            report=self.report,
            shown=self.shown,
        )
        result_type = self._result_type(row)
        lot = self._lot(row)
        sample = self._sample(row, lot)
        stage = sample.stage if sample else ""
        plan = self._plan(row, lot, stage, is_reportable=result_type == REPORTABLE)
        is_judged = result_type == REPORTABLE
        value = self._plain(row)
        self._value(row, value, plan if is_judged else None)
        measured_at, started_at = self._times(row, lot, sample, plan if is_judged else None)
        method = self._method(row, plan)
        replicate = self._replicate(row)
        analyst = self._analyst(row)
        aliquot, instrument = row.optional_id("aliquot"), row.optional_id("instrument_id")
        run, comment = self._run(row), row.text("comment")
        self._check_key(row)
        if self.register.laboratory.rules and lot and method and measured_at and analyst:
            done = Done(instrument or "", analyst, *method, site_day(measured_at, lot))
            for column, problem in laboratory_problems(self.register.laboratory, done):
                row.wrong(column, problem)
        if row.is_wrong or not (lot and sample and plan and method and measured_at and run):
            return None
        return Measurement(
            run=RunKey(self.upload, plan.test, run),
            lot=lot.id,
            sample=sample.id,
            stage=sample.stage,
            aliquot=aliquot or "",
            analyte=plan.analyte,
            replicate=replicate,
            unit=row.typed("unit").strip(),
            measured_at=measured_at,
            started_at=started_at,
            analyst=analyst,
            instrument=instrument or "",
            method=method[0],
            version=method[1],
            result_type=result_type,
            cell=Cell(
                record.row,
                record.line,
                record.column or self.shown.get("value", "value"),
                value or "",
                typed if (typed := record.typed or row.typed("value")) != value else "",
            ),
            comment=comment or "",
        )

    def _result_type(self, row: Row) -> str:
        text = row.text("result_type")
        if not text or text in RESULT_TYPES:
            return text or REPORTABLE
        message = f'"{shown(text)}" is not a result_type: {", ".join(RESULT_TYPES)}'
        row.wrong("result_type", Wrong("E206", message, "Write one of them, or leave it blank."))
        return REPORTABLE

    def _lot(self, row: Row) -> RegisteredLot | None:
        text = row.required("lot_id")
        if text is None:
            return None
        lot = self.register.lots.get(fold(text))
        if lot is None:
            row.wrong("lot_id", unknown(text, "lot_id", "lot"))
        elif lot.decided and lot.id not in self.seen.decided:
            self.seen.decided.add(lot.id)  # told once: it may have very many rows
            row.wrong("lot_id", stands_beside(lot))
        return lot

    def _sample(self, row: Row, lot: RegisteredLot | None) -> Sample | None:
        text = row.required("sample_id")
        if text is None:
            return None
        sample = self.register.samples.get(fold(text))
        if sample is None:
            row.wrong("sample_id", unknown(text, "sample_id", "sample"))
        elif lot is not None and fold(sample.lot) != fold(lot.id):
            message = f"sample {sample.id} was taken from lot {sample.lot}, not from {lot.id}"
            row.wrong("sample_id", Wrong("E401", message, "Check the lot id and the sample id."))
        return sample

    def _plan(
        self, row: Row, lot: RegisteredLot | None, stage: str, *, is_reportable: bool
    ) -> Plan | None:
        """What the row measures, by the specification of its lot and stage."""
        test, analyte = row.required("test_code"), row.required("analyte")
        if lot is None or test is None:
            return None
        if analyte is None:  # a test may still be unknown
            analyte, is_reportable = "", False
        known = self._plans.get((lot.id, stage, test, analyte))
        if known is not None:
            return known
        plan = find_plan(lot, stage=stage, test=test, analyte=analyte, is_reportable=is_reportable)
        if isinstance(plan, Unplanned):
            row.wrong(*plan)
            return None
        if plan.criterion is not None:
            self._plans[lot.id, stage, test, analyte] = plan
        return plan

    def _plain(self, row: Row) -> str | None:
        """The value with a decimal point; ``None`` where it is wrong."""
        text = row.text("value")
        plain = None if text is None else plain_number(text, self.marks)
        if isinstance(plain, Wrong):
            row.wrong("value", plain)
            return None
        return plain

    def _value(self, row: Row, text: str | None, plan: Plan | None) -> None:
        """Judged against its criterion where there is one; else it must be there."""
        unit = row.text("unit")
        criterion, subject = (plan.criterion, plan.subject) if plan else (None, None)
        if criterion is None or subject is None:
            for problem in () if text is None else unused_value_problems(text):
                row.wrong("value", problem)
            return
        if text is not None:
            for problem in value_problems(text, criterion=criterion, subject=subject):
                row.wrong("value", problem)
        wrong = None if unit is None else unit_wrong(unit, criterion=criterion, subject=subject)
        if wrong is not None:
            row.wrong("unit", wrong)

    def _method(self, row: Row, plan: Plan | None) -> tuple[str, str] | None:
        """Code and version of the method; the plan's own where the file does not say."""
        text = (row.optional_id("method_id") or "").strip()
        if plan is None:
            return None
        found = method_of(text, plan)
        if isinstance(found, Wrong):
            row.wrong("method_id", found)
            return None
        return found

    def _replicate(self, row: Row) -> int:
        text = row.required("replicate")
        if text is None or is_replicate(text):
            return int(text or 0)
        message = f'replicate "{shown(text)}" is not a whole number from 1'
        row.wrong("replicate", Wrong("E203", message, "Number the replicates 1, 2, 3."))
        return 0

    def _analyst(self, row: Row) -> str:
        text = row.required("analyst")
        known = self.register.people.get(fold(text)) if text else None
        if text and known is None:
            message = f'analyst "{shown(text)}" is not a registered person or contract laboratory'
            row.wrong("analyst", Wrong("E401", message, "Enter the user id; names are not read."))
        return known or ""

    def _run(self, row: Row) -> str:
        """The run as it is spelled first in the file; made where the file does not say."""
        run, test = row.optional_id("run_id"), row.typed("test_code").strip()
        if not run:
            return unnamed(test)
        return self.seen.runs.setdefault((test, fold(run)), run)

    def _times(
        self, row: Row, lot: RegisteredLot | None, sample: Sample | None, plan: Plan | None
    ) -> tuple[datetime | None, datetime | None]:
        started = row.text("started_at")
        measured_at = self._time(row, "measured_at", row.required("measured_at"))
        started_at = self._time(row, "started_at", (started or "").strip() or None)
        needs_start = plan is not None and plan.subject is not None and plan.subject.needs_start
        if needs_start and started is not None and not started.strip():
            message = "started_at is blank; the plan needs the time of thaw, inoculation or plating"
            row.wrong("started_at", Wrong("E202", message, "Enter when it was started."))
        hint = "Check both times, their offsets, and the sample."
        for message in too_early(measured_at, lot, sample):
            row.wrong("measured_at", Wrong("E304", message, hint))
        if measured_at is not None and started_at is not None and started_at > measured_at:
            message = f"started_at is after measured_at {measured_at.isoformat()}"
            row.wrong("started_at", Wrong("E304", message, hint))
        return measured_at, started_at

    def _time(self, row: Row, column: str, text: str | None) -> datetime | None:
        moment = None if text is None else read_time(text)
        if isinstance(moment, Wrong):
            row.wrong(column, moment)
            return None
        if moment is not None and moment > self.register.now:
            now = self.register.now.isoformat(timespec="minutes")
            message = f'{column} "{text}" is in the future: now is {now}'
            row.wrong(column, Wrong("E303", message, "Check the date and the offset."))
        return moment

    def _check_key(self, row: Row) -> None:
        """No two rows may state the same replicate (exact copies included)."""
        texts = [row.text(column) for column in KEY]
        if None in texts or not row.typed("replicate").strip():
            return
        first = self.seen.keys.setdefault(key_of(texts), row.record.row)
        if first != row.record.row:
            message = f"row {row.record.row} repeats row {first} (same {', '.join(KEY)})"
            hint = "Remove one; number replicates 1, 2, 3; a repeated test is a run of its own."
            row.wrong("replicate", Wrong("E405", message, hint))


def key_of(texts: Iterable[str | None]) -> bytes:
    """The key of a row from its cells: 16 bytes (BLAKE2b), so that a million fit into memory."""
    folded = "\x1f".join(fold(text or "") for text in texts)
    return blake2b(folded.encode(errors="surrogatepass"), digest_size=16).digest()


def is_replicate(text: str) -> bool:
    """Whether a text is the number of a replicate."""
    return _REPLICATE.fullmatch(text) is not None


def method_of(text: str, plan: Plan) -> tuple[str, str] | Wrong:
    """Code and version of the method that a cell names; the plan's own where it is blank."""
    names = " or ".join(plan.methods)
    if not text and len(plan.methods) == 1:
        return plan.methods[0], ""
    if not text:
        message = f"method_id is blank, and {plan.test} has several methods: {names}"
        return Wrong("E202", message, "Enter the method.")
    found = _METHOD.fullmatch(text)
    if found is None or found[1] not in plan.methods:
        message = f'"{shown(text)}" is not the method of {plan.test} in the plan: {names}'
        return Wrong("E404", message, f'Write it as "{plan.methods[0]} v3", or leave it blank.')
    return found[1], found[2] or ""
