"""From the fields of the acts of an investigation to what the API takes, and what they offer."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from batchqc.actions.failing import Judged
from batchqc.actions.investigations import Case
from batchqc.actions.retest_plans import most_allowed
from batchqc.core.assays import Measurement, RunKey
from batchqc.core.conclusions import (
    ANSWERS,
    CHECKLIST,
    Cause,
    OnRecord,
    Wanted,
    conclusion_of,
    conclusion_problems,
)
from batchqc.core.investigations import Finding, Plan
from batchqc.documents.archive import Archive
from batchqc.records.investigations import InvestigationStep
from batchqc.web.calls import Form
from batchqc.web.forms import check
from batchqc.web.wording import _

_SEPARATED: Final = re.compile(r"[\s,;]+")
_COUNT: Final = re.compile(r"[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a finding would do, before anybody signs it: what is set aside, and what counts.

    ``problems`` are why it cannot be concluded so now.
    """

    finding: Finding
    test: str
    is_corrected: bool
    problems: tuple[str, ...]
    set_aside: tuple[str, ...]
    counting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """What a plan for one test starts from: how the original was measured, and what is allowed."""

    test: str
    methods: tuple[str, ...]
    version: str
    analysts: tuple[str, ...]
    samples: tuple[str, ...]
    most: int | None

    @property
    def is_possible(self) -> bool:
        """Whether some plan may be approved: else the method behind the original allows none."""
        return self.most is not None or len(self.methods) != 1 or not self.version


def phase_one_fields(form: Form) -> Mapping[str, Any]:
    """Every question with its answer, and with a remark where it is not yes."""
    answers = {
        name: {"answer": form[f"answer-{name}"], "remark": form[f"remark-{name}"]}
        for name in CHECKLIST
    }
    problems = {}
    for name, one in answers.items():
        if one["answer"] not in ANSWERS:
            problems[f"answer-{name}"] = _("Answer yes, no or not applicable.")
        elif one["answer"] != "yes" and not one["remark"]:
            problems[f"remark-{name}"] = _("Say why, since the answer is not yes.")
    check(problems)
    return {"answers": answers, "hypothesis": form["hypothesis"]}


def plan_fields(form: Form) -> Mapping[str, Any]:
    """A plan of retests; how many are allowed the action knows."""
    required = {
        "method": _("Name the method."),
        "version": _("Name the version of the method."),
        "analysts": _("Name who measures again, by user id."),
    }
    problems = {name: text for name, text in required.items() if not form[name]}
    for name in ("retests", "resamples"):
        if not _COUNT.fullmatch(form[name] or "0"):
            problems[name] = _("Write a whole number.")
    check(problems)
    return {
        "test": form["test"],
        "method": form["method"],
        "version": form["version"],
        "analysts": _listed(form["analysts"]),
        "retests": int(form["retests"] or 0),
        "resamples": int(form["resamples"] or 0),
        "new_samples": _listed(form["new_samples"]),
        "same_analyst": form["same_analyst"],
        "resample_because": form["resample_because"],
    }


def conclusion_fields(form: Form) -> Mapping[str, Any]:
    """A finding with its evidence, and of a cause with what it is and the document."""
    is_cause = form["finding"] == Finding.LABORATORY_CAUSE
    check(
        {
            "finding": "" if form["finding"] in set(Finding) else _("Choose what is concluded."),
            "evidence": "" if form["evidence"] else _("Write what shows it."),
            "cause": _("Choose the cause.") if is_cause and not form["cause"] else "",
            "document": _("Choose the document that shows it; file it first.")
            if is_cause and not form["document"]
            else "",
        }
    )
    return {
        "finding": form["finding"],
        "evidence": form["evidence"],
        "test": form["test"],
        "cause": form["cause"] or None,
        "document": form["document"],
        "corrected": form["corrected"] == "yes",
    }


def due_date_fields(form: Form) -> Mapping[str, Any]:
    """A later day."""
    check({"due_on": "" if form["due_on"] else _("Name the day.")})
    return {"due_on": form["due_on"]}


def answers_of(step: InvestigationStep | None) -> list[tuple[str, str, str]]:
    """Question, answer and remark of each question that phase I answered, as it was asked."""
    said: Mapping[str, Any] = step.said.get("answers", {}) if step else {}
    order = [*CHECKLIST]
    names = sorted(said, key=lambda name: order.index(name) if name in order else len(order))
    return [
        (CHECKLIST.get(name, name), str(said[name][0]), str(said[name][1]))
        for name in names
        if isinstance(said[name], list) and len(said[name]) == 2
    ]


def plan_offer(session: Session, archive: Archive, case: Case, found: Judged) -> list[PlanOffer]:
    """What a plan starts from, for each test under investigation."""
    originals = [one for one in found.known.measurements if case.now.is_original(one)]
    return [
        _plan(session, archive, case, test, [one for one in originals if one.run.test == test])
        for test in sorted(case.now.tests)
    ]


def _plan(
    session: Session, archive: Archive, case: Case, test: str, first: list[Measurement]
) -> PlanOffer:
    methods = tuple(sorted({one.method for one in first}))
    version = first[-1].version if first else ""
    most = None
    if len(methods) == 1 and version:
        at = max(one.measured_at for one in first)
        wanted = Plan(at, test, methods[0], version, frozenset(), 1, 0, frozenset())
        most = most_allowed(session, archive, wanted, first, opened_at=case.row.opened_at)
    return PlanOffer(
        test,
        methods,
        version,
        tuple(sorted({one.analyst for one in first})),
        tuple(sorted({one.sample for one in first})),
        most,
    )


def conclusion_offer(case: Case, known: OnRecord, signer: str) -> list[Prospect]:
    """What may be concluded, with what it would do; what is under investigation decides which."""
    if not case.now.runs:
        return [_prospect(case, known, signer, Wanted(Finding.RESULT_WAS_LATE, ""))]
    document = min(known.documents, default="")
    found = [_prospect(case, known, signer, Wanted(Finding.ORIGINAL_STANDS, ""))]
    for test in sorted(case.now.tests):
        cause = Wanted(Finding.LABORATORY_CAUSE, "", test, Cause.INSTRUMENT, document)
        found.append(_prospect(case, known, signer, cause))
        data = Wanted(Finding.LABORATORY_CAUSE, "", test, Cause.DATA, document, corrected=True)
        if case.now.plan is None and conclusion_of(data, case.now, known).counting:
            found.append(_prospect(case, known, signer, data))
    return found


def _prospect(case: Case, known: OnRecord, signer: str, wanted: Wanted) -> Prospect:
    concluded = conclusion_of(wanted, case.now, known)
    return Prospect(
        wanted.finding,
        wanted.test,
        wanted.corrected,
        tuple(conclusion_problems(wanted, case.now, known, signer=signer)),
        tuple(_told(known, run, analyte) for run, analyte in sorted(concluded.set_aside, key=str)),
        tuple(
            _told(known, run, analyte)
            for run in sorted(concluded.counting, key=str)
            for analyte in sorted(
                {name for _, test, name in case.now.attributes if test == run.test}
            )
        ),
    )


def _told(known: OnRecord, run: RunKey, analyte: str) -> str:
    """The values of an analyte in a run, in words."""
    own = [one.shown for one in known.measurements if (one.run, one.analyte) == (run, analyte)]
    return f"{', '.join(_texts(own))} ({analyte}) in {run}"


def _texts(rows: Iterable[Measurement]) -> list[str]:
    return [f"{one.text} {one.unit}".strip() for one in rows]


def _listed(text: str) -> list[str]:
    return [one for one in _SEPARATED.split(text) if one]
