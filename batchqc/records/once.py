"""Reading a thing once while much is looked at that asks for it again and again.

Only where nothing is written meanwhile: then whoever asks twice gets the same answer, even where
somebody else commits between the two.
"""

from collections.abc import Callable, Hashable, Iterable
from collections.abc import Set as AbstractSet
from functools import wraps
from inspect import unwrap
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy.orm import Session

P = ParamSpec("P")
T = TypeVar("T")
Asks = Callable[Concatenate[Session, P], T]
_ANSWERS: Final = "answers"


def each_once(look: Asks[P, T]) -> Asks[P, T]:
    """Mark a function that only reads: until it ends, what is marked ``once`` is asked once."""

    @wraps(look)
    def looked(session: Session, /, *arguments: P.args, **named: P.kwargs) -> T:
        if _ANSWERS in session.info:
            return look(session, *arguments, **named)
        session.info[_ANSWERS] = {}
        try:
            return look(session, *arguments, **named)
        finally:
            del session.info[_ANSWERS]

    return looked


def once(ask: Asks[P, T]) -> Asks[P, T]:
    """Mark a query by rows, texts or numbers, or several of them; nobody changes its answer."""

    @wraps(ask)
    def asked(session: Session, /, *arguments: P.args, **named: P.kwargs) -> T:
        answers = remembered(session)
        if answers is None:
            return ask(session, *arguments, **named)
        given: Any = [_kept(one) for one in arguments]
        by_name: Any = {name: _kept(one) for name, one in named.items()}
        key = (ask, *given, *by_name.items())
        if key not in answers:
            answers[key] = ask(session, *given, **by_name)
        answer: T = answers[key]
        return answer

    return asked


def tell(session: Session, ask: Asks[P, T], answer: T) -> None:
    """Tell a look what a query without arguments would find, as another one found it."""
    answers = remembered(session)
    if answers is not None:
        answers.setdefault((unwrap(ask),), answer)


def remembered(session: Session) -> dict[Hashable, Any] | None:
    """What is remembered until the look ends; ``None`` while nobody looks."""
    found: dict[Hashable, Any] | None = session.info.get(_ANSWERS)
    return found


def _kept(argument: object) -> Hashable:
    """An argument as a key; what can be used up is kept, so that it can be read once more."""
    if isinstance(argument, str) or not isinstance(argument, Iterable):
        return argument
    return frozenset(argument) if isinstance(argument, AbstractSet) else tuple(argument)
