"""The transparency log: its subtrees over the audit chain of before, keys, checkpoints, timestamps."""

from collections.abc import Iterable, Iterator
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from migrations_guards import guarded_table

revision = "0025"
down_revision = "0024"

_FAN = 16
_BITS = 4


def upgrade() -> None:
    """Add the tables, and carry the audit chain into the log."""
    guarded_table("log_subtree", (), ("level", "place"), ("sha256",), [["level", "place"]])
    guarded_table(
        "log_key", (), ("number",), ("vkey", "reason", "began_by", "began_at"), [["number"], ["vkey"]]
    )
    guarded_table(
        "checkpoint", ("log_key",), ("size",), ("note", "signed_by", "signed_at"), [["size"]]
    )
    guarded_table(
        "checkpoint_timestamp",
        ("checkpoint",),
        (),
        ("token_sha", "service", "stamped_at", "received_at"),
        [["checkpoint_id"]],
    )
    _carry_in()


def _carry_in() -> None:
    """Store the root of each whole subtree of 16, 256, … entries, as RFC 9162 hashes them."""
    connection = op.get_bind()
    links = connection.execute(
        sa.text("SELECT sequence, entry_sha256 FROM audit_link ORDER BY sequence")
    )
    table = sa.table("log_subtree", *map(sa.column, ("level", "place", "sha256")))
    level, hashes = 0, list(_leaves(links))
    while len(hashes) >= _FAN:
        level += _BITS
        hashes = [_root(hashes[at : at + _FAN]) for at in range(0, len(hashes) // _FAN * _FAN, _FAN)]
        rows = [
            {"level": level, "place": place, "sha256": one.hex()}
            for place, one in enumerate(hashes)
        ]
        connection.execute(sa.insert(table), rows)


def _leaves(links: Iterable[sa.Row]) -> Iterator[bytes]:
    for place, (sequence, entry) in enumerate(links, 1):
        if sequence != place:
            raise RuntimeError(
                f"entry {place} of the audit trail is missing: run `batchqc audit verify` with the"
                " version that you have, and call the system owner"
            )
        yield sha256(b"\x00" + bytes.fromhex(entry)).digest()


def _root(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]
