"""A transparency log of a test, without records: entries of issues, and proofs of them."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from batchqc.core.audit import Entry
from batchqc.core.canonical import Json, utc_text
from batchqc.core.checkpoints import Checkpoint, Inclusion, entry_leaf
from batchqc.core.merkle import inclusion_proof, over, root_of
from batchqc.documents.log_key import LogSigner, create_log_key

ORIGIN = "mekong/batchqc"


@dataclass(frozen=True)
class OwnLog:
    """The log, with the key that signs for it."""

    signer: LogSigner

    @property
    def keys(self) -> str:
        return self.signer.key.text + "\n"

    def proof(
        self,
        pdf: bytes,
        content_sha256: str,
        *,
        number: str,
        at: datetime,
        answer: bytes = b"",
        standing: str = "",
        note_at: datetime | None = None,
        after: Mapping[str, Json] | None = None,
    ) -> bytes:
        """The proof that a document was issued at a moment: entry 5 of 7."""
        told = after or {
            "document sha256": hashlib.sha256(pdf).hexdigest(),
            "content sha256": content_sha256,
        }
        subjects = (f"certificate:{number}", f"certificate_issue:{number}")
        entry = Entry(
            "giang.do", "QA", at, 0, "certificate issued", "", subjects, {}, told, {}
        ).text
        own = hashlib.sha256(entry.encode()).hexdigest()
        leaves = [entry_leaf(own if place == 4 else f"{place:064x}") for place in range(7)]
        note = self.note(leaves, note_at or at)
        proof = Inclusion(4, inclusion_proof(4, 7, over(leaves)), note).text
        found: dict[str, Json] = {
            "type": "batchqc/certificate-proof/1",
            "certificate": number,
            "issue": {"entry": entry, "proof": proof},
            "timestamp": base64.b64encode(answer).decode(),
        }
        if standing:
            text = (
                f"batchqc/certificate-status/1\ncertificate {number}\n"
                f"document {hashlib.sha256(pdf).hexdigest()}\nstanding {standing}\n"
                f"entries 7\nat {utc_text(at)}\n"
            )
            found["status"] = f"{text}\n{self.signer.line(text)}"
        return json.dumps(found).encode()

    def note(self, leaves: list[bytes], at: datetime) -> str:
        """The checkpoint over the leaves."""
        root = root_of(len(leaves), over(leaves))
        text = Checkpoint(ORIGIN, len(leaves), root, "0" * 64, at + timedelta(minutes=2)).text
        return f"{text}\n{self.signer.line(text)}"


def own_log(folder: Path) -> OwnLog:
    return OwnLog(create_log_key(folder / "log.key", name=ORIGIN))
