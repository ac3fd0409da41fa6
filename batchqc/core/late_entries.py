"""Late entry: what was signed on paper while the system was down (requirements 1.40, 1.62, 1.69).

It is entered afterwards by the person who signed, with the true time and the number of the paper
form beside the time of entry. The true time lies in a recorded stop of the system, never in the
future, and never before what the signature rests on.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

LONGEST_REFERENCE: Final = 200
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Paper:
    """When something was signed on paper (RFC 3339, with its offset), and on which form."""

    happened_at: str
    reference: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop of the system; ``ended`` is ``None`` while its end is not on record.

    ``recorded_by`` are the user ids of those who signed the stop or its end.
    """

    number: int
    began: datetime
    ended: datetime | None
    recorded_by: frozenset[str]

    def covers(self, when: datetime) -> bool:
        """Whether a moment lies in it, both ends included; none before its end is known."""
        return self.ended is not None and self.began <= when <= self.ended


def instant(text: str) -> datetime | None:
    """The moment that an RFC 3339 text with an offset states, or ``None``."""
    if _INSTANT.fullmatch(text) is None or text.endswith("-00:00"):
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):  # it is not one in every zone
        return None
    return moment


def late_problems(
    paper: Paper,
    *,
    signer: str,
    now: datetime,
    stops: Iterable[Stop],
    rests_on: Mapping[str, datetime],
) -> tuple[str, ...]:
    """Everything for which a signature on paper cannot be entered, in words.

    Args:
        paper: when and on which form it was signed.
        signer: the user id of who signed.
        now: when it is entered.
        stops: of the system.
        rests_on: the true time of all that the signature rests on, by what it is in words.
    """
    problems = [] if _is_line(paper.reference) else [
        f"name the paper form in one line of at most {LONGEST_REFERENCE} characters"
    ]  # fmt: skip
    happened = instant(paper.happened_at)
    if happened is None:
        wanted = "a time such as 2026-03-21T16:56:00-05:00"
        return (*problems, f'"{paper.happened_at}" is not {wanted}, with its offset')
    if happened > now:
        problems.append(f"{paper.happened_at} lies in the future")
    within = [stop for stop in stops if stop.covers(happened)]
    if not within:
        problems.append(f"{paper.happened_at} lies in no stop of the system that ended")
    elif all(signer in stop.recorded_by for stop in within):
        problems.append(
            f"{signer} recorded stop {within[0].number}, and does not enter what happened in it"
        )
    problems += [
        f"{paper.happened_at} is before {what} ({when.isoformat()})"
        for what, when in sorted(rests_on.items())
        if happened < when
    ]
    return tuple(problems)


def stop_problems(began: str, ended: str, *, now: datetime) -> tuple[str, ...]:
    """Everything for which a stop cannot have been from one time to another, in words.

    Args:
        began: RFC 3339 with an offset.
        ended: the same; "" where its end is not known yet.
        now: when it is recorded.
    """
    told = [(name, text, instant(text)) for name, text in (("began", began), ("ended", ended))]
    told = told if ended else told[:1]
    problems = [
        f'{name}: "{text}" is not a time such as 2026-03-21T16:56:00-05:00, with its offset'
        for name, text, when in told
        if when is None
    ]
    problems += [
        f"{name}: {text} lies in the future" for name, text, when in told if when and when > now
    ]
    first, last = told[0][2], told[-1][2]
    if ended and first and last and last <= first:
        problems.append(f"it ended at {ended}, which is not after {began}")
    return tuple(problems)


def overlap_problems(began: str, ended: str, others: Iterable[Stop]) -> tuple[str, ...]:
    """Every other stop of the same time; one whose end is not on record goes on.

    Args:
        began: of a stop that ``stop_problems`` finds nothing wrong with.
        ended: the same; "" where its end is not known yet.
        others: the other stops that were not withdrawn.
    """
    first, last = datetime.fromisoformat(began), instant(ended)
    return tuple(
        f"stop {one.number} is of the same time: {one.began.isoformat()} to"
        f" {one.ended.isoformat() if one.ended else 'an end that is not on record'}"
        for one in others
        if (last is None or one.began < last) and (one.ended is None or first < one.ended)
    )


def _is_line(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= LONGEST_REFERENCE
