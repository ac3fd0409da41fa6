"""Units: what they measure, and which are refused."""

from fractions import Fraction

import pytest

from batchqc.core.units import ONE, Unit, parse_unit, unit_problem


def known(text: str) -> Unit:
    found = parse_unit(text)
    assert found is not None
    return found


KNOWN = [
    ("%", Fraction(1, 100), "1"),
    ("1", 1, "1"),
    ("ratio", 1, "1"),
    ("EU/mL", 1, "EU/cm3"),
    ("EU/kg/h", Fraction(1, 1000 * 3600), "EU/g/s"),
    ("EU/{dose}", 1, "EU/dose"),
    ("[iU]/mL", 1, "IU/cm3"),
    ("IU/mL", 1, "IU/cm3"),
    ("cells/mL", 1, "cells/cm3"),
    ("cells/cryotube", 1, "cells/cryotube"),
    ("10*6/mL", 10**6, "1/cm3"),
    ("10*6.{cells}/mL", 10**6, "cells/cm3"),
    ("pg/(10*6.{cells})", Fraction(1, 10**18), "g/cells"),
    ("µmol/L", Fraction(1, 10**9), "mol/cm3"),
    ("umol/L", Fraction(1, 10**9), "mol/cm3"),
    ("\N{GREEK SMALL LETTER MU}M", Fraction(1, 10**9), "mol/cm3"),
    ("cells/cm2", 1, "cells/cm2"),
    ("h-1", Fraction(1, 3600), "1/s"),
    ("kDa", 1000, "Da"),
    ("Ct", 1, "Ct"),
    ("%{ref}", Fraction(1, 100), "ref"),
    ("{CFU}/mL", 1, "CFU/cm3"),
    ("g/mL.h", 3600, "g.s/cm3"),
    ("mg/(mL.h)", Fraction(1, 3600 * 1000), "g/cm3/s"),
    ("[ppm]", Fraction(1, 10**6), "1"),
]


@pytest.mark.parametrize(("text", "scale", "base"), KNOWN, ids=[one[0] for one in KNOWN])
def test_a_unit_says_what_it_measures(text: str, scale: Fraction, base: str):
    unit = known(text)
    assert (unit.scale, unit.base) == (scale, base)
    assert unit_problem(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "furlong", "mfurlong", "EU/", "/mL", "EU//mL", "(EU/mL", "EU/mL)", "EU mL", "12",
        "{}", "10*", "€", ".", "()", "xg", "((((((((((((((((((((((g))))))))))))))))))))))", "MFI",
    ],
)  # fmt: skip
def test_text_that_is_no_unit_is_refused(text: str):
    assert parse_unit(text) is None
    assert "no unit known" in (unit_problem(text) or "")


@pytest.mark.requirement("4.05")
@pytest.mark.parametrize("text", ["EU", "IU", "eu", "[iU]", "[EU]"])
def test_an_amount_of_endotoxin_says_per_what(text: str):
    assert "per what" in (unit_problem(text) or "")


def test_what_is_counted_never_turns_into_something_else():
    """Cells are no EU, EU are no mass, and a percentage of a reference is no percentage."""
    likes = [
        ("cells/mL", "EU/mL"), ("EU/mL", "pg/mL"), ("EU/mL", "IU/mL"), ("%", "%{ref}"),
        ("cells", "cells/{dose}"), ("10*6/mL", "cells/mL"),
    ]  # fmt: skip
    for one, other in likes:
        first, second = known(one), known(other)
        assert not first.measures_like(second)
        assert first.measures_like(first)


def test_products_and_quotients_have_units():
    cells, volume = known("cells"), known("mL")
    assert cells.per(volume).times(volume).measures_like(cells)
    assert cells.per(cells).measures_like(ONE)
    assert cells.per(volume.times(volume)).text == "cells/(mL.mL)"
