"""Which verdicts, decisions and certificates used a measurement.

A verdict is current, as the records judge the lot now, or recorded, as a signed decision holds it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from batchqc.actions.certificate_states import status_of
from batchqc.actions.evaluation import LotCase
from batchqc.actions.sources import bearing, cell_of, judged_by, uses
from batchqc.core.assays import Measurement
from batchqc.core.specifications import closure
from batchqc.core.subjects import Measured
from batchqc.documents.archive import Archive
from batchqc.documents.spec_file import read_specification
from batchqc.records.decisions import DispositionRow, certificates_of


@dataclass(frozen=True, slots=True)
class Used:
    """A verdict that used a cell.

    ``decision`` is the key of the decision that recorded it, or "" where it is current.
    """

    lot: str
    specification: str
    criterion: str
    verdict: str
    sentence: str
    decision: str = ""


@dataclass(frozen=True, slots=True)
class DecisionUse:
    """A signed decision that used a cell."""

    key: str
    disposition: str
    signature: str
    decided_at: datetime


def current_uses(case: LotCase, one: Measurement) -> Iterator[Used]:
    """The verdicts that use a measurement as the lot is judged now."""
    for specification, verdicts in judged_by(case):
        for verdict in verdicts:
            if cell_of(one) in uses(verdicts, bearing(specification, verdict)):
                word = verdict.outcome.value if verdict.outcome else "for information"
                yield Used(
                    case.lot.id,
                    specification.reference,
                    verdict.criterion.id,
                    word,
                    verdict.sentence,
                )


def recorded_uses(archive: Archive, decision: DispositionRow, one: Measurement) -> Iterator[Used]:
    """The verdicts of a signed decision that used a measurement."""
    content = json.loads(archive.get(decision.content_sha))
    deciding = (content["specification"]["sha256"], content["verdicts"])
    beside = [(other["sha256"], other["verdicts"]) for other in content.get("beside", [])]
    for sha256, verdicts in (deciding, *beside):
        data = archive.get(sha256)
        specification = read_specification(data, file=sha256, is_stored=True).specification
        if specification is None or specification.stage != one.stage:
            continue
        cell = [str(one.run), one.cell.row, one.text]
        used = {
            criterion.id
            for criterion in specification.criteria
            if isinstance(criterion.subject, Measured)
            and (criterion.subject.test, criterion.subject.analyte) == (one.run.test, one.analyte)
            and any(v["criterion"] == criterion.id and cell in v["cells"] for v in verdicts)
        }
        recorded = {verdict["criterion"]: verdict for verdict in verdicts}
        for criterion in specification.criteria:
            if used.intersection(each.id for each in closure(specification, criterion)):
                said = recorded[criterion.id]
                yield Used(
                    decision.lot.lot,
                    specification.reference,
                    criterion.id,
                    said["verdict"] or "for information",
                    said["sentence"],
                    decision.key,
                )


def decision_use(row: DispositionRow) -> DecisionUse:
    """A decision as it is told."""
    return DecisionUse(row.key, row.disposition, row.signature.natural_key, row.decided_at)


def certificates_under(
    session: Session, cases: Iterable[LotCase], decisions: Mapping[int, DispositionRow]
) -> Iterator[tuple[str, str]]:
    """The certificates of some decisions with their state: issued, pending or void."""
    for case in cases:
        for one in certificates_of(session, case.row):
            if one.disposition_id in decisions:
                yield one.natural_key, status_of(session, one)
