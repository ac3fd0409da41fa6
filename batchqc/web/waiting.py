"""Files that were sent for a preview and wait to be recorded: for an hour, of one person.

They lie in a folder that all servers share, so that another one may record what one previewed.
Each is known by the hash of its bytes and of all that was stated beside it, so that what is
recorded is what was previewed. Nobody else finds it: its place is named after the person, hashed.
A file is complete or not there: it gets its name once all of it is written.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from batchqc.actions.received import ReceivedFile
from batchqc.api.bodies import StatedBeside
from batchqc.core.canonical import sha256_of
from batchqc.errors import IntegrityFailure, NotFound
from batchqc.web.wording import _

_HOUR: Final = timedelta(hours=1)
_OF_ONE: Final = 4  # files of one person
_IN_ALL: Final = 1_000_000_000  # bytes
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KEY: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Beside:
    """What is stated beside a file: how it is read, why it supersedes, which retest it holds."""

    stated: StatedBeside
    supersedes: str | None = None
    retest: str = ""

    def received(self, file: ReceivedFile) -> ReceivedFile:
        """The file with it, as the API receives it.

        Raises:
            InvalidInput: a line is not ``name=text``.
        """
        file = self.stated.beside(file)
        return replace(file, supersedes=self.supersedes, retest=self.retest)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that waits, with its bytes."""

    key: str
    file: ReceivedFile
    beside: Beside


class WaitingFiles:
    """The files that wait in a folder. Several threads and servers may work with it at once."""

    def __init__(self, folder: Path) -> None:
        """Wait in ``folder``, which is made when the first file comes."""
        self._folder = folder

    def put(self, owner: str, *, file: ReceivedFile, beside: Beside, now: datetime) -> str:
        """Keep the bytes of a file for its person, and answer by what it is found again."""
        key, place = key_of(file, beside), self._place(owner)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        told = {"name": file.name, "client": file.client, "beside": asdict(beside)}
        handle, name = tempfile.mkstemp(prefix=".incoming-", dir=place)
        with os.fdopen(handle, "wb") as stored:
            stored.write(json.dumps(told).encode() + b"\n")
            stored.write(file.data or b"")
        os.utime(name, ns=(_nanoseconds(now),) * 2)
        Path(name).replace(place / key)
        self._tidy(owner, now, newest=place / key)
        return key

    def get(self, owner: str, *, key: str, now: datetime) -> Waiting:
        """A file that waits.

        Raises:
            NotFound: BQC-WEB-011 it does not wait any more, or never did.
            IntegrityFailure: BQC-WEB-012 it is not what was sent.
        """
        self._tidy(owner, now)
        stored = self._place(owner) / key
        if not _KEY.fullmatch(key) or not stored.is_file():
            raise NotFound(
                "BQC-WEB-011",
                _("this file does not wait here any more"),
                hint=_("Choose it again. The last four files of a person wait for an hour."),
            )
        line, _blank, data = stored.read_bytes().partition(b"\n")
        with suppress(ValueError, KeyError, TypeError):
            found = _read(key, json.loads(line), data)
            if key_of(found.file, found.beside) == key:
                return found
        raise IntegrityFailure(
            "BQC-WEB-012",
            _("the bytes that waited are not those that were sent"),
            hint=_("Choose the file again, and tell the system owner."),
        )

    def _tidy(self, owner: str, now: datetime, *, newest: Path | None = None) -> None:
        """Let go of what waited too long, and of the oldest where there is too much.

        What just came is the newest, and what a clock that is set back has ahead of it goes too.
        """
        found = sorted(self._everything(), key=lambda one: (one.path == newest, one))
        first, last = _nanoseconds(now - _HOUR), _nanoseconds(now + _HOUR)
        late = [one for one in found if not first <= one.since <= last]
        rest = [one for one in found if one not in late]
        over = [one for one in rest if one.path.parent == self._place(owner)][:-_OF_ONE]
        rest = [one for one in rest if one not in over]
        while sum(one.size for one in rest) > _IN_ALL:
            over.append(rest.pop(0))
        for one in (*late, *over):
            one.path.unlink(missing_ok=True)

    def _everything(self) -> Iterator["_Stored"]:
        for place in _inside(self._folder):
            for path in _inside(place):
                with suppress(FileNotFoundError):  # another server was quicker
                    stat = path.stat()
                    yield _Stored(stat.st_mtime_ns, stat.st_ctime_ns, path, stat.st_size)

    def _place(self, owner: str) -> Path:
        return self._folder / hashlib.sha256(owner.encode()).hexdigest()


class _Stored(NamedTuple):
    """A file in the folder; what was sent at the same moment is in the order of its coming."""

    since: int
    order: int
    path: Path
    size: int


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _read(key: str, told: Mapping[str, Any], data: bytes) -> Waiting:
    beside = told["beside"]
    one = beside["stated"]
    stated = StatedBeside(one["profile"], tuple(one["stated"]), tuple(one["samples"]))
    file = ReceivedFile(told["name"], len(data), data, told["client"])
    return Waiting(key, file, Beside(stated, beside["supersedes"], beside["retest"]))


def key_of(file: ReceivedFile, beside: Beside) -> str:
    """By what a file with all that is stated beside it is found again: 64 hexadecimal digits."""
    stated = beside.stated
    return sha256_of(
        {
            "name": file.name,
            "sha256": file.sha256,
            "profile": stated.profile,
            "stated": [*stated.stated],
            "samples": [*stated.samples],
            "supersedes": beside.supersedes,
            "retest": beside.retest,
        }
    )
