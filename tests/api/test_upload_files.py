"""Templates, previews and annotated files over HTTP."""

import csv
from io import StringIO

import httpx

from tests.actions.state import counts, grown
from tests.api.conftest import Site
from tests.api.test_journey import uploaded
from tests.api.test_refusals import is_problem
from tests.intake.files import HEADER
from tests.records.house import ANA, AUD, GOOD, LOT, SAMPLES, results

BAD = results(viability="93,40", CD73={"comment": "=1+1"})


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_a_template_of_a_lot_of_a_day_and_for_a_run(site: Site):
    whole = rows_of(site.send(AUD, "GET", "/uploads/template", params={"lot": [LOT, LOT]}))
    assert tuple(whole[0]) == HEADER
    assert len(whole) == len(SAMPLES) * len(GOOD)
    day = site.send(ANA, "GET", "/uploads/template", params={"day": "2025-05-20"})
    assert rows_of(day) == whole
    run = {"run": "VCB-1", "test": "VIAB"}
    rows = rows_of(site.send(ANA, "GET", "/uploads/template", params=run))
    assert [(row["sample_id"], row["run_id"]) for row in rows] == [(s, "VCB-1") for s in SAMPLES]


def test_a_template_of_nothing_is_refused_with_the_reason(site: Site):
    ask = "/uploads/template"
    is_problem(site.send(ANA, "GET", ask), 422, "BQC-TPL-001")
    is_problem(site.send(ANA, "GET", ask, params={"lot": "NO-1"}), 404, "BQC-REG-012")
    is_problem(site.send(ANA, "GET", ask, params={"day": "2024-01-01"}), 404, "BQC-TPL-002")
    is_problem(site.send(ANA, "GET", ask, params={"day": "86400"}), 422, "BQC-API-001")


def test_a_preview_tells_what_the_commit_tells_then(site: Site):
    site.token(ANA)
    before = counts(site.house.engine)
    seen = uploaded(site, results(viability="89.90"), dry_run="true")
    assert seen.status_code == 200
    assert grown(site.house.engine, before) == {}
    told = uploaded(site, results(viability="89.90"))
    assert told.status_code == 201
    assert told.json() | {"number": "preview"} == seen.json()
    body = seen.json()
    dialect = {"encoding": "UTF-8", "delimiter": ",", "line_end": "CRLF", "has_sep_line": False}
    assert body["dialect"] == dialect
    assert body["contract"] == "batchqc long v1"
    assert len(body["parsed"]) == len(GOOD)
    (parsed,) = (one for one in body["parsed"] if one["analyte"] == "viability")
    assert (parsed["row"], parsed["column"], parsed["value"]) == (6, "value", "89.90")
    results_of = site.get(ANA, f"/lots/{LOT}/results")
    recorded = {one["criterion"]: one["verdict"] for one in results_of["verdicts"]}
    shown = {one["criterion"]: one["verdict"] for one in body["verdicts"]}
    assert shown["viability"] == "FAIL"
    assert shown.items() <= recorded.items()


def test_a_preview_of_a_bad_file_shows_values_and_problems_and_no_verdict(site: Site):
    body = uploaded(site, BAD, dry_run="true").json()
    assert body["accepted"] is False
    assert body["verdicts"] == []
    assert len(body["parsed"]) == len(GOOD) - 2
    assert {"E205", "E501"} <= {one["code"] for one in body["problems"]}
    empty = uploaded(site, b"", dry_run="true").json()
    assert (empty["dialect"], empty["parsed"]) == (None, [])


def test_the_problems_of_a_file_are_downloaded_beside_its_rows(site: Site):
    asked = {"params": {"file": "r.csv", "dry_run": "true"}, "headers": {"Accept": "text/csv"}}
    previewed = site.send(ANA, "POST", "/uploads", content=BAD, **asked)
    rows = rows_of(previewed)
    assert [row["analyte"] for row in rows] == list(GOOD)
    assert rows[0]["comment"] == "'=1+1"
    assert "comment: E501" in rows[0]["problems"]
    assert [row["analyte"] for row in rows if "93,40" in row["value"]] == ["viability"]
    refused = uploaded(site, BAD)
    number = refused.json()["report"]["number"]
    kept = site.send(AUD, "GET", f"/uploads/{number}/annotated")
    assert kept.content == previewed.content
    is_problem(site.send(AUD, "GET", "/uploads/U-2026-000077/annotated"), 404, "BQC-UPL-002")


def test_a_file_too_large_to_keep_has_no_annotated_copy_but_a_preview_of_its_problem(site: Site):
    large = b"x" * 1_000_001
    number = uploaded(site, large).json()["report"]["number"]
    answer = site.send(AUD, "GET", f"/uploads/{number}/annotated")
    is_problem(answer, 404, "BQC-UPL-003")
    asked = {"params": {"file": "r.csv", "dry_run": "true"}, "headers": {"Accept": "text/csv"}}
    (row,) = rows_of(site.send(ANA, "POST", "/uploads", content=large, **asked))
    assert "E113" in row["problems"]
