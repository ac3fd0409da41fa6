"""Findings, boundaries and differences over HTTP: who writes and who approves sees the same."""

from batchqc.settings import bundled
from tests.api.conftest import Site
from tests.api.test_registers import specification
from tests.records.house import AUD, SPEC, SPECIFICATION_FILE

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
    assert told["viability"]["passing"] == "above 90 %"
    assert told["pbmc-inhibition"]["passing"] == "19.5 and up %"
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
