"""Parts of a certificate's content that came after its first ones; documents without them stay."""

from typing import NotRequired, TypedDict


class Change(TypedDict):
    """One thing that a certificate says otherwise than the one that it replaces.

    ``before`` is empty where it is new, ``after`` where it is gone.
    """

    what: str
    before: str
    after: str


class Supersedes(TypedDict):
    """The certificate that this one replaces, why, and what is changed (requirement 5.07)."""

    number: str
    reason: str
    changes: NotRequired[list[Change]]


class StatusPart(TypedDict):
    """Where anyone who holds the certificate asks how it stands now.

    ``page`` is the address of its status page without the hash of the content, which cannot stand
    in what it hashes; empty where the site has no public address.
    """

    page: str


class TrendPoint(TypedDict):
    """A lot of a series: its id, its site-local date of manufacture, its result.

    ``value`` is decimal text; ``qualifier`` is ``<``, ``<=``, ``>`` or ``>=`` of a censored one.
    """

    lot: str
    manufactured_on: str
    qualifier: str
    value: str


class TrendLimits(TypedDict):
    """The approved control limits that the lot is compared with, as frozen, in the unit.

    ``limit_set`` is the number of the set among those of the attribute, ``n`` of how many lots it
    was computed; a limit that does not exist is empty.
    """

    limit_set: int
    sha256: str
    n: int
    method: str
    lower: str
    centre: str
    upper: str


class TrendPart(TypedDict):
    """The lot in the series of one criterion, as it was when it was decided; it is the last point.

    ``points`` are of one phase, so that they may be compared, and not more than can be drawn.
    ``limits`` is null while none hold for the lot, and ``said`` tells why, or what is amiss.
    """

    criterion: str
    title: str
    unit: str
    points: list[TrendPoint]
    limits: TrendLimits | None
    said: str
