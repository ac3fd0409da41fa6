"""Lists: paged through while rows are added, nothing is lost or comes twice; filters that hold."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest

from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.dispositions import reject_lot
from batchqc.actions.holds import hold_lot
from batchqc.actions.laboratory import register_instrument, register_material, register_training
from batchqc.actions.lots import NewLot, register_lot
from batchqc.actions.registers import register_donor, register_product
from batchqc.actions.webhooks import NewWebhook, register_webhook
from batchqc.core.containers import ContainerStatus
from batchqc.core.permissions import Permission
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.test_shipments import move
from tests.api.conftest import Site
from tests.api.test_refusals import is_problem
from tests.cast import MADE_ON
from tests.records.genealogy import vials
from tests.records.house import (
    ADM,
    ANA,
    AUD,
    BEN,
    DONOR,
    EXPIRES_ON,
    LOT,
    PRODUCT,
    QA1,
    QA2,
    House,
    results,
    signing,
)  # fmt: skip

NUMBERS = count(100)


@pytest.fixture
def full(site: Site, full_house: House) -> Iterator[Site]:
    """A server over a house with a row in every table."""
    door = site.app.state.door
    site.app.state.door = replace(
        door, engine=full_house.engine, archive=full_house.archive, now=full_house.now
    )
    yield replace(site, house=full_house, tokens={})
    site.app.state.door = door


def add(house: House) -> None:
    """Another row in many lists at once."""
    number = next(NUMBERS)
    lot = f"MSC-27-{number:04}"
    days = {"trained_on": date(2025, 1, 1), "expires_on": date(2026, 1, number % 28 + 1)}
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        register_product(tx, code=f"P-{number}", name="X", form="bag", storage="cold")
        register_donor(tx, code=f"DNR-{number:03}", tissue_source="umbilical cord")
        register_lot(tx, NewLot(lot, PRODUCT, MADE_ON, EXPIRES_ON, (f"DNR-{number:03}",)))
        register_instrument(
            tx, instrument=f"PTS-{number:03}", kind="Reader", calibrated_on=date(2025, 1, 1),
            due_on=date(2026, 1, number % 28 + 1), reason="",
        )  # fmt: skip
        register_training(tx, person=ANA, method=f"SOP-QC-{number:03}", reason="", **days)
        register_material(
            tx, material=f"LAL-{number}", kind="kit", lot="L1", expires_on=EXPIRES_ON, reason=""
        )
        hook = NewWebhook(f"hook{number}", "https://erp.example/")
        register_webhook(tx, hook, key=b"k" * 32)
        request_correction(
            tx, subject=f"lot:{lot}", field="expires_on", after="2027-05-17", reason="Misread label"
        )


PLACES = {
    "name": "warehouse",
    "code": "DNR-UC-02",
    "number": "LB-2026-000001",
    "product": PRODUCT,
    "criterion": "viability",
}
OF_ADMINS = {"/failed-attempts"}
EMPTY = {f"/trend-profiles/{PRODUCT}"}  # a lot alone has none to be held against


def lists(site: Site) -> list[str]:
    """Every address of the running application that answers items by pages."""
    described = site.http.get("/openapi.json").json()
    bodies = described["components"]["schemas"]
    found = []
    for path, operations in described["paths"].items():
        content = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        if {"items", "next"} <= bodies.get(name, {}).get("properties", {}).keys():
            found.append(path.removeprefix("/api/v1").format_map(PLACES))
    return found


def pages(site: Site, path: str, limit: int) -> Iterator[list[str]]:
    """Each page of a list, its items as text; of a session not its last use, which this is."""
    after: str | None = ""
    while after is not None:
        given = {"after": after} if after else {}
        who = ADM if path in OF_ADMINS else QA2  # what an auditor asks for adds a row
        told = site.get(who, path, params={"limit": limit} | given)
        assert len(told["items"]) <= limit
        yield [json.dumps(item | {"last_used_at": ""}, sort_keys=True) for item in told["items"]]
        after = told["next"]


def test_every_list_is_paged_through_while_rows_are_added(full: Site):
    add(full.house)
    add(full.house)
    for _ in range(3):
        full.get(AUD, "/site")
        full.http.post("/session", json={"user_id": ANA, "password": "a guess of somebody"})
    found = lists(full)
    assert {"/lots", "/audit", "/events", "/open-work", "/webhooks/warehouse/deliveries"} <= set(
        found
    )
    assert len(found) >= 19
    for path in found:
        whole = [item for page in pages(full, path, 200) for item in page]
        assert whole or path in EMPTY, path
        seen: list[str] = []
        for number, page in enumerate(pages(full, path, min(200, max(1, len(whole) // 3)))):
            seen += page
            if number < 2:
                add(full.house)
        assert len(seen) == len(set(seen)), path
        before = set(whole)
        lost = [item for item in whole if item not in set(seen)]
        assert lost == [], path
        assert [item for item in seen if item in before] == whole, path


@pytest.mark.parametrize("after", ["nonsense", "9" * 5000, "-1", "\u0663"])
def test_what_no_page_ended_with_begins_no_list_anew(full: Site, after: str):
    """In the order of hashes, or of ids of containers, any text is a place."""
    in_order = {"/archive/damage", "/look-backs/LB-2026-000001/doses"}
    for path in set(lists(full)) - in_order - {"/log/keys"}:
        who = ADM if path in OF_ADMINS else QA2
        answer = full.send(who, "GET", path, params={"after": after})
        assert answer.status_code in {404, 422}, (path, answer.status_code)


def test_a_filter_that_there_is_not_is_refused_and_never_passed_over(site: Site):
    for path in (
        "/lots?produkt=X", "/certificates?lots=X", "/uploads?by=x", "/audit?who_=x",
        "/events?kinds=lot.*", "/open-work?roles=QA", "/lots?made_since=1.2.2026",
        "/events?kind=lot.burnt", "/uploads?state=lost", "/audit?since=2026-01-01T00:00:00",
    ):  # fmt: skip
        answer = site.send(AUD, "GET", path)
        is_problem(answer, 422, answer.json()["code"])


def ids(site: Site, path: str, name: str = "id", **filters: Any) -> list[Any]:
    return [one[name] for one in site.get(AUD, path, params=filters)["items"]]


@pytest.mark.requirement("10.06")
def test_lots_are_found_by_what_is_known_of_them(site: Site):
    house, other = site.house, "MSC-26-0300"
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        register_donor(tx, code="DNR-UC-88", tissue_source="umbilical cord")
        made_on = MADE_ON + timedelta(days=3)
        register_lot(tx, NewLot(other, PRODUCT, made_on, EXPIRES_ON, ("DNR-UC-88",)))
    house.ready()
    house.release()
    for filters, expected in (
        ({}, [LOT, other]),
        ({"product": "uc-msc"}, [LOT, other]),
        ({"product": "OTHER"}, []),
        ({"disposition": "released"}, [LOT]),
        ({"disposition": "quarantine"}, [other]),
        ({"disposition": "rejected"}, []),
        ({"donor": "dnr-uc-88"}, [other]),
        ({"made_until": MADE_ON.isoformat()}, [LOT]),
        ({"made_since": made_on.isoformat()}, [other]),
        ({"text": "-0300"}, [other]),
        ({"text": "%"}, []),
        ({"text": "msc-26", "donor": DONOR}, [LOT]),
        ({"market": "EU"}, []),
    ):
        assert ids(site, "/lots", **filters) == expected, filters


def test_a_lot_is_found_by_its_date_of_manufacture_as_corrected(site: Site):
    day = (MADE_ON - timedelta(days=1)).isoformat()
    with site.house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        number = request_correction(
            tx, subject=f"lot:{LOT}", field="manufactured_on", after=day, reason="Misread label"
        ).natural_key
    assert ids(site, "/lots", made_until=day) == []
    with site.house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        decide_correction(
            tx, site.house.archive, number=number, approve=True, credentials=signing(QA2)
        )
    assert ids(site, "/lots", made_until=day) == [LOT]
    assert ids(site, "/lots", made_since=MADE_ON.isoformat()) == []


@pytest.mark.requirement("10.06")
def test_certificates_uploads_and_entries_are_found(site: Site):
    house = site.house
    house.upload(results(viability="much"), by=BEN)
    house.ready()
    house.release()
    today = house.now().date()
    long_ago = (today - timedelta(days=9)).isoformat()
    number = ["COA-2026-000001"]
    for filters, expected in (
        ({}, number), ({"lot": LOT.lower()}, number), ({"lot": "MSC-26-0300"}, []),
        ({"product": PRODUCT, "status": "pending"}, number), ({"status": "issued"}, []),
        ({"donor": DONOR}, number), ({"donor": "DNR-X"}, []),
        ({"since": long_ago, "until": today.isoformat()}, number), ({"until": long_ago}, []),
        ({"until": "9999-12-31"}, number), ({"text": "Viab* released"}, number),
        ({"signer": QA1, "analyte": "cd73", "disposition": "released"}, number),
        ({"signer": "nobody"}, []), ({"status": "superseded"}, []), ({"after": number[0]}, []),
    ):  # fmt: skip
        assert ids(site, "/certificates", "number", **filters) == expected, filters
    refused, accepted = "U-2026-000001", "U-2026-000002"
    for filters, expected in (
        ({}, [refused, accepted]), ({"state": "accepted"}, [accepted]),
        ({"state": "refused"}, [refused]), ({"lot": LOT}, [accepted]),
        ({"person": BEN.upper()}, [refused]), ({"person": ANA, "lot": "MSC-26-0300"}, []),
    ):  # fmt: skip
        assert ids(site, "/uploads", "number", **filters) == expected, filters
    entries = site.get(AUD, "/audit", params={"what": "lot released"})["items"]
    (released,) = entries
    at, sequence = released["entry"]["at"], released["sequence"]
    assert sequence in ids(site, "/audit", "sequence", since=at, limit=200)
    assert sequence not in ids(site, "/audit", "sequence", until=at, limit=200)
    assert ids(site, "/audit", "sequence", until=at, since=at) == []


def test_entries_and_events_are_found_by_ids_in_other_letters(site: Site):
    assert site.house.upload(results()).accepted
    for name, given in (("subject", f"lot:{LOT}"), ("who", ANA), ("subject", f"donor:{DONOR}")):
        found = site.get(QA2, "/audit", params={name: given, "limit": 200})
        other = site.get(QA2, "/audit", params={name: _other(given), "limit": 200})
        assert found == other
        assert found["items"]
        since = {"since": "2020-01-01T00:00:00Z", "limit": 200}
        assert site.get(QA2, "/audit", params=since | {name: _other(given)}) == found
    of_lot = site.get(QA2, "/events", params={"subject": f"lot:{LOT}"})
    assert of_lot["items"]
    assert site.get(QA2, "/events", params={"subject": f"lot:{LOT.lower()}"}) == of_lot
    site.get(AUD, "/me")
    assert site.get(QA2, "/auditor-views", params={"who": AUD.upper()})["items"]


def _other(given: str) -> str:
    kind, mark, name = given.rpartition(":")
    return f"{kind}{mark}{name.swapcase()}"


def test_lots_of_which_nothing_is_left_are_found_as_depleted(site: Site):
    def depleted() -> list[str]:
        found = site.get(ANA, "/lots", params={"overlay": "depleted"})["items"]
        assert all("depleted" in one["overlays"] for one in found)
        return [one["id"] for one in found]

    vials(site.house, LOT, "VL-1", "VL-2")
    for vial, status in (
        ("VL-1", ContainerStatus.QUARANTINED),
        ("VL-1", ContainerStatus.BROKEN),
        ("VL-2", ContainerStatus.THAWED),
    ):
        assert depleted() == []
        move(site.house, status, vial)
    assert depleted() == [LOT]


def test_lots_tell_and_are_found_by_what_lies_over_them(site: Site):
    house = site.house
    (lot,) = site.get(ANA, "/lots")["items"]
    assert lot["overlays"] == []
    assert site.get(ANA, f"/lots/{LOT}")["progress"] == "in test"
    for overlay in ("on hold", "expired"):
        assert site.get(ANA, "/lots", params={"overlay": overlay})["items"] == []
    with house.acting(QA2, Permission.HOLD_LOT) as tx:
        hold_lot(tx, lot=LOT, credentials=signing(QA2))
    house.now.at += timedelta(days=366)  # behind its last usable day
    site.tokens.clear()
    for overlay in ("on hold", "expired"):
        (lot,) = site.get(ANA, "/lots", params={"overlay": overlay})["items"]
        assert lot["overlays"] == ["on hold", "expired"]
    assert site.get(ANA, f"/lots/{LOT}")["overlays"] == ["on hold", "expired"]
    with house.acting(QA2, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA2))
    assert site.get(ANA, f"/lots/{LOT}")["progress"] is None
    refused = site.send(ANA, "GET", "/lots", params={"overlay": "sold"})
    assert refused.status_code == 422
