"""The rows of the registers that a lot rests on: instruments, trainings, materials."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.core.assays import Measurement
from batchqc.core.identifiers import fold
from batchqc.core.laboratory import Span
from batchqc.core.opening import Kept
from batchqc.records.laboratory import (
    Instrument,
    Material,
    Training,
    instruments_by,
    series_of,
    trainings_by,
)
from batchqc.records.signatures import SignatureRow
from batchqc.records.uploads import AssayRun

KeptRow = Instrument | Training | Material


@dataclass(frozen=True, slots=True)
class KeptRows:
    """Of each thing of a register that a lot rests on, its rows, oldest first.

    ``rows`` are all of instruments and trainings; ``series`` are those that state days on which the
    thing was used, or days before: later ones say nothing of the lot. ``names`` are what audit
    entries call each instrument and training, whether or not a register has it.
    """

    rows: tuple[KeptRow, ...] = ()
    series: tuple[tuple[KeptRow, ...], ...] = ()
    names: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Under which the audit trail speaks of what says something of the lot."""
        return tuple(row.key for rows in self.series for row in rows)

    def told(self, zone: ZoneInfo) -> Iterator[tuple[Kept, ...]]:
        """Each series as it was recorded, in days of the site."""
        for rows in self.series:
            yield tuple(_kept(row, zone) for row in rows)


def kept_for(
    session: Session,
    measurements: Sequence[Measurement],
    signed: Iterable[tuple[AssayRun, SignatureRow]],
    materials: Sequence[Material],
    zone: ZoneInfo,
) -> KeptRows:
    """The rows of the registers behind some measurements, and behind who signed for their runs.

    Args:
        session: only read.
        measurements: of a lot.
        signed: who reviewed, or typed as the second person, which run of it.
        materials: every row of those used in its runs, oldest first.
        zone: of the site.
    """
    last: dict[str, date] = {}
    for name, day in _used(measurements, signed, zone):
        last[name] = max(day, last.get(name, day))
    found: tuple[Instrument | Training, ...] = (
        *instruments_by(session, {fold(one.instrument) for one in measurements}),
        *trainings_by(session, {one.method for one in measurements}),
    )
    rows = tuple(one for one in found if series_of(one.key) in last)
    series: dict[str, list[KeptRow]] = {}
    for one in rows:
        name = series_of(one.key)
        if _since(one) <= last[name].isoformat():
            series.setdefault(name, []).append(one)
    for material in materials:
        series.setdefault(series_of(material.key), []).append(material)
    return KeptRows(rows, tuple(map(tuple, series.values())), tuple(sorted(last)))


def _used(
    measurements: Sequence[Measurement],
    signed: Iterable[tuple[AssayRun, SignatureRow]],
    zone: ZoneInfo,
) -> Iterator[tuple[str, date]]:
    """What a register may say something of, as audit entries call it, and a day of its use."""
    methods: dict[object, set[str]] = {}
    for one in measurements:
        day = one.measured_at.astimezone(zone).date()
        yield f"instrument:{fold(one.instrument)}", day
        yield f"training:{one.analyst}/{one.method}", day
        methods.setdefault(one.run, set()).add(one.method)
    for run, signature in signed:
        for method in methods.get(run.run_key, ()):
            person = signature.person.user_id
            yield f"training:{person}/{method}", signature.at.astimezone(zone).date()


def _since(row: Instrument | Training) -> str:
    return row.calibrated_on if isinstance(row, Instrument) else row.trained_on


def _kept(row: KeptRow, zone: ZoneInfo) -> Kept:
    on = row.registered_at.astimezone(zone).date()
    if isinstance(row, Instrument):
        of, since, until = f"instrument {row.instrument}", row.calibrated_on, row.due_on
    elif isinstance(row, Training):
        of = f"the training of {row.person.user_id} for {row.method}"
        since, until = row.trained_on, row.expires_on
    else:
        of, since, until = f"material {row.material}", on.isoformat(), row.expires_on
    states = Span(date.fromisoformat(since), date.fromisoformat(until))
    return Kept(of, row.registered_by, on, states)
