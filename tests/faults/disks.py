"""What a disk holds when the power fails: what was synced, and of the rest whatever chance leaves.

A file's bytes are safe after ``fsync`` or ``fdatasync`` of it, its name after ``fsync`` of its
folder. What was written and not synced is lost, or survives in any part and in any order.
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from tests.faults.system_calls import Call

_SECTOR: Final = 512
_Write: TypeAlias = tuple[int, bytes | None]
"""At which place what was written; ``None`` cuts the file there."""


@dataclass
class _File:
    """Bytes on the disk, and those that are only in memory yet, in their order."""

    safe: bytearray = field(default_factory=bytearray)
    waiting: list[_Write] = field(default_factory=list)

    def sync(self, count: int) -> None:
        for one in self.waiting[:count]:
            _apply(self.safe, one)
        del self.waiting[:count]

    def after_power_cut(self, chance: random.Random | None) -> bytes:
        left = bytearray(self.safe)
        for place, data in self.waiting if chance else ():
            if chance.random() < 0.5:
                continue
            cut = (
                None if data is None else data[: chance.randint(0, len(data) // _SECTOR) * _SECTOR]
            )
            _apply(left, (place, data if chance.random() < 0.5 else cut))
        return bytes(left)


class Disk:
    """One folder and all below it, as calls change it.

    Args:
        folder: that processes worked in.
        copy: what it held before, all of it synced.
        is_here: names that are not said from the root are meant from it, as PostgreSQL does.
    """

    def __init__(self, folder: Path, copy: Path, *, is_here: bool = False) -> None:
        self._folder = f"{folder}/"
        self._here = Path(folder if is_here else "somewhere")
        self._now: dict[str, _File | None] = {}  # by path; ``None`` is a folder
        for one in copy.rglob("*"):
            name = self._folder + str(one.relative_to(copy))
            self._now[name] = _File(bytearray(one.read_bytes())) if one.is_file() else None
        self._safe = dict(self._now)
        self._places: dict[tuple[str, str], int] = {}
        self._begun: dict[int, int] = {}

    def see(self, call: Call) -> None:
        """Do what a call did to the folder."""
        if call.result is None:
            if call.name in {"fsync", "fdatasync"} and (file := self._file(call)):
                self._begun[call.process] = len(file.waiting)
        elif call.result >= 0 and (do := _DOES.get(call.name)):
            do(self, call)

    def write_after_power_cut(self, to: Path, chance: random.Random | None = None) -> None:
        """Write what is left of it; without ``chance`` nothing of what was not synced."""
        left = dict(self._safe)
        if chance is not None:
            for name in sorted(self._now.keys() ^ self._safe.keys()):
                if chance.random() < 0.5:
                    left.pop(name, None)
                    if name in self._now:
                        left[name] = self._now[name]
        for name, file in sorted(left.items()):
            path = to / name.removeprefix(self._folder)
            if not path.parent.is_dir():
                continue  # its folder is lost
            if file is None:
                path.mkdir()
            else:
                path.write_bytes(file.after_power_cut(chance))

    def _file(self, call: Call) -> _File | None:
        return self._now.get(call.files[0]) if call.files else None

    def _open(self, call: Call) -> None:
        name = call.files[0]
        self._places[call.handles[0], name] = 0
        if not name.startswith(self._folder) or name.endswith("-shm"):
            return  # shared memory of SQLite is made anew after a crash
        if "O_CREAT" in call.arguments and name not in self._now:
            self._now[name] = _File()
        if "O_TRUNC" in call.arguments and (file := self._file(call)):
            file.waiting.append((0, None))

    def _seek(self, call: Call) -> None:
        self._places[call.handles[0], call.files[0]] = call.result or 0

    def _write(self, call: Call) -> None:
        if file := self._file(call):
            key = (call.handles[0], call.files[0])
            data = call.texts[0][: call.result]
            file.waiting.append((self._places[key], data))
            self._places[key] += len(data)

    def _write_at(self, call: Call) -> None:
        if file := self._file(call):
            file.waiting.append((_last_number(call), call.texts[0][: call.result]))

    def _write_parts(self, call: Call) -> None:
        if file := self._file(call):
            file.waiting.append((_last_number(call), b"".join(call.texts)[: call.result]))

    def _extend(self, call: Call) -> None:
        """Room is made, and nothing is written: ``posix_fallocate``."""
        if file := self._file(call):
            kind, place, size = map(int, re.findall(r", (\w+)", call.arguments)[-3:])
            if kind:
                self._refuse(call)
            file.waiting.append((place + size, b""))

    def _cut(self, call: Call) -> None:
        if file := self._file(call):
            file.waiting.append((_last_number(call), None))

    def _sync(self, call: Call) -> None:
        count = self._begun.pop(call.process, None)
        if file := self._file(call):
            file.sync(len(file.waiting) if count is None else count)
        elif f"{call.files[0]}/".startswith(self._folder):
            self._sync_folder(call.files[0])

    def _sync_folder(self, folder: str) -> None:
        for name in self._now.keys() | self._safe.keys():
            if name.rpartition("/")[0] != folder:
                continue
            if name in self._now:
                self._safe[name] = self._now[name]
            else:
                del self._safe[name]

    def _make_folder(self, call: Call) -> None:
        if (name := self._named(call)[-1]).startswith(self._folder):
            self._now[name] = None

    def _link(self, call: Call) -> None:
        old, new = self._named(call)
        if old in self._now:
            self._now[new] = self._now[old]

    def _rename(self, call: Call) -> None:
        self._link(call)
        self._now.pop(self._named(call)[0], None)

    def _unlink(self, call: Call) -> None:
        self._now.pop(self._named(call)[-1], None)

    def _named(self, call: Call) -> list[str]:
        """The paths that a call names: from the root, an open folder, or from here."""
        base = Path(call.files[0]) if call.files else self._here
        return [str(base / one.decode()) for one in call.texts]

    def _refuse(self, call: Call) -> None:
        """A call that nobody makes today is not passed over."""
        if any(one in self._now for one in call.files):
            raise NotImplementedError(f"{call.name}({call.arguments[:200]})")


_DOES: Final[Mapping[str, Callable[[Disk, Call], None]]] = MappingProxyType({
    "openat": Disk._open, "lseek": Disk._seek, "write": Disk._write, "pwrite64": Disk._write_at,
    "ftruncate": Disk._cut, "fsync": Disk._sync, "fdatasync": Disk._sync, "link": Disk._link,
    "linkat": Disk._link, "rename": Disk._rename, "renameat": Disk._rename,
    "renameat2": Disk._rename, "unlink": Disk._unlink, "unlinkat": Disk._unlink,
    "rmdir": Disk._unlink, "mkdir": Disk._make_folder, "mkdirat": Disk._make_folder,
    "pwritev": Disk._write_parts, "fallocate": Disk._extend, "writev": Disk._refuse,
    "pwritev2": Disk._refuse, "copy_file_range": Disk._refuse, "sendfile": Disk._refuse,
})  # fmt: skip


def _apply(data: bytearray, write: _Write) -> None:
    place, new = write
    data.extend(bytes(max(0, place - len(data))))
    if new is None:
        del data[place:]
        return
    data[place : place + len(new)] = new


def _last_number(call: Call) -> int:
    return int(re.findall(r", (\d+)", call.arguments)[-1])
