"""Conditional release: which results may stay pending, and until when (requirements 2.25, 2.26).

Only a criterion of which the specification says what stands in (``interim``) may stay pending, and
only while all of these pass. Everything else is as for a release. A result that then fails, or is
not there on its day, holds the lot. It is due at the latest when the specification plans to read
it, counted from the first sample of its stage.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from batchqc.core.gates import Gate
from batchqc.core.specifications import Specification, leaves
from batchqc.core.verdicts import Outcome, Verdict


def pending_of(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts that wait for a result which may stay pending."""
    return tuple(one for one in verdicts if one.blocks and one.missing and one.criterion.interim)


def is_awaited(verdict: Verdict) -> bool:
    """Whether a result still lacks that was to come; a line for information has no verdict."""
    if verdict.outcome is None:
        return verdict.blocks
    return verdict.outcome is Outcome.CANNOT_JUDGE


def conditional_gates(
    gates: Iterable[Gate], verdicts: Sequence[Verdict], due: Collection[str] | None = None
) -> tuple[Gate, ...]:
    """The gates of a conditional release: results that may stay pending close none.

    ``due`` are the criteria of which results are due once the lot is released so.
    """
    pending = {one.criterion.id for one in pending_of(verdicts)}
    may_stay = pending if due is None else pending & set(due)
    return tuple(
        replace(gate, reasons=tuple(_reasons(verdicts, may_stay)))
        if gate.name == "Results"
        else gate
        for gate in gates
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """Which specification plans the reading days of a lot, and when its first sample was taken.

    ``taken_on`` is a day of the site; ``None`` where no sample of the stage is registered.
    """

    specification: Specification
    taken_on: date | None

    def days(self, verdict: Verdict) -> int | None:
        """In how many days all of a criterion is read; ``None`` where that is not planned."""
        measured = leaves(self.specification, verdict.criterion)
        return max(
            (one.planned_days for one in measured if one.planned_days is not None), default=None
        )


def due_problems(
    pending: Sequence[Verdict],
    due: Mapping[str, date],
    plan: Plan,
    *,
    today: date,
    expires_on: date,
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
    found += [f"{one.criterion.id}: {said}" for one in pending for said in _late(one, due, plan)]
    if not wanted:
        found.append("no result is pending that may be; decide on a release")
    return tuple(found)


def overdue(
    due: Mapping[str, date], verdicts: Iterable[Verdict], today: date
) -> tuple[tuple[str, date], ...]:
    """Which results were due before today and are not in, or cannot be judged, with their days."""
    waiting = {one.criterion.id for one in verdicts if is_awaited(one)}
    return tuple(
        (name, day) for name, day in sorted(due.items()) if name in waiting and day < today
    )


def _late(verdict: Verdict, due: Mapping[str, date], plan: Plan) -> Iterator[str]:
    days, day = plan.days(verdict), due.get(verdict.criterion.id)
    if days is None or day is None:
        return
    if plan.taken_on is None:
        yield "no sample of its stage is registered, so nobody knows when it is read"
    elif day > (planned := plan.taken_on + timedelta(days=days)):
        yield (f"{day} is after {planned}, the planned day {days} of the sample of {plan.taken_on}")


def _reasons(verdicts: Sequence[Verdict], pending: Collection[str]) -> Iterator[str]:
    if not verdicts:
        yield "no criterion was judged"
    by_id = {one.criterion.id: one for one in verdicts}
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
