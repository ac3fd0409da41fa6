"""Findings, boundaries and differences over HTTP: who writes and who approves sees the same."""

from sqlalchemy import select

from batchqc.actions.own_store import installation_of
from batchqc.records.uploads import Upload
from batchqc.settings import bundled
from tests.api.conftest import Site
from tests.api.test_registers import specification
from tests.records.house import (
    ANA,
    AUD,
    DONOR,
    LOT,
    PRODUCT,
    SPEC,
    SPECIFICATION_FILE,
    adopt,
)  # fmt: skip

RAW = {"content-type": "application/toml"}
NAME = "UC-MSC-REL"


def shipped() -> bytes:
    return (bundled("specs") / SPECIFICATION_FILE).read_bytes()


def lint(site: Site, data: bytes) -> dict[str, object]:
    answer = site.send(
        SPEC, "POST", "/specifications/lint?file=draft.toml", content=data, headers=RAW
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


def test_a_file_is_linted_and_nothing_is_stored(site: Site):
    before = site.get(AUD, "/specifications")
    assert lint(site, shipped()) == {"is_clean": True, "problems": [], "findings": []}
    doubtful = shipped().replace(b'accept   = "> 90"', b'accept   = "> 90"\nrounding = "usp"')
    told = lint(site, doubtful)
    (finding,) = told["findings"]  # type: ignore[misc]
    assert told["is_clean"] is False
    assert (finding["criterion"], finding["code"]) == ("viability", "dead-band")
    assert "90.5 and up" in finding["why"]
    line = doubtful.decode().splitlines()[finding["line"] - 1]
    assert line.startswith("accept")
    wrong = lint(site, b'unit = "x"')
    assert wrong["is_clean"] is False
    assert any("schema" in one for one in wrong["problems"])  # type: ignore[attr-defined]
    assert site.get(AUD, "/specifications") == before


def test_the_boundary_and_the_differences_of_versions_are_told(site: Site):
    told = {one["criterion"]: one for one in site.get(AUD, f"/specifications/{NAME}/1/boundary")}
    assert told["viability"]["passing"] == "above 90, in %"
    assert told["pbmc-inhibition"]["passing"] == "19.5 and up, in %"
    assert told["pbmc-inhibition"]["turns"] == [
        {"end": "from below", "last_failing": "19", "first_passing": "20"}
    ]
    later = specification(2, "2099-01-01").replace(b'"> 90"', b'"> 80"')
    sent = site.send(SPEC, "POST", "/specifications?file=v2.toml", content=later, headers=RAW)
    assert sent.status_code == 201, sent.text
    assert site.get(AUD, f"/specifications/{NAME}/2/differences") == [
        {
            "criterion": "", "direction": "other",
            "words": "effective date: 2020-01-01 became 2099-01-01",
        },
        {
            "criterion": "viability", "direction": "looser",
            "words": "Viability: > 90 % became > 80 %",
        },
    ]  # fmt: skip
    none = site.send(AUD, "GET", f"/specifications/{NAME}/2/differences?since=7")
    assert none.status_code == 404


def test_a_draft_comes_from_a_shipped_template(site: Site):
    names = [one["name"] for one in site.get(AUD, "/specification-templates")]
    assert "wj-msc-release" in names
    query = "id=MY-REL&product=MY-MSC&effective=2026-12-01"
    draft = site.send(AUD, "GET", f"/specification-templates/wj-msc-release?{query}")
    assert draft.status_code == 200
    assert lint(site, draft.content) == {"is_clean": True, "problems": [], "findings": []}
    none = site.send(AUD, "GET", f"/specification-templates/unicorn?{query}")
    assert (none.status_code, none.json()["code"]) == (404, "BQC-SPC-020")


def test_a_version_without_a_report_says_so(site: Site):
    site.send(SPEC, "POST", "/specifications?file=v2.toml", content=specification(2, "2099-01-01"))
    none = site.send(AUD, "GET", f"/specifications/{NAME}/2/impact")
    assert (none.status_code, none.json()["code"]) == (404, "BQC-SPC-019")
    seen = site.send(SPEC, "POST", f"/specifications/{NAME}/2/impact")
    assert seen.json()["lots"] == 1
    again = site.send(SPEC, "POST", f"/specifications/{NAME}/2/impact")
    assert again.json()["report"] == f"{NAME}/2/2"


def test_a_lot_is_looked_at_under_another_version_and_the_bound_one_decides(site: Site):
    later = specification(2, "2099-01-01").replace(b'"> 90"', b'"> 95"')
    site.send(SPEC, "POST", "/specifications?file=v2.toml", content=later)
    site.house.ready()
    bound = site.get(AUD, f"/lots/{LOT}/results")
    other = site.get(AUD, f"/lots/{LOT}/results?under={NAME}/2")
    verdict = {
        told["specification"]: next(
            one["verdict"] for one in told["verdicts"] if one["criterion"] == "viability"
        )
        for told in (bound, other)
    }
    assert verdict == {f"{NAME} v1": "PASS", f"{NAME} v2": "FAIL"}
    assert (bound["decides"], other["decides"]) == (True, False)
    bad = site.send(AUD, "GET", f"/lots/{LOT}/results?under=x")
    assert (bad.status_code, bad.json()["code"]) == (422, "BQC-API-009")


def test_every_recorded_verdict_is_computed_anew(site: Site):
    site.house.ready()
    site.house.release()
    assert site.get(AUD, "/audit/recheck") == {"decisions": 1, "verdicts": 12, "differences": []}
    with site.house.reading() as session:
        (sha,) = {upload.sha256 for upload in session.scalars(select(Upload))}
        (own,) = installation_of(session)
    site.house.archive.mark(own)  # a store that nobody knows is not asked what it lacks
    site.house.archive._path(sha).unlink()
    (found,) = site.get(AUD, "/audit/recheck")["differences"]
    assert found["lot"] == LOT
    assert "holds no file" in found["difference"]


def test_a_lot_for_a_market_is_judged_by_its_specification(site: Site):
    text = specification(2, "2020-01-01").replace(
        b'product   = "UC-MSC"', b'product   = "UC-MSC"\nmarket = "EU"'
    )
    adopt(site.house, text)
    lot = {
        "id": "MSC-26-0071", "product": PRODUCT, "manufactured_on": "2025-05-20",
        "expires_on": "2027-05-20", "donors": [DONOR], "market": "EU",
    }  # fmt: skip
    made = site.send(ANA, "POST", "/lots", json=lot)
    assert made.status_code == 201, made.text
    assert (made.json()["market"], made.json()["specification"]) == ("EU", f"{NAME} v2")
    bad = site.send(ANA, "POST", "/lots", json=lot | {"id": "MSC-26-0072", "market": "E\nU"})
    assert bad.status_code == 422
