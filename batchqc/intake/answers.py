"""What a rule says of each row of some columns, asked once for each different input."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, TypeVar

_MOST_REMEMBERED: Final = 200_000

Key = TypeVar("Key")
Known = TypeVar("Known")


class Answers(dict[Key, Known], Generic[Key, Known]):
    """What a rule says, asked once for each input; forgotten where it grows too large."""

    def __init__(self, ask: Callable[[Key], Known]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, key: Key) -> Known:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[key] = answer = self._ask(key)
        return answer

    def of(self, *columns: Sequence[Any]) -> list[Known]:
        """The answers for every row of one or more columns."""
        keys: Iterable[Any] = columns[0] if len(columns) == 1 else zip(*columns, strict=True)
        return list(map(self.__getitem__, keys))
