"""Typed results in lists, and which results of a lot are on record and of use."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, func, literal_column, select
from sqlalchemy.orm import Session

from batchqc.core.assays import REPORTABLE
from batchqc.core.entries import SecondEntry
from batchqc.core.identifiers import fold
from batchqc.core.open_tests import Reported
from batchqc.records.entries import EntryVerification, how_entered, verifications_of
from batchqc.records.list_orders import in_order
from batchqc.records.registers import LotRow, SampleRow
from batchqc.records.uploads import AssayRun, MeasurementRow, Upload

#: Of an upload that a person or a fit typed; word for word as its index says it.
IS_TYPED: Final = Upload.typed != literal_column("''")


@dataclass(frozen=True, slots=True)
class SoughtEntries:
    """Which typed results: of a lot, in a state, typed by a person; "" and ``None`` are any.

    ``behind`` is the last one of the page before, or ``None``.
    """

    lot: str = ""
    state: SecondEntry | None = None
    person: str = ""
    behind: Upload | None = None
    limit: int = 50
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A typed result without its value."""

    upload: Upload
    lot: str
    test: str
    run: str
    samples: tuple[str, ...]
    analytes: tuple[str, ...]
    analysts: tuple[str, ...]
    verification: EntryVerification | None

    @property
    def state(self) -> SecondEntry:
        """Whether a second person has typed it."""
        return how_entered(self.upload, self.verification)

    @property
    def verified_by(self) -> str:
        """Who typed it as the second person; "" while nobody has."""
        return self.verification.signature.person.user_id if self.verification else ""


def typed_lines(session: Session, sought: SoughtEntries) -> list[TypedLine]:
    """Typed results in their order; one more than ``limit`` where there are more."""
    query = _conditions(sought)
    query = in_order(query, Upload.id, behind=sought.behind, is_back=not sought.oldest_first)
    uploads = session.scalars(query.limit(sought.limit + 1)).all()
    ids = [one.id for one in uploads]
    verified, what = verifications_of(session, ids), _typed(session, ids)
    return [TypedLine(one, *what[one.id], verified.get(one.id)) for one in uploads]


def count_typed_up_to(session: Session, sought: SoughtEntries, most: int) -> int:
    """How many typed results there are, counted no further than ``most``."""
    found = _conditions(sought).with_only_columns(Upload.id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def results_of_use(session: Session, lots: Iterable[LotRow]) -> frozenset[Reported]:
    """Sample, test and analyte of every reportable result, but of entries that did not match."""
    is_useless = EntryVerification.matches == 0
    query = (
        select(SampleRow.sample, AssayRun.test, MeasurementRow.analyte)
        .join(AssayRun, AssayRun.id == MeasurementRow.assay_run_id)
        .join(SampleRow, SampleRow.id == MeasurementRow.sample_id)
        .outerjoin(
            EntryVerification, (EntryVerification.upload_id == AssayRun.upload_id) & is_useless
        )
        .where(
            AssayRun.lot_id.in_([lot.id for lot in lots]),
            EntryVerification.id.is_(None),
            MeasurementRow.result_type == REPORTABLE,
        )
    )
    return frozenset(
        (sample, test, analyte) for sample, test, analyte in session.execute(query.distinct())
    )


#: Lot, test, run, samples, analytes, analysts.
_What = tuple[str, str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def _typed(session: Session, uploads: Sequence[int]) -> Mapping[int, _What]:
    """Of each entry its lot, test and run, its samples, analytes and analysts."""
    query = (
        select(
            AssayRun.upload_id, LotRow.lot, AssayRun.test, AssayRun.run, AssayRun.analysts,
            SampleRow.sample, MeasurementRow.analyte,
        )
        .join(LotRow, LotRow.id == AssayRun.lot_id)
        .join(MeasurementRow, MeasurementRow.assay_run_id == AssayRun.id)
        .join(SampleRow, SampleRow.id == MeasurementRow.sample_id)
        .where(AssayRun.upload_id.in_(uploads))
        .order_by(MeasurementRow.id)
    )  # fmt: skip
    found: dict[int, _What] = {}
    for upload, lot, test, run, analysts, sample, analyte in session.execute(query):
        _l, _t, _r, samples, analytes, _a = found.get(upload, ("", "", "", (), (), ()))
        found[upload] = (
            lot, test, run,
            tuple(dict.fromkeys((*samples, sample))), tuple(dict.fromkeys((*analytes, analyte))),
            tuple(analysts.split("\n")),
        )  # fmt: skip
    return found


def _conditions(sought: SoughtEntries) -> Select[Upload]:
    query = select(Upload).where(IS_TYPED, Upload.accepted == 1)
    if sought.lot:
        of_lot = select(AssayRun.upload_id).join(LotRow).where(LotRow.folded == fold(sought.lot))
        query = query.where(Upload.id.in_(of_lot))
    if sought.person:
        query = query.where(func.lower(Upload.uploaded_by) == fold(sought.person))
    second = select(EntryVerification.upload_id)
    if sought.state is SecondEntry.WAITS:
        return query.where(Upload.id.not_in(second))
    if sought.state is not None:
        matches = int(sought.state is SecondEntry.VERIFIED)
        return query.where(Upload.id.in_(second.where(EntryVerification.matches == matches)))
    return query
