"""What a certificate concludes: it complies, it does not, or what is still pending."""

from datetime import date

import pytest

from batchqc.core.certificates import conclusion_of

LOT, VERSION = "MSC-1", "UC-MSC-REL v1"
PENDING = [("Sterility", date(2026, 3, 14)), ("Mycoplasma", date(2026, 3, 28))]


@pytest.mark.parametrize(
    ("disposition", "complies", "said"),
    [
        ("released", True, f"Lot {LOT} complies with {VERSION} and is released."),
        ("rejected", False, f"Lot {LOT} DOES NOT COMPLY with {VERSION}; it is rejected."),
    ],
)
def test_a_conclusion_says_whether_the_lot_complies(disposition: str, complies: bool, said: str):
    assert conclusion_of(LOT, VERSION, disposition, complies=complies, pending=()) == said


def test_a_preliminary_one_names_what_is_pending_and_until_when():
    said = conclusion_of(LOT, VERSION, "conditionally released", complies=True, pending=PENDING)
    assert said == (
        f"PRELIMINARY. Lot {LOT} is conditionally released; every result that is in complies with"
        f" {VERSION}. Pending: Mycoplasma until 2026-03-28; Sterility until 2026-03-14."
    )


def test_two_pending_results_of_one_title_are_both_named():
    twice = [("Sterility", date(2026, 3, 28)), ("Sterility", date(2026, 3, 14))]
    said = conclusion_of(LOT, VERSION, "conditionally released", complies=True, pending=twice)
    assert said.endswith("Pending: Sterility until 2026-03-14; Sterility until 2026-03-28.")
