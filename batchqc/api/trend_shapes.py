"""Shapes of trends, as they are sent and answered."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from batchqc.api.doors import Signature
from batchqc.api.sent import Sent
from batchqc.api.shapes import LARGEST, Page
from batchqc.core.specifications import Stage


class AttributeOut(BaseModel):
    """A criterion whose lots can be looked at together."""

    product: str
    stage: Stage
    market: str
    criterion: str
    title: str
    unit: str
    acceptance: str
    is_numeric: bool = Field(description="False for words: they give the share of lots that fail.")
    link: str


class CellOut(BaseModel):
    """One lot of one attribute."""

    value: str
    flag: str = Field(description="FAIL, CANNOT_JUDGE, out of trend, or empty.")
    robust: float | None = Field(description="Distance from the median of its phase, 1.4826 MAD.")


class LotAcross(BaseModel):
    """A lot with its attributes, by criterion."""

    lot: str
    manufactured_on: date
    disposition: str
    cells: dict[str, CellOut]


class Overview(Page[LotAcross]):
    """Lots in the order of manufacture against attributes."""

    attributes: list[AttributeOut]


class LotProfileOut(BaseModel):
    """One lot by all its attributes."""

    lot: str
    distance: float = Field(description="Mahalanobis distance from the other lots.")
    t2: float
    limit: float
    p: float = Field(description="Chance of so large a T² of a lot in control.")
    is_odd: bool
    drivers: list[dict[str, Any]] = Field(description="Of an odd lot: what each attribute adds.")


class ProfilesOut(Page[LotProfileOut]):
    """Lots that have every attribute of the profile, in order of manufacture."""

    attributes: list[str]
    method: str
    assumptions: list[str]
    alpha: float = Field(description="Chance that a lot in control lies beyond its limit.")
    n: int
    limitations: list[str]


class ControlOut(BaseModel):
    """One control: one material by one method version at one site, run by run."""

    name: str
    unit: str
    lower: float | None
    centre: float | None
    upper: float | None
    runs: list[dict[str, Any]]
    signals: list[dict[str, Any]]
    part: dict[str, Any]


class Exclusion(Sent):
    """A lot that limits are not computed from, and its assignable cause."""

    lot: str
    cause: str


class LimitsIn(Sent):
    """What limits are proposed from."""

    reason: str = Field(description="Why now, and why anew where a set is there.")
    phase: int = Field(default=0, ge=0, le=LARGEST, description="0 is the newest.")
    until: str = Field(default="", description="The last lot to look at; empty: of the phase.")
    excluded: list[Exclusion] = Field(default_factory=list)
    scale: Literal["", "identity", "ln", "complement cube root", "logit"] = Field(
        default="", description="Empty: that of the kind of attribute."
    )
    method: Literal["", "prediction", "individuals"] = Field(
        default="", description="Empty: prediction limits below 50 lots."
    )
    rules: list[str] = Field(
        default_factory=list, description="Nelson 1 to 8, we1 to we4; empty: 1, 2, 3 and 5."
    )


class LimitsOut(BaseModel):
    """A limit set; `content` is what was frozen, floats as text."""

    number: int
    first: str
    reason: str
    sha256: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str = Field(description="Empty while it waits: no lot is judged by it then.")
    approved_at: datetime | None
    content: dict[str, Any]


class PhaseIn(Signature):
    """The signature, and the lot with which a phase begins."""

    lot: str


class PhaseOut(BaseModel):
    """A phase that QA began."""

    lot: str
    reason: str


class LotSignals(BaseModel):
    """What trends say of one lot: information, never a closed gate."""

    lot: str
    signals: list[str]
