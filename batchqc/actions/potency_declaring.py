"""From fits to one declared measurement, once, signed by who declares it.

What is declared becomes a file of the long contract with one reportable row, received like any
upload. It counts once a second person has typed the same and signed, as a typed result does. The
value is that of the fits: who declares states it, and another is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.investigation_opening import hold_numbers
from batchqc.actions.lots import lock_lot
from batchqc.actions.permission import require
from batchqc.actions.potency import fit_reasons, plate_of, the_fit
from batchqc.actions.potency_looked_at import sources_in_use
from batchqc.actions.potency_refits import combined, refit
from batchqc.actions.received import ReceivedFile
from batchqc.actions.reviews import check_sound
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.actions.uploads import hold_uploads, the_upload, upload_results
from batchqc.core.canonical import Json, canonical_bytes, sha256_of
from batchqc.core.permissions import Permission
from batchqc.core.potency import COMPUTED, PotencyAnalysis
from batchqc.core.potency_outcomes import as_reported, choice_problems
from batchqc.core.signatures import Meaning, Refusal
from batchqc.core.units import canonical_unit
from batchqc.core.wells import RAW, is_well
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.intake.typed import TypedResult, long_csv
from batchqc.records.potency import (
    PotencyDeclaration,
    PotencyFit,
    PotencySource,
    declaration_by,
    declaration_number,
    declarations_of,
    newest_fits,
    sources_of,
)
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction

FILE_NAME = "declared.csv"


@dataclass(frozen=True, slots=True)
class Declared:
    """What somebody declares: the fits, and the value and unit as they read them."""

    fits: tuple[str, ...]
    value: str
    unit: str


def declare(
    tx: Transaction,
    archive: Archive,
    *,
    declared: Declared,
    credentials: Credentials,
    client: str,
) -> PotencyDeclaration | Refusal:
    """Declare the value of fits as a measurement of their lot.

    Raises:
        NotFound: there is no such fit.
        Conflict: the fits may not be declared, with every reason; or records are damaged.
        InvalidInput: the value is not that of the fits, or the plan of the lot refuses it.
    """
    require(tx, Permission.UPLOAD_RESULTS)
    check_reason(credentials.reason)
    fits = [the_fit(tx.session, one) for one in declared.fits]
    if not fits:
        raise InvalidInput("BQC-POT-006", "no fit is named")
    lot = fits[0].lot
    hold_uploads(tx)
    lock_lot(tx, lot)
    case = study(tx.session, archive, lot=lot, now=tx.now)
    check_sound(case)
    analysis = plate_of(tx.session, archive, fits[0].assay_run).analysis
    problems = list(_problems(tx.session, archive, case, analysis, fits))
    if problems:
        raise Conflict(
            "BQC-POT-007",
            f"{', '.join(one.public for one in fits)} cannot be declared",
            reasons=problems,
            hint="A run that is not suitable is invalid: it is measured anew, as the method says.",
        )
    numbers = combined(analysis, fits)
    value = as_reported(numbers["value"], analysis.decimals)
    stated = (declared.value.strip(), canonical_unit(declared.unit.strip()))
    if value is None or stated != (value, canonical_unit(analysis.unit)):
        raise InvalidInput(
            "BQC-POT-008",
            f"the fits give {value} {analysis.unit}; stated was {declared.value} {declared.unit}",
            hint="State the value of the fits, with the digits that the method reports.",
        )
    return _declared(tx, archive, (fits, analysis, numbers, value), credentials, client)


def the_declaration(session: Session, number: str) -> PotencyDeclaration:
    """The declaration of a public number such as ``PD-2026-000001``.

    Raises:
        NotFound: there is none.
    """
    found = declaration_by(session, number)
    if found is None:
        raise NotFound("BQC-POT-009", f"there is no declaration {number}")
    return found


def _problems(
    session: Session,
    archive: Archive,
    case: LotCase,
    analysis: PotencyAnalysis,
    fits: Sequence[PotencyFit],
) -> Sequence[str]:
    """Why some fits may not be declared: all of it."""
    problems = []
    first = fits[0]
    whose = (first.lot_id, first.sample_id, first.method_version_id, first.assay_run.test)
    used = _used(session, case, first.sample_id)
    newest = newest_fits(session, [run.id for run in case.runs], sample=first.sample_id)
    for one in fits:
        own = (one.lot_id, one.sample_id, one.method_version_id, one.assay_run.test)
        if own != whose:
            problems.append(f"{one.public} is of another lot, sample, test or method version")
        problems += [f"{one.public}: {reason}" for reason in fit_reasons(one)]
        if one.assay_run_id in used:
            problems.append(f"{one.public}: its run is declared, by {used[one.assay_run_id]}")
        if own == whose and newest[one.assay_run_id].id != one.id:
            problems.append(f"{one.public} is not the newest fit of its run")
        problems += refit(session, archive, one)
    runs = [one.assay_run for one in fits]
    if len({run.run_key.run for run in runs}) < len(runs):
        problems.append("two of the runs have one id: they are not independent")
    names = [run.natural_key for run in runs]
    suitable, unknown = _others(case, analysis, first, newest, used)
    problems += choice_problems(analysis, chosen=names, suitable=suitable, unknown=unknown)
    return problems


def _used(session: Session, case: LotCase, sample: int) -> dict[int, str]:
    """The runs from whose wells of a sample a declaration stands."""
    sources = sources_of(session, declarations_of(session, case.row))
    return {
        one.potency_fit.assay_run_id: one.potency_declaration.public
        for one in sources_in_use(session, sources)
        if one.potency_fit.sample_id == sample
    }


def _others(
    case: LotCase,
    analysis: PotencyAnalysis,
    first: PotencyFit,
    newest: Mapping[int, PotencyFit],
    used: Mapping[int, str],
) -> tuple[list[str], list[str]]:
    """The runs with wells of the sample that may be declared, and those that nobody fitted."""
    with_wells = {
        one.run
        for one in case.measurements
        if is_well(one, analysis)
        and one.result_type == RAW
        and not one.superseded_by
        and (one.sample, one.run.test) == (first.sample.sample, first.assay_run.test)
    }
    runs = [run for run in case.runs if run.run_key in with_wells and run.id not in used]
    suitable = [run.natural_key for run in runs if run.id in newest and newest[run.id].reportable]
    return suitable, [run.natural_key for run in runs if run.id not in newest]


def _declared(
    tx: Transaction,
    archive: Archive,
    found: tuple[Sequence[PotencyFit], PotencyAnalysis, Mapping[str, str], str],
    credentials: Credentials,
    client: str,
) -> PotencyDeclaration | Refusal:
    """Sign, receive the file, and record on what it rests."""
    fits, analysis, numbers, value = found
    tx.lock("potency declarations")
    lot, year = fits[0].lot, tx.now.year
    number = next_number(tx.session, PotencyDeclaration, year)
    public = declaration_number(year, number)
    data = long_csv(_typed(tx.session, archive, found, public))
    retests = {one.assay_run.upload.retest for one in fits}
    retest = retests.pop() if len(retests) == 1 else ""
    file = ReceivedFile(FILE_NAME, len(data), data, client, typed=COMPUTED, retest=retest)
    content: dict[str, Json] = {
        "type": "batchqc/potency-declaration/1",
        "declaration": public,
        "lot": lot.key,
        "sample": fits[0].sample.key,
        "method": [fits[0].method_version.key, fits[0].method_version.sha256],
        "model": analysis.model.value,
        "rule": analysis.combination.value,
        "analyte": analysis.analyte,
        "value": value,
        "unit": analysis.unit,
        "confidence": str(analysis.confidence),
        "numbers": dict(numbers),
        "fits": [[one.key, one.content_sha256, one.wells_sha256] for one in fits],
        "software": sorted({one.software for one in fits}),
        "file": file.sha256,
    }
    hold_numbers(tx)
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.AUTHORED,
        record=f"{PotencyDeclaration.__tablename__}:{lot.lot}/{public}",
        record_sha256=sha256_of(content),
    )
    if isinstance(signature, Refusal):
        return signature
    report = upload_results(tx, archive, file=file)
    if not report.accepted:
        raise InvalidInput(
            "BQC-POT-010",
            f"the plan of lot {lot.lot} does not take what was computed",
            reasons=[one.message for one in report.reading.problems],
            hint="Compare the method's analyte and unit with the specification.",
        )
    declaration = PotencyDeclaration(
        year=year, number=number, lot=lot, upload=the_upload(tx.session, report.number),
        signature=signature, value=value, unit=analysis.unit,
        declared=canonical_bytes(content).decode(),
    )  # fmt: skip
    sources = [PotencySource(potency_declaration=declaration, potency_fit=one) for one in fits]
    tx.add(declaration, *sources)
    tx.audit(
        "potency declared",
        rows=[signature, declaration, *sources],
        about=[lot.key, declaration.upload.key, *(one.assay_run.upload.key for one in fits)],
        reason=credentials.reason,
        after={
            "value": value,
            "unit": analysis.unit,
            "fits": [one.public for one in fits],
            "upload": report.number,
        },
    )
    return declaration


def _typed(
    session: Session,
    archive: Archive,
    found: tuple[Sequence[PotencyFit], PotencyAnalysis, Mapping[str, str], str],
    public: str,
) -> TypedResult:
    """The one reportable row: measured when and by whom the last of its wells was."""
    fits, analysis, numbers, value = found
    rows = [row for one in fits for row in plate_of(session, archive, one.assay_run).rows]
    last = max((one for one in rows if is_well(one, analysis)), key=lambda one: one.measured_at)
    started = last.started_at
    return TypedResult(
        lot=fits[0].lot.lot, sample=fits[0].sample.sample, test=fits[0].assay_run.test,
        analyte=analysis.analyte, values=(value,), unit=analysis.unit,
        measured_at=last.measured_at.isoformat(), analyst=last.analyst,
        started_at=started.isoformat() if started else "", instrument=last.instrument,
        run=public, method=fits[0].method_version.reference,
        comment=_comment(fits, analysis, numbers, public),
    )  # fmt: skip


def _comment(
    fits: Sequence[PotencyFit],
    analysis: PotencyAnalysis,
    numbers: Mapping[str, str],
    public: str,
) -> str:
    """What the certificate prints beside the value."""
    runs = ", ".join(f"{one.assay_run.run} ({one.assay_run.upload.natural_key})" for one in fits)
    how = f"{public}: {analysis.model}, {analysis.combination}"
    if not numbers["se_log"]:
        return f"{how}, beyond the range of quantitation, from {runs}"
    ends = [as_reported(numbers[end], analysis.decimals + 1) for end in ("lower", "upper")]
    return (
        f"{how}, {analysis.confidence:%} interval {ends[0]} to {ends[1]} {analysis.unit},"
        f" SE of ln {as_reported(numbers['se_log'], 4)}, from {runs}"
    )
