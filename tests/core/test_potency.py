"""What a fit may be declared as, by what a method declares; no fit is computed here."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from batchqc.core.acceptance import Limit, Limits
from batchqc.core.assays import Cell, Measurement, RunKey
from batchqc.core.entries import SecondEntry
from batchqc.core.methods import ValidityCriterion
from batchqc.core.potency import (
    ALWAYS,
    Combination,
    Model,
    Parallelism,
    PotencyAnalysis,
    Suitability,
)
from batchqc.core.potency_outcomes import (
    BEYOND,
    as_reported,
    choice_problems,
    differences,
    judged,
    number_of,
    reasons_against,
)
from batchqc.core.runs import Validity, assess_runs
from batchqc.core.wells import KEYS, read_wells
from tests.plates import method_of_plates

RS, RUN = "RS-01", RunKey("U-2026-000001", "POT", "R1")
UNKNOWN = "not determined, wanted >= 0.98: not known, and so not met"
GOOD = dict.fromkeys(ALWAYS, "yes") | {"measures not equivalent": "0.0", "r squared": "0.991"}


def analysis(**changes: object) -> PotencyAnalysis:
    found = PotencyAnalysis(
        model=Model.FOUR, readout="signal", readout_unit="%", analyte="inhibition", unit="%",
        decimals=1, reference=RS, assigned=Decimal(100), doses=(Decimal(1), Decimal(3)),
        replicates=1, parallelism=Parallelism.EQUIVALENCE,
        suitability=(Suitability("r squared", Limits(">= 0.98", (Limit(">=", Decimal("0.98")),))),),
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]


def well(
    kind: str,
    aliquot: str,
    value: str = "50",
    *,
    row: int = 2,
    sample: str = "L-1-S01",
    **more: object,
) -> Measurement:
    found = Measurement(
        run=RUN, lot="L-1", sample=sample, stage="release", aliquot=aliquot, analyte="signal",
        replicate=1, unit="%", measured_at=datetime(2026, 1, 2, tzinfo=UTC), started_at=None,
        analyst="ana", instrument="", method="SOP-QC-031", version="2", result_type=kind,
        cell=Cell(row, row, "value", value),
    )  # fmt: skip
    return replace(found, **more)  # type: ignore[arg-type]


def plate() -> list[Measurement]:
    return [
        well("standard", f"preparation={RS};plate=P;well=A1;dose=1"),
        well("standard", f"preparation={RS};plate=P;well=A2;dose=3", row=3),
        well("raw", "plate=P;well=B1;dose=1.0", row=4),
        well("raw", "plate=P; well=B2; dose=3", row=5),
    ]


def problems(rows: list[Measurement], **changes: object) -> list[str]:
    return [one.said for one in read_wells(rows, analysis(**changes)).problems]


def test_every_criterion_that_is_met_lets_a_fit_be_declared():
    outcomes = judged(analysis(), GOOD)
    assert [one.name for one in outcomes] == [*ALWAYS, "measures not equivalent", "r squared"]
    assert reasons_against(outcomes) == ()


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"r squared": "0.9799"}, "r squared: 0.9799, wanted >= 0.98: not met"),
        ({"r squared": ""}, f"r squared: {UNKNOWN}"),
        ({"r squared": "nan"}, f"r squared: {UNKNOWN}"),
        ({"measures not equivalent": "1.0"}, "measures not equivalent: 1.0, wanted 0: not met"),
        ({"measures not equivalent": ""},
         "measures not equivalent: not determined, wanted 0: not known, and so not met"),
        ({"doses overlap": "no"}, "doses overlap: no, wanted yes: not met"),
    ],
)  # fmt: skip
def test_what_is_missed_or_not_known_is_not_met(facts: dict[str, str], reason: str):
    assert reasons_against(judged(analysis(), GOOD | facts)) == (reason,)


def test_a_bound_is_declared_and_has_no_interval_that_could_be_judged():
    curve = analysis(
        model=Model.STANDARD_CURVE, parallelism=None,
        suitability=tuple(
            Suitability(one, Limits("<= 1.5", (Limit("<=", Decimal("1.5")),)))
            for one in ("interval fold", "largest cv")
        ),
    )  # fmt: skip
    facts = GOOD | {"interval is bounded": "no", "interval fold": "", "largest cv": "1"}
    of_interval = ["interval is bounded", "interval fold"]
    missed = [one.name for one in judged(curve, facts) if not one.met]
    assert missed == of_interval
    bound = facts | {BEYOND: "<39.0"}
    assert reasons_against(judged(curve, bound)) == ()
    missed = [one.name for one in judged(curve, bound | {"largest cv": ""}) if not one.met]
    assert missed == ["largest cv"]
    relative = replace(curve, model=Model.FOUR)  # has no range of quantitation
    assert [one.name for one in judged(relative, bound) if not one.met] == of_interval


def test_without_equivalence_no_measure_is_asked_for():
    outcomes = judged(analysis(parallelism=Parallelism.F_TEST), GOOD)
    assert "measures not equivalent" not in [one.name for one in outcomes]
    assert analysis().is_relative
    assert not analysis(model=Model.STANDARD_CURVE).is_relative


@pytest.mark.parametrize(
    ("text", "decimals", "reported"),
    [
        ("84.65", 1, "84.7"), ("84.5", 0, "85"), ("84.45", 1, "84.5"), ("0.0449", 1, "<0.1"),
        ("<32.01", 0, "<33"), ("<32.0", 1, "<32.0"), (">5e3", 0, ">5000"), (">5000.9", 0, ">5000"),
        ("<0.001", 1, "<0.1"), (">0.04", 1, None), ("<", 1, None),
        ("<nan", 1, None), ("<0", 1, None),
        ("1e-05", 6, "0.000010"), ("8.4e+16", 0, "84000000000000000"), ("", 1, None),
        ("nan", 1, None), ("inf", 1, None), ("-3", 1, None), ("0", 1, None), ("1e90", 1, None),
    ],
)  # fmt: skip
def test_a_value_is_rounded_once_and_what_is_no_value_is_none(
    text: str, decimals: int, reported: str | None
):
    assert as_reported(text, decimals) == reported


def test_a_refit_names_what_differs_by_more_than_the_tolerance():
    before = {"a": "1.0", "b": "2", "c": "yes", "d": "", "e": "0", "gone": "1"}
    after = {"a": "1.0000001", "b": "2.1", "c": "no", "d": "", "e": "0.0", "new": "x"}
    assert differences(before, after, Decimal("1E-6")) == (
        "b: 2 before, 2.1 now", "c: yes before, no now", "gone: 1 before, nothing now",
        "new: nothing before, x now",
    )  # fmt: skip
    assert number_of("1e5") == 100000


def test_nobody_chooses_among_runs():
    three = analysis(runs=3, combination=Combination.WEIGHTED)
    all_of = ["a", "b", "c"]
    assert choice_problems(three, chosen=all_of, suitable=all_of, unknown=[]) == ()
    assert choice_problems(three, chosen=["a", "b"], suitable=all_of, unknown=["d"]) == (
        "the method combines 3 runs, not 2",
        "c is suitable and left out; nobody chooses among runs",
        "d has wells and no fit; fit it first",
    )


def test_wells_are_read_from_their_rows():
    found = read_wells([*plate(), well("blank", "plate=P;well=H1", row=6)], analysis())
    assert found.problems == ()
    assert [(one.kind, one.preparation, one.dose) for one in found.wells] == [
        ("standard", RS, 1), ("standard", RS, 3), ("raw", "", 1), ("raw", "", 3),
        ("blank", "", None),
    ]  # fmt: skip
    other = well("raw", "plate=P;well=C1;dose=1", sample="L-1-S02", row=7)
    reported = well("reportable", "", row=8, analyte="inhibition")
    found = read_wells([*plate(), other, reported], analysis(), sample="l-1-s01")
    assert (found.problems, len(found.wells)) == ((), 4)


@pytest.mark.parametrize(
    ("place", "changed", "said"),
    [
        (2, well("raw", "A1"), [
            f'"A1" is none of {", ".join(f"{one}=…" for one in KEYS)}', "plate= is missing",
            "well= is missing", "dose= is missing"]),
        (2, well("raw", "plate=P;plate=Q;well=B1;dose=1"), ["plate stands twice"]),
        (2, well("raw", "plate=P;well=B1;dose=<1"), ["dose=<1 is not a number of 0 or more"]),
        (2, well("raw", "plate=P;well=B1;dose=-1"), ["dose=-1 is not a number of 0 or more"]),
        (2, well("raw", "plate=P;well=B1;dose=x"), ["dose=x is not a number of 0 or more"]),
        (2, well("raw", "plate=P;well=B1;dose=1", "ND"),
         ['"ND" is no response: a well holds a plain number']),
        (2, well("raw", "plate=P;well=B1;dose=1", ">9"),
         ['">9" is no response: a well holds a plain number']),
        (2, well("raw", "plate=P;well=B1;dose=1", unit="1"),
         ['unit "1"; the method reads "%"']),
        (2, well("raw", f"preparation={RS};plate=P;well=B1;dose=1"),
         [f"preparation={RS} is the reference, and the row is of type raw"]),
        (2, well("raw", "preparation=X;plate=P;well=B1;dose=1"),
         ["preparation=X: a row of type raw is of its sample, and names none"]),
        (0, well("standard", "preparation=X;plate=P;well=A1;dose=1"),
         [f"preparation=X is not the reference {RS} of the method"]),
        (0, well("standard", "plate=P;well=A1;dose=1"), ["preparation= is missing"]),
        (2, well("raw", "plate=p;well=a1;dose=1"), ["well a1 of plate p is in row 2 too"]),
        (2, well("raw", "plate=P;well=B1;dose=2"),
         ["L-1-S01 has 0 of 1 wells of dose 1", "dose 2 of L-1-S01 is none of the method"]),
        (2, well("raw", "plate=Q;well=B1;dose=1"),
         ["plates P, Q in one run; a curve is fitted to one plate"]),
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_a_well_is_told(place: int, changed: Measurement, said: list[str]):
    rows = plate()
    rows[place] = changed
    assert problems(rows) == said


def test_a_run_without_reference_or_sample_says_so_and_lines_may_have_plates():
    assert problems(plate()[:2]) == ["no well of the sample (result_type raw)"]
    assert problems(plate()[2:]) == [f"no well of the reference {RS} (result_type standard)"]
    rows = plate()
    rows[2] = well("raw", "plate=Q;well=B1;dose=1", row=4)
    assert problems(rows, model=Model.PARALLEL_LINE) == []


def test_units_that_responded_need_the_size_of_their_group():
    assert set(problems(plate(), model=Model.QUANTAL)) == {"size= is missing"}
    rows = [replace(one, aliquot=f"{one.aliquot};size=12") for one in plate()]
    assert problems([*rows, well("blank", "plate=P;well=H1", row=9)], model=Model.QUANTAL) == []


def test_a_concentration_is_read_at_one_dilution_of_one_culture():
    curve = {"model": Model.STANDARD_CURVE, "parallelism": None, "per_million_cells": True}
    wells = "plate=P;well={};dilution={};cells=5E5;volume=1"
    own = [well("raw", wells.format("B1", 2), row=4), well("raw", wells.format("B2", 2), row=5)]
    assert problems([*plate()[:2], *own], **curve) == []
    own[1] = well("raw", wells.format("B2", 4), row=5)
    assert problems([*plate()[:2], *own], **curve) == ["the wells of L-1-S01 differ in dilution"]
    assert problems([*plate()[:2], own[0]], **curve, replicates=2) == [
        "L-1-S01 has 1 of 2 wells", f"{RS} has 1 of 2 wells of dose 1",
        f"{RS} has 1 of 2 wells of dose 3",
    ]  # fmt: skip
    bare = [well("raw", "plate=P;well=B1", row=4), well("control", "plate=P;well=C1", row=5)]
    assert problems([*plate()[:2], *bare], **curve) == [
        "dilution= is missing", "cells= is missing", "volume= is missing",
        "preparation= is missing", "dilution= is missing",
    ]  # fmt: skip
    control = well("control", "plate=P;well=C1;preparation=QC;dilution=1", row=6)
    per_ml = {**curve, "per_million_cells": False}
    own = [well("raw", "plate=P;well=B1;dilution=2", row=4)]
    assert problems([*plate()[:2], *own, control], **per_ml) == []


METHOD = method_of_plates()
METHOD_LIMITS = Limits(">= 60", (Limit(">=", Decimal(60)),))
RESULT = well("reportable", "", "80.0", analyte="inhibition", row=2)
DECLARED = replace(RESULT, run=RunKey("U-2026-000002", "POT", "PD-2026-000001"), wells=(RUN,))


def validity(*rows: Measurement) -> tuple[Validity, tuple[str, ...]]:
    found = assess_runs(rows, [METHOD], UTC)[rows[-1].run]
    return found.validity, found.reasons


def test_what_an_analysis_computes_counts_only_where_it_was_declared_from_wells_that_stand():
    wells = plate()
    assert validity(*wells, DECLARED) == (Validity.VALID, ())
    said = "inhibition is computed by SOP-QC-031 v2 from wells, and this value was not declared"
    assert validity(RESULT) == (Validity.NOT_KNOWN, (f"{said} from a fit",))
    assert validity(replace(RESULT, analyte="other")) == (Validity.VALID, ())
    found, why = validity(DECLARED)
    assert found is Validity.NOT_KNOWN
    assert why[0] == f"its wells are not on record: {RUN}"
    found, why = validity(*(replace(one, superseded_by="U-2026-000003") for one in wells), DECLARED)
    assert (found, why) == (
        Validity.NOT_KNOWN, (f"its wells are superseded by U-2026-000003: {RUN}",),
    )  # fmt: skip


def test_what_was_declared_is_as_valid_as_its_wells():
    late = METHOD.effective.replace(year=2030)
    before = replace(METHOD, effective=late)
    rows = [*plate(), DECLARED]
    found = assess_runs(rows, [before], UTC)[DECLARED.run]
    assert found.validity is Validity.NOT_KNOWN
    criterion = ValidityCriterion("range", "signal", METHOD_LIMITS, unit="%", result_type="raw")
    strict = replace(METHOD, validity=(criterion,))
    found = assess_runs(rows, [strict], UTC)
    assert found[RUN].validity is found[DECLARED.run].validity is Validity.INVALID
    assert found[DECLARED.run].reasons[0].startswith("its wells are invalid: run R1 (POT) of U-")
    assert found[DECLARED.run].methods == ((strict.reference, strict.sha256),)
    typed = replace(RESULT, cell=Cell(9, 9, "value", "80.0"))
    assert assess_runs([*plate(), typed], [strict], UTC)[RUN].validity is Validity.INVALID
    waits = replace(DECLARED, second=SecondEntry.WAITS)
    assert validity(*plate(), waits) == (Validity.VALID, ())
