"""What a certificate concludes."""

from datetime import date

import pytest

from batchqc.core.certificates import conclusion_of


@pytest.mark.requirement("2.24")
def test_what_a_certificate_concludes_follows_from_the_verdicts_and_what_is_pending():
    def said(*, complies: bool = True, **pending: date) -> str:
        return conclusion_of("L-1", "REL v1", "released", complies=complies, pending=pending)

    assert said() == "Lot L-1 complies with REL v1 and is released."
    assert said(complies=False) == "Lot L-1 DOES NOT COMPLY with REL v1; it is released."
    assert said(Sterility=date(2026, 3, 1)) == (
        "PRELIMINARY. Lot L-1 is released; every result that is in complies with REL v1."
        " Pending: Sterility until 2026-03-01."
    )
