"""Versions of a method: what must hold in an assay run before any result of it is looked at.

A version applies to runs measured from its effective date, a date of the site, until the day before
the next version's. It never changes; another version is another document.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from batchqc.core.acceptance import Limits, Words
from batchqc.core.assays import REPORTABLE
from batchqc.core.potency import PotencyAnalysis


@dataclass(frozen=True, slots=True)
class ValidityCriterion:
    """One thing that must hold in a run.

    Either every value of an analyte among the rows of ``result_type`` is accepted, or the %CV of
    the reportable replicates of each aliquot is at most ``max_cv``. An ``aliquot`` of "" is any.
    """

    id: str
    analyte: str
    accept: Limits | Words | None = None
    max_cv: Decimal | None = None
    result_type: str = REPORTABLE
    aliquot: str = ""
    unit: str = ""
    required: bool = True

    @property
    def acceptance(self) -> str:
        """What holds in a valid run, as text."""
        if self.accept is None:
            return f"%CV of at most {self.max_cv} %"
        return f"{self.accept.text} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Method:
    """One approved version of a method; ``sha256`` is the hash of its document.

    ``max_retests`` is how often a failing result may be measured again; ``None`` is not stated.
    ``damage`` says why the document cannot be read; by such a version no run is known to be valid.
    ``analysis`` is how wells become one measurement, where the method computes one.
    """

    id: str
    version: str
    title: str
    effective: date
    validity: tuple[ValidityCriterion, ...]
    sha256: str
    damage: str = ""
    max_retests: int | None = None
    analysis: PotencyAnalysis | None = None

    @property
    def reference(self) -> str:
        """Code and version, as files and records cite it."""
        return f"{self.id} v{self.version}"


@dataclass(frozen=True, slots=True)
class NoMethod:
    """Why no version of a method can judge a run, in words."""

    why: str


def method_on(
    versions: Iterable[Method], *, code: str, stated: str, day: date
) -> Method | NoMethod | None:
    """The version that judges a run measured on ``day``; ``None`` for a method without a document.

    Args:
        versions: every approved version, of any method.
        code: of the method.
        stated: the version that the file states; "" where it states none.
        day: a date of the site.
    """
    own = [one for one in versions if one.id == code]
    if not own:
        return None
    begun = [one for one in own if one.effective <= day]
    current = max(begun, key=lambda one: one.effective, default=None)
    if current is not None and stated in {"", current.version}:
        return current
    if stated and all(one.version != stated for one in own):
        return NoMethod(f"{code} v{stated} is not approved")
    name = f"{code} v{stated}" if stated else code
    was = f"; {current.reference} was" if current else ""
    return NoMethod(f"{name} was not in force on {day}{was}")
