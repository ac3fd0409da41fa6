"""Fits and declarations of a lot as a decision looks at them: their rows, and what is damaged."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.run_validity import RunsLookedAt
from batchqc.core.assays import Measurement
from batchqc.core.canonical import sha256_of
from batchqc.core.wells import RAW, is_well
from batchqc.records.base import Row
from batchqc.records.entries import verifications_of
from batchqc.records.potency import (
    PotencyDeclaration,
    PotencyFit,
    PotencySource,
    declarations_of,
    fits_of,
    sources_of,
)
from batchqc.records.registers import LotRow


@dataclass(frozen=True, slots=True)
class PotencyLookedAt:
    """The rows of fits and declarations, and what of them is not as it was signed.

    ``undeclared`` are wells whose result nobody knows, or knows and did not declare, in words.
    """

    rows: tuple[Row, ...] = ()
    damaged: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()


def look_at_potency(
    session: Session, lot: LotRow, measurements: Sequence[Measurement], looked: RunsLookedAt
) -> PotencyLookedAt:
    """Everything that was fitted and declared of a lot, and what was not."""
    fits, declarations = fits_of(session, lot), declarations_of(session, lot)
    sources = sources_of(session, declarations)
    return PotencyLookedAt(
        (
            *fits,
            *sources,
            *(row for one in declarations for row in (one, one.signature)),
            *{one.id: one for one in (fit.method_version for fit in fits)}.values(),
        ),
        tuple(_damaged(declarations, sources, measurements)),
        tuple(_undeclared(session, fits, sources, measurements, looked)),
    )


def sources_in_use(session: Session, sources: Sequence[PotencySource]) -> tuple[PotencySource, ...]:
    """Those of declarations that stand: what two people typed differently is void."""
    entries = verifications_of(session, {one.potency_declaration.upload_id for one in sources})
    found = [(one, entries.get(one.potency_declaration.upload_id)) for one in sources]
    return tuple(one for one, entry in found if entry is None or entry.matches)


def _undeclared(
    session: Session,
    fits: Sequence[PotencyFit],
    sources: Sequence[PotencySource],
    measurements: Sequence[Measurement],
    looked: RunsLookedAt,
) -> Iterator[str]:
    """Wells that stand without a fit, and fits that may be declared and are not.

    A run that is not suitable is invalid, and owes nothing. Every other result of wells counts.
    """
    analysed = {one.reference: one.analysis for one in looked.methods if one.analysis is not None}
    wells = {
        (one.run, one.sample): None
        for one in measurements
        if one.result_type == RAW and not one.superseded_by and one.run in looked.validity
        for reference, _ in looked.validity[one.run].methods
        if reference in analysed and is_well(one, analysed[reference])
    }  # fmt: skip
    newest = {(one.assay_run.run_key, one.sample.sample): one for one in fits}
    used = {
        (one.potency_fit.assay_run.run_key, one.potency_fit.sample.sample)
        for one in sources_in_use(session, sources)
    }
    for run, sample in wells:
        fit = newest.get((run, sample))
        if (run, sample) in used:
            continue
        if fit is None:
            yield f"{run} has wells of {sample} and no fit: fit it, and declare what it gives"
        elif fit.reportable:
            value = json.loads(fit.result).get("reported", "")
            yield (
                f"{fit.public} of {run}, {sample}, gives {value} and is not declared: no result is"
                " left out; declare it, as a second result where there is one"
            )


def _damaged(
    declarations: Iterable[PotencyDeclaration],
    sources: Sequence[PotencySource],
    measurements: Sequence[Measurement],
) -> Iterator[str]:
    for one in declarations:
        signature = one.signature
        content = json.loads(one.declared)
        signed = (signature.record, signature.record_sha256, signature.sha256)
        if signed != (one.key, sha256_of(content), signature.signing.sha256):
            yield f"the signature of {one.public} is of other content"
        own = [each for each in measurements if each.run.upload == one.upload.natural_key]
        if [(each.text, each.unit) for each in own] != [(content["value"], content["unit"])]:
            yield f"the measurement of {one.public} is not the value that was declared"
        fits = [s.potency_fit for s in sources if s.potency_declaration_id == one.id]
        named = [[fit.key, fit.content_sha256, fit.wells_sha256] for fit in fits]
        if named != content["fits"] or one.upload.sha256 != content["file"]:
            yield f"{one.public} does not rest on the fits and the file that were signed"
