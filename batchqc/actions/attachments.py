"""Documents that belong to a typed result: bytes in the write-once store, told by their content."""

import hashlib
from dataclasses import dataclass
from typing import Final

from batchqc.actions.received import check_ending
from batchqc.core.identifiers import line_problem
from batchqc.documents.archive import Archive
from batchqc.documents.attachments import TAKEN, is_run, kind_of
from batchqc.errors import Conflict, InvalidInput
from batchqc.records.entries import Attachment, attachments_of
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import Upload

MOST_DOCUMENTS: Final = 20


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it came in; ``data`` is ``None`` where it was larger than the limit."""

    name: str
    size: int
    data: bytes | None

    @property
    def sha256(self) -> str:
        """The hash of its bytes, or "" where they were not kept."""
        return "" if self.data is None else hashlib.sha256(self.data).hexdigest()


def document_kind(document: Document) -> str:
    """What kind of document it is.

    Raises:
        InvalidInput: it is empty, too large, of no kind that is taken, or has no proper name, or
            one that ends like another kind.
    """
    problem = line_problem("the file's name", document.name)
    if document.data is None:
        problem = f"{document.size:,} bytes are more than are taken"
    elif not document.data:
        problem = "it is empty"
    elif is_run(document.name):
        problem = "whoever opens a file of such a name runs it"
    kind = None if problem or document.data is None else kind_of(document.data)
    if kind is None:
        why = problem or "its content is of no kind that is taken, or is cut short"
        raise InvalidInput("BQC-ENT-009", f"the document is not taken: {why}", hint=f"{TAKEN}.")
    check_ending(document.name, document.data)
    return kind


def put_raw(tx: Transaction, archive: Archive, data: bytes) -> str:
    """Store bytes that a row is about to name; nobody removes them meanwhile: their hash."""
    hold_bytes(tx, hashlib.sha256(data).hexdigest())
    return archive.put(data)


def hold_bytes(tx: Transaction, sha256: str) -> None:
    """Let nobody else name these bytes anew, or remove them; after any lot."""
    tx.lock(f"stored:{sha256}")


def keep_document(
    tx: Transaction, archive: Archive, *, upload: Upload, lot: LotRow, document: Document
) -> Attachment:
    """Store a document and its row.

    Raises:
        InvalidInput: the document is not taken.
        Conflict: there are too many.
    """
    kind = document_kind(document)
    number = len(attachments_of(tx.session, [upload.id])) + 1
    if number > MOST_DOCUMENTS or document.data is None:
        raise Conflict("BQC-ENT-010", f"an entry has at most {MOST_DOCUMENTS} documents")
    attachment = Attachment(
        upload=upload,
        number=number,
        sha256=put_raw(tx, archive, document.data),
        size=document.size,
        name=document.name,
        kind=kind,
        attached_by=tx.actor.user_id,
        attached_at=tx.now,
    )
    tx.add(attachment)
    tx.audit(
        "document attached",
        rows=[attachment],
        about=[lot.key, upload.key],
        after={"file": document.name, "sha256": attachment.sha256, "kind": kind},
    )
    return attachment
