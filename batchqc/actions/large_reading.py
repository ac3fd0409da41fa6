"""A large file, read in pieces against what is registered; here, or in a process of its own.

While one process reads and checks a piece, the other stores the piece before.
"""

import gc
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.profiles import profile_named
from batchqc.actions.registered import register_of, registered
from batchqc.core.blocks import Block
from batchqc.core.superseding import is_named, run_name
from batchqc.documents.archive import Archive
from batchqc.errors import BatchqcError, IntegrityFailure
from batchqc.intake.contract import Asked, Named, Reading, RegisteredLot
from batchqc.intake.known_runs import KnownName, KnownRuns
from batchqc.intake.large import PortionReader
from batchqc.records.blocks import run_names_of
from batchqc.records.database import open_database
from batchqc.records.investigations import standing_investigations
from batchqc.records.registers import lots_by, sample_facts
from batchqc.records.transaction import reading

if TYPE_CHECKING:
    from batchqc.core.assays import Measurement
    from batchqc.core.investigations import Investigation
    from batchqc.core.lots import Sample

_LOTS_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Source:
    """What is read: a private copy of a file, how, under which number, as of when.

    ``as_registered`` reads it as ``registered`` says, for a file that was accepted then.
    """

    path: Path
    profile: str
    asked: Asked
    number: str
    now: datetime
    as_registered: bool = False


class Ids(NamedTuple):
    """Surrogate ids of lots and samples, by their ids as registered."""

    lots: dict[str, int]
    samples: dict[str, int]


class Piece(NamedTuple):
    """Bytes read so far, what a piece says, and the ids of what it is the first to name.

    ``is_sound`` says that there is no error so far.
    """

    done: int
    block: Block
    ids: Ids
    is_sound: bool


class _Raised(NamedTuple):
    """An error of the other process."""

    kind: type[BatchqcError]
    code: str
    message: str
    hint: str
    reasons: tuple[str, ...]


def pieces(session: Session, archive: Archive, source: Source) -> Iterator[Piece | Reading]:
    """Every piece of a file, and in the end what was read of it."""
    known = _Known(session, archive, source)
    reader = PortionReader(
        known.register,
        known.need,
        upload=source.number,
        profile=profile_named(session, archive, source.profile),
        asked=source.asked,
    )
    with source.path.open("rb") as stream:
        for done, block in reader.blocks(stream):
            yield Piece(done, block, known.new_ids(), is_sound=not reader.report.errors)
    yield reader.reading()


@contextmanager
def reading_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for its task, to read one file; it ends with the block."""
    process = subprocess.Popen(  # noqa: S603 - this very program
        # -P: a module that lies where somebody stands is not taken for one of ours
        [sys.executable, "-P", "-c", f"from {__name__} import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # an interrupt is for this process, which ends that one
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def pieces_beside(
    process: subprocess.Popen[bytes], engine: Engine, archive: Archive, source: Source
) -> Iterator[Piece | Reading]:
    """As ``pieces``, read by a process of its own.

    Raises:
        BatchqcError: what the other process raised.
        IntegrityFailure: it ended too early.
    """
    # one that cannot take its task has ended, which shows where it should answer
    with suppress(BrokenPipeError), process.stdin as asked:  # type: ignore[union-attr]  # it was begun with pipes
        pickle.dump((engine.url, archive, source), asked)
    return received(process.stdout)  # type: ignore[arg-type]  # see above


def main() -> None:
    """The process that reads, beside the one that stores."""
    gc.disable()  # it ends with its file; looking for cycles takes a fifth of its time
    serve(sys.stdin.buffer, sys.stdout.buffer)


def serve(given: IO[bytes], answers: IO[bytes]) -> None:
    """What the process does that reads: one file, piece by piece."""
    url, archive, source = _load(given)
    engine = open_database(url)
    try:
        with reading(engine) as session:
            for one in pieces(session, archive, source):
                pickle.dump(one, answers, pickle.HIGHEST_PROTOCOL)
    except BatchqcError as error:
        raised = _Raised(type(error), error.code, error.message, error.hint, error.reasons)
        pickle.dump(raised, answers)
    finally:
        engine.dispose()


def received(answers: IO[bytes]) -> Iterator[Piece | Reading]:
    """What the other process answers, as ``pieces`` yields it.

    Raises:
        BatchqcError: what it raised.
        IntegrityFailure: it ended too early.
    """
    while True:
        try:
            one = _load(answers)
        except (EOFError, pickle.UnpicklingError):  # at the end of a piece, or within one
            raise IntegrityFailure(
                "BQC-UPL-007",
                "the process that reads the file ended before the file did; nothing is stored",
                hint="See what it said above, and whether memory ran out; then run it again.",
            ) from None
        if isinstance(one, _Raised):
            raise one.kind(one.code, one.message, hint=one.hint, reasons=one.reasons)
        yield one
        if isinstance(one, Reading):
            return


def _load(stream: IO[bytes]) -> Any:
    return pickle.load(stream)  # noqa: S301 - between a process and the one that it started


class _Known:
    """The register that a file is read against; lots come into it as the file names them."""

    def __init__(self, session: Session, archive: Archive, source: Source) -> None:
        self._session, self._archive, self._source = session, archive, source
        self._lots: dict[str, RegisteredLot] = {}
        self._samples: dict[str, Sample] = {}
        self._runs: dict[KnownName, tuple[Measurement, ...]] = {}
        self._investigations: dict[str, tuple[Investigation, ...]] = {}
        self._asked: set[str] = set()
        self._new = Ids({}, {})
        self.register = replace(
            registered(session, archive, Named(), source.now, as_registered=source.as_registered),
            lots=self._lots,
            samples=self._samples,
            known=KnownRuns(self._runs),
            investigations=None if source.as_registered else self._investigations,
        )

    def need(self, lots: frozenset[str]) -> None:
        """Have some lots in the register, where they are registered."""
        new = sorted(lots - self._asked)
        self._asked.update(new)
        for first in range(0, len(new), _LOTS_AT_ONCE):
            self._look_up(new[first : first + _LOTS_AT_ONCE])

    def new_ids(self) -> Ids:
        """The ids of what came into the register since this was asked last."""
        new, self._new = self._new, Ids({}, {})
        return new

    def _look_up(self, folded: Sequence[str]) -> None:
        lots = lots_by(self._session, folded)
        samples, numbers = sample_facts(self._session, lots)
        self._new.lots.update({row.lot: row.id for row in lots})
        self._new.samples.update(numbers)
        found = register_of(
            self._session,
            self._archive,
            lots,
            self._source.now,
            as_registered=self._source.as_registered,
        )
        self._lots |= found.lots
        self._samples |= samples
        if self._source.as_registered:
            return  # its own runs are those on record
        self._investigations |= standing_investigations(self._session, lots)
        ids = {row.id: row.folded for row in lots}
        for lot, test, run in run_names_of(self._session, ids):
            if is_named(test, run):
                self._runs[(ids[lot], *run_name(test, run))] = ()
