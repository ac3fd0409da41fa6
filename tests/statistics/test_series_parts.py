"""Capability, variance components and donors of the newest phase, and what too few lots refuse."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from batchqc.core.assays import amount_of
from batchqc.core.trend_phases import TrendLot
from batchqc.core.trends import Reading
from batchqc.statistics.capability import SpecLimits, capability
from batchqc.statistics.donor_limits import donor_limits
from batchqc.statistics.frozen_limits import Frozen
from batchqc.statistics.phase_values import Part
from batchqc.statistics.reml import fit_mixed
from batchqc.statistics.series_parts import parts_of
from batchqc.statistics.trend_limits import ALPHA
from tests.core.world import criterion
from tests.statistics.test_lot_charts import FIRST, froze, look, series

VIABILITY = criterion("> 90")
BOTH = criterion("20 to 60", unit="%")


def donated(values: Sequence[object], *, each: int = 3) -> list[TrendLot]:
    """Lots a day apart, ``each`` of one donor."""
    lots = []
    for place, value in enumerate(values):
        (one,) = series(str(value))
        day = f"2026-{1 + place // 28:02d}-{1 + place % 28:02d}"
        donor = f"D{place // each:02d}"
        lots.append(replace(one, lot=f"L{place:03d}", manufactured_on=day, donors=(donor,)))
    return lots


def part(lots: Sequence[TrendLot], title: str, *sets: Frozen, of=VIABILITY) -> Part:
    (found,) = [one for one in parts_of(look(list(lots), *sets, of=of)) if title in one.title]
    return found


@pytest.mark.requirement("9.08")
def test_capability_is_told_from_thirty_lots_on_with_its_exact_interval():
    random = np.random.default_rng(9)
    values = np.round(random.normal(40, 4, 40), 1)
    found = part(donated(values), "Capability", of=BOTH)
    wanted = capability(values, SpecLimits(20, 60))
    assert [one.name for one in found.figures] == ["Ppk", "fraction above", "fraction below"]
    assert found.figures[0] == wanted.indices["Ppk"]
    assert found.figures[0].n == 40
    assert found.figures[0].lower < found.figures[0].value < found.figures[0].upper
    assert found.figures[2].value == wanted.beyond["below"].value


@pytest.mark.requirement("9.07")
def test_of_fewer_lots_the_tolerance_interval_stands_in_the_place_of_the_index():
    found = part(series(*FIRST), "Capability")
    (interval,) = found.figures
    assert interval.name.startswith("tolerance interval")
    assert interval.lower < 94 < interval.value < 97  # in per cent, on the side of the limit
    assert interval.upper is None
    assert "in the place of Ppk" in found.said[0]
    (few,) = part(series(*FIRST[:7]), "Capability").said
    assert few.startswith("7 measured lots: below 8")


def test_where_the_lots_speak_against_normality_the_percentiles_stand_beside_the_index():
    random = np.random.default_rng(9)
    values = np.round(30 + random.exponential(3, 60), 2)
    found = part(donated(values), "Capability", of=BOTH)
    assert [one.name for one in found.figures][-1] == "Ppk by percentiles"
    assert "speak against normality" in found.said[0]


@pytest.mark.requirement("9.06")
def test_lots_with_replicates_tell_donor_lot_run_and_replicate_apart():
    random = np.random.default_rng(9)
    lots, numbers, labels = [], [], {"donor": [], "lot": [], "run": []}
    plain = donated([40] * 15)
    donors = {one.donors[0]: random.normal(0, 3) for one in plain}
    for place, lot in enumerate(plain):
        run, own = f"R{place % 4}", 40 + donors[lot.donors[0]] + random.normal(0, 1)
        read = [f"{own + random.normal(0, 0.5):.2f}" for _ in range(3)]
        readings = tuple(Reading(run, amount_of(one, "%")) for one in read)
        observed = replace(lot.observed, text=read[0], readings=readings)
        lots.append(replace(lot, observed=replace(observed, amount=amount_of(read[0], "%"))))
        numbers += [float(one) for one in read]
        for name, label in (("donor", lot.donors[0]), ("lot", lot.lot), ("run", run)):
            labels[name] += [label] * 3
    found = part(lots, "Variance components", of=BOTH)
    assert [one.name for one in found.figures] == [
        "variance of donor", "variance of lot", "variance of run", "variance of error",
    ]  # fmt: skip
    wanted = fit_mixed(numbers, labels, intervals=False)
    assert [one.value for one in found.figures] == pytest.approx(
        [one.value for one in wanted.components.values()], rel=1e-4
    )
    assert all(one.n == 45 and one.upper is not None for one in found.figures)
    assert found.said[-1] == "error is what replicate make together"


def test_one_donor_and_one_run_are_left_out_and_said():
    lots = [replace(one, donors=("D1",)) for one in series(*FIRST)]
    found = part(lots, "Variance components")
    assert found.figures == []
    assert "one donor: its variance cannot be estimated" in found.said
    unknown = part(series(*FIRST), "Variance components")
    assert "donor or cell bank is not known of every lot" in unknown.said
    assert part(series(*FIRST), "odd for its donor").said[0].startswith("donor or cell bank is")


def test_a_lot_is_held_against_all_other_lots_of_its_donor():
    random = np.random.default_rng(9)
    means = np.repeat([30, 34, 38, 42, 46, 50], 6)
    values = np.round(means + random.normal(0, 0.4, 36), 2)
    values[-1] = 40.0  # as others are, but not of its donor
    lots = donated(values, each=6)
    found = part(lots, "odd for its donor", of=BOTH)
    assert "20 of the latest 20 lots were held" in found.said[0]
    (odd,) = found.said[1:]
    names = [one.donors[0] for one in lots]
    others = donor_limits(values[:-1], names[:-1], conf=1 - ALPHA).known["D05"]
    assert odd == (
        "lot L035 (40.0) is odd for D05: its other lots let expect"
        f" {others.lower:.4g} to {others.upper:.4g}"
    )
    wanted = donor_limits(values, names, conf=1 - ALPHA)
    assert found.figures[0] == wanted.new
    assert found.figures[1:] == list(wanted.known.values())
    among_four = part(lots[12:], "odd for its donor", of=BOTH)
    assert "own lots only" in among_four.said[0]
    assert among_four.said[-1].startswith("lot L035 (40.0) is odd for D05")


def test_of_many_levels_the_components_are_those_of_nested_anova():
    random = np.random.default_rng(9)
    lots = donated(np.round(random.normal(40, 3, 140), 2), each=2)
    found = part(lots, "Variance components", of=BOTH)
    assert "nested ANOVA" in found.figures[0].method
    told = part(lots, "odd for its donor", of=BOTH)
    assert "the 40 donors of the latest lots of 70 are told" in told.said
    assert [one.name for one in told.figures] == [f"next lot of D{n}" for n in range(30, 70)]


def test_where_a_lot_is_censored_nothing_is_told_of_the_numbers_alone():
    found = parts_of(look([*donated(FIRST), *series("<94", first=9)]))
    assert [len(one.figures) for one in found] == [1, 0, 0, 0, 0]  # false alarms of the rules
    assert all(one.said[0].startswith("1 lot is censored") for one in found[1:])


def test_the_false_alarms_told_are_those_of_what_judges_the_next_lot():
    lots = series(*FIRST, "95.2")
    before = part(lots, "False alarms")
    assert before.figures[0].value == pytest.approx(370.4, abs=0.1)
    assert before.said == ["The next lot is judged by the self-starting chart: Nelson 1."]
    own = froze(1, lots[:8], rules=["1", "we4"])
    after = part(lots, "False alarms", own)
    assert after.said == ["The next lot is judged by limit set 1: Nelson 1, Western Electric 4."]
    assert after.figures[0] == own.run_length
    assert after.figures[0].value < 200
    moved = [*lots, *(replace(one, site="COB") for one in series("95", first=10))]
    assert "self-starting" in part(moved, "False alarms", own).said[0]  # of another phase


def test_of_words_and_of_no_lot_nothing_is_estimated():
    assert parts_of(look([])) == ()
    assert parts_of(look(series(*FIRST), of=criterion("no growth", unit=""))) == ()
