"""What is sent in a body: nothing unknown, and no character that no database could give back.

How long its texts may be is looked at when it comes in, and not by its model: some models are
answered too, and what is on record is told however long it is.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Final

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema

from batchqc.api.lengths import tell_lengths

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Sent(BaseModel):
    """A body that is sent. Members that it does not know are refused."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> dict[str, Any]:
        """With the length of its texts, where it is sent."""
        told = handler(schema)
        if handler.mode == "validation":
            tell_lengths(handler.resolve_ref_schema(told))
        return told

    @model_validator(mode="before")
    @classmethod
    def _only_text(cls, content: Any) -> Any:
        for text in _texts(content):
            if not is_text(text):
                raise ValueError("a text holds U+0000 or half a surrogate pair")
        return content


def is_text(text: str) -> bool:
    """Whether both databases can store ``text`` and give it back."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def _texts(content: Any) -> Iterator[str]:
    """Every text in a body, however deep it is nested."""
    waiting = [content]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item


def _as_written(day: Any) -> Any:
    if not isinstance(day, str) or _DAY.fullmatch(day) is None:
        raise ValueError("a date is written as YYYY-MM-DD")
    return day


def _with_its_day(moment: Any) -> Any:
    if not isinstance(moment, str) or _DAY.fullmatch(moment[:10]) is None:
        raise ValueError("a moment is written as YYYY-MM-DDThh:mm:ssZ, or with its offset")
    if moment[:4] in {"0001", "9999"}:
        raise ValueError("a moment of the years 2 to 9998 is meant: it is one in every zone")
    return moment


def _as_counted(number: Any) -> Any:
    if number is True or number is False:
        raise ValueError("a number is written as a number")
    return number


COUNTED: Final = BeforeValidator(_as_counted)  # true is not 1; it stands behind the bounds
Day = Annotated[date, BeforeValidator(_as_written)]  # a number is no date: 86400 is not 1970-01-02
Moment = Annotated[AwareDatetime, BeforeValidator(_with_its_day)]  # and 2026 is no moment of 1970
