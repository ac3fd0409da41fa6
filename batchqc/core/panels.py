"""Donor panels: which tests of a donation a jurisdiction asks for, of whom, and taken when.

A panel is a document that QA approves, like a method. It is a proposal until then: each rule in it
names its source, and whether somebody read that source or remembers it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

MARKERS: Final = (
    "HIV-1 Ab",
    "HIV-1 NAT",
    "HIV-2 Ab",
    "HBsAg",
    "anti-HBc total",
    "HBV NAT",
    "HCV Ab",
    "HCV NAT",
    "T. pallidum",
    "HTLV-I/II Ab",
    "CMV Ab",
    "WNV NAT",
    "HEV NAT",
    "T. cruzi Ab",
    "Plasmodium Ab",
    "Toxoplasma Ab",
    "EBV Ab",
    "Zika NAT",
)


class Status(StrEnum):
    """How well the source of a rule is known."""

    VERIFIED = "verified"
    RECALLED = "recalled"


class Needed(StrEnum):
    """Of which tissues a marker is asked for."""

    ALWAYS = "always"
    LEUKOCYTE_RICH = "leukocyte-rich"


class Reactive(StrEnum):
    """What a reactive result of a marker means."""

    INELIGIBLE = "ineligible"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from, in words, and how well that is known."""

    basis: str
    status: Status


@dataclass(frozen=True, slots=True)
class Window:
    """How many days before and after the donation the specimen may be taken."""

    before: int
    after: int
    source: Source


@dataclass(frozen=True, slots=True)
class MarkerRule:
    """A marker that is asked for."""

    marker: str
    needed: Needed
    reactive: Reactive
    source: Source


@dataclass(frozen=True, slots=True)
class TissueRule:
    """Whether a tissue is rich in viable leukocytes, and whether the birth mother is tested."""

    is_leukocyte_rich: bool
    tests_mother: bool
    source: Source


@dataclass(frozen=True, slots=True)
class Repeat:
    """Markers that are tested again after so many days, unless the others were tested by NAT."""

    after: int
    markers: tuple[str, ...]
    unless: tuple[str, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Panel:
    """One version of a panel; ``windows`` are of single tissues, ``window`` of every other one."""

    id: str
    version: int
    title: str
    jurisdiction: str
    markets: tuple[str, ...]
    effective: date
    window: Window
    markers: tuple[MarkerRule, ...]
    tissues: Mapping[str, TissueRule]
    windows: Mapping[str, Window] = field(default_factory=dict)
    repeat: Repeat | None = None
    sources: Sequence[str] = ()

    @property
    def reference(self) -> str:
        """Id and version, as records cite it."""
        return f"{self.id} v{self.version}"

    @property
    def recalled(self) -> tuple[str, ...]:
        """Every rule whose source nobody has read, in words."""
        named = [
            ("window", self.window.source),
            *((f"window of {name}", one.source) for name, one in self.windows.items()),
            *((one.marker, one.source) for one in self.markers),
            *((name, one.source) for name, one in self.tissues.items()),
        ]
        if self.repeat:
            named.append(("repeat", self.repeat.source))
        return tuple(
            f"{name}: {source.basis}" for name, source in named if source.status is Status.RECALLED
        )

    def window_of(self, tissue: str) -> Window:
        """When the specimens of a donation of a tissue are taken."""
        return self.windows.get(tissue, self.window)
