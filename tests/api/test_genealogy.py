"""Banks, containers, shipments, traces and look-backs over HTTP."""

from typing import Any

from batchqc.actions.dispositions import Decision
from tests.api.conftest import Site, signed
from tests.records.donors import determine
from tests.records.genealogy import GIVEN, donate
from tests.records.house import ANA, AUD, DON, DONOR, LOT, QA1

BANK = {"id": "MCB-UC-01", "kind": "MCB", "made_of": [GIVEN], "made_on": "2024-02-10",
        "expires_on": "2034-02-10", "place": "Tank 1", "containers": 40, "passage": 2,
        "basis": "P0: first confluence", "max_doublings": "20"}  # fmt: skip
V1, V2 = f"{LOT}-V1", f"{LOT}-V2"
SHIPMENT = {"site": "CH01", "containers": [V1], "shipped_on": "2026-06-01", "courier": "C 7",
            "temperature_record": "LOG-1"}  # fmt: skip


def posted(site: Site, who: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = site.send(who, "POST", path, json=body)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


def test_a_dose_goes_from_its_bank_to_a_recipient_and_is_looked_back_for(site: Site):
    house = site.house
    house.ready()
    assert isinstance(house.release(), Decision)
    donate(house)
    keyed = {"Idempotency-Key": "bank-0001"}
    first, again = (
        site.send(ANA, "POST", "/cell-banks", json=BANK, headers=keyed) for _ in range(2)
    )
    assert first.json() == again.json()
    assert first.json()["made_of"] == [f"donation:{GIVEN}"]
    passage = {"node": "cell_bank:MCB-UC-01", "passage": 1, "seeded": "1E6", "harvested": "8E6",
               "harvested_on": "2024-02-10"}  # fmt: skip
    assert posted(site, ANA, "/passages", passage)["cumulative"] == "3"
    lot = {"id": "MSC-26-0050", "product": "UC-MSC", "manufactured_on": "2025-05-19",
           "expires_on": "2027-05-18", "donors": [DONOR], "made_of": ["MCB-UC-01"]}  # fmt: skip
    assert posted(site, ANA, "/lots", lot)["made_of"] == ["cell_bank:MCB-UC-01"]
    mixed = site.send(ANA, "POST", "/lots", json=lot | {"id": "MSC-26-0051", "donors": []})
    assert mixed.status_code == 422
    vial = {"kind": "vial", "filled": "1E7 cells", "place": "Tank 3"}
    posted(site, ANA, "/containers", {"of": LOT, "containers": [vial | {"id": V1}]})
    posted(site, ANA, "/containers", {"of": f"lot:{LOT}", "containers": [vial | {"id": V2}]})
    _give(site)
    back = site.get(AUD, "/genealogy/CH01-001/trace?direction=back")
    assert {"key": f"donor:{DONOR}", "kind": "donor", "id": DONOR, "status": "eligible"} in (
        back["nodes"]
    )
    assert {"child": V1, "parent": LOT} in [
        {"child": one["child"][10:], "parent": one["parent"][4:]} for one in back["edges"]
    ]
    left = site.get(AUD, f"/lots/{LOT}/containers")
    assert left["counts"] == {"in storage": 1, "administered": 1}
    _look_back(site)


def _give(site: Site) -> None:
    """Ship one vial, and report that it was given."""
    clinic = {"code": "CH01", "name": "Clinic", "address": "2 Road", "contact": "pharmacy"}
    assert posted(site, QA1, "/clinical-sites", clinic)["version"] == 1
    assert site.get(AUD, "/clinical-sites")[0]["code"] == "CH01"
    determine(site.house)  # the donation came after the determination
    number = posted(site, QA1, "/shipments", SHIPMENT)["number"]
    receipt = {"received_on": "2026-06-01", "condition": "Frozen", "reported_by": "Ward 3"}
    assert posted(site, QA1, f"/shipments/{number}/receipt", receipt)["condition"] == "Frozen"
    given = {"container": V1, "site": "CH01", "recipient": "CH01-001",
             "administered_on": "2026-06-01", "reported_by": "Ward 3"}  # fmt: skip
    named = site.send(QA1, "POST", "/administrations", json=given | {"recipient": "Jane Smith"})
    assert (named.status_code, named.json()["code"]) == (422, "BQC-GEN-021")
    assert posted(site, QA1, "/administrations", given)["doubts"] == []


def _look_back(site: Site) -> None:
    """Both lots are held, and the doses are listed page by page."""
    source = {"source": f"donor:{DONOR}", "cause": "late seroconversion"}
    wrong = signed(DON, **source) | {"password": "wrong password 1"}
    assert site.send(DON, "POST", "/look-backs", json=wrong).status_code == 403
    assert site.get(AUD, "/look-backs")["items"] == []
    started = posted(site, DON, "/look-backs", signed(DON, **source))
    assert started["lots"] == ["lot:MSC-26-0012", "lot:MSC-26-0050"]
    assert started["banks"] == ["cell_bank:MCB-UC-01"]
    assert started["is_open"]
    path = f"/look-backs/{started['number']}"
    page = site.get(AUD, f"{path}/doses?limit=1")
    assert (page["items"][0]["recipient"], page["next"]) == ("CH01-001", V1)
    page = site.get(AUD, f"{path}/doses?limit=1&after={page['next']}")
    assert [one["status_now"] for one in page["items"]] == ["in storage"]
    assert page["next"] is None
    assert site.get(AUD, f"/lots/{LOT}/holds")["on_hold"]
    refused = site.send(QA1, "POST", "/shipments", json=SHIPMENT | {"containers": [V2]})
    assert refused.status_code == 409
    assert f"donor:{DONOR} is under look-back LB-2026-000001" in refused.text
    closed = posted(site, QA1, f"{path}/closing", signed(QA1, conclusion="Test was false"))
    assert (closed["is_open"], closed["conclusion"]) == (False, "Test was false")
    assert site.get(AUD, path) == closed


def test_banks_containers_and_retain_samples_change_by_new_rows(site: Site):
    donate(site.house)
    posted(site, ANA, "/cell-banks", BANK)
    second = BANK | {"id": "MCB-UC-02", "is_pool": False}
    posted(site, ANA, "/cell-banks", second)
    circle = {"made_of": ["MCB-UC-01"], "reason": "Found in the record"}
    refused = site.send(ANA, "POST", "/cell-banks/MCB-UC-01/parents", json=circle)
    assert "that would be a circle" in refused.text
    more = posted(site, ANA, "/cell-banks/MCB-UC-02/parents", circle)
    assert more["made_of"] == [f"donation:{GIVEN}", "cell_bank:MCB-UC-01"]
    held = {"status": "quarantined", "reason": "Tank warmed up"}
    assert posted(site, ANA, "/cell-banks/MCB-UC-01/status", held)["status"] == "quarantined"
    page = site.get(AUD, "/cell-banks?limit=1")
    assert (page["items"][0]["status"], page["next"]) == ("quarantined", "MCB-UC-01")
    assert site.get(AUD, "/cell-banks/mcb-uc-02")["doublings"] == "not known"
    vial = {"id": "MCB-UC-02-V1", "kind": "vial", "filled": "1E6 cells", "place": "Tank 3"}
    posted(site, ANA, "/containers", {"of": "cell_bank:MCB-UC-02", "containers": [vial]})
    move = {"containers": [vial["id"]], "status": "thawed", "place": "Lab 2",
            "happened_at": "2026-06-01T07:00:00-05:00", "reason": "For a lot"}  # fmt: skip
    (moved,) = posted(site, ANA, "/container-moves", move)["items"]
    assert (moved["status"], moved["place"]) == ("thawed", "Lab 2")
    retain = {"id": "RET-001", "of": LOT, "kind": "final product", "amount": "3", "unit": "vials",
              "keep_until": "2058-05-18", "place": "Tank 7", "handed_to": "QC"}  # fmt: skip
    posted(site, ANA, "/retain-samples", retain)
    hand = {"handed_by": "QC", "handed_to": "Stability", "place": "Lab 1", "left": "2",
            "reason": "Complaint C-7"}  # fmt: skip
    posted(site, ANA, "/retain-samples/RET-001/custody", hand)
    shown = site.get(AUD, "/retain-samples/ret-001")
    assert [one["left"] for one in shown["custody"]] == ["3", "2"]
    missing = site.send(AUD, "GET", "/genealogy/lot:NONE-1/trace")
    assert (missing.status_code, missing.json()["code"]) == (404, "BQC-GEN-002")


def test_who_was_given_a_dose_after_the_look_back_began_is_told(site: Site):
    house = site.house
    house.ready()
    assert isinstance(house.release(), Decision)
    vial = {"kind": "vial", "filled": "1E7 cells", "place": "Tank 3"}
    posted(site, ANA, "/containers", {"of": LOT, "containers": [vial | {"id": V1}]})
    clinic = {"code": "CH01", "name": "Clinic", "address": "2 Road", "contact": "pharmacy"}
    posted(site, QA1, "/clinical-sites", clinic)
    posted(site, QA1, "/shipments", SHIPMENT)
    source = {"source": f"donor:{DONOR}", "cause": "late seroconversion"}
    number = posted(site, DON, "/look-backs", signed(DON, **source))["number"]
    given = {"container": V1, "site": "CH01", "recipient": "CH01-007",
             "administered_on": "2026-06-01", "reported_by": "Ward 3"}  # fmt: skip
    posted(site, QA1, "/administrations", given)
    (dose,) = site.get(AUD, f"/look-backs/{number}/doses")["items"]
    assert dose["status"] == "shipped, CH01"
    assert dose["status_now"] == "administered"
    assert (dose["recipient"], dose["administered_on"]) == ("CH01-007", "2026-06-01")


def test_doses_that_are_registered_while_a_look_back_is_open_are_on_its_list(site: Site):
    vial = {"kind": "vial", "filled": "1E7 cells", "place": "Tank 3"}
    posted(site, ANA, "/containers", {"of": LOT, "containers": [vial | {"id": V2}]})
    source = {"source": f"donor:{DONOR}", "cause": "late seroconversion"}
    number = posted(site, DON, "/look-backs", signed(DON, **source))["number"]
    path = f"/look-backs/{number}"
    posted(site, ANA, "/containers", {"of": LOT, "containers": [vial | {"id": V1}]})
    first = site.get(AUD, f"{path}/doses?limit=1")
    assert [(one["container"], one["status"], one["status_now"]) for one in first["items"]] == [
        (V1, "not registered then", "in storage")
    ]
    second = site.get(AUD, f"{path}/doses?limit=1&after={first['next']}")
    assert [(one["container"], one["status"]) for one in second["items"]] == [
        (V2, "in storage, Tank 3")
    ]
    posted(site, QA1, f"{path}/closing", signed(QA1, conclusion="Test was false"))
    posted(site, ANA, "/containers", {"of": LOT, "containers": [vial | {"id": f"{LOT}-V3"}]})
    assert len(site.get(AUD, f"{path}/doses")["items"]) == 2
