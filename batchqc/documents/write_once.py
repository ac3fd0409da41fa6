"""What every write-once store does, whatever it lies in."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from batchqc.documents.stored import Staged, Tombstone


class Archive(Protocol):
    """A write-once store; it can be pickled, for a process that reads beside."""

    @property
    def place(self) -> str:
        """Where it is, for people."""
        ...

    def check_own(self, *, marks: bool = False) -> None:
        """Whether it is the store of its installation; ``marks`` claims one that has no marker yet.

        Whatever puts bytes into it asks that first.

        Raises:
            StoreUnavailable: BQC-ARC-018 it is none, BQC-ARC-019 it is that of another; or it
                cannot be reached.
        """
        ...

    def marked_for(self) -> str:
        """The installation that its marker names; "" where there is no marker."""
        ...

    def mark(self, installation: str) -> None:
        """Put the marker into it, once; see ``store_marker``."""
        ...

    def put(self, data: bytes) -> str:
        """Store ``data`` and return its SHA-256; see ``put_stream``."""
        ...

    def put_stream(self, chunks: Iterable[bytes]) -> str:
        """Store bytes that arrive in chunks and return their SHA-256.

        Where ``chunks`` raises (an upload beyond its limit), nothing is stored.

        Raises:
            IntegrityFailure: BQC-ARC-001 where other bytes already lie under this hash.
            Conflict: BQC-ARC-013 where these bytes were disposed of.
            StoreUnavailable: the store cannot be reached.
        """
        ...

    def staged(self, chunks: Iterable[bytes]) -> AbstractContextManager[Staged]:
        """A private copy of bytes that is gone afterwards, unless it was kept."""
        ...

    def get(self, sha256: str) -> bytes:
        """The bytes with this hash.

        Raises:
            InvalidInput: BQC-ARC-003 where ``sha256`` is not 64 lower-case hexadecimal digits.
            IntegrityFailure: BQC-ARC-001 damaged, BQC-ARC-002 missing, BQC-ARC-005 disposed of.
            StoreUnavailable: the store cannot be reached.
        """
        ...

    def opened(self, sha256: str) -> AbstractContextManager[BinaryIO]:
        """A stream of the bytes with this hash, which were checked against it; see ``get``."""
        ...

    def at_hand(self, sha256: str) -> AbstractContextManager[Path]:
        """A local file of the bytes with this hash, checked, within the block; see ``get``."""
        ...

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """The bytes with this hash in chunks, all checked before the first; see ``get``."""
        ...

    def try_writing(self) -> None:
        """Begin to store and take it back; ``StoreUnavailable`` or ``OSError`` where it cannot."""
        ...

    def names(self) -> Iterator[str]:
        """The hash of everything that lies in the store, in order."""
        ...

    def leftovers(self) -> Iterator[str]:
        """What a crash left behind while something was stored; it harms nothing."""
        ...

    def stored_at(self, sha256: str) -> datetime | None:
        """When bytes were stored, by the clock of the store; ``None`` where there are none."""
        ...

    def mend(self, sha256: str, chunks: Iterable[bytes]) -> None:
        """Put the original back where bytes are missing or damaged, also over a tombstone.

        Whether they were disposed of the records say: anybody can lay a tombstone into a store.

        Raises:
            InvalidInput: BQC-ARC-009: these bytes have another hash.
            Conflict: BQC-ARC-010: what is there is sound.
        """
        ...

    def retain(self, sha256: str, until: datetime) -> None:
        """Where the store knows retention, it keeps the bytes until then, whoever asks."""
        ...

    def hold(self, sha256: str, *, is_held: bool) -> None:
        """Where the store knows legal hold, it is set or lifted."""
        ...

    def check_removable(self, sha256: str) -> None:
        """Whether the store itself would let bytes go, once its legal hold is lifted.

        Raises:
            Conflict: BQC-ARC-008: the store keeps them by its own lock until a day to come.
        """
        ...

    def dispose(self, stone: Tombstone) -> None:
        """Remove bytes and leave the tombstone; doing it again changes nothing.

        Raises:
            Conflict: BQC-ARC-008: the store keeps them by its own lock.
        """
        ...

    def tombstone(self, sha256: str) -> Tombstone | None:
        """The tombstone of what was disposed of."""
        ...
