"""Fits and declarations of a lot as a decision looks at them: their rows, and what is damaged."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.core.assays import Measurement
from batchqc.core.canonical import sha256_of
from batchqc.records.base import Row
from batchqc.records.potency import (
    PotencyDeclaration,
    PotencySource,
    declarations_of,
    fits_of,
    sources_of,
)
from batchqc.records.registers import LotRow


@dataclass(frozen=True, slots=True)
class PotencyLookedAt:
    """The rows of fits and declarations, and what of them is not as it was signed."""

    rows: tuple[Row, ...] = ()
    damaged: tuple[str, ...] = ()


def look_at_potency(
    session: Session, lot: LotRow, measurements: Sequence[Measurement]
) -> PotencyLookedAt:
    """Everything that was fitted and declared of a lot."""
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
