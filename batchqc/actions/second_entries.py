"""What the signature of a second entry binds, and whether it still does."""

from collections.abc import Iterable, Iterator, Sequence

from batchqc.core.canonical import Json, sha256_of
from batchqc.records.entries import Attachment, EntryVerification
from batchqc.records.uploads import Upload


def entry_content(upload: Upload, attachments: Iterable[Attachment], typed: str) -> str:
    """The hash that the signature of a second entry binds: both entries, and the documents."""
    documents: list[Json] = [
        [one.key, one.sha256] for one in attachments if one.upload_id == upload.id
    ]
    return sha256_of(
        {
            "type": "batchqc/second-entry/1",
            "entry": upload.key,
            "sha256": upload.sha256,
            "documents": documents,
            "typed": typed,
        }
    )


def unsigned_entries(
    verifications: Iterable[EntryVerification], attachments: Sequence[Attachment]
) -> Iterator[str]:
    """Second entries that their signature does not bind."""
    for one in verifications:
        signature = one.signature
        signed = entry_content(one.upload, attachments, one.typed)
        if signature.record_sha256 != signed or signature.sha256 != signature.signing.sha256:
            yield f"the signature {signature.natural_key} of a second entry is of other content"
