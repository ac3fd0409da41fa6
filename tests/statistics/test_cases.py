"""Certified and published answers, each within the tolerance that its source allows."""

import pytest

from batchqc.settings import shipped_cases
from batchqc.statistics.cases.case import cases_in
from batchqc.statistics.cases.check import check
from batchqc.statistics.cases.methods import METHODS

CASES = [*cases_in(shipped_cases())]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_the_source_says_is_computed(case):
    assert [line for line in check(case, METHODS) if not line.holds] == []
