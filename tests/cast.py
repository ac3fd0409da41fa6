"""Who and what appears in the tests: named once, used everywhere.

The world of the nasty files: lot MSC-26-0012 of a site in Chicago, its samples, its plan and the
people of its laboratory.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

from batchqc.core.acceptance import Limit, Limits, Words
from batchqc.core.assays import Cell, Measurement, RunKey
from batchqc.core.criteria import Category, Criterion
from batchqc.core.identifiers import fold
from batchqc.core.lots import Sample
from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding
from batchqc.core.specifications import Specification, Stage
from batchqc.core.subjects import Aggregate, Measured, ReplicatePlan
from batchqc.core.vocabularies import Term, Vocabulary
from batchqc.intake.contract import Register, RegisteredLot
from batchqc.intake.known_runs import KnownRuns, known_name

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SITE_ZONE = "America/Chicago"
PEOPLE = ("jdoe", "asmith", "mlee", "extlab")
MADE_ON = date(2025, 5, 19)
TAKEN_AT = datetime.fromisoformat("2025-05-20T08:00:00-05:00")

MSC = "MSC-26-0012"
"""The lot that takes results."""
DECIDED = "MSC-26-0011"
"""A lot that is released and takes none."""

RUN_ON_RECORD = "VCB-260320-01"
"""A run of test VIAB of that lot which another file holds."""

PERCENT = Interval(Fraction(1), Fraction(100), low_closed=True, high_closed=True)
CELLS = Interval(Fraction(1000), Fraction(10**9), low_closed=True, high_closed=True)

GROWTH = Vocabulary(
    "growth",
    1,
    (
        Term("no growth", ("negative", "sterile", "no growth observed")),
        Term("growth", ("positive", "TNTC")),
    ),
)


def criterion(measured: Measured, category: Category, accept: Limits | Words) -> Criterion:
    """A criterion that is named for what it measures."""
    name = measured.analyte
    return Criterion(name.lower(), name, category, measured, accept)


def limits(text: str) -> Limits:
    """One limit, such as ``>= 95``."""
    operator, number = text.split()
    return Limits(text, (Limit(operator, Decimal(number)),))


def flow(marker: str, accept: str) -> Criterion:
    """A surface marker by flow cytometry, one replicate."""
    measured = Measured("FLOW", marker, "SOP-QC-021", "%")
    return criterion(measured, Category.IDENTITY, limits(accept))


def specification() -> Specification:
    """The plan of the nasty files: VIAB n = 3, VCD n = 2, FLOW and ENDO n = 1, STER n = 2."""
    triplicate = ReplicatePlan(3, Aggregate.MEAN)
    duplicate = ReplicatePlan(2, Aggregate.MEAN)
    both = ReplicatePlan(2, Aggregate.EACH)
    viability = Measured("VIAB", "viability", "SOP-QC-014", "%", triplicate, PERCENT)
    density = Measured("VCD", "viable_cell_density", "SOP-QC-014", "cells/mL", duplicate, CELLS)
    endotoxin = Measured("ENDO", "endotoxin", "SOP-QC-040", "EU/mL")
    sterility = Measured("STER", "growth_14d", "SOP-MB-002", replicates=both)
    return Specification(
        id="UC-MSC-REL",
        version=3,
        product="UC-MSC",
        stage=Stage.RELEASE,
        title="Umbilical cord MSC, cryopreserved drug product: release",
        effective=date(2025, 1, 1),
        rounding=Rounding.ABSOLUTE,
        criteria=(
            criterion(viability, Category.QUANTITY, limits("> 90")),
            criterion(density, Category.QUANTITY, limits(">= 1E6")),
            flow("CD73", ">= 95"),
            flow("CD90", ">= 95"),
            flow("CD45", "<= 2"),
            criterion(endotoxin, Category.SAFETY, limits("<= 0.50")),
            criterion(sterility, Category.SAFETY, Words(("no growth",), GROWTH)),
        ),
        decision_rule="simple acceptance",
        vocabularies=(GROWTH,),
    )


def sample(lot: str, number: int) -> Sample:
    """A release sample of a lot."""
    return Sample(f"{lot}-S{number:02}", lot, Stage.RELEASE, "cryovial", TAKEN_AT)


def register(plan: Specification | None = None, now: datetime = NOW) -> Register:
    """What is registered; ``plan`` replaces the specification of both lots."""
    plan = plan or specification()
    lots = (
        RegisteredLot(MSC, MADE_ON, SITE_ZONE, plan),
        RegisteredLot(DECIDED, MADE_ON, SITE_ZONE, plan, decided="released"),
    )
    samples = (sample(MSC, 1), sample(MSC, 2), sample(DECIDED, 1))
    return Register(
        lots={fold(one.id): one for one in lots},
        samples={fold(one.id): one for one in samples},
        people={fold(one): one for one in PEOPLE},
        now=now,
        known=KnownRuns({known_name(on_record()): (on_record(),)}),
    )


def on_record() -> Measurement:
    """The one result of the run on record."""
    return Measurement(
        run=RunKey("U-2026-000099", "VIAB", RUN_ON_RECORD), lot=MSC, sample=f"{MSC}-S01",
        stage=Stage.RELEASE, aliquot="A1", analyte="viability", replicate=1, unit="%",
        measured_at=datetime.fromisoformat("2026-03-21T16:56:00-05:00"), started_at=None,
        analyst="jdoe", instrument="VCB-001", method="SOP-QC-014", version="3",
        result_type="reportable", cell=Cell(2, 2, "value", "89.0"),
    )  # fmt: skip
