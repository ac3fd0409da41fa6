"""What is still to be measured of a sample, and which verdicts a measurement touches."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from batchqc.core.acceptance import AtLeast, ReportOnly
from batchqc.core.assays import CONTROL
from batchqc.core.criteria import Category, Criterion
from batchqc.core.formulas import parse_formula
from batchqc.core.lots import Sample
from batchqc.core.open_tests import OpenReplicate, Reported, open_replicates
from batchqc.core.specifications import Specification, Stage
from batchqc.core.subjects import Derived, Group, Input, Measured
from batchqc.core.touched import touched
from tests.core.world import (
    AT,
    MEAN_OF_3,
    TISSUE,
    criterion,
    limits,
    measured,
    specification,
)

FIRST, SECOND = (Sample(f"MSC-1-S0{n}", "MSC-1", Stage.RELEASE, "vial", AT) for n in (1, 2))
THAWED = Sample("MSC-1-S03", "MSC-1", Stage.POST_THAW, "vial", AT)
VIABILITY = criterion(plan=MEAN_OF_3)
TELOMERASE = Criterion(
    "telomerase", "T", Category.SAFETY, Measured("TEL", "telomerase", "SOP-2", "1", control="POS"),
    ReportOnly(),
)  # fmt: skip
PLAN = specification(VIABILITY, TELOMERASE, TISSUE)


def open_of(
    *samples: Sample,
    plans: tuple[Specification, ...] = (PLAN,),
    reported: Collection[Reported] = (),
    test: str = "",
) -> list[tuple[str, str, int]]:
    found = open_replicates(plans, samples, reported, test=test)
    return [(one.sample.id, one.subject.analyte, one.replicate) for one in found]


VIABILITIES = [("MSC-1-S01", "viability", n) for n in (1, 2, 3)]
TELOMERASES = [("MSC-1-S01", "telomerase", 1)] * 2  # and its control


def test_every_replicate_of_the_plan_is_open_in_the_order_of_the_specification():
    assert open_of(FIRST) == VIABILITIES + TELOMERASES


def test_a_control_of_the_run_is_asked_for_beside_the_result():
    result, control = open_replicates([PLAN], [FIRST], [], test="TEL")
    subject = TELOMERASE.subject
    assert isinstance(subject, Measured)
    assert result == OpenReplicate(FIRST, subject, 1)
    assert control == OpenReplicate(FIRST, subject, 1, CONTROL, "POS")


def test_what_has_a_result_is_not_open_for_that_sample_and_is_for_the_other():
    reported = {("MSC-1-S01", "VIAB", "viability"), ("MSC-1-S02", "TEL", "telomerase")}
    assert open_of(FIRST, SECOND, reported=reported) == [
        *TELOMERASES,
        *(("MSC-1-S02", "viability", n) for n in (1, 2, 3)),
    ]


def test_each_sample_has_the_plan_of_its_stage_and_the_first_one_for_it():
    thawing = replace(specification(criterion()), stage=Stage.POST_THAW)
    other = replace(specification(criterion(name="potency")), stage=Stage.POST_THAW)
    assert open_of(THAWED, plans=(PLAN,)) == []
    assert open_of(THAWED, plans=(PLAN, thawing, other)) == [("MSC-1-S03", "viability", 1)]


def test_one_test_may_be_asked_for():
    assert open_of(FIRST, test="VIAB") == VIABILITIES
    assert open_of(FIRST, test="NONE") == []


DERIVED = Criterion(
    "dose", "Dose", Category.QUANTITY,
    Derived(parse_formula("a"), (Input("a", "viability"),), "%"), limits("> 1"),
)  # fmt: skip
GROUP = Criterion("any", "Any", Category.QUANTITY, Group(("dose",)), AtLeast(1, 1))


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, {"viability", "dose", "any"}),
        ({"result_type": CONTROL}, set()),
        ({"result_type": "raw"}, set()),
        ({"stage": Stage.POST_THAW}, set()),
        ({"test": "TEL", "analyte": "telomerase"}, {"telomerase"}),
        ({"test": "TEL", "analyte": "telomerase", "result_type": CONTROL}, {"telomerase"}),
        ({"test": "TEL", "analyte": "telomerase", "result_type": "blank"}, set()),
    ],
)
def test_a_measurement_touches_what_it_measures_and_all_that_is_computed_from_it(
    changes: dict[str, object], found: set[str]
):
    plan = specification(GROUP, DERIVED, VIABILITY, TELOMERASE, TISSUE)
    assert touched(plan, [measured("91", **changes)]) == found
