"""Pandas frames in and out: the same numbers as beneath, and refusals by name for what is bad."""

import ast
import doctest
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from batchqc.errors import BatchqcError, InvalidInput, NotEstimable
from batchqc.statistics import frames, frames_of_assays
from batchqc.statistics.cusum import baseline_of
from batchqc.statistics.equivalence import two_sample
from batchqc.statistics.ewma import ewma_chart
from batchqc.statistics.frame_columns import Frame
from batchqc.statistics.individuals import individuals, moving_range
from batchqc.statistics.regression import polynomial_regression
from batchqc.statistics.scales import Scale

ROOT = Path(__file__).parents[2] / "batchqc"
PAGE = ROOT / "guide" / "statistics" / "notebook.md"
LOTS = pd.DataFrame({
    "lot": [f"L{n}" for n in range(12)], "donor": [*"AABBCCDDEEFF"], "month": [*range(6)] * 2,
    "group": ["new", "old"] * 6, "sample": ["S", "T"] * 6, "dose": [1, 1, 2, 2, 4, 4] * 2,
    "batch": ["a"] * 6 + ["b"] * 6,
    "value": [97.0, 97, 96, 98, 98, 98, 97, 89, 95, 96.5, 97.5, 96],
})  # fmt: skip
LOTS = LOTS.assign(
    response=LOTS["value"], lower=LOTS["value"] * 0.9, upper=LOTS["value"] * 1.1, pair=LOTS["month"]
)
CALLS = {
    **{f"chart {kind}": lambda f, kind=kind: frames.control_chart(f, kind=kind)
       for kind in ("individuals", "prediction", "moving range", "ewma", "q")},
    "capability": lambda f: frames.capability(f, lower=80, upper=120),
    "components": lambda f: frames.variance_components(f, ["donor"]),
    "reml": lambda f: frames.variance_components(f, ["donor"], method="reml"),
    "tolerance": frames.tolerance,
    "tolerance ln": lambda f: frames.tolerance(f, scale="ln", side="upper"),
    "tolerance of donors": lambda f: frames.tolerance(f, donor="donor"),
    "equivalence": lambda f: frames.equivalence(f, groups=("new", "old"), margin=5),
    "ratio": lambda f: frames.equivalence(f, groups=("new", "old"), margin=1.25, log=True),
    "stability": lambda f: frames_of_assays.stability(f, lower=50, batch="batch"),
    "lines": lambda f: frames_of_assays.relative_potency(f, model="parallel line"),
    "slopes": lambda f: frames_of_assays.relative_potency(f, model="slope ratio"),
    "curves": frames_of_assays.relative_potency,
    "runs": frames_of_assays.combined_potency,
}  # fmt: skip
#: Each of them is put in place of the values.
BAD = {
    "equal": [5.0] * 12, "missing": [None, *LOTS["value"][1:]], "all missing": [None] * 12,
    "infinite": [np.inf, *LOTS["value"][1:]], "text": ["<5"] * 12, "huge": LOTS["value"] * 1e306,
    "tiny": LOTS["value"] * 1e-308, "line": np.arange(12.0), "negative": -LOTS["value"],
    "zero": [0.0] * 12, "nullable": pd.array([pd.NA, *LOTS["value"][1:]], dtype="Float64"),
}  # fmt: skip


def finite(found: object) -> bool:
    """Whether a frame, or each of several, holds no NaN and no infinite number."""
    if isinstance(found, tuple):
        return all(map(finite, found))
    assert isinstance(found, pd.DataFrame)
    assert "name" not in found or not found["value"].isna().any()  # a figure has a value
    floats = [found[name] for name in found.columns if found[name].dtype.kind == "f"]
    return all(np.isfinite(one.to_numpy(float, na_value=0.0)).all() for one in floats)


def answered(name: str, frame: Frame) -> bool:
    """A finite answer; or a refusal with a code and a reason."""
    try:
        found = CALLS[name](frame)
    except (InvalidInput, NotEstimable) as refusal:
        assert refusal.code.startswith("BQC-STA-")  # noqa: PT017
        assert refusal.message  # noqa: PT017
        return False
    assert finite(found), name
    return True


@pytest.mark.parametrize("name", CALLS)
def test_bad_values_have_a_finite_answer_or_a_refusal(name):
    for bad in BAD.values():
        answered(name, LOTS.assign(value=bad, response=bad, lower=bad, upper=bad))


@pytest.mark.parametrize(("name", "n"), [*product(CALLS, (0, 1, 2))])
def test_so_have_no_lots_and_one_and_two(name, n):
    answered(name, LOTS.head(n))


def test_what_is_good_is_answered():
    assert [name for name in CALLS if not answered(name, LOTS)] == ["curves"]


@pytest.mark.parametrize("name", CALLS)
def test_a_column_that_is_not_there_is_named_with_those_that_are(name):
    with pytest.raises(InvalidInput, match="no column") as refusal:
        CALLS[name](pd.DataFrame({"other": [1.0, 2.0]}))
    assert refusal.value.reasons == ("other",)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: frames.control_chart({"value": [1]}),
        lambda: frames.control_chart(pd.concat([LOTS, LOTS], axis=1)),
        lambda: frames.control_chart(LOTS, kind="pie"),
        lambda: frames.variance_components(LOTS, ["donor"], method="guess"),
        lambda: frames.control_chart(LOTS.assign(lot=[None, *LOTS["lot"][1:]])),
        lambda: frames.equivalence(LOTS, groups=("new", "gone"), margin=5),
        lambda: frames.equivalence(LOTS, groups=("new", "old"), margin=5, pair="batch"),
        lambda: frames.equivalence(LOTS.head(11), groups=("new", "old"), margin=5, pair="pair"),
        lambda: frames_of_assays.relative_potency(LOTS, model="guess"),
    ],
)
def test_a_wrong_question_is_refused(wrong):
    with pytest.raises(BatchqcError) as refusal:
        wrong()
    assert isinstance(refusal.value, InvalidInput)


def test_a_chart_has_the_lines_of_the_chart_beneath_and_a_missing_lot_keeps_its_row():
    values = [97, 97, None, 98, 98, 98, 97, 89, 96, 97]
    frame = pd.DataFrame({"lot": range(10), "value": values})
    found, beneath = frames.control_chart(frame), individuals(values)
    assert found.lots["lower"].tolist() == list(beneath.lower)
    assert found.lots["value"].isna().tolist() == [at == 2 for at in range(10)]
    signals = {one.point for one in beneath.signals(frames_rules())}
    assert {at + 1 for at, said in enumerate(found.lots["signals"]) if said} == signals


def frames_rules() -> list:
    return [frames.RULES[one] for one in ("1", "2")]


def test_groups_are_compared_in_the_order_in_which_they_are_named():
    new, old = (LOTS.loc[LOTS["group"] == one, "value"] for one in ("new", "old"))
    found = frames.equivalence(LOTS, groups=("new", "old"), margin=5)
    assert found["value"][0] == two_sample(new, old, 5).difference.value
    turned = frames.equivalence(LOTS, groups=("old", "new"), margin=5)
    assert turned["value"][0] == pytest.approx(-found["value"][0])


def test_lines_of_one_batch_have_the_intervals_of_the_regression():
    one = LOTS.head(6)
    found = frames_of_assays.stability(one, lower=50, batch="batch").set_index("name")
    fit = polynomial_regression(one["month"], one["value"])
    for figure, name in zip(fit.coefficients, ("intercept of a", "slope of a"), strict=True):
        own = found.loc[[name.replace("of a", "of all batches")
                         if name not in found.index else name]].iloc[0]  # fmt: skip
        assert own[["value", "lower", "upper"]].tolist() == pytest.approx(
            [figure.value, figure.lower, figure.upper], rel=1e-9
        )


def test_the_examples_of_the_guide_run_and_every_function_of_a_frame_stands_there():
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0
    for module in ("frames", "frames_of_assays"):
        tree = ast.parse((ROOT / "statistics" / f"{module}.py").read_text())
        names = [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]
        assert not [n for n in names if not n.startswith("_") and f".{n}(" not in PAGE.read_text()]


def lots_of(values) -> Frame:
    return pd.DataFrame({"lot": [f"L{n}" for n in range(len(values))], "value": values})


@pytest.mark.requirement("9.04")
def test_below_eight_lots_no_chart_of_a_frame_has_a_limit_from_them():
    for kind in ("individuals", "prediction", "moving range", "ewma"):
        few = frames.control_chart(lots_of([*LOTS["value"][:7]]), kind=kind)
        assert few.lots[["lower", "upper"]].isna().all(axis=None), kind
        assert set(few.lots["signals"]) == {""}
        assert "below 8" in few.figures["limitations"].iloc[0]
    eight = frames.control_chart(lots_of([*LOTS["value"][:8]]), kind="ewma")
    assert eight.lots[["lower", "upper"]].notna().all(axis=None)
    own = frames.control_chart(lots_of([*LOTS["value"][:8]]))
    told = eight.figures.set_index("name")
    assert told.loc["centre", "lower"] == own.figures.set_index("name").loc["centre", "lower"]
    assert told["assumptions"].iloc[0]  # estimated from these lots, and not known


def test_every_chart_of_a_frame_is_on_the_scale_that_is_asked_for():
    values = [97.0, 97, 96, 98, 98, 98, 97, 89]
    scale = Scale("complement cube root")
    raw, root = (
        frames.control_chart(lots_of(values), kind="q", scale=one).lots["score"].iloc[-1]
        for one in (None, scale)
    )
    assert (round(raw, 2), round(root, 2)) == (-4.05, -3.34)  # below is below on both
    ewma = frames.control_chart(lots_of([*values, None]), kind="ewma", scale=scale).lots
    made = ewma_chart(np.cbrt(100 - np.array(values)), baseline_of(np.cbrt(100 - np.array(values))))
    for name, of in (("value", made.average), ("lower", made.upper), ("upper", made.lower)):
        assert [*ewma[name][:8]] == pytest.approx([100 - one**3 for one in of])
    assert (ewma["lower"][:8] < ewma["upper"][:8]).all()
    assert ewma[["value", "lower", "upper"]].iloc[-1].isna().all()  # of a lot without a value


def test_a_moving_range_chart_of_a_frame_holds_ranges_on_the_scale():
    values = [97.0, 97, 96, 98, 98, 98, 97, 89]
    for scale, seen in (
        (None, values),
        (Scale("complement cube root"), np.cbrt(100 - np.array(values))),
    ):
        made = moving_range(seen)
        found = frames.control_chart(lots_of(values), kind="moving range", scale=scale).lots
        assert found["value"].isna()[0]
        assert [*found["value"][1:]] == pytest.approx([*np.abs(np.diff(seen))])
        assert found["upper"][0] == pytest.approx(made.upper[0])
        assert found["centre"][0] == pytest.approx(made.centre[0])


def test_a_value_on_the_bound_of_a_scale_is_moved_by_half_the_resolution_and_told():
    values = lots_of([97.0, 97, 96, 98, 98, 98, 97, 100])
    scale = Scale("complement cube root")
    with pytest.raises(InvalidInput, match="counting resolution is not given"):
        frames.control_chart(values, scale=scale)
    for kind in ("individuals", "prediction", "moving range", "ewma", "q"):
        counted = values.assign(resolution=0.5)
        found = frames.control_chart(counted, kind=kind, scale=scale)
        assert "moved off the bound by half the resolution: L7" in found.figures["limitations"][0]
