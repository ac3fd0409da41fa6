"""The form of typed results: its fields, the entries that they make, and what is wrong with each.

Every text goes on as it was typed, without the blanks around it; units are those of the plan. Each
run is read by the reader of files, and what it finds is told beside the field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.entries import BY_HAND, FILE_NAME
from batchqc.actions.received import ReceivedFile
from batchqc.actions.uploads import UploadReport, preview_upload, the_upload
from batchqc.api import entries as api
from batchqc.api.doors import Call
from batchqc.core.canonical import sha256_of
from batchqc.intake.problems import Problem
from batchqc.intake.typed import TypedResult, long_csv
from batchqc.web.calls import Form
from batchqc.web.forms import built
from batchqc.web.typed_plan import Plan, Planned
from batchqc.web.wording import _

#: Fields of a run by the column of the long contract that they fill.
_COLUMNS: Final[Mapping[str, str]] = {
    "measured_at": "measured_at",
    "analyst": "analyst",
    "run_id": "run",
    "instrument_id": "instrument",
    "method_id": "method",
    "aliquot": "aliquot",
    "started_at": "started_at",
    "comment": "comment",
}
OF_RUN: Final = tuple(_COLUMNS.values())


@dataclass(frozen=True, slots=True)
class Typing:
    """One analyte of the form, and the names of the fields of its replicates."""

    planned: Planned
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TypedRun:
    """One run of the form, the how many-th, with what it makes once it is read."""

    place: int
    analytes: tuple[Typing, ...]

    @property
    def first(self) -> Planned:
        """Its first analyte: sample, test and method are those of all."""
        return self.analytes[0].planned

    @property
    def needs_start(self) -> bool:
        """Whether a result of it needs the time of thaw, inoculation or plating."""
        return any(one.planned.subject.needs_start for one in self.analytes)

    def field(self, name: str) -> str:
        """The name of a field of the run."""
        return f"{self.place}-{name}"

    def entry(self, plan: Plan, form: Form) -> api.NewEntry:
        """The request of the API."""
        first, *others = [
            {
                "analyte": one.planned.subject.analyte,
                "values": [form[name] for name in one.fields],
                "unit": one.planned.subject.unit,
            }
            for one in self.analytes
        ]
        of_run = {name: form[self.field(name)] for name in OF_RUN}
        sample, test = self.first.sample.id, self.first.subject.test
        whole = {"lot": plan.lot.lot, "sample": sample, "test": test, "also": others}
        return built(api.NewEntry, first | of_run | whole)

    def problems(self, found: Sequence[Problem]) -> dict[str, str]:
        """What is wrong by the field that it stands beside; what is of no field, by ``whole``."""
        rows = [name for one in self.analytes for name in one.fields]
        told: dict[str, list[str]] = {}
        for one in found:
            if one.severity == "error":
                name = self._field_of(one, rows)
                told.setdefault(name, []).append(_blank(one) or _said(one))
        return {name: " ".join(dict.fromkeys(texts)) for name, texts in told.items()}

    def _field_of(self, one: Problem, rows: Sequence[str]) -> str:
        if one.column == "value" and 2 <= one.row < len(rows) + 2:
            return rows[one.row - 2]
        return self.field(_COLUMNS.get(one.column, "whole"))


@dataclass(frozen=True, slots=True)
class Read:
    """A run as it would be recorded: its rows, the hash of their file, and what was found.

    ``is_own`` says that the person recorded the same before: what is sent again is not new.
    """

    run: TypedRun
    entry: api.NewEntry
    sha256: str
    report: UploadReport
    is_own: bool

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong by its field; another result beside one on record is wrong as a whole.

        Who did not type what is on record is told the same whatever it says: it may be hidden.
        """
        again = [one.planned.title for one in self.run.analytes if one.planned.is_on_record]
        if again and not self.is_own:
            told = _("%(what)s: on record, or waits for its second entry. Another result would be a"
                     " retest, which an investigation authorises.")  # fmt: skip
            return {self.run.field("whole"): told % {"what": ", ".join(again)}}
        return {} if self.report.accepted else self.run.problems(self.report.reading.problems)

    @property
    def remarks(self) -> list[str]:
        """What does not refuse it, and is to be known."""
        return [_said(one) for one in self.report.reading.problems if one.severity != "error"]


def runs_of(plan: Plan, keys: Sequence[str]) -> list[TypedRun]:
    """The runs of a form, with the names of their fields."""
    return [
        TypedRun(
            place,
            tuple(
                Typing(one, tuple(f"{place}-{at}-{n}" for n in range(one.subject.replicates.n)))
                for at, one in enumerate(run)
            ),
        )
        for place, run in enumerate(plan.runs(keys))
    ]


def read(session: Session, call: Call, run: TypedRun, entry: api.NewEntry, client: str) -> Read:
    """Read a run as the API would, and record nothing."""
    also = tuple(one.typed for one in entry.also)
    facts = entry.model_dump() | {"values": tuple(entry.values), "also": also}
    data = long_csv(TypedResult(**facts))
    file = ReceivedFile(FILE_NAME, len(data), data, client, typed=BY_HAND)
    report = preview_upload(session, call.door.archive, file=file, now=call.door.now())
    first = the_upload(session, report.number) if report.answered_before else None
    is_own = first is not None and first.uploaded_by == call.person.user_id
    return Read(run, entry, file.sha256, report, is_own)


def shown(found: Sequence[Read]) -> str:
    """By what a form knows that what is recorded is what was shown."""
    return sha256_of([one.sha256 for one in found])


def _blank(one: Problem) -> str:
    """What is said of a blank field in words of the form; blank of all else."""
    match one.code, one.column:
        case "E202", "value":
            return _("Type it as it stands on the source.")
        case "E202", "measured_at" | "analyst":
            return _("This is needed.")
        case _:
            return ""


def _said(one: Problem) -> str:
    return ". ".join(text.removesuffix(".") for text in (one.message, one.hint) if text) + "."
