"""The address of a list is its state: filter, order and page stand in it, and nothing else."""

from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict

#: Of a field that a form leaves blank: it says nothing.
BLANK_IS_NONE = BeforeValidator(lambda text: text or None)

#: By the moment at which a line of a list was recorded.
Recency = Literal["newest", "oldest"]


def part(text: str) -> str:
    """A text as one part of an address, with the slashes that it holds."""
    return quote(text, safe="")


class Address(BaseModel):
    """What the address of a list asks for. A list has its ``path``; ``after`` names a page."""

    model_config = ConfigDict(extra="forbid")
    path: ClassVar[str]

    def but(self, **changes: Any) -> str:
        """The address of the same list with some changes, from its first page on."""
        query = self.query(**changes)
        return f"{self.path}?{query}" if query else self.path

    def query(self, **changes: Any) -> str:
        """The same without the path, as other forms of the list take it."""
        given = self.model_dump(mode="json", exclude={"after"}) | changes
        usual = {name: one.default for name, one in type(self).model_fields.items()}
        said = {name: text for name, text in given.items() if text and text != usual.get(name)}
        return urlencode(said)
