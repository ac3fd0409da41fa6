"""What people do in an OOS investigation, in short."""

from datetime import timedelta

from batchqc.actions.attachments import Document
from batchqc.actions.investigation_conclusions import conclude
from batchqc.actions.investigations import (
    Case,
    file_document,
    perform_phase_one,
    review_phase_one,
    the_investigation,
)
from batchqc.actions.retest_plans import NewPlan, approve_plan
from batchqc.actions.uploads import UploadReport
from batchqc.core.conclusions import CHECKLIST, Cause, Wanted
from batchqc.core.investigations import Finding
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.investigations import InvestigationStep
from tests.actions.typing_results import REPORT
from tests.records.house import ANA, BEN, QA1, QA2, REV, House, alone, signing
from tests.records.laboratory import adopt_method

OOS = "OOS-2026-000001"
METHOD = b"""schema = "batchqc/method/1"
id = "SOP-QC-014"
version = 3
title = "Viability"
effective = 2025-01-01
max_retests = 2
"""
PLAN = NewPlan("SOP-QC-014", "3", (BEN,), 2)
EVERY_YES = dict.fromkeys(CHECKLIST, ("yes", ""))


def perform(house: House, number: str = OOS) -> None:
    """Phase I, by the analyst."""
    with house.acting(ANA, Permission.INVESTIGATE) as tx:
        step = perform_phase_one(
            tx, number=number, answers=EVERY_YES, hypothesis="", credentials=signing(ANA)
        )
        assert isinstance(step, InvestigationStep)


def review_phase(house: House, number: str = OOS, *, by: str = REV) -> None:
    """Phase I is reviewed by a supervisor."""
    with house.acting(by, Permission.INVESTIGATE) as tx:
        step = review_phase_one(tx, number=number, credentials=signing(by))
        assert isinstance(step, InvestigationStep)


def plan(house: House, wanted: NewPlan = PLAN, number: str = OOS, *, by: str = QA1) -> None:
    """QA approves a plan."""
    with house.acting(by, Permission.APPROVE_RETEST_PLAN) as tx:
        step = approve_plan(tx, house.archive, number=number, plan=wanted, credentials=signing(by))
        assert isinstance(step, InvestigationStep)


def planned(house: House, text: str = "89.1") -> None:
    """A failing result under investigation, with an approved plan of two retests."""
    adopt_method(house, METHOD)
    assert house.upload(alone("viability", value=text)).accepted
    perform(house)
    review_phase(house)
    plan(house)


def retest(house: House, text: str, run: str, number: str = OOS, **cells: str) -> UploadReport:
    """A retest by the second analyst, begun now."""
    began = (house.now.at + timedelta(seconds=1)).isoformat()
    house.now.at += timedelta(minutes=1)
    data = alone(
        "viability",
        **({"value": text, "run_id": run, "measured_at": began, "analyst": BEN} | cells),
    )  # fmt: skip
    return house.upload(data, by=BEN, retest=number)


def file(house: House, number: str = OOS) -> str:
    """File evidence: its hash."""
    with house.acting(ANA, Permission.INVESTIGATE) as tx:
        sent = Document("logbook.pdf", len(REPORT), REPORT)
        return str(file_document(tx, house.archive, number=number, document=sent).said["sha256"])


def conclude_cause(
    house: House, number: str = OOS, *, by: str = QA2, cause: Cause = Cause.INSTRUMENT, **more: bool
) -> InvestigationStep | Refusal:
    """An assignable laboratory cause, with evidence."""
    document = file(house, number)
    wanted = Wanted(
        Finding.LABORATORY_CAUSE, "The counter was blocked", cause=cause, document=document, **more
    )  # fmt: skip
    return concluded(house, wanted, number, by=by)


def concluded(
    house: House, wanted: Wanted, number: str = OOS, *, by: str = QA2
) -> InvestigationStep | Refusal:
    """QA concludes."""
    with house.acting(by, Permission.CONCLUDE_INVESTIGATION) as tx:
        return conclude(tx, house.archive, number=number, wanted=wanted, credentials=signing(by))


def case_of(house: House, number: str = OOS) -> Case:
    """How it stands."""
    with house.reading() as session:
        return the_investigation(session, number)
