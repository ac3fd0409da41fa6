"""Every public function: bad input has a finite answer or a refusal with a code and a reason.

The functions are found, and their arguments made by what they are annotated with, so that a new
function is tried without being listed. Warnings are errors (pyproject), NaN is no answer.
"""

import ast
import dataclasses
import importlib
import inspect
import math
import pkgutil
import textwrap

import numpy as np
import pytest

import batchqc.statistics
from batchqc.errors import BatchqcError, InvalidInput, NotEstimable
from batchqc.statistics.assay_format import Components
from batchqc.statistics.bioassay import assay
from batchqc.statistics.capability import SpecLimits
from batchqc.statistics.censored_likelihood import below
from batchqc.statistics.combination import Run
from batchqc.statistics.cusum import Baseline
from batchqc.statistics.equivalence import Group
from batchqc.statistics.equivalence_power import Design
from batchqc.statistics.mls_limits import MeanSquares
from batchqc.statistics.scales import Scale
from batchqc.statistics.stability import Criterion

X = np.array([9.1, 10.4, 9.8, 10.9, 10.1, 9.5, 10.3, 9.9, 10.6, 9.7, 10.2, 9.4])
TABLE = X.reshape(4, 3)
LABELS = [*"AABBCCDDEEFF"]
#: A usual argument by its annotation; a function that needs any other is not tried here.
USUAL = {
    **dict.fromkeys(
        ("ArrayLike", "ArrayLike | Iterable[float | None]", "ArrayLike | Summary",
         "Sequence[float]", "Iterable[float | None]", "ArrayLike | None"), X),
    **dict.fromkeys(("Sequence[ArrayLike] | Subgroups", "Sequence[ArrayLike]"), TABLE),
    **dict.fromkeys(("Labels", "Sequence[object]", "Sequence[str]"), LABELS),
    **dict.fromkeys(("float", "float | None"), 1.5), **dict.fromkeys(("int", "int | None"), 4),
    **dict.fromkeys(("Margin", "float | tuple[float, float]"), 2.0),
    "Mapping[str, Labels]": {"donor": LABELS}, "Criterion": Criterion(lower=5.0),
    "SpecLimits": SpecLimits(7, 13), "Censored": below(X, [1, 0, 0] * 4),
    "Baseline": Baseline(10.0, 0.5), "MeanSquares": MeanSquares.of([4.0, 1.0], [5, 12]),
    "Scale": Scale(), "Design": Design(6), "Group": Group(10.0, 1.0, 6),
    "Components": Components(0.01, 0.02),
    "Sequence[Run]": [Run(1.0, 0.01, 8.0), Run(1.1, 0.02, 8.0), Run(0.9, 0.01, 8.0)],
    "tuple[float, float]": (1.0, 2.0), "tuple[float, float, float]": (0.04, 0.01, 0.09),
    "Sequence[int]": [2, 3], "bool": True,
    "Assay": assay([*"SSSSSSTTTTTT"], [1, 1, 2, 2, 4, 4] * 2, X + np.tile([0, 0, 3, 3, 6, 6], 2)),
    "Mapping[str, ArrayLike]": {"x": np.arange(12.0)},
    "Mapping[str, float] | Sequence[float]": [1.0, 0.1],
    "tuple[ArrayLike, ArrayLike]": ([0, 1, 2], [10, 9.9, 9.7]),
}  # fmt: skip
BY_NAME = {
    "conf": 0.9, "confidence": 0.9, "content": 0.9, "share": 0.5, "alpha": 0.05, "p": 2,
    "side": "upper", "model": "b1*exp(-b2*x)", "distribution": "normal", "name": "normal",
    "weight": 0.2, "k": 0.5, "h": 4.0, "arl0": 200.0,
}  # fmt: skip
#: Checks and inner arithmetic, whose arguments were checked before; frames have tests of their own.
INNER = {
    "values", "checks", "levels", "quadrature", "exact_sums", "figures", "noncentral_t", "frames",
    "frame_columns", "frames_of_assays", "plate_models", "rule_sets", "lot_series", "assay_anova",
    "moving_ranges", "exact_least_squares", "phase_values",
}  # fmt: skip
INNER_FUNCTIONS = {"bioassay.extrapolated", "run_length.nodes_between", "trend_limits.scaled",
                   "dose_response.tie"}  # fmt: skip
#: Searches that take tenths of a second for every answer: tried with what they refuse at once.
SLOW = {
    "attribute_review.expected_flags", "cusum_run_length.cusum_allowance", "dixon.dixon",
    "cusum_run_length.cusum_limit", "dose_response.fit_curve", "ewma_run_length.ewma_design",
    "mewma_run_length.mewma_limit", "relative_potency.relative_potency",
}  # fmt: skip
#: What holds a value for each lot: a lot without a value has none there.
BY_LOT = {"state", "points", "values", "scaled", "centre", "lower", "upper", "sigma", "chart"}


def _required(function):
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0].args
    plain = node.args[: len(node.args) - len(node.defaults)]
    named = [one for one, default in zip(node.kwonlyargs, node.kw_defaults, strict=True)
             if default is None]  # fmt: skip
    for one, by_name in [*((p, False) for p in plain), *((p, True) for p in named)]:
        kind = ast.unparse(one.annotation)
        if one.arg not in BY_NAME and kind not in USUAL:
            raise LookupError(kind)
        yield one.arg, by_name, BY_NAME[one.arg] if one.arg in BY_NAME else USUAL[kind]


def _public():
    for module in pkgutil.iter_modules(batchqc.statistics.__path__):
        if module.ispkg or module.name in INNER:
            continue
        found = importlib.import_module(f"batchqc.statistics.{module.name}")
        for name, one in inspect.getmembers(found, inspect.isfunction):
            whole = f"{module.name}.{name}"
            if one.__module__ != found.__name__ or name[0] == "_" or whole in INNER_FUNCTIONS:
                continue
            try:
                yield whole, (one, list(_required(one)))
            except LookupError:
                continue


PUBLIC = dict(_public())
FIRST = np.arange(12) == 1
#: A wild list in place of each list.
WILD = {
    "equal": lambda v: v * 0 + 5, "zero": lambda v: v * 0, "negative": lambda v: -v,
    "missing": lambda v: np.where(FIRST.reshape(v.shape), np.nan, v),
    "all missing": lambda v: v * np.nan,
    "infinite": lambda v: np.where(FIRST.reshape(v.shape), np.inf, v), "huge": lambda v: v * 1e306,
    "large": lambda v: v * 1e148, "tiny": lambda v: v * 1e-309, "small": lambda v: v * 1e-150,
    "line": lambda v: np.arange(12.0).reshape(v.shape), "far": lambda v: v + 1e15,
    "text": lambda v: np.full(v.shape, "a"), "swapped": lambda v: v[::-1],
    "outlier": lambda v: np.where(FIRST.reshape(v.shape), 1e100, v),
}  # fmt: skip
AT_ONCE = ("equal", "missing", "infinite", "huge", "text")
NUMBERS = (0.0, -1.0, math.nan, math.inf, 1e308, 1e-308, 0.5, 1.0, 95.0)


def _few(value, n):
    if isinstance(value, dict):
        return {key: _few(one, n) for key, one in value.items()}
    return value[:n] if isinstance(value, np.ndarray | list) else value


def _variants(needed, *, slow):
    """What changes, under the name of the argument."""
    wilds = [WILD[one] for one in (AT_ONCE if slow else WILD)]
    numbers = NUMBERS[1:5] if slow else NUMBERS
    if not slow:
        yield {}
    lists = {name: value for name, _, value in needed if isinstance(value, np.ndarray)}
    long = {name: value for name, _, value in needed if isinstance(value, np.ndarray | list | dict)}
    if long:
        yield from ({name: _few(value, n) for name, value in long.items()} for n in (0, 1, 2))
    if lists:
        yield from ({name: wild(v) for name, v in lists.items()} for wild in wilds)
    if len(lists) > 1:
        name = next(iter(lists))
        yield from ({name: wild(lists[name])} for wild in wilds)
    for name, _, value in needed:
        if isinstance(value, float):
            yield from ({name: one} for one in numbers)
        elif isinstance(value, int) and not isinstance(value, bool):
            yield from ({name: one} for one in ((0, -1) if slow else (0, -1, 1, 2)))


def _finite(found):
    if isinstance(found, float | np.floating):
        return math.isfinite(found)
    if isinstance(found, np.ndarray):
        return found.dtype.kind != "f" or bool(np.isfinite(found).all())
    if isinstance(found, dict):
        return all(map(_finite, found.values()))
    if isinstance(found, list | tuple):
        return all(map(_finite, found))
    if dataclasses.is_dataclass(found):
        names = {one.name for one in dataclasses.fields(found)} - BY_LOT
        return all(_finite(getattr(found, one)) for one in names)
    return True


def test_most_public_functions_are_tried():
    assert len(PUBLIC) > 150


@pytest.mark.parametrize("name", PUBLIC)
def test_bad_input_has_a_finite_answer_or_a_refusal_with_its_reason(name):
    function, needed = PUBLIC[name]
    for changed in _variants(needed, slow=name in SLOW):
        plain = [changed.get(one, usual) for one, named, usual in needed if not named]
        by_name = {one: changed.get(one, usual) for one, named, usual in needed if named}
        try:
            found = function(*plain, **by_name)
        except BatchqcError as refusal:
            assert isinstance(refusal, InvalidInput | NotEstimable)  # noqa: PT017
            assert refusal.code.startswith("BQC-STA-")  # noqa: PT017
            assert refusal.message  # noqa: PT017
        except Exception as error:
            error.add_note(f"{name}: {changed}")
            raise
        else:
            assert _finite(found), (name, changed)
