"""What a criterion accepts, as certificates tell it to machines."""

from decimal import Decimal
from typing import NotRequired, TypedDict, assert_never

from batchqc.core.acceptance import (
    Acceptance,
    AtLeast,
    Bands,
    Limits,
    Relative,
    ReportOnly,
    Words,
)


class LimitPart(TypedDict):
    """One limit: ``<``, ``<=``, ``>`` or ``>=``, and its number with the digits of its text."""

    operator: str
    limit: str


class BandPart(TypedDict):
    """A class of values."""

    name: str
    limits: list[LimitPart]


class AcceptPart(TypedDict):
    """What a criterion accepts, for machines; ``acceptance`` is the same for people.

    ``kind`` is ``limits`` (all of them, and a guard band that narrows them), ``words`` (any of
    ``terms``), ``classes`` (``bands``, and those that are accepted as ``terms``), ``control`` (an
    operator and a factor of the control of the run), ``group`` (``count`` of ``of`` pass) or
    ``report`` (nothing is judged).
    """

    kind: str
    limits: NotRequired[list[LimitPart]]
    guard: NotRequired[str]
    terms: NotRequired[list[str]]
    bands: NotRequired[list[BandPart]]
    operator: NotRequired[str]
    factor: NotRequired[str]
    count: NotRequired[int]
    of: NotRequired[int]


def accept_part(accept: Acceptance, guard: Decimal | None = None) -> AcceptPart:
    """The operators, limits, words or classes of a criterion; numbers keep their digits.

    Args:
        accept: as the specification has it.
        guard: by how much the limits are narrowed, in the unit of the result.
    """
    match accept:
        case Limits():
            part: AcceptPart = {"kind": "limits", "limits": _limits(accept)}
            return {**part, "guard": str(guard)} if guard is not None else part
        case Words(terms=terms):
            return {"kind": "words", "terms": list(terms)}
        case Bands(bands=bands, accepted=accepted):
            return {
                "kind": "classes",
                "bands": [{"name": one.name, "limits": _limits(one.limits)} for one in bands],
                "terms": list(accepted),
            }
        case Relative(operator=operator, factor=factor):
            return {"kind": "control", "operator": operator, "factor": str(factor)}
        case AtLeast(count=count, of=of):
            return {"kind": "group", "count": count, "of": of}
        case ReportOnly():
            return {"kind": "report"}
        case _:
            assert_never(accept)


def _limits(limits: Limits) -> list[LimitPart]:
    return [{"operator": one.operator, "limit": str(one.number)} for one in limits.limits]
