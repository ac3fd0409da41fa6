"""Formulas: what they compute, which units they have, and what is refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.formulas import FormulaProblem, parse_formula
from batchqc.core.quantities import Interval
from batchqc.core.units import Unit, parse_unit

VALUES = {"a": Interval.exactly(Fraction(6)), "b": Interval.exactly(Fraction(4))}


def unit(text: str) -> Unit:
    found = parse_unit(text)
    assert found is not None
    return found


UNITS = {"a": unit("cells"), "b": unit("mL"), "c": unit("cells"), "p": unit("%"), "q": unit("cm2")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * 2", "14"),
        ("(a + b) * 2", "20"),
        ("a - b - 1", "1"),
        ("a / b / 2", "0.75"),
        ("-a + b", "-2"),
        ("a - -b", "10"),
        ("abs(b - a) / b", "0.5"),
        ("min(a, b, 5)", "4"),
        ("max(a, b)", "6"),
        ("log2(b)", "2"),
        ("log10(b * 25)", "2"),
        ("ln(b / 4)", "0"),
        ("sqrt(b)", "2"),
        ("100*a/b", "150"),
        ("1.5E2", "150"),
        (" a ", "6"),
    ],
)
def test_formulas_compute_what_they_say(text: str, expected: str):
    assert str(parse_formula(text).value(VALUES)) == expected


@pytest.mark.parametrize("text", ["a / (b - 4)", "log2(b - a)", "sqrt(b - a)", "a + 1 / (b - b)"])
def test_what_is_not_defined_has_no_value(text: str):
    assert parse_formula(text).value(VALUES) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the end"),
        ("a +", "the end"),
        ("a b", "should end"),
        ("(a", 'where ")" should'),
        ("a)", "should end"),
        ("* a", "number or a name"),
        ("pow(a, 2)", "no function"),
        ("log2(a, b)", 'where ")" should'),
        ("min(a b)", 'where ")" should'),
        ("a ** b", "number or a name"),
        ("__import__('os')", "cannot be read"),
        ("a.b", "cannot be read"),
        ("a; b", "cannot be read"),
        ("1E99", "too long or too large"),
        ("(" * 30 + "a" + ")" * 30, "in each other"),
        ("-" * 30 + "a", "in each other"),
        ("a" * 501, "longer than 500"),
        ("a,", "should end"),
    ],
)
def test_what_is_no_formula_is_refused_in_words(text: str, said: str):
    with pytest.raises(FormulaProblem, match=said.replace("(", r"\(").replace(")", r"\)")):
        parse_formula(text)


@given(st.text(alphabet="ab12+-*/(), .minlogx|", max_size=40))
def test_any_text_is_a_formula_or_a_problem(text: str):
    try:
        formula = parse_formula(text)
    except FormulaProblem:
        return
    values = dict.fromkeys(formula.names, Interval.exactly(Fraction(2)))
    formula.value(values)


def test_the_longest_chain_is_computed():
    formula = parse_formula("a" + "+a" * 249)
    assert str(formula.value(VALUES)) == "1500"
    assert formula.unit(UNITS).base == "cells"


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("a / b", "cells/cm3"),
        ("a * b", "cells.cm3"),
        ("a + c", "cells"),
        ("-a", "cells"),
        ("abs(a - c) / c", "1"),
        ("log2(a / c)", "1"),
        ("max(a, c)", "cells"),
        ("sqrt(q)", "cm"),
        ("100 * p", "1"),
    ],
)
def test_a_formula_knows_the_unit_of_its_result(text: str, base: str):
    assert parse_formula(text).unit(UNITS).base == base


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a + b", "do not measure the same"),
        ("a - 1", "do not measure the same"),
        ("min(a, b)", "do not measure the same"),
        ("log2(a)", "divide by a unit"),
        ("sqrt(a)", "no square"),
    ],
)
def test_unlike_things_are_not_put_together(text: str, said: str):
    with pytest.raises(FormulaProblem, match=said):
        parse_formula(text).unit(UNITS)


def test_names_stand_in_the_order_of_their_first_use():
    assert parse_formula("b / a + b").names == ("b", "a")
