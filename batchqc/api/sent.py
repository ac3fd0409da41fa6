"""What is sent in a body: nothing unknown, and no character that no database could give back."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Sent(BaseModel):
    """A body that is sent. Members that it does not know are refused."""

    model_config = ConfigDict(extra="forbid")

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


def _texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        return [text for pair in content.items() for item in pair for text in _texts(item)]
    if isinstance(content, list):
        return [text for item in content for text in _texts(item)]
    return []
