"""Series, limits, phases and signals of lots over HTTP: what is sent wrong is told."""

import csv
from io import StringIO

import pytest

from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.registers import register_product
from batchqc.core.permissions import Permission
from batchqc.settings import bundled
from tests.actions.test_trends import READ_AT, make
from tests.api.conftest import Site, signed
from tests.api.test_refusals import is_problem
from tests.cast import TAKEN_AT
from tests.records.house import (
    ANA,
    AUD,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PRODUCT,
    QA1,
    QA2,
    SPECIFICATION_FILE,
    House,
    adopt,
    good,
    table,
)  # fmt: skip
from tests.records.laboratory import RECOVERY

SLASHED = "UC/MSC"
PATH = f"/trends/{PRODUCT}/viability"
WHY = {"reason": "Eight lots are there"}


@pytest.mark.requirement("9.02")
def test_lots_of_an_attribute_are_told_with_their_signals_as_json_and_csv(site: Site):
    lots = make(site.house)
    listed = site.get(AUD, "/trends", params={"product": PRODUCT, "limit": 200})["items"]
    (own,) = [one for one in listed if one["criterion"] == "viability"]
    assert (own["stage"], own["unit"], own["is_numeric"]) == ("release", "%", True)
    first = site.get(AUD, "/trends", params={"limit": 1})
    second = site.get(AUD, "/trends", params={"limit": 1, "after": first["next"]})
    assert [*first["items"], *second["items"]] == listed[:2]
    told = site.get(AUD, PATH)
    assert [one["lot"] for one in told["points"]][1:] == lots
    assert told["points"][-1]["value"] == "89"
    (signal,) = told["signals"]
    assert (signal["lot"], signal["by"]) == (lots[-1], "self-starting")
    assert signal["score"] == pytest.approx(-3.337, abs=1e-3)
    assert site.get(AUD, f"/lots/{lots[-1]}/trends")["signals"] == [signal["said"]]
    assert site.get(AUD, f"/lots/{lots[0]}/trends")["signals"] == []
    sheet = site.send(AUD, "GET", f"{PATH}.csv")
    assert sheet.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(StringIO(sheet.text.removeprefix("\ufeff"))))
    assert [one["lot"] for one in rows] == [one["lot"] for one in told["points"]]
    assert rows[-1]["signals"] == "beyond 3"
    across = site.get(AUD, f"/trends/{PRODUCT}", params={"limit": 3, "after": lots[4]})
    assert [one["lot"] for one in across["items"]] == lots[5:]
    assert across["items"][-1]["cells"]["viability"]["flag"] == "FAIL"
    assert across["next"] is None


def test_lots_against_attributes_are_paged_through_as_they_are_in_one_piece(site: Site):
    make(site.house)
    whole = site.get(AUD, f"/trends/{PRODUCT}", params={"limit": 200})
    paged, after = [], ""
    while after is not None:
        part = site.get(AUD, f"/trends/{PRODUCT}", params={"limit": 2, "after": after})
        assert len(part["items"]) <= 2
        paged, after = [*paged, *part["items"]], part["next"]
    assert paged == whole["items"]
    nowhere = site.send(AUD, "GET", f"/trends/{PRODUCT}", params={"after": "MSC-99-9999"})
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "BQC-API-007")


def test_charts_are_drawn_of_numbers_and_of_words(site: Site):
    lots = make(site.house)
    listed = site.get(AUD, "/trends", params={"product": PRODUCT, "limit": 200})["items"]
    drawn = site.send(AUD, "GET", f"{PATH}.svg")
    assert drawn.headers["content-type"] == "image/svg+xml; charset=utf-8"
    assert drawn.text.rstrip().endswith("</svg>")
    assert lots[-1] in drawn.text
    words = [one["criterion"] for one in listed if not one["is_numeric"]]
    assert words
    for one in words:
        assert site.get(AUD, f"/trends/{PRODUCT}/{one}")["signals"] == []
        assert site.send(AUD, "GET", f"/trends/{PRODUCT}/{one}.svg").status_code == 200


@pytest.mark.requirement("9.04")
def test_limits_are_proposed_approved_by_another_person_and_a_phase_is_begun(site: Site):
    lots = make(site.house)
    made = site.send(QA2, "POST", f"{PATH}/limits", json=WHY | {"scale": "identity"})
    assert made.status_code == 201, made.text
    assert (made.json()["number"], made.json()["approved_by"]) == (1, "")
    content = made.json()["content"]
    assert (content["n"], content["scale"]["kind"]) == (8, "identity")
    approval = f"{PATH}/limits/1/approval"
    own = site.send(QA2, "POST", approval, json=signed(QA2))
    assert (own.status_code, own.json()["code"]) == (409, "BQC-TRD-004")
    wrong = site.send(QA1, "POST", approval, json=signed(QA1) | {"password": "not hers at all"})
    assert wrong.status_code == 403
    assert site.get(AUD, f"{PATH}/limits/1")["approved_at"] is None
    approved = site.send(QA1, "POST", approval, json=signed(QA1))
    assert approved.status_code == 201, approved.text
    assert approved.json()["approved_by"]
    listed = site.get(AUD, f"{PATH}/limits")
    assert [one["sha256"] for one in listed["items"]] == [made.json()["sha256"]]
    assert site.get(AUD, f"{PATH}/limits", params={"after": "1"})["items"] == []
    begun = site.send(QA1, "POST", f"{PATH}/phases", json=signed(QA1, lot=lots[4]))
    assert begun.status_code == 201, begun.text
    again = site.send(QA1, "POST", f"{PATH}/phases", json=signed(QA1, lot=lots[4]))
    assert (again.status_code, again.json()["code"]) == (409, "BQC-TRD-005")
    assert [one["first"] for one in site.get(AUD, PATH)["phases"]][1:] == [lots[4]]


WRONG = [
    (WHY, 422, "BQC-STA-001"),  # one lot, without a result
    (WHY | {"phase": 9}, 404, "BQC-TRD-003"),
    (WHY | {"until": "NONE-1"}, 404, "BQC-TRD-003"),
    (WHY | {"excluded": [{"lot": "NONE-1", "cause": "-"}]}, 422, "BQC-TRD-006"),
    (
        WHY | {"excluded": [{"lot": LOT, "cause": one} for one in ("Ice", "Thaw")]},
        422,
        "BQC-TRD-006",
    ),
    (WHY | {"scale": "root"}, 422, None),
    (WHY | {"more": 1}, 422, None),
    (WHY | {"rules": ["9"]}, 422, None),
]


def test_limits_that_cannot_be_are_refused(site: Site):
    for sent, status, code in WRONG:
        answer = site.send(ANA, "POST", f"{PATH}/limits", json=sent)
        assert answer.status_code == status, answer.text
        assert code in {None, answer.json()["code"]}
    assert site.get(AUD, f"{PATH}/limits")["items"] == []


def test_what_is_not_there_is_not_found(site: Site):
    for path, code in {
        f"/trends/{PRODUCT}/none": "BQC-TRD-001",
        f"{PATH}?market=XX": "BQC-TRD-001",
        f"{PATH}?stage=stability": "BQC-TRD-001",
        f"/trends/{PRODUCT}?market=XX": "BQC-TRD-001",
        f"{PATH}/limits/1": "BQC-TRD-002",
        "/trends/NONE/viability": None,
        "/lots/NONE/trends": None,
    }.items():
        answer = site.send(AUD, "GET", path)
        assert answer.status_code == 404, (path, answer.text)
        assert code in {None, answer.json()["code"]}, path
    assert site.send(AUD, "GET", f"{PATH}?stage=nowhere").status_code == 422


@pytest.mark.requirement("9.07")
def test_figures_plots_controls_and_profiles_are_told(site: Site):
    lots = make(site.house)
    told = site.get(AUD, f"{PATH}/figures")
    parts = {one["title"]: one for one in told["parts"]}
    (interval,) = parts["Capability"]["figures"]
    assert (interval["n"], interval["confidence"]) == (8, 0.95)
    assert interval["method"]
    assert interval["assumptions"]
    assert "in the place of Ppk" in parts["Capability"]["said"][0]
    assert parts["False alarms of the rules"]["figures"][0]["value"] == pytest.approx(
        370.4, abs=0.1
    )
    assert site.get(AUD, PATH)["rules"]["rules"] == ["1"]
    for plot in ("ewma", "cusum", "histogram", "probability", "donors"):
        drawn = site.send(AUD, "GET", f"{PATH}/plots/{plot}.svg")
        assert drawn.headers["content-type"].startswith("image/svg+xml")
        assert "<desc" in drawn.text
        sheet = site.send(AUD, "GET", f"{PATH}/plots/{plot}.csv")
        assert sheet.headers["content-type"].startswith("text/csv")
    assert lots[0] in sheet.text
    assert site.get(AUD, f"{PATH}/controls") == []
    lot = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    assert site.house.upload(table([lot | good("endotoxin") | RECOVERY])).accepted
    (control,) = site.get(AUD, f"/trends/{PRODUCT}/endotoxin/controls")
    assert (control["centre"], [one["mean"] for one in control["runs"]]) == (None, [104.0])
    assert control["part"]["said"] == ["1 runs: below 8 there are no lines, only data"]
    profile = site.get(AUD, f"/trend-profiles/{PRODUCT}")
    assert (profile["items"], profile["next"]) == ([], None)
    assert any("make no profile" in one for one in profile["limitations"])


def test_further_plots_that_are_not_there_are_not_found(site: Site):
    make(site.house, ["97"])
    listed = site.get(AUD, "/trends", params={"product": PRODUCT, "limit": 200})["items"]
    words = next(one["criterion"] for one in listed if not one["is_numeric"])
    for path, status in {
        f"/trends/{PRODUCT}/{words}/plots/histogram.svg": 404,
        f"{PATH}/plots/pie.svg": 422,
        f"/trends/{PRODUCT}/none/figures": 404,
        f"/trends/{PRODUCT}/none/controls": 404,
        "/trend-profiles/NONE": 404,
    }.items():
        assert site.send(AUD, "GET", path).status_code == status, path
    one = site.get(AUD, f"{PATH}/figures")
    assert "1 measured lot: below 8" in str(one["parts"])
    assert site.get(AUD, f"/trends/{PRODUCT}/{words}/figures")["parts"] == []


@pytest.mark.requirement("9.07")
def test_profiles_of_lots_are_told_page_by_page(site: Site):
    lots = make(site.house)
    values = ("97.1", "98.4", "96.9", "99.0", "97.7", "98.1", "96.5", "98.8")
    rows = [
        good("CD73") | {"lot_id": lot, "sample_id": f"{lot}-S01", "value": one, "run_id": lot}
        | {"measured_at": READ_AT}
        for lot, one in zip(lots, values, strict=True)
    ]  # fmt: skip
    report = site.house.upload(table(rows))
    assert report.accepted, report.reading.problems
    path = f"/trend-profiles/{PRODUCT}"
    whole = site.get(AUD, path)
    assert [one["lot"] for one in whole["items"]] == lots
    assert whole["next"] is None
    assert [one["lot"] for one in whole["items"] if one["t2"] > one["limit"]] == lots[-1:]
    told, after = [], ""
    for _ in range(3):
        page = site.get(AUD, path, params={"limit": 3} | ({"after": after} if after else {}))
        told += page["items"]
        after = page["next"]
    assert (told, after) == (whole["items"], None)


def lot_of_slashed(house: House) -> None:
    """A lot of a product whose code has a slash, as those of some sites do, with its results."""
    rules = (bundled("specs") / SPECIFICATION_FILE).read_text()
    rules = rules.replace('"UC-MSC-REL"', '"UCB-REL"').replace('"UC-MSC"', f'"{SLASHED}"')
    adopt(house, rules.encode(), "slashed.toml")
    with house.acting(QA2, Permission.REGISTER_PRODUCT) as tx:
        register_product(tx, code=SLASHED, name="Cord MSC", form="Suspension", storage="-150 °C")
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        sample = NewSample("SLA-26-001-S01", "release", "cryovial", TAKEN_AT.isoformat())
        register_lot(tx, NewLot("SLA-26-001", SLASHED, MADE_ON, EXPIRES_ON, (DONOR,), (sample,)))
    own = {"lot_id": "SLA-26-001", "sample_id": "SLA-26-001-S01", "value": "97"}
    report = house.upload(table([good("viability") | own]))
    assert report.accepted, report.reading.problems


def test_a_product_whose_code_has_a_slash_has_trends_under_its_address(site: Site):
    """Written %2F, as every client writes what stands in one part of an address."""
    lot_of_slashed(site.house)
    listed = site.get(AUD, "/trends", params={"product": SLASHED, "limit": 200})["items"]
    (own,) = [one for one in listed if one["criterion"] == "viability"]
    assert own["link"].startswith("/api/v1/trends/UC%2FMSC/viability?")
    told = site.get(AUD, own["link"].removeprefix("/api/v1"))
    assert [(one["lot"], one["value"]) for one in told["points"]] == [("SLA-26-001", "97")]
    across = site.get(AUD, "/trends/UC%2FMSC")["items"]
    assert [one["lot"] for one in across] == ["SLA-26-001"]
    sheet = site.send(AUD, "GET", "/trends/UC%2fMSC/viability.csv")
    assert sheet.status_code == 200
    assert sheet.headers["content-disposition"] == 'attachment; filename="UC-MSC_viability.csv"'
    sent = site.send(QA2, "POST", "/trends/UC%2FMSC/viability/limits", json=WHY)
    is_problem(sent, 422, "BQC-STA-001")  # it is known, and one lot is too few
    is_problem(site.send(AUD, "GET", "/trends/UC%2FMSC%2Fviability"), 404, "BQC-REG-010")
    own = site.get(AUD, f"/trends/{PRODUCT}/viability")["points"]
    assert [one["lot"] for one in own] == [LOT]
