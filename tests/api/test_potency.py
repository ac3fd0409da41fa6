"""Potency over HTTP: a plate is fitted, declared, and counts once a second person verified it."""

from typing import Any

from tests.actions.test_potency import RUN, sheet
from tests.api.conftest import Site, signed
from tests.api.test_laboratory import posted
from tests.plates import method_file, plate, swapped
from tests.records.house import ANA, AUD, LOT, QA2, REV, SPEC


def fitted(site: Site, wells: list[dict[str, str]]) -> dict[str, Any]:
    """A method is approved, a plate uploaded and fitted."""
    posted(site, SPEC, "/methods?file=m.toml", content=method_file())
    posted(site, QA2, "/methods/SOP-QC-031/2/approval", json=signed(QA2))
    upload = posted(site, ANA, "/uploads?file=p.csv", content=sheet(wells))["number"]
    return posted(site, ANA, "/potency/fits", json={"run": f"{upload}/{LOT}/PBMC/{RUN}"})


def test_a_plate_is_fitted_and_only_its_value_is_declared(site: Site):
    fit = fitted(site, plate(0.8))
    assert (fit["may_be_declared"], fit["reasons"], fit["model"]) == (True, [], "4PL")
    assert len(fit["plot"]) == 36
    assert all(one["met"] for one in fit["criteria"])
    assert float(fit["numbers"]["lower"]) < 80 < float(fit["numbers"]["upper"])
    number, value = fit["number"], fit["value"]
    assert site.get(AUD, f"/potency/fits/{number}") == fit
    assert site.get(AUD, f"/potency/fits/{number}/refit")["differences"] == []
    body = signed(ANA) | {"fits": [number], "value": "99.9", "unit": "%"}
    refused = site.send(ANA, "POST", "/potency/declarations", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "BQC-POT-008")
    wrong = body | {"value": value, "password": "wrong password 1"}
    assert site.send(ANA, "POST", "/potency/declarations", json=wrong).status_code == 403
    assert site.get(AUD, "/potency/declarations")["items"] == []


def test_what_was_declared_once_counts_when_a_second_person_verified_it(site: Site):
    fit = fitted(site, plate(0.8))
    number, value = fit["number"], fit["value"]
    body = signed(ANA) | {"fits": [number], "value": value, "unit": "%"}
    declared = posted(
        site, ANA, "/potency/declarations", json=body,
        headers={"Idempotency-Key": "once-and-never-again"},
    )  # fmt: skip
    again = site.send(
        ANA, "POST", "/potency/declarations", json=body,
        headers={"Idempotency-Key": "once-and-never-again"},
    )  # fmt: skip
    assert (again.status_code, again.json()) == (201, declared)
    twice = site.send(ANA, "POST", "/potency/declarations", json=body)
    assert (twice.status_code, twice.json()["code"]) == (409, "BQC-POT-007")
    name = declared["number"]
    assert (declared["value"], declared["fits"], declared["rule"]) == (value, [number], "one run")
    assert site.get(AUD, f"/potency/declarations/{name}") == declared
    assert site.get(AUD, f"/potency/declarations/{name}/refit")["differences"] == []
    assert [one["number"] for one in site.get(AUD, "/potency/declarations")["items"]] == [name]
    entry = declared["upload"]
    verified = posted(
        site, REV, f"/results/manual/{entry}/verification",
        json=signed(REV) | {"values": [value], "unit": "%"},
    )  # fmt: skip
    assert verified["state"] == "verified"
    shown = site.get(AUD, f"/lots/{LOT}/results?under=UC-MSC-REL/1")
    (verdict,) = (one for one in shown["verdicts"] if one["criterion"] == "pbmc-inhibition")
    assert verdict["verdict"] == "PASS"


def test_a_plate_that_is_not_suitable_is_listed_with_its_reasons(site: Site):
    fitted(site, swapped(plate(0.5)))
    first = site.get(AUD, "/potency/fits?limit=1")
    assert first["next"] is None
    (fit,) = first["items"]
    assert not fit["may_be_declared"]
    assert fit["reasons"][0].startswith("reference ed50: ")
    missing = site.send(ANA, "POST", "/potency/fits", json={"run": "nonsense"})
    assert (missing.status_code, missing.json()["code"]) == (404, "BQC-POT-001")
