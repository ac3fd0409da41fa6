"""The report of patterns of testing into compliance, over everything on record or some lots.

Of some lots, those refused files are read that came after they were made, or shortly before their
first results, and until their last: what came after these has nothing to differ from.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from batchqc.actions.failing import Judged, judged
from batchqc.actions.uploads import reading_of
from batchqc.core.assays import REPORTABLE, Measurement, RunKey
from batchqc.core.compliance_patterns import Key, Pattern, ResultAlone, Sent, patterns
from batchqc.core.entries import SecondEntry
from batchqc.core.hypotheses import unreported
from batchqc.core.identifiers import fold
from batchqc.core.investigations import Attribute, attribute_of
from batchqc.core.judging import judge
from batchqc.core.mismatches import either, typed_texts
from batchqc.core.subjects import Measured
from batchqc.core.verdicts import Outcome
from batchqc.documents.archive import Archive
from batchqc.records.registers import LotRow
from batchqc.records.uploads import AssayRun, Upload

SHORTLY: Final = timedelta(days=30)
_A_DAY: Final = timedelta(days=1)  # which no zone is further from UTC
_REFUSED: Final = select(Upload).where(
    Upload.accepted == 0, Upload.sha256 != "", Upload.typed == ""
)


def find_patterns(
    session: Session, archive: Archive, *, lots: Sequence[LotRow] | None = None
) -> tuple[Pattern, ...]:
    """Every pattern in the history of some lots, or of all."""
    rows = session.scalars(select(LotRow).order_by(LotRow.id)).all() if lots is None else lots
    names = {row.lot for row in rows}
    planned: dict[str, int] = {}
    tested: list[ResultAlone] = []
    sent: dict[str, list[Measurement]] = {}
    uploads: dict[str, Upload] = {}
    for row in rows:
        found = judged(session, archive, row)
        planned |= {
            one.number: one.plan.number
            for one in found.known.investigations
            if one.plan is not None
        }
        tested += [*_tested(found), *_unreported(found)]
        for one in found.known.measurements:
            if one.second is not SecondEntry.WAITS:
                sent.setdefault(one.run.upload, []).append(one)
        uploads |= {run.upload.natural_key: run.upload for run in found.runs}
    accepted = [_sent(uploads[number], own) for number, own in sent.items()]
    received = sorted(one.received_at for one in uploads.values())
    query = _REFUSED
    if lots is not None and received:
        made = min(datetime.fromisoformat(one.manufactured_on).replace(tzinfo=UTC) for one in rows)
        since = min(made - _A_DAY, received[0] - SHORTLY)
        query = query.where(Upload.received_at.between(since, received[-1]))
    refused = list(_refused(session, archive, names, query)) if received else []
    return patterns(tested, planned, refused, accepted)


def _tested(found: Judged) -> Iterator[ResultAlone]:
    """Each attribute of a lot in each run, judged alone."""
    runs = {run.run_key: run for run in found.runs}
    alone: dict[tuple[RunKey, Attribute], list[Measurement]] = {}
    for one in found.known.measurements:
        alone.setdefault((one.run, attribute_of(one)), []).append(one)
    for (key, attribute), rows in alone.items():
        reported = [one for one in rows if one.result_type == REPORTABLE]
        if reported:
            yield _one(found, runs[key], attribute, reported, rows)


def _one(
    found: Judged,
    run: AssayRun,
    attribute: Attribute,
    reported: Sequence[Measurement],
    rows: Iterable[Measurement],
) -> ResultAlone:
    typed = either([replace(one, retest_of="", superseded_by="") for one in rows])
    outcomes = [_outcome(found, attribute, _counting(version)) for version in typed]
    first, validity = reported[0], found.known.validity.get(run.run_key)
    return ResultAlone(
        lot=first.lot,
        attribute=attribute,
        run=run.run_key,
        texts=tuple(map(typed_texts, reported)),
        outcome=Outcome.FAIL if Outcome.FAIL in outcomes else outcomes[0],
        method=first.method,
        analyst=first.analyst,
        people=frozenset({run.upload.uploaded_by, *(one.analyst for one in reported)}),
        at=run.upload.received_at,
        retest_of=first.retest_of,
        validity=validity.validity if validity else None,
        second=first.second,
    )


def _unreported(found: Judged) -> Iterator[ResultAlone]:
    """What of a lot is not reported, as if it were."""
    runs = {run.run_key: run for run in found.runs}
    for one in unreported(found.known.measurements, found.specifications):
        first, validity = one.rows[0], found.known.validity.get(one.run)
        upload = runs[one.run].upload
        yield ResultAlone(
            lot=first.lot,
            attribute=one.attribute,
            run=one.run,
            texts=tuple(each.text for each in one.rows),
            outcome=one.outcome,
            method=first.method,
            analyst=first.analyst,
            people=frozenset({upload.uploaded_by, *(each.analyst for each in one.rows)}),
            at=upload.received_at,
            validity=validity.validity if validity else None,
            result_type=one.result_type,
        )


def _counting(rows: Iterable[Measurement]) -> list[Measurement]:
    return [replace(one, second=SecondEntry.NOT_NEEDED) for one in rows]


def _outcome(found: Judged, attribute: Attribute, rows: Sequence[Measurement]) -> Outcome | None:
    stage, test, analyte = attribute
    for one in found.specifications:
        criterion = one.criterion(test=test, analyte=analyte) if one.stage == stage else None
        if criterion is not None and isinstance(criterion.subject, Measured):
            (verdict,) = judge(replace(one, criteria=(criterion,)), rows, found.known.donors)
            return verdict.outcome
    return None


def _refused(
    session: Session, archive: Archive, lots: set[str], query: Select[Upload]
) -> Iterator[Sent]:
    """What refused files said of some lots, as far as it could be read."""
    for upload in session.scalars(query.order_by(Upload.id)):
        own = [one for one in reading_of(session, archive, upload).parsed if one.lot in lots]
        if own:
            yield _sent(upload, own)


def _sent(upload: Upload, rows: Iterable[Measurement]) -> Sent:
    return Sent(
        upload.natural_key,
        upload.uploaded_by,
        upload.received_at,
        {_key(one): one.text for one in rows},
    )


def _key(one: Measurement) -> Key:
    return (
        one.lot,
        fold(one.sample),
        fold(one.aliquot),
        one.run.test,
        one.analyte,
        fold(one.run.run),
        one.replicate,
    )
