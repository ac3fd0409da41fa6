"""Nonlinear least squares: certified sets from both starts, safe models, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.model_text import read_model
from batchqc.statistics.nonlinear import nonlinear_regression
from tests.statistics.strd import LARGER, NONLINEAR, Published

BOTH = [(name, place) for name in NONLINEAR for place in (0, 1)]


@pytest.mark.parametrize(("name", "start"), BOTH)
def test_certified_sets_converge_from_both_starts(name, start):
    model, x, y, starts, parameters, rss = NONLINEAR[name]
    fit = nonlinear_regression(model, {"x": x}, y, starts[start])
    assert fit.values == pytest.approx(parameters, rel=2e-7)
    assert fit.rss == pytest.approx(rss, rel=1e-7)


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", LARGER)
def test_the_larger_certified_sets_converge_from_both_starts(name, start):
    known = Published(name)
    fit = nonlinear_regression(known.model, known.x, known.y, known.starts[start])
    assert fit.values == pytest.approx(known.parameters, rel=1e-8)
    assert fit.se == pytest.approx(known.se, rel=1e-8)
    assert fit.rss == pytest.approx(known.rss, rel=1e-9)


def test_parameters_are_found_by_name_and_weights_count():
    x, y = np.arange(1.0, 9), np.array([2.7, 4.4, 5.9, 7.2, 7.7, 8.4, 8.8, 9.3])
    one = nonlinear_regression("top*(1-exp(-rate*x))", {"x": x}, y, {"rate": 0.3, "top": 10})
    assert [figure.name for figure in one.parameters] == ["top", "rate"]
    twice = nonlinear_regression("b1*(1-exp(-b2*x))", {"x": x}, y, [10, 0.3], weights=np.full(8, 2))
    assert twice.values == pytest.approx(one.values, rel=1e-9)
    assert twice.rss == pytest.approx(2 * one.rss, rel=1e-9)
    assert twice.se == pytest.approx(one.se, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.2, 3), min_size=3, max_size=3), st.floats(0.1, 2))
def test_derivatives_are_those_of_small_differences(values, x):
    model = read_model(
        "b1**b2/(1+exp(-b3*x)) + log(b1*x)*sqrt(b2) - atan(b3/x)*cos(b1) + x**b2 + tanh(b2)*sinh(x)"
    )
    at, predictors = np.array(values), {"x": np.array([x])}
    _, slopes = model.at(at, predictors)
    for place, step in enumerate(np.eye(3) * 1e-6):
        high, low = (model.at(at + way * step, predictors)[0] for way in (1, -1))
        assert slopes[0, place] == pytest.approx((high - low)[0] / 2e-6, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "b1.__class__", "b1[0]*x", "lambda: b1",
        "b1 if x else 2",
        "eval(b1)", "exp(b1, x)", "exp(b1, out=x)", "b1 < x", "'text'*b1", "b1 @ x", "x + 1", "",
        "b1*(x", "b1 and x", "True*b1", "b1 := 3", "(" * 500 + "b1" + ")" * 500, "b1+" * 900 + "x",
        "[b1 for b1 in x]", "f'{b1}'", "b1//x", "1j*b1",
    ],
)  # fmt: skip
def test_what_is_no_model_is_refused(text):
    with pytest.raises(InvalidInput):
        read_model(text)


def test_a_start_from_which_it_does_not_converge_is_named():
    with pytest.raises(NotEstimable, match="did not converge") as refused:
        nonlinear_regression("b1*exp(b2*x)", {"x": [1, 2, 3, 4]}, [1, 1.1, 0.9, 1.0], [1, 900])
    assert refused.value.code == "BQC-STA-002"


@pytest.mark.parametrize(
    ("model", "y", "start"),
    [
        ("b1+b2+x", [1, 2, 3, 5], [1, 1]),
        ("b1*exp(-b2*x)", [1, 2], [1, 1]),
        ("b1*exp(-b2*x)", [1, 2, 3, 4], [1]),
        ("b1*exp(-b2*x)", [1, 2, None, 4], [1, 1]),
        ("log(y) = b1*exp(-b2*x)", [1, 2, -3, 4], [1, 1]),
    ],
)
def test_what_cannot_be_fitted_is_refused(model, y, start):
    with pytest.raises((NotEstimable, InvalidInput)):
        nonlinear_regression(model, {"x": list(range(len(y)))}, y, start)


def test_a_perfect_fit_says_so():
    x = np.arange(1.0, 7)
    fit = nonlinear_regression("b1*x**b2", {"x": x}, 2 * x**2, [1.5, 1.8])
    assert fit.values == pytest.approx([2, 2], rel=1e-12)
    assert fit.residual_sd < 1e-12
