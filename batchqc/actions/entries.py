"""Results that a person types because no file holds them, and their second entry by another person.

An entry is written as a file of the long contract and received like any upload. It counts once a
second person, who sees the source and not the entry, has typed the same and signed (requirement
1.31). What does not match is on record with both texts, and the result is typed anew.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.attachments import Document, document_kind, keep_document
from batchqc.actions.evaluation import study
from batchqc.actions.investigation_opening import hold_numbers, open_for_failures
from batchqc.actions.late_signing import said_late
from batchqc.actions.lots import lock_lot
from batchqc.actions.overdue import hold_overdue
from batchqc.actions.permission import require
from batchqc.actions.received import ReceivedFile
from batchqc.actions.register_remarks import check_training
from batchqc.actions.reviews import check_sound
from batchqc.actions.second_entries import entry_content
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.actions.true_times import times_of_runs
from batchqc.actions.uploads import UploadReport, the_upload, upload_results
from batchqc.core.assays import Measurement
from batchqc.core.canonical import Json
from batchqc.core.dispositions import review_problem
from batchqc.core.drawable import undrawable
from batchqc.core.entries import SecondEntry, Typed, TypedAnalyte, entries_match, shape_problems
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput, NotFound, NotPermitted
from batchqc.intake.typed import TypedResult, long_csv
from batchqc.records.entries import (
    Attachment,
    EntryVerification,
    attachments_of,
    how_entered,
    verifications_of,
)
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import Upload, measurements_of, runs_in

BY_HAND: Final = "by hand"
FILE_NAME: Final = "typed.csv"


@dataclass(frozen=True, slots=True)
class Entry:
    """A typed result with all that belongs to it."""

    upload: Upload
    lot: LotRow
    measurements: tuple[Measurement, ...]
    verification: EntryVerification | None
    attachments: tuple[Attachment, ...]

    @property
    def state(self) -> SecondEntry:
        """Whether a second person has typed it."""
        return how_entered(self.upload, self.verification)

    @property
    def typed(self) -> tuple[Typed, ...]:
        """Value and unit of each replicate of each analyte, as the first person typed them."""
        return tuple(Typed(one.text, one.unit) for one in self._ordered)

    @property
    def _ordered(self) -> list[Measurement]:
        return sorted(self.measurements, key=lambda one: one.cell.row)

    @property
    def typed_again(self) -> tuple[Typed, ...]:
        """Value and unit of each replicate of each analyte, as the second person typed them."""
        if self.verification is None:
            return ()
        return tuple(Typed(*one) for one in json.loads(self.verification.typed))

    def by_analyte(self, typed: Iterable[Typed]) -> tuple[TypedAnalyte, ...]:
        """Of what either person typed the part of each analyte, in the order of the entry."""
        found: dict[str, list[Typed]] = {}
        for one, own in zip(self._ordered, typed, strict=False):
            found.setdefault(one.analyte, []).append(own)
        return tuple(
            TypedAnalyte(analyte, tuple(each.value for each in own), own[0].unit)
            for analyte, own in found.items()
        )

    def is_shown_to(self, user_id: str) -> bool:
        """Whether a person may see the value: anybody may, once it does not wait any more."""
        known = {self.upload.uploaded_by, *(one.analyst for one in self.measurements)}
        return self.state is not SecondEntry.WAITS or user_id in known


def enter_result(
    tx: Transaction,
    archive: Archive,
    *,
    result: TypedResult,
    client: str,
    documents: Sequence[Document] = (),
) -> UploadReport:
    """Receive a typed result as the file that it makes, and keep its documents with it.

    Raises:
        InvalidInput: a text is none that a file can hold, or a document is not taken.
    """
    try:
        data = long_csv(result)
    except UnicodeEncodeError as error:
        raise InvalidInput("BQC-ENT-001", "a text holds half a surrogate pair") from error
    for document in documents:
        document_kind(document)
    file = ReceivedFile(FILE_NAME, len(data), data, client, typed=BY_HAND)
    report = upload_results(tx, archive, file=file)
    if report.accepted and not report.answered_before:
        entry = the_entry(tx.session, report.number)
        for document in documents:
            keep_document(tx, archive, upload=entry.upload, lot=entry.lot, document=document)
    return report


def attach_document(
    tx: Transaction, archive: Archive, *, number: str, document: Document
) -> Attachment:
    """Add a document to an entry that waits for its second entry.

    Raises:
        NotFound: there is no such entry.
        NotPermitted: another person typed the entry.
        Conflict: its second entry is made, or there are too many documents.
        InvalidInput: the document is not taken.
    """
    require(tx, Permission.UPLOAD_RESULTS)
    entry = the_entry(tx.session, number)
    lock_lot(tx, entry.lot)
    entry = the_entry(tx.session, number)
    if entry.upload.uploaded_by != tx.actor.user_id:
        raise NotPermitted(
            "BQC-ENT-007", f"{entry.upload.uploaded_by} typed {number}, not {tx.actor.user_id}"
        )
    _check_waits(entry)
    check_sound(study(tx.session, archive, lot=entry.lot, now=tx.now))
    return keep_document(tx, archive, upload=entry.upload, lot=entry.lot, document=document)


def verify_entry(
    tx: Transaction,
    archive: Archive,
    *,
    number: str,
    typed: Sequence[Typed],
    credentials: Credentials,
    also: Sequence[TypedAnalyte] = (),
) -> EntryVerification | Refusal:
    """Type a result as the second person, signed. It counts where both typed the same.

    Args:
        tx: of the second person.
        archive: the store.
        number: of the entry.
        typed: each replicate of its analyte; of its first one, where it has several.
        credentials: both components of the signature, and the reason.
        also: what was typed of its further analytes, in any order.

    Raises:
        NotFound: there is no such entry.
        NotPermitted: this person typed or measured it, or is not trained for it (1.09).
        Conflict: its second entry is made, or records are damaged.
        InvalidInput: it has another shape, or a text cannot be kept.
    """
    require(tx, Permission.REVIEW_RESULTS)
    check_reason(credentials.reason)
    lock_lot(tx, the_entry(tx.session, number).lot)
    entry = the_entry(tx.session, number)
    _check_waits(entry)
    case = study(tx.session, archive, lot=entry.lot, now=tx.now)
    check_sound(case)
    own = [fact for fact in case.facts.runs if fact.key.upload == entry.upload.natural_key]
    if problems := [why for fact in own if (why := review_problem(fact, tx.actor.user_id))]:
        raise NotPermitted(
            "BQC-ENT-004",
            f"{tx.actor.user_id} may not verify {number}",
            reasons=problems,
            hint="Ask a reviewer who neither typed nor measured it.",
        )
    typed = _in_order(entry, typed, also)
    _check_texts(typed)
    doubts = check_training(tx, entry.measurements)
    text = json.dumps([[*one] for one in typed], ensure_ascii=False)
    hold_numbers(tx)
    signature = sign(
        tx, credentials, meaning=Meaning.VERIFIED, record=entry.upload.key,
        record_sha256=entry_content(entry.upload, entry.attachments, text),
        rests_on=times_of_runs(case, {fact.key for fact in own}),
    )  # fmt: skip
    if isinstance(signature, Refusal):
        return signature
    hold_overdue(tx, archive, [entry.lot])
    matches = entries_match(entry.typed, typed)
    verification = EntryVerification(
        upload=entry.upload, signature=signature, typed=text, matches=int(matches)
    )
    tx.add(verification)
    tx.audit(
        "second entry matches" if matches else "second entry does not match",
        rows=[signature, verification],
        about=[entry.lot.key, entry.upload.key],
        reason=credentials.reason,
        after={
            "entry": entry.upload.natural_key,
            "matches": matches,
            **said_late(signature),
            **({"flagged": list[Json](doubts)} if doubts else {}),
        },
    )
    open_for_failures(tx, archive, [entry.lot])  # also of a mismatch, where either entry fails
    return verification


def the_entry(session: Session, number: str) -> Entry:
    """The typed result of a public number such as ``U-2026-000001``.

    Raises:
        NotFound: there is no such upload, it was refused, or it came as a file.
    """
    upload = the_upload(session, number)
    runs = runs_in(session, upload)
    if not upload.typed or not runs:
        raise NotFound("BQC-ENT-002", f"{upload.natural_key} is no result that was typed")
    return Entry(
        upload,
        runs[0].lot,
        tuple(measurements_of(session, runs)),
        verifications_of(session, [upload.id]).get(upload.id),
        tuple(attachments_of(session, [upload.id])),
    )


def is_shown(session: Session, upload: Upload, user_id: str) -> bool:
    """Whether a person may see what an upload says; what waits for a second entry is hidden."""
    if not upload.typed:
        return True
    if not upload.accepted:  # it may hold what is typed anew
        return upload.uploaded_by == user_id
    return the_entry(session, upload.natural_key).is_shown_to(user_id)


def the_attachment(session: Session, number: str, position: int) -> Attachment:
    """A document of an entry, by its place among them.

    Raises:
        NotFound: there is none.
    """
    for one in the_entry(session, number).attachments:
        if one.number == position:
            return one
    raise NotFound("BQC-ENT-008", f"{number} has no document {position}")


def _check_waits(entry: Entry) -> None:
    if entry.verification is not None:
        raise Conflict(
            "BQC-ENT-003",
            f"{entry.upload.natural_key} has its second entry: {entry.state}",
            hint="What does not match is typed anew, and gets a number of its own.",
        )


def _in_order(
    entry: Entry, typed: Sequence[Typed], also: Sequence[TypedAnalyte]
) -> tuple[Typed, ...]:
    """What the second person typed, in the order of the entry, where it is of the same shape."""
    first, *others = entry.by_analyte(entry.typed)
    own = TypedAnalyte(first.analyte, tuple(one.value for one in typed))
    if problems := shape_problems([first, *others], [own, *also]):
        raise InvalidInput(
            "BQC-ENT-006",
            f"{entry.upload.natural_key} is of another shape than what is typed",
            reasons=problems,
            hint="Type each analyte once, one value for each replicate in their order.",
        )
    again = {one.analyte: one for one in also}
    ordered = [again[one.analyte] for one in others]
    return (*typed, *(Typed(value, one.unit) for one in ordered for value in one.values))


def _check_texts(typed: Sequence[Typed]) -> None:
    for one in typed:
        shown = all(text.isprintable() and undrawable(text) is None for text in one)
        if not (shown and one.value.strip()):
            raise InvalidInput("BQC-ENT-005", "a value is one line that certificates can show")
