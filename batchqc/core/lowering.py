"""Who lowered a policy, or the rule of a register, within the life of a lot.

What was lowered may open a gate of the lot that was closed. That is work on the lot, and who did
it does not sign its release; raising it again does not undo what passed meanwhile.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from batchqc.core.laboratory import Register, Rule
from batchqc.core.policies import OFF, ON, VALUES, Certifies, Policy

#: What each may be, the strictest first.
_LADDERS: Final[Mapping[Policy, Sequence[str]]] = {
    Policy.QP_CERTIFIES: (Certifies.EVERY_LOT, Certifies.EU_MARKET, Certifies.NO_LOT),
    Policy.SUPPLY_BY_EXCEPTION: (OFF, ON),
}
#: What opens no gate, whatever it is.
_OF_NO_GATE: Final = frozenset({Policy.PUBLIC_ADDRESS, Policy.CODE_AT_SIGN_IN})
_RULES: Final[Sequence[str]] = (Rule.REFUSE, Rule.FLAG, Rule.OFF)


class Setting(NamedTuple):
    """What a policy or the rule of a register was set to, by whom, on which day of the site."""

    of: Policy | Register
    value: str
    by: str
    on: date


class Lowered(NamedTuple):
    """Who lowered something, and what that was, in words."""

    by: str
    what: str


def lowered(settings: Iterable[Setting], *, since: date) -> Iterator[Lowered]:
    """Each lowering on or after a day.

    Args:
        settings: every one that was ever made, oldest first.
        since: the first day of the lot: its manufacture or registration, whichever came first.
    """
    now: dict[Policy | Register, str] = {}
    for one in settings:
        if one.of in _OF_NO_GATE:
            continue
        if isinstance(one.of, Policy):
            kind, ladder, first = "the policy", _LADDERS[one.of], VALUES[one.of][0]
        else:
            kind, ladder, first = "the rule of the register", _RULES, Rule.OFF
        before = now.get(one.of, first)
        now[one.of] = one.value
        if one.on >= since and ladder.index(one.value) > ladder.index(before):
            yield Lowered(one.by, f'{kind} "{one.of}" from {before} to {one.value} on {one.on}')
