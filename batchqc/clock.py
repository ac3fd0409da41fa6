"""The one clock, and new unguessable tokens. Only doors import it; everyone else is handed both.

The clock is believed while it goes on as the time since the start of the machine does, which no
setting of the clock changes (``CLOCK_BOOTTIME``; it is slewed with the clock, never stepped). One
that was set while it ran is not believed until it is right again, or batchqc is started anew.
"""

import ctypes
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from batchqc.errors import ClockDoubtful

LIMIT: Final = timedelta(minutes=1)
"""How far a running clock may be set without anybody being told."""
_SINCE_START: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_UNSYNCHRONISED: Final = 0x0040  # STA_UNSYNC of <sys/timex.h>
_NANOSECONDS: Final = 0x2000  # STA_NANO: the offset is in ns, else in us


class _Timex(ctypes.Structure):
    """``struct timex`` of Linux, as far as it is read (adjtimex(2)); the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long), ("esterror", ctypes.c_long), ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 40),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClockEvidence:
    """What the system's kernel says of its clock.

    Args:
        is_synchronised: by a time service; ``None`` where the system does not tell.
        offset: seconds by which the clock is being corrected.
        largest_error: seconds by which it may be wrong at the most.
    """

    is_synchronised: bool | None
    offset: float = 0.0
    largest_error: float = 0.0

    def __str__(self) -> str:
        if self.is_synchronised is None:
            return "this system does not tell whether its clock is synchronised"
        word = "synchronised" if self.is_synchronised else "not synchronised"
        return f"{word}, offset {self.offset:+.6f} s, error at most {self.largest_error:.3f} s"


def evidence() -> ClockEvidence:
    """Ask the kernel how its clock is kept; nothing is changed."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError):
        return ClockEvidence(None)
    told = _Timex(modes=0)
    if adjtimex(ctypes.byref(told)) < 0:
        return ClockEvidence(None)
    unit = 1e-9 if told.status & _NANOSECONDS else 1e-6
    return ClockEvidence(
        not told.status & _UNSYNCHRONISED, told.offset * unit, told.maxerror * 1e-6
    )


def _measured() -> tuple[datetime, float]:
    return datetime.now(UTC), time.clock_gettime(_SINCE_START)  # noqa: TID251 - the one clock


_BEGAN: Final = _measured()


def now() -> datetime:
    """The present, in UTC.

    Raises:
        ClockDoubtful: BQC-SYS-030 the clock was set by more than ``LIMIT`` while batchqc ran.
    """
    wall, since_start = _measured()
    jump = wall - _BEGAN[0] - timedelta(seconds=since_start - _BEGAN[1])
    if abs(jump) > LIMIT:
        which = "ahead" if jump > timedelta() else "back"
        raise ClockDoubtful(
            "BQC-SYS-030",
            f"the clock of this server was set {which} by {abs(jump)} while batchqc ran; nothing is"
            " signed or recorded by it",
            hint="Set it right by a time service (`timedatectl`). If it is right now, start batchqc"
            " again.",
        )
    return wall


def new_token() -> str:
    """A new token of 256 random bits, for a session."""
    return secrets.token_urlsafe(32)
