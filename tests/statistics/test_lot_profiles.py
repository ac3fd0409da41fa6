"""Lots by all attributes together: which profile is odd, and what drives it."""

from dataclasses import replace

import numpy as np
import pytest

from batchqc.core.trends import Attribute
from batchqc.statistics.decomposition import decompose
from batchqc.statistics.lot_profiles import profiles_of
from batchqc.statistics.lot_series import Trend
from batchqc.statistics.multivariate import t2_phase2
from batchqc.statistics.references import reference_of
from tests.core.world import criterion
from tests.statistics.test_lot_charts import look, series

PLAIN = criterion("<= 60")


def trends_of(table: np.ndarray) -> list[Trend]:
    found = []
    for place, column in enumerate(table.T):
        lots = series(*(f"{one:.4f}" for one in column))
        trend = look(lots, of=PLAIN)
        found.append(replace(trend, attribute=Attribute("P", "release", "", f"a{place}")))
    return found


def table_of(lots: int = 25) -> np.ndarray:
    random = np.random.default_rng(4)
    first = random.normal(40, 2, lots)
    # the second follows the first, the third is on its own
    return np.column_stack(
        [first, first + random.normal(0, 0.2, lots), random.normal(30, 1, lots)]
    ).round(4)


def test_a_lot_that_is_ordinary_in_each_attribute_and_odd_together_is_found_with_its_drivers():
    table = table_of()
    table[-1] = [41.0, 39.0, 30.0]
    found = profiles_of(trends_of(table))
    assert (len(found.lots), found.attributes) == (25, ("a0", "a1", "a2"))
    (odd,) = [one for one in found.lots if one.is_odd]
    assert odd.lot == "L-25"
    assert {name for name, _ in odd.drivers[:2]} == {"a0", "a1"}
    adds = [
        one.given_others for one in decompose(table[-1], reference_of(table[:-1])).contributions
    ]
    assert [share for _, share in odd.drivers] == pytest.approx(sorted(adds, reverse=True))
    apart = t2_phase2(table[-1:], reference_of(table[:-1]))
    assert odd.t2 == pytest.approx(apart.t2[0])
    assert odd.limit == pytest.approx(apart.limits[0])
    assert odd.p == pytest.approx(apart.p_values[0])
    assert odd.distance.value == pytest.approx(np.sqrt(odd.t2))


def test_what_cannot_be_in_a_profile_is_left_out_and_said():
    table = table_of(12)
    table[:, 2] = 7
    found = profiles_of(trends_of(table))
    assert found.attributes == ("a0", "a1")
    assert found.said == ("a2 is left out: it does not vary",)
    hidden = series("<5", *(f"{one:.2f}" for one in table_of(11)[:, 0]))
    whole = profiles_of([look(hidden, of=PLAIN), *trends_of(table_of(12))])
    assert whole.attributes == ("a0", "a1", "a2")
    assert "1 lots are censored" in whole.said[0]
    few = profiles_of(trends_of(table_of(5)))
    assert few.lots == ()
    assert "5 lots have all 3 attributes" in few.said[0]
    assert "1 attributes with numbers" in profiles_of(trends_of(table_of()[:, :1])).said[0]
    assert "0 attributes with numbers" in profiles_of([]).said[0]
    words = look(series("Negative"), of=criterion("no growth", unit=""))
    assert profiles_of([words, *trends_of(table_of())]).attributes == ("a0", "a1", "a2")


def test_attributes_that_later_lots_are_not_judged_by_hide_none_of_these():
    table = table_of()
    table[-1] = [41.0, 39.0, 30.0]
    own = trends_of(table)
    dropped = look(series(*(f"{one:.2f}" for one in table_of(12)[:, 0])), of=PLAIN)
    words = look(series(*["Negative"] * 12), of=criterion("no growth", unit=""))
    alone = profiles_of(own)
    for before in ([dropped, *own], [words, *own], [*own, dropped]):
        found = profiles_of(before)
        assert [one.lot for one in found.lots] == [one.lot for one in alone.lots]
        assert found.attributes == alone.attributes
    assert profiles_of([dropped, *own]).said == (
        "viability is left out: it judges no lot since L-12",
    )
