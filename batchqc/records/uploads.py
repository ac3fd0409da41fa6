"""Uploads, the assay runs in them, their measurements, and the reviews of runs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from batchqc.core.assays import Cell, Measurement, RunKey
from batchqc.core.canonical import Json
from batchqc.records.among import among
from batchqc.records.base import Numbered, Row, added_later, few_among_many, refers_to
from batchqc.records.entries import how_entered, typed_again, verifications_of
from batchqc.records.once import once
from batchqc.records.potency import wells_declared
from batchqc.records.registers import LotRow, SampleRow
from batchqc.records.rows_by import load_their, rows_by
from batchqc.records.signatures import SignatureRow, numbered_by

MEASUREMENTS_TYPE: Final = "batchqc/measurements/1"


class Upload(Numbered):
    """One file received. ``sha256`` is empty where it was too large to be kept.

    ``problems`` is JSON, and so is ``stated``: what the uploader stated beside the file.
    ``profile`` is the reference of its profile, "" for a contract; ``supersedes`` is why it does;
    ``typed`` is "by hand" or, of a declared fit, "computed"; ``retest`` is an investigation, or "".
    """

    __tablename__ = "upload"

    sha256: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]
    file: Mapped[str]
    client: Mapped[str]
    contract: Mapped[str]
    accepted: Mapped[int]
    rows: Mapped[int]
    problems: Mapped[str]
    uploaded_by: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(index=True)
    profile: Mapped[str] = added_later()
    stated: Mapped[str] = added_later()
    supersedes: Mapped[str] = added_later()
    typed: Mapped[str] = added_later()
    retest: Mapped[str] = added_later()

    __table_args__ = (
        UniqueConstraint("year", "number"),
        few_among_many("ix_upload_typed", "id", "typed <> ''"),
    )

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return upload_number(self.year, self.number)


class AssayRun(Row):
    """One run id of one test in one upload, for one lot.

    ``analysts`` are user ids, one a line; ``measurements_sha256`` covers every measurement.
    """

    __tablename__ = "assay_run"

    upload_id: Mapped[int] = refers_to("upload")
    lot_id: Mapped[int] = refers_to("lot")
    test: Mapped[str]
    run: Mapped[str]
    analysts: Mapped[str]
    measurements_sha256: Mapped[str]

    upload: Mapped[Upload] = relationship()
    lot: Mapped[LotRow] = relationship()
    __table_args__ = (
        UniqueConstraint("upload_id", "lot_id", "test", "run"),
        Index("ix_assay_run_test", "test", "id"))  # fmt: skip

    @property
    def natural_key(self) -> str:
        """Upload, lot, test and run."""
        return f"{self.upload.natural_key}/{self.lot.lot}/{self.test}/{self.run}"

    @property
    def run_key(self) -> RunKey:
        """The run as core knows it."""
        return RunKey(self.upload.natural_key, self.test, self.run)


class MeasurementRow(Row):
    """One measurement with its cell. Narrow in keys: the run holds the rest."""

    __tablename__ = "measurement"

    assay_run_id: Mapped[int] = mapped_column(
        ForeignKey("assay_run.id", deferrable=True, initially="IMMEDIATE"), index=True
    )
    sample_id: Mapped[int] = mapped_column(ForeignKey("sample.id"))
    aliquot: Mapped[str]
    analyte: Mapped[str]
    replicate: Mapped[int]
    value: Mapped[str]
    unit: Mapped[str]
    started_text: Mapped[str]
    measured_text: Mapped[str]
    measured_at: Mapped[datetime]
    analyst: Mapped[str]
    instrument: Mapped[str]
    method: Mapped[str]
    method_version: Mapped[str]
    result_type: Mapped[str]
    comment: Mapped[str]
    row: Mapped[int]
    line: Mapped[int]
    column: Mapped[str]
    original: Mapped[str] = added_later()

    assay_run: Mapped[AssayRun] = relationship()
    sample: Mapped[SampleRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Run, row and column."""
        return f"{self.assay_run.natural_key}/{self.row}/{self.column}"


class Review(Row):
    """The signed review of a run by a second person."""

    __tablename__ = "review"

    assay_run_id: Mapped[int] = refers_to("assay_run")
    signature_id: Mapped[int] = refers_to("signature")

    assay_run: Mapped[AssayRun] = relationship()
    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("assay_run_id", "signature_id"),)

    @property
    def natural_key(self) -> str:
        """Run and signature."""
        return f"{self.assay_run.natural_key}/{self.signature.natural_key}"


class Superseding(Row):
    """A run of which another file holds the next version: which, by whom, when and why."""

    __tablename__ = "superseding"

    older_id: Mapped[int] = mapped_column(ForeignKey("assay_run.id"), unique=True)
    newer_id: Mapped[int] = refers_to("assay_run")
    superseded_by: Mapped[str]
    superseded_at: Mapped[datetime]
    reason: Mapped[str]

    older: Mapped[AssayRun] = relationship(foreign_keys=[older_id])
    newer: Mapped[AssayRun] = relationship(foreign_keys=[newer_id])

    @property
    def natural_key(self) -> str:
        """Of the superseded run."""
        return self.older.natural_key

    @property
    def versions(self) -> tuple[str, str]:
        """The keys of the superseded run and of the next version; "" where somebody removed it."""
        return getattr(self.older, "key", ""), getattr(self.newer, "key", "")

    @property
    def upload(self) -> str:
        """The upload with the next version; the surrogate id where somebody removed that."""
        upload = getattr(self.newer, "upload", None)
        return upload.natural_key if upload else f"#{self.newer_id}"


def upload_number(year: int, number: int) -> str:
    """The public number of an upload."""
    return f"U-{year}-{number:06d}"


def upload_by(session: Session, public: str) -> Upload | None:
    """The upload of a public number such as ``U-2026-000001``."""
    return numbered_by(session, Upload, "U", public)


def accepted_upload_of(session: Session, sha256: str) -> Upload | None:
    """The first accepted upload of the same bytes."""
    query = select(Upload).where(Upload.sha256 == sha256, Upload.accepted == 1)
    return session.scalar(query.order_by(Upload.id).limit(1))


def newest_upload_of(session: Session, sha256: str) -> Upload:
    """The newest accepted upload of some bytes that were accepted."""
    query = select(Upload).where(Upload.sha256 == sha256, Upload.accepted == 1)
    return session.scalars(query.order_by(Upload.id.desc()).limit(1)).one()


def runs_of(session: Session, lot: LotRow) -> Sequence[AssayRun]:
    """Every run of a lot, as uploaded."""
    order = (AssayRun.upload_id, AssayRun.test, AssayRun.run)
    runs = rows_by(session, AssayRun, AssayRun.lot_id, [lot.id], *order)
    for run in runs:
        set_committed_value(run, "lot", lot)
    load_their(session, runs, AssayRun.upload)
    return runs


def runs_by_id(session: Session, ids: Iterable[int]) -> Sequence[AssayRun]:
    """Some runs by their surrogate ids."""
    return rows_by(session, AssayRun, AssayRun.id, ids)


def runs_in(session: Session, upload: Upload) -> Sequence[AssayRun]:
    """Every run of an upload."""
    return rows_by(session, AssayRun, AssayRun.upload_id, [upload.id])


def measurements_in(session: Session, upload: Upload) -> int:
    """How many measurements of an upload are on record."""
    query = select(func.count()).select_from(MeasurementRow).join(AssayRun)
    return session.scalar(query.where(AssayRun.upload_id == upload.id)) or 0


def reviews_of(session: Session, runs: Iterable[AssayRun]) -> Sequence[Review]:
    """Every review of some runs, oldest first."""
    found = rows_by(session, Review, Review.assay_run_id, (run.id for run in runs))
    load_their(session, found, Review.signature)
    load_their(session, (one.signature for one in found), SignatureRow.person)
    return found


@once
def supersedings_of(session: Session, runs: Iterable[AssayRun]) -> Sequence[Superseding]:
    """What superseded some runs, oldest first."""
    return rows_by(session, Superseding, Superseding.older_id, (run.id for run in runs))


_MEASURED: Final = (
    select(*MeasurementRow.__table__.columns, SampleRow.sample, SampleRow.stage)
    .join_from(MeasurementRow, SampleRow, SampleRow.id == MeasurementRow.sample_id)
    .where(among(MeasurementRow.assay_run_id, "runs"))
    .order_by(MeasurementRow.assay_run_id, MeasurementRow.row, MeasurementRow.id)
)


def measurements_of(session: Session, runs: Iterable[AssayRun]) -> Iterator[Measurement]:
    """Every measurement of some runs as core knows it, in the order of their rows."""
    by_id = {run.id: run for run in runs}
    newer = {one.older_id: one.upload for one in supersedings_of(session, by_id.values())}
    verified = verifications_of(session, {run.upload_id for run in by_id.values()})
    second = {n: how_entered(run.upload, verified.get(run.upload_id)) for n, run in by_id.items()}
    again = {run.id: iter(typed_again(verified.get(run.upload_id))) for run in by_id.values()}
    wells = wells_declared(session, (run.upload for run in by_id.values()))
    for row in session.execute(_MEASURED, {"runs": list(by_id)}) if by_id else ():
        run = by_id[row.assay_run_id]
        yield Measurement(
            run=run.run_key,
            lot=getattr(run.lot, "lot", ""),  # "" where somebody removed the lot
            sample=row.sample,
            stage=row.stage,
            aliquot=row.aliquot,
            analyte=row.analyte,
            replicate=row.replicate,
            unit=row.unit,
            measured_at=datetime.fromisoformat(row.measured_text),
            started_at=datetime.fromisoformat(row.started_text) if row.started_text else None,
            analyst=row.analyst,
            instrument=row.instrument,
            method=row.method,
            version=row.method_version,
            result_type=row.result_type,
            cell=Cell(row.row, row.line, row.column, row.value, row.original),
            comment=row.comment,
            superseded_by=newer.get(run.id, ""),
            second=second[row.assay_run_id],
            retest_of=run.upload.retest,
            again=next(again[run.id], None),
            wells=wells.get(run.upload_id, ()),
        )


def measurement_content(measurements: Iterable[Measurement]) -> Json:
    """What the hash of a run's measurements covers: every field, in the order of rows."""
    return {
        "type": MEASUREMENTS_TYPE,
        "measurements": [
            [
                one.run.test, one.run.run, one.lot, one.sample, one.aliquot, one.analyte,
                one.replicate, one.text, one.unit, one.measured_at.isoformat(),
                one.started_at.isoformat() if one.started_at else None, one.analyst, one.instrument,
                one.method, one.version, one.result_type, one.comment, one.cell.row, one.cell.line,
                one.cell.column, *([one.cell.original] if one.cell.original else []),
            ]
            for one in sorted(measurements, key=lambda one: (one.cell.row, one.cell.column))
        ],
    }  # fmt: skip
