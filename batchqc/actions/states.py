"""How a record stands: a hash over all that an answer about it, or a decision on it, rests on.

The state of a lot is taken from the same study on which it is decided: every verdict with its
cells, every gate with its reasons, runs, reviews, corrections, donors and samples. So it changes
with a result, an eligibility, a specification that is withdrawn, an entry of a register and with
the day on which the lot expires, and it does not change with anything else. Not covered is what a
decision never looks at: the rest of the audit trail, and other lots.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from batchqc.actions.binding import hold_versions
from batchqc.actions.certificates import the_certificate
from batchqc.actions.corrections import hold_subject, the_correction
from batchqc.actions.deciding import decision_content, lock_to_decide
from batchqc.actions.donor_records import records_of
from batchqc.actions.entries import the_entry
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.investigations import the_investigation
from batchqc.actions.layouts import the_layout
from batchqc.actions.look_backs import lock_what_came_of
from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.methods import hold_methods, the_method
from batchqc.actions.profiles import the_profile
from batchqc.actions.registers import the_donor
from batchqc.actions.specifications import site_day, state_of, the_version
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.identifiers import fold
from batchqc.documents.archive import Archive
from batchqc.records.base import Row
from batchqc.records.conditional import superseding_certificate, withdrawal_of
from batchqc.records.copies import copies_of
from batchqc.records.corrections import decision_on
from batchqc.records.decisions import issue_of
from batchqc.records.deviations import deviation_lots, deviation_rows, series_of_deviation
from batchqc.records.donors import eligibility_of
from batchqc.records.layouts import approval_of_layout, submission_of_layout, withdrawal_of_layout
from batchqc.records.methods import method_approval_of
from batchqc.records.profiles import approval_of_profile
from batchqc.records.specifications import history_of
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import reviews_of, runs_of


@dataclass(frozen=True, slots=True)
class State:
    """How a record stands.

    Args:
        sha256: over all that is looked at.
        subjects: keys of the records whose audit entries tell what changed.
    """

    sha256: str
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contested:
    """What several people may decide on at once: what keeps others away, and how it stands."""

    hold: Callable[[Transaction], object]
    state: Callable[[Session], State]


def contested_lot(archive: Archive, lot: str, now: datetime) -> Contested:
    """A lot, held as its review and its disposition hold it."""

    def state(session: Session) -> State:
        row = the_lot(session, lot)
        return state_of_lot(session, study(session, archive, lot=row, now=now))

    return Contested(lambda tx: lock_to_decide(tx, lot), state)


def state_of_lot(session: Session, case: LotCase) -> State:
    """The state of a lot that was studied in the same session."""
    content = decision_content(case, case.disposition, None) | {
        "type": "batchqc/lot-state/1",
        "samples": _rows(case.sample_rows),
        "dispositions": _rows(case.dispositions),
        "corrections": _rows(one for pair in case.corrections for one in pair if one is not None),
        "reviews": _rows(case.reviews),
        "versions": _rows(row for one in case.binding.versions for row in history_of(session, one)),
    }
    about = (case.row, *case.donor_rows, *case.sample_rows, *case.binding.versions)
    uploads = dict.fromkeys(run.upload.key for run in case.runs)
    return State(sha256_of(content), (*(row.key for row in about), *uploads))


def contested_donor(code: str) -> Contested:
    """A donor: what was determined, on which records, and what was corrected of them."""

    def state(session: Session) -> State:
        row = the_donor(session, code)
        records = records_of(session, [row])[row.id]
        asked = (correction for correction, _ in records.corrections)
        return _state([row, *eligibility_of(session, [row]), *records.rows, *asked], [row.key])

    def hold(tx: Transaction) -> None:
        row = the_donor(tx.session, code)
        lock_what_came_of(tx, row)  # before the donor, as whoever looks back does
        tx.lock(row.key)

    return Contested(hold, state)


def contested_version(specification: str, version: int, now: datetime) -> Contested:
    """A version of a specification: its history, and what it is today."""

    def hold(tx: Transaction) -> None:
        tx.lock(f"specification {specification}")
        hold_versions(tx, the_version(tx.session, specification, version).product)

    def state(session: Session) -> State:
        row = the_version(session, specification, version)
        today = state_of(session, row, site_day(session, now))
        return _state([row, *history_of(session, row)], [row.key], str(today))

    return Contested(hold, state)


def contested_method(method: str, version: str) -> Contested:
    """A version of a method, approved or not."""

    def state(session: Session) -> State:
        row = the_method(session, method, version)
        return _state([row, method_approval_of(session, row)], [row.key])

    return Contested(hold_methods, state)


def contested_profile(profile: str, version: int) -> Contested:
    """A version of a profile, approved or not."""

    def state(session: Session) -> State:
        row = the_profile(session, profile, version)
        return _state([row, approval_of_profile(session, row)], [row.key])

    return Contested(lambda tx: tx.lock(f"profile {profile}"), state)


def contested_layout(layout: str, version: int) -> Contested:
    """A version of a layout: a draft, in review, or approved."""

    def state(session: Session) -> State:
        row = the_layout(session, layout, version)
        steps = (submission_of_layout, approval_of_layout, withdrawal_of_layout)
        return _state([row, *(step(session, row) for step in steps)], [row.key])

    return Contested(lambda tx: tx.lock(f"layout {layout}"), state)


def contested_correction(number: str) -> Contested:
    """A correction, decided or not."""

    def state(session: Session) -> State:
        row = the_correction(session, number)
        return _state([row, decision_on(session, row)], [row.key, row.subject])

    return Contested(lambda tx: hold_subject(tx, the_correction(tx.session, number).subject), state)


def contested_entry(number: str) -> Contested:
    """A typed result: whether it has its second entry, and its documents."""

    def state(session: Session) -> State:
        entry = the_entry(session, number)
        found = [entry.upload, entry.verification, *entry.attachments]
        return _state(found, [entry.upload.key])

    return Contested(lambda tx: lock_lot(tx, the_entry(tx.session, number).lot), state)


def contested_investigation(number: str) -> Contested:
    """An investigation: its steps, and what of its lot came in, was judged valid and reviewed."""

    def hold(tx: Transaction) -> None:
        lock_lot(tx, the_investigation(tx.session, number).row.lot)

    return Contested(hold, lambda session: investigation_state(session, number))


def investigation_state(session: Session, number: str) -> State:
    """How an investigation stands, with the runs of its lot and their reviews."""
    case = the_investigation(session, number)
    runs = runs_of(session, case.row.lot)
    found = [case.row, *case.steps, *runs, *reviews_of(session, runs)]
    return _state(found, [case.row.key, case.row.lot.key], str(case.now.due_on))


def contested_deviation(deviation: str) -> Contested:
    """A deviation: every row of it, and the lots that it bears on."""
    series = series_of_deviation(fold(deviation))
    return Contested(
        lambda tx: tx.lock(series), lambda session: deviation_state(session, deviation)
    )


def deviation_state(session: Session, deviation: str) -> State:
    """How a deviation stands."""
    folded = fold(deviation)
    found = [*deviation_rows(session, [folded]), *deviation_lots(session, folded)]
    return _state(found, [series_of_deviation(folded)])


def certificate_state(session: Session, number: str) -> State:
    """A certificate: issued or pending, withdrawn, superseded, copied."""
    row = the_certificate(session, number)
    since = (withdrawal_of(session, row), superseding_certificate(session, row))
    return _state([row, issue_of(session, row), *since, *copies_of(session, row)], [row.key])


def _state(rows: Iterable[Row | None], subjects: Sequence[str], also: str = "") -> State:
    content: dict[str, Json] = {
        "type": "batchqc/state/1",
        "rows": _rows(row for row in rows if row is not None),
        "also": also,
    }
    return State(sha256_of(content), tuple(subjects))


def _rows(rows: Iterable[Row]) -> list[Json]:
    return [[row.key, row.content_sha256] for row in rows]
