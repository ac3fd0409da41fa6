"""Fits of plates: a person starts one, and whatever comes of it is on record.

A fit describes the wells of one sample in one run by the analysis of the method version that judges
the run. What cannot be read or estimated is recorded too, with every reason: such a run, as one
that misses a criterion of its method, is invalid by the method, and nothing is declared from it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.evaluation import study
from batchqc.actions.lots import lock_lot
from batchqc.actions.methods import method_content
from batchqc.actions.permission import require
from batchqc.actions.reviews import check_sound
from batchqc.core.assays import REPORTABLE, Measurement
from batchqc.core.canonical import Json, canonical_bytes, sha256_of
from batchqc.core.identifiers import fold
from batchqc.core.methods import Method, method_on
from batchqc.core.permissions import Permission
from batchqc.core.potency import PotencyAnalysis
from batchqc.core.potency_outcomes import as_reported, judged, reasons_against
from batchqc.core.runs import RunValidity, Validity
from batchqc.core.wells import RAW, Well, WellProblem, is_well, read_wells
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput, NotEstimable, NotFound
from batchqc.records.methods import MethodVersion, method_approvals, method_by, with_siblings
from batchqc.records.potency import PotencyFit, fit_by
from batchqc.records.registers import SampleRow, lots_by, samples_of
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import (
    AssayRun,
    measurement_content,
    measurements_of,
    runs_in,
    supersedings_of,
    upload_by,
)

NOT_COMPUTED: Final = "the wells cannot be read, and nothing was computed"


@dataclass(frozen=True, slots=True)
class Plate:
    """A run with all of its rows, and the method version whose analysis is for it."""

    run: AssayRun
    rows: tuple[Measurement, ...]
    version: MethodVersion
    method: Method
    analysis: PotencyAnalysis


@dataclass(frozen=True, slots=True)
class Found:
    """What came of the wells: the content of a fit, and why it may not be declared."""

    wells_sha256: str
    result: dict[str, Json]
    reasons: tuple[str, ...]
    software: str


def fit_run(tx: Transaction, archive: Archive, *, run: str, sample: str = "") -> PotencyFit:
    """Fit the wells of a run, and record what came of it.

    Args:
        tx: of who starts it.
        archive: the store.
        run: its key: upload, lot, test and run, such as ``U-2026-000001/MSC-26-0012/PBMC/R1``.
        sample: whose wells; may be left out where the run has those of one.

    Raises:
        NotFound: there is no such run or sample in it.
        InvalidInput: no method version with an analysis is for the run.
        Conflict: the run is superseded, or records of the lot are damaged.
    """
    require(tx, Permission.UPLOAD_RESULTS)
    row = the_run(tx.session, run)
    lock_lot(tx, row.lot)
    case = study(tx.session, archive, lot=row.lot, now=tx.now)
    check_sound(case)
    if supersedings_of(tx.session, [row]):
        raise Conflict("BQC-POT-003", f"{row.natural_key} is superseded; fit its next version")
    plate = plate_of(tx.session, archive, row)
    own = _sample(tx.session, plate, sample)
    found = compute(plate, own.sample)
    reasons = (*found.reasons, *_run_reasons(case.looked_at.validity.get(row.run_key)))
    tx.lock("potency fits")
    fit = PotencyFit(
        year=tx.now.year,
        number=next_number(tx.session, PotencyFit, tx.now.year),
        lot=row.lot,
        assay_run=row,
        sample=own,
        method_version=plate.version,
        wells_sha256=found.wells_sha256,
        result=canonical_bytes(found.result).decode(),
        reportable=int(not reasons),
        reasons=json.dumps(reasons, ensure_ascii=False),
        software=found.software,
        fitted_by=tx.actor.user_id,
        fitted_at=tx.now,
    )
    tx.add(fit)
    tx.audit(
        "plate fitted",
        rows=[fit],
        about=[row.lot.key, row.upload.key],
        after={
            "run": row.natural_key,
            "may be declared": not reasons,
            "value": fit_value(fit),
            "wells": found.wells_sha256,
        },
    )
    return fit


def the_fit(session: Session, number: str) -> PotencyFit:
    """The fit of a public number such as ``PF-2026-000001``.

    Raises:
        NotFound: there is none.
    """
    found = fit_by(session, number)
    if found is None:
        raise NotFound("BQC-POT-004", f"there is no fit {number}")
    return found


def the_run(session: Session, key: str) -> AssayRun:
    """The run of a key: upload, lot, test and run.

    Raises:
        NotFound: there is none.
    """
    upload = upload_by(session, key.partition("/")[0])
    runs = runs_in(session, upload) if upload is not None else ()
    for one in runs:
        if one.natural_key == key:
            return one
    names = ", ".join(one.natural_key for one in runs)
    raise NotFound(
        "BQC-POT-001",
        f"there is no run {key}",
        hint=f"Its upload has: {names}." if names else "Name upload, lot, test and run.",
    )


def plate_of(session: Session, archive: Archive, run: AssayRun) -> Plate:
    """A run with its rows and the analysis that is for it.

    Raises:
        InvalidInput: no approved version in force on the day has an analysis.
    """
    rows = tuple(measurements_of(session, with_siblings(session, [run])))
    codes = {one.method for one in rows}
    approved = [one.method_version for one in method_approvals(session, codes)]
    versions = [method_content(archive, one) for one in approved]
    zone = ZoneInfo(run.lot.site.time_zone)
    stated = {
        (one.method, one.version, one.measured_at.astimezone(zone).date())
        for one in rows
        if one.result_type != REPORTABLE
    }
    judging = [method_on(versions, code=one, stated=v, day=day) for one, v, day in sorted(stated)]
    found = {
        one.reference: one
        for one in judging
        if isinstance(one, Method) and one.analysis is not None
    }
    others = [one for one in judging if not isinstance(one, Method) or one.analysis is None]
    if len(found) != 1 or others:
        raise InvalidInput(
            "BQC-POT-002",
            f"no one method version with an analysis is for {run.natural_key}",
            reasons=[_why(one) for one in judging] or ["it has no wells"],
            hint="Have the version with its [analysis] approved from before the day of the run.",
        )
    (method,) = found.values()
    version = method_by(session, method.id, method.version)
    if version is None or method.analysis is None:
        raise NotFound("BQC-MET-003", f"there is no method {method.reference}")
    return Plate(run, rows, version, method, method.analysis)


def compute(plate: Plate, sample: str) -> Found:
    """What comes of the wells of a sample; nothing is written."""
    wells = read_wells(plate.rows, plate.analysis, sample=sample)
    if wells.problems:
        reasons = (NOT_COMPUTED, *map(problem_text, wells.problems))
        return Found("", {"type": "batchqc/potency-fit/1"}, reasons, "")
    return _fitted(plate.analysis, wells.wells, wells_hash(wells.wells, plate.version.sha256))


def wells_hash(wells: Sequence[Well], method_sha256: str) -> str:
    """The hash of the rows that are fitted, and of the method by which they are."""
    content = measurement_content(one.row for one in wells)
    return sha256_of({"type": "batchqc/wells/1", "method": method_sha256, "rows": content})


def problem_text(one: WellProblem) -> str:
    """A problem of a well in words, with its place."""
    where = f"row {one.row.cell.row}, {one.column}: " if one.row is not None else ""
    return f"{where}{one.said}. {one.todo}"


def fit_result(fit: PotencyFit) -> dict[str, Any]:
    """What a fit computed, as texts."""
    found: dict[str, Any] = json.loads(fit.result)
    return found


def fit_value(fit: PotencyFit) -> str:
    """The value of a fit as it would be declared, "" where there is none."""
    return str(fit_result(fit).get("reported", ""))


def fit_reasons(fit: PotencyFit) -> list[str]:
    """Why a fit may not be declared; nothing where it may."""
    found: list[str] = json.loads(fit.reasons)
    return found


def _fitted(analysis: PotencyAnalysis, wells: Sequence[Well], sha256: str) -> Found:
    from batchqc.statistics.plate_fit import fit_plate, software  # noqa: PLC0415 - loads scipy

    try:
        fit = fit_plate(analysis, wells)
    except (NotEstimable, InvalidInput) as error:
        said = f"nothing could be estimated: {error.message}. {error.hint}".strip()
        return Found(sha256, {"type": "batchqc/potency-fit/1"}, (said,), software())
    outcomes = judged(analysis, fit.facts)
    reported = as_reported(fit.value, analysis.decimals)
    reasons = reasons_against(outcomes)
    if reported is None:
        reasons = (*reasons, f'"{fit.value}" is no value that can be reported')
    result: dict[str, Json] = {
        "type": "batchqc/potency-fit/1",
        "model": analysis.model.value,
        "unit": analysis.unit,
        "reported": reported or "",
        "numbers": dict(fit.numbers),
        "facts": dict(fit.facts),
        "criteria": [[one.name, one.wanted, one.found, one.met] for one in outcomes],
        "method": fit.method,
        "confidence": str(analysis.confidence),
        "assumptions": list(fit.assumptions),
        "limitations": list(fit.limitations),
        "outliers": list(fit.outliers),
        "plot": [list(one) for one in fit.plot],
    }
    return Found(sha256, result, reasons, fit.software)


def _sample(session: Session, plate: Plate, sample: str) -> SampleRow:
    """The sample whose wells are wanted, of the lot of the run."""
    own = {
        fold(one.sample)
        for one in plate.rows
        if is_well(one, plate.analysis) and fold(one.lot) == plate.run.lot.folded
        and one.result_type == RAW
    }  # fmt: skip
    wanted = {fold(sample)} if sample else own
    rows = [
        one
        for one in samples_of(session, lots_by(session, {plate.run.lot.folded}))
        if one.folded in wanted & own
    ]
    if len(rows) != 1:
        known = ", ".join(sorted(own)) or "none"
        raise NotFound(
            "BQC-POT-005",
            f"{plate.run.natural_key} has no one sample {sample}".rstrip(),
            hint=f"It has wells of: {known}. Name one of them.",
        )
    return rows[0]


def _run_reasons(validity: RunValidity | None) -> list[str]:
    """Why the run is not valid by the other criteria of its method."""
    if validity is None or validity.validity is Validity.VALID:
        return []
    return [str(validity)]


def _why(one: object) -> str:
    if isinstance(one, Method):
        return f"{one.reference} has no analysis"
    return getattr(one, "why", "") or "no version of its method is approved"
