"""Every kind of document that is approved, by the first part of its pages' path."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy.orm import Session
from starlette.convertors import Convertor, register_url_convertor

from batchqc.web.controlled import Kind, Line
from batchqc.web.kind_of_layout import LAYOUTS, layouts
from batchqc.web.kind_of_method import METHODS, methods
from batchqc.web.kind_of_panel import PANELS, panels
from batchqc.web.kind_of_profile import PROFILES, profiles
from batchqc.web.kind_of_specification import SPECIFICATIONS

KINDS: Final[Mapping[str, Kind]] = {
    one.path: one for one in (SPECIFICATIONS, METHODS, PROFILES, LAYOUTS, PANELS)
}
LISTED: Final[Mapping[str, Callable[[Session, date], Sequence[Line]]]] = {
    METHODS.path: methods,
    PROFILES.path: profiles,
    LAYOUTS.path: layouts,
    PANELS.path: panels,
}
"""How the versions of a kind are listed; specifications have a list of their own."""


class _KindConvertor(Convertor[str]):
    """The first part of a path, where it is that of a kind."""

    regex = "|".join(KINDS)

    def convert(self, value: str) -> str:
        """As it is."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


class _ActConvertor(_KindConvertor):
    """The last part of a path, where it is that of an act: a name may be of several parts."""

    regex = "|".join(sorted({act.name for one in KINDS.values() for act in one.acts.values()}))


register_url_convertor("document", _KindConvertor())
register_url_convertor("act", _ActConvertor())
