"""Criteria and measurements, as short as a table of cases needs them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from batchqc.core.acceptance import Limit, Limits, Words
from batchqc.core.assays import Cell, Measurement, RunKey
from batchqc.core.criteria import Category, Criterion
from batchqc.core.donors import ELIGIBLE, Donor
from batchqc.core.judging import judge
from batchqc.core.rounding import Rounding
from batchqc.core.specifications import Specification, Stage
from batchqc.core.subjects import Aggregate, DonorFact, Measured, ReplicatePlan
from batchqc.core.verdicts import Verdict
from tests.cast import GROWTH

AT = datetime(2026, 3, 21, 16, 56, tzinfo=UTC)
DONOR = Donor("DNR-01", "umbilical cord", ELIGIBLE)


def limits(text: str) -> Limits:
    """``> 90``, or ``4 to 12`` with both ends included."""
    if " to " in text:
        low, high = text.split(" to ")
        return Limits(text, (Limit(">=", Decimal(low)), Limit("<=", Decimal(high))))
    operator, number = text.split()
    return Limits(text, (Limit(operator, Decimal(number)),))


def criterion(
    accept: str = "> 90",
    *,
    rounding: Rounding = Rounding.ABSOLUTE,
    plan: ReplicatePlan | None = None,
    unit: str = "%",
    name: str = "viability",
    **more: object,
) -> Criterion:
    """A measured criterion of test VIAB, or of words where ``accept`` is one."""
    subject = Measured("VIAB", name, "SOP-1", unit, plan or ReplicatePlan())
    is_number = accept[0] in "<>0123456789-"
    taken = limits(accept) if is_number else Words(tuple(accept.split("|")), GROWTH)
    return Criterion(
        name, name.title(), Category.QUANTITY, subject, taken, rounding, **more  # type: ignore[arg-type]
    )  # fmt: skip


TISSUE = Criterion(
    "donor-source",
    "Donor source",
    Category.DONOR,
    DonorFact.TISSUE_SOURCE,
    Words(("umbilical cord", "Wharton's jelly")),
)
ELIGIBILITY = Criterion(
    "donor-eligibility", "Donor eligibility", Category.DONOR, DonorFact.ELIGIBILITY,
    Words((ELIGIBLE,)),
)  # fmt: skip


def specification(*criteria: Criterion) -> Specification:
    return Specification(
        "REL", 1, "MSC", Stage.RELEASE, "Release", date(2025, 1, 1), Rounding.ABSOLUTE, criteria,
        "simple acceptance", (GROWTH,),
    )  # fmt: skip


def measured(text: str, replicate: int = 1, **changes: object) -> Measurement:
    """A reportable result of test VIAB; ``run`` and ``upload`` may be given as text."""
    run = RunKey(
        str(changes.pop("upload", "U-2026-000001")), str(changes.pop("test", "VIAB")),
        str(changes.pop("run", "R-1")),
    )  # fmt: skip
    one = Measurement(
        run=run, lot="MSC-1", sample="MSC-1-S01", stage=Stage.RELEASE, aliquot="A1",
        analyte="viability", replicate=replicate, unit="%", measured_at=AT,
        started_at=AT - timedelta(minutes=10), analyst="ana", instrument="I", method="SOP-1",
        version="1", result_type="reportable",
        cell=Cell(replicate + 1, replicate + 1, "value", text),
    )  # fmt: skip
    return replace(one, **changes)  # type: ignore[arg-type]


def verdict_of(
    one: Criterion, *measurements: Measurement, donors: tuple[Donor, ...] = ()
) -> Verdict:
    """The verdict of one criterion."""
    (verdict,) = judge(specification(one), measurements, donors)
    return verdict


def outcome_of(accept: str, text: str, rounding: Rounding = Rounding.ABSOLUTE) -> str:
    """The verdict over one result, as its word."""
    outcome = verdict_of(criterion(accept, rounding=rounding), measured(text)).outcome
    return "" if outcome is None else outcome.value


MEAN_OF_3 = ReplicatePlan(3, Aggregate.MEAN)
EACH_OF_2 = ReplicatePlan(2, Aggregate.EACH)
