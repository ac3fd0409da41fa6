"""Conditional release: which results may stay pending, and until when (requirements 2.25, 2.26).

Only a criterion of which the specification says what stands in (``interim``) may stay pending, and
only while all of these pass. Everything else is as for a release. A result that then fails, or is
not there on its day, holds the lot.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from batchqc.core.gates import Gate
from batchqc.core.verdicts import Outcome, Verdict


def pending_of(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts that wait for a result which may stay pending."""
    return tuple(one for one in verdicts if one.blocks and one.missing and one.criterion.interim)


def conditional_gates(gates: Iterable[Gate], verdicts: Sequence[Verdict]) -> tuple[Gate, ...]:
    """The gates of a conditional release: results that may stay pending close none."""
    return tuple(
        replace(gate, reasons=tuple(_reasons(verdicts))) if gate.name == "Results" else gate
        for gate in gates
    )


def due_problems(
    pending: Sequence[Verdict], due: Mapping[str, date], *, today: date, expires_on: date
) -> tuple[str, ...]:
    """What is wrong with the days on which pending results are due, by criterion."""
    wanted = [one.criterion.id for one in pending]
    found = [f"{name}: say when its result is due" for name in wanted if name not in due]
    found += [f"{name}: its result is not pending" for name in due if name not in wanted]
    for name, day in due.items():
        if day < today:
            found.append(f"{name}: {day} is over")
        elif day > expires_on:
            found.append(f"{name}: {day} is after the last usable day {expires_on}")
    if not wanted:
        found.append("no result is pending that may be; decide on a release")
    return tuple(found)


def overdue(
    due: Mapping[str, date], verdicts: Iterable[Verdict], today: date
) -> tuple[tuple[str, date], ...]:
    """Which results were due before today and cannot be judged, with their days."""
    waiting = {one.criterion.id for one in verdicts if one.outcome is Outcome.CANNOT_JUDGE}
    return tuple(
        (name, day) for name, day in sorted(due.items()) if name in waiting and day < today
    )


def _reasons(verdicts: Sequence[Verdict]) -> Iterator[str]:
    if not verdicts:
        yield "no criterion was judged"
    by_id = {one.criterion.id: one for one in verdicts}
    pending = {one.criterion.id for one in pending_of(verdicts)}
    for one in verdicts:
        if not one.blocks:
            continue
        if one.criterion.id not in pending:
            yield one.sentence
            continue
        for name in one.criterion.interim:
            stands_in = by_id.get(name)
            if stands_in is None or stands_in.outcome is not Outcome.PASS:
                said = stands_in.sentence if stands_in else "it is not in the specification"
                yield f"{name} stands in for {one.criterion.id} and does not pass: {said}"
