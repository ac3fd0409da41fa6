"""Units as they leave batchqc, and those that have no code."""

import pytest

from batchqc.core.ucum import ucum_code


@pytest.mark.requirement("5.09")
@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ("%", "%"),
        ("EU/mL", "[iU]/mL"),
        ("EU/{dose}", "[iU]/{dose}"),
        ("EU/kg", "[iU]/kg"),
        ("cells/mL", "{cells}/mL"),
        ("10*6/kg", "10*6/kg"),
        ("pg/(10*6.{cells})", "pg/(10*6.{cells})"),
        ("µg/mL", "ug/mL"),
        ("μg/mL", "ug/mL"),
        ("uM", "umol/L"),
        ("1/mM", "1/(mmol/L)"),
        ("CFU/mL", "[CFU]/mL"),
        ("%{ref}", "%{ref}"),
        ("Ct", "{Ct}"),
        ("ratio", "1"),
        ("kDa", "ku"),
        ("mOsm/kg", "mosm/kg"),
        ("h", "h"),
    ],
)
def test_a_unit_has_the_code_of_the_standard(unit: str, code: str):
    assert ucum_code(unit) == code


@pytest.mark.parametrize("unit", ["", "EU", "[EU]/mL", "×10⁶/kg", "cells{alive}/mL", "%{of ref}"])
def test_a_unit_without_a_code_is_left_without_one(unit: str):
    assert ucum_code(unit) is None
