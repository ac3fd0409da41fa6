"""What the demonstration tells beside eight lots: an OOS, a conditional release, a look-back."""

import json
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from batchqc.cli.main import app
from batchqc.documents.certificate_check import check, extract_signature
from tests.documents.external import openssl_accepts, pages_of

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def summary(demo: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((demo / "summary.json").read_text())
    return found


def certificates(summary: dict[str, Any]) -> dict[str, dict[str, str]]:
    lots = summary["conditional_release"]["lots"]
    return {one["number"]: one for lot in lots for one in lot["certificates"]}


@pytest.mark.requirement("3.06")
def test_a_retest_that_nobody_planned_is_refused_and_the_original_stands(
    summary: dict[str, Any], told: str
):
    found = summary["investigation"]
    assert (found["lot"], found["state"]) == ("UCM-P4-T2", "concluded")
    assert (found["conclusion"], found["disposition"]) == ("original stands", "rejected")
    assert "refused, E408: OOS-2026-000001 has no plan that is open" in found["retest"]
    assert found["retest"] in told


@pytest.mark.requirement("2.01")
def test_the_siblings_of_the_failing_lot_are_listed(summary: dict[str, Any], told: str):
    siblings = {one["lot"]: one for one in summary["investigation"]["siblings"]}
    assert len(siblings) == 7
    assert "donor DNR-UC-04" in siblings["UCM-P4-T1"]["shares"]
    assert "sibling UCM-P4-T1 (released): donor DNR-UC-04" in told


@pytest.mark.requirement("2.26")
def test_sterility_that_passes_later_supersedes_the_preliminary_certificate(
    summary: dict[str, Any], demo: Path
):
    passes, fails = summary["conditional_release"]["lots"]
    assert (passes["disposition"], passes["overlays"]) == ("released", [])
    preliminary, final = passes["certificates"]
    assert preliminary["state"] == f"superseded by {final['number']}"
    assert final["state"] == "counts"
    assert "PRELIMINARY" in "".join(pages_of(demo / preliminary["file"]))
    text = "".join(pages_of(demo / final["file"]))
    assert text.count("PRELIMINARY") == 1, "only among the changes, as what was said before"
    assert "complies with SIM-MSC-REL v1 and is released" in text
    assert preliminary["number"] in text
    assert fails["certificates"][0]["state"] == "withdrawn"


@pytest.mark.requirement("2.25")
def test_sterility_that_fails_later_holds_the_lot_by_itself(summary: dict[str, Any]):
    fails = summary["conditional_release"]["lots"][1]
    assert (fails["disposition"], fails["overlays"]) == ("conditionally released", ["on hold"])
    (opened,) = fails["investigations"]
    assert fails["holds"][0].startswith(f"sterility fails: {opened}")


@pytest.mark.requirement("8.13")
def test_a_late_reactive_result_holds_every_lot_and_finds_every_dose(
    summary: dict[str, Any], demo: Path, told: str
):
    found = summary["look_back"]
    assert found["lots"] == {
        "SIM-26-001": "released, on hold",
        "SIM-26-002": "conditionally released, on hold",
    }
    assert found["banks"] == {"MCB-SIM-01": "quarantined"}
    assert found["incomplete"] == []
    kept = sqlite3.connect(demo / "batchqc.db").execute("SELECT container FROM container")
    assert {one["container"] for one in found["doses"]} == {name for (name,) in kept}
    assert [one["recipient"] for one in found["doses"]] == ["HN01-001", "", "", ""]
    assert [one["site"] for one in found["doses"]] == ["HN01", "HN01", "", ""]
    assert "given to HN01-001" in told


@pytest.mark.requirement("8.13")
def test_a_list_of_lots_tells_that_a_released_lot_is_on_hold(demo: Path):
    shown = CliRunner().invoke(app, ["--home", str(demo), "lot", "list"], env={"COLUMNS": "250"})
    assert re.search(r"SIM-26-001 .* released, on hold", shown.output), shown.output


@pytest.mark.requirement("5.10")
def test_every_certificate_of_the_simulated_lots_verifies_and_says_specimen(
    summary: dict[str, Any], demo: Path, tmp_path: Path
):
    root = demo / "trust" / "root.pem"
    assert len(certificates(summary)) == 3
    for number, one in certificates(summary).items():
        path = demo / one["file"]
        pages = pages_of(path)
        assert all("SPECIMEN" in page for page in pages)
        assert "lots whose id begins with SIM" in " ".join("".join(pages).split())
        assert openssl_accepts(extract_signature(path.read_bytes()), root, tmp_path)
        report = check(path.read_bytes(), root_pem=root.read_bytes(), number=number, at=AT)
        assert report.passed, report.checks
