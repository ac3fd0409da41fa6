"""What holds a lot by itself, and that it is not let go before its reasons end, over HTTP."""

import pytest

from batchqc.actions.dispositions import Decision
from tests.api.conftest import Site, signed
from tests.records.house import AUD, DON, DONOR, LOT, QA1, QA2


@pytest.mark.requirement("8.13")
@pytest.mark.requirement("2.01")
def test_an_ineligible_donor_and_a_deviation_hold_a_released_lot_until_both_are_settled(site: Site):
    site.house.ready()
    assert isinstance(site.house.release(), Decision)
    path, holds = f"/donors/{DONOR}/eligibility", f"/lots/{LOT}/holds"
    ineligible = signed(DON, eligible=False, basis="A late result")
    assert site.send(DON, "POST", path, json=ineligible).status_code == 201
    deviation = signed(
        QA1,
        id="DEV-26-014",
        title="Incubator at 35 °C",
        link="QMS 4711",
        state="open",
        blocking=True,
        lots=[LOT],
    )
    kept = site.send(QA1, "POST", "/deviations", json=deviation)
    assert kept.status_code == 201, kept.text
    found = site.get(AUD, holds)
    assert [one["cause"] for one in found["items"]] == ["look-back", "deviation"]
    assert [one["signature"] for one in found["items"]] == [None, None]
    refused = site.send(QA2, "POST", f"{holds}/2/end", json=signed(QA2))
    assert (refused.status_code, refused.json()["code"]) == (409, "BQC-HLD-003")
    assert refused.json()["reasons"] == [
        (
            f"Results: FAIL: ineligible (donor {DONOR}) does not meet eligible;"
            " UC-MSC-REL v1, donor-eligibility"
        ),
        "look-back LB-2026-000001 is open",
        "Deviations: deviation DEV-26-014 is open: Incubator at 35 °C",
        f"Donor: donor {DONOR} is ineligible",
        (
            f"Genealogy: donor:{DONOR} is under look-back LB-2026-000001"
            " (new information about the donor)"
        ),
    ]
    closing = signed(QA1, conclusion="The wrong donor")
    assert site.send(QA1, "POST", "/look-backs/LB-2026-000001/closing", json=closing).is_success
    assert site.send(DON, "POST", path, json=ineligible | {"eligible": True}).status_code == 201
    closed = deviation | {"state": "closed", "lots": []}
    assert site.send(QA1, "POST", "/deviations", json=closed).status_code == 201
    for number in (1, 2):
        assert site.get(AUD, holds)["on_hold"]
        assert site.send(QA2, "POST", f"{holds}/{number}/end", json=signed(QA2)).status_code == 201
    assert not site.get(AUD, holds)["on_hold"]
