"""What a witness holds of the transparency log: a folder elsewhere, into which files are dropped.

- ``checkpoints/000000000123.txt``: a signed checkpoint over that many entries, and ``….tsr`` beside
  it, the answer of a timestamp service (RFC 3161) about the bytes of that file;
- ``tile/0/000``, ``tile/0/001.p/44``: leaf hashes by the 256, and the last ones by their number
  (C2SP tlog-tiles, level 0).

Nothing is replaced; the same file again changes nothing. A checkpoint comes after its leaves. What
a crash leaves behind is called ``.part-…``.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from batchqc.errors import IntegrityFailure, NotFound

WIDTH: Final = 256
_HASH_BYTES: Final = 32
_CHECKPOINT: Final = re.compile(r"\d{12}\.txt")

Leaves = Callable[[int, int], Sequence[bytes]]
"""Leaf hashes from an index (from 0) on, as many as are asked for."""


@dataclass(frozen=True, slots=True)
class Held:
    """Checkpoints by their size as somebody holds them, and leaf hashes from the first entry on."""

    checkpoints: dict[int, str]
    leaves: tuple[bytes, ...] = ()


def read_witness(path: Path) -> Held:
    """What a folder of a witness holds; of a file, the one checkpoint that it is.

    Raises:
        NotFound: BQC-LOG-009 there is neither.
    """
    if path.is_file():
        return Held({0: path.read_text("utf-8", "replace")})
    if not (path / "checkpoints").is_dir():
        raise _nothing(path)
    notes = {size: _note(path, size) for size in _sizes(path)}
    if not notes:
        raise _nothing(path)
    return Held(notes, tuple(_leaves(path, max(notes))))


def newest_held(folder: Path) -> str | None:
    """The newest checkpoint that a folder holds, as text.

    Raises:
        NotFound: BQC-LOG-009 the folder is not there: nobody makes it but who keeps it.
    """
    if not folder.is_dir():
        raise _nothing(folder)
    sizes = _sizes(folder)
    return _note(folder, sizes[-1]) if sizes else None


def drop_leaves(folder: Path, *, since: int, size: int, leaves: Leaves) -> None:
    """Write the leaf hashes of the first ``size`` entries where those up to ``since`` are held.

    Raises:
        IntegrityFailure: BQC-LOG-010 it holds something else under a name.
    """
    for first in range(since // WIDTH * WIDTH, size, WIDTH):
        many = min(WIDTH, size - first)
        _drop(folder / _tile(first // WIDTH, many), b"".join(leaves(first, many)))


def drop_checkpoint(folder: Path, size: int, note: str) -> None:
    """Write a checkpoint, once its leaves are held; raises as ``drop_leaves``."""
    _drop(_name(folder, size), note.encode())


def drop_timestamp(folder: Path, size: int, answer: bytes) -> None:
    """Write what a timestamp service answered about a checkpoint; raises as ``drop_leaves``."""
    _drop(_name(folder, size).with_suffix(".tsr"), answer)


def _sizes(folder: Path) -> list[int]:
    names = (path.name for path in folder.glob("checkpoints/*"))
    return sorted(int(name[:12]) for name in names if _CHECKPOINT.fullmatch(name))


def _note(folder: Path, size: int) -> str:
    return _name(folder, size).read_text("utf-8", "replace")


def checkpoint_name(size: int) -> str:
    """Where a checkpoint lies in the folder of a witness."""
    return f"checkpoints/{size:012d}.txt"


def _name(folder: Path, size: int) -> Path:
    return folder / checkpoint_name(size)


def _tile(number: int, many: int) -> Path:
    """The path of a tile: its number by three digits, ``x`` before all but the last."""
    text = str(number)
    text = text.zfill(-(-len(text) // 3) * 3)
    parts = [text[at : at + 3] for at in range(0, len(text), 3)]
    name = Path("tile", "0", *(f"x{one}" for one in parts[:-1]), parts[-1])
    return name if many == WIDTH else Path(f"{name}.p", str(many))


def _leaves(folder: Path, size: int) -> Iterator[bytes]:
    """The leaves up to a size, or up to the first that is not held."""
    for first in range(0, size, WIDTH):
        many = min(WIDTH, size - first)
        number = first // WIDTH
        # a tile that is whole by now holds what a part of it held
        found = [folder / _tile(number, one) for one in (many, WIDTH)]
        data = next((one.read_bytes() for one in found if one.is_file()), b"")
        hashes = [data[at : at + _HASH_BYTES] for at in range(0, len(data), _HASH_BYTES)][:many]
        yield from hashes
        if len(hashes) < many:
            return


def _drop(path: Path, data: bytes) -> None:
    if path.is_file():
        if path.read_bytes() != data:
            raise IntegrityFailure(
                "BQC-LOG-010",
                f"the witness holds something else as {path}",
                hint="Stop. Keep both. Run `batchqc audit verify --against` the witness's folder.",
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=".part-", dir=path.parent)  # nobody else's
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())
    Path(part).rename(path)


def _nothing(path: Path) -> NotFound:
    return NotFound(
        "BQC-LOG-009",
        f"{path} holds nothing of a witness",
        hint="Name a checkpoint, or the folder of the witness; whoever keeps it makes it.",
    )
