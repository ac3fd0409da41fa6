"""What a certificate states of the registers of the laboratory, as they stand when it is frozen."""

from collections.abc import Iterator
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase
from batchqc.core.laboratory import Done, Laboratory, Register, Rule
from batchqc.records.laboratory import (
    certificates_for,
    instrument_spans,
    rules_of,
    training_spans,
    uses_in,
)
from batchqc.records.people import all_people

UNREGISTERED: Final = "Instruments and method versions are as stated in the files, not in register."
REGISTERED: Final = "Instruments and method versions are as stated in the files, and in register."


def register_statements(session: Session, case: LotCase) -> list[str]:
    """Whether everything is in register, what a register says against the lot, certificates."""
    laboratory = _laboratory(session, case)
    against = {said for done in _done(case) for _, said in laboratory.doubts(done)}
    checked = (Register.INSTRUMENTS, Register.METHODS)
    known = not against and all(laboratory.rule(one) is not Rule.OFF for one in checked)
    return [
        REGISTERED if known else UNREGISTERED,
        *(f"Register: {said}." for said in sorted(against)),
        *_materials(session, case, laboratory.rule(Register.MATERIALS)),
        *_certificates(session, case),
    ]


def _laboratory(session: Session, case: LotCase) -> Laboratory:
    return Laboratory(
        rules_of(session),
        instrument_spans(session),
        training_spans(session),
        case.looked_at.methods,
        frozenset(one.user_id for one in all_people(session) if one.is_laboratory),
    )


def _done(case: LotCase) -> set[Done]:
    zone = ZoneInfo(case.row.site.time_zone)
    return {
        Done(
            one.instrument,
            one.analyst,
            one.method,
            one.version,
            one.measured_at.astimezone(zone).date(),
        )
        for one in case.measurements
    }


def _materials(session: Session, case: LotCase, rule: Rule) -> Iterator[str]:
    """Materials that had expired when a run of the lot was measured."""
    zone = ZoneInfo(case.row.site.time_zone)
    for run in case.runs if rule is not Rule.OFF else ():
        days = [
            one.measured_at.astimezone(zone).date()
            for one in case.measurements
            if one.run == run.run_key
        ]
        for use in uses_in(session, run.upload):
            expires = date.fromisoformat(use.material.expires_on)
            if (use.test, use.run) == (run.test, run.run) and max(days) > expires:
                name = use.material.material
                yield f"Register: {name}, used in {run.run_key}, expired on {expires}."


def _certificates(session: Session, case: LotCase) -> Iterator[str]:
    for upload in {run.upload_id: run.upload for run in case.runs}.values():
        for one in certificates_for(session, upload):
            kept = f"{one.file}, SHA-256 {one.sha256}"
            yield f"Certificate of {one.person.name} over {upload.natural_key}: {kept}."
