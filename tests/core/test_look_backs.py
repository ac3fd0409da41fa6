"""What of a donor is in doubt, whose cells turn out to be in something."""

from dataclasses import replace
from datetime import date

import pytest

from batchqc.core.donors import ELIGIBLE, EXCEPTION, INELIGIBLE
from batchqc.core.eligibility import (
    Consented,
    Donated,
    Interpretation,
    MarkerResult,
    Person,
    Scope,
)
from batchqc.core.look_backs import doubts_about

DAY = date(2026, 4, 1)
TEST = MarkerResult("result 1", "HBsAg", Interpretation.NONREACTIVE, Person.DONOR, DAY)
GIFT = Donated("G-1", "umbilical cord", DAY, Person.DONOR, tests=(TEST,))
CONSENT = Consented("2.0", frozenset({Scope.CLINICAL}), DAY)


def doubts(
    eligibility: str = ELIGIBLE,
    result: Interpretation = Interpretation.NONREACTIVE,
    consent: Consented | None = CONSENT,
    *,
    in_use: bool = True,
) -> list[str]:
    gift = replace(GIFT, tests=(replace(TEST, result=result),))
    return list(doubts_about(eligibility, (GIFT, gift), consent, in_use=in_use))


def test_of_an_eligible_donor_of_whom_nothing_speaks_against_it_nothing_is_in_doubt():
    assert doubts() == []
    assert doubts(consent=None) == []  # whether one is needed is for the site's rule
    assert doubts("", in_use=False) == []


@pytest.mark.requirement("8.13")
def test_everything_that_is_in_doubt_of_a_donor_is_told():
    gone = replace(CONSENT, withdrawn_on=DAY)
    assert doubts(INELIGIBLE, Interpretation.REACTIVE, gone) == [
        "reactive: HBsAg", "ineligible", "consent 2.0 was withdrawn on 2026-04-01",
    ]  # fmt: skip
    assert doubts(EXCEPTION, Interpretation.INDETERMINATE, in_use=False) == [
        "indeterminate: HBsAg", EXCEPTION,
    ]  # fmt: skip
    assert doubts("") == ["not determined to be eligible"]
