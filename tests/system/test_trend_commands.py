"""``batchqc trend``, over a copy of the demonstration's records."""

import shutil
from pathlib import Path

import pytest

from batchqc.cli.demo_cast import APPROVER, PRODUCT, RELEASER
from batchqc.errors import Conflict, InvalidInput, NotEstimable, NotFound, NotPermitted
from tests.system.test_laboratory_commands import batchqc, done

CODE = PRODUCT["code"]
OF = (CODE, "viability")
WHY = ("--reason", "Eight lots are there")


@pytest.fixture(scope="module")
def home(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demo, tmp_path_factory.mktemp("trend") / "site")


def test_the_odd_lot_of_the_demonstration_is_told_and_drawn(home: Path, tmp_path: Path):
    told = done(home, "trend", "show", *OF, "--csv", tmp_path / "lots.csv")
    assert "3.34 sigma below" in told
    assert "Trends describe" in told
    assert "a false alarm in 370 lots on average" in told
    for part in ("Capability", "Variance components", "odd for its donor", "Normality", "Assumed"):
        assert part in told
    assert "UCM-P4-T2" in (tmp_path / "lots.csv").read_text()
    assert "viability" in done(home, "trend", "list", CODE)
    across = done(home, "trend", "overview", CODE, "--csv", tmp_path / "all.csv")
    assert "out of trend" in across + (tmp_path / "all.csv").read_text()
    assert "No lot is told by all attributes together" in across
    pages = tmp_path / "pages"
    assert "index.html" in done(home, "trend", "page", CODE, "--to", pages)
    assert {"index.html", "trend.css", "heat.svg", "heat.csv", "viability.html", "viability.svg",
            "viability.csv", "viability-histogram.svg", "viability-probability.csv",
            "viability-donors.svg"} <= {one.name for one in pages.iterdir()}  # fmt: skip
    page = (pages / "viability.html").read_text()
    assert "UCM-P4-T2" in page
    assert "beyond 3" in page
    assert "nan" not in page.casefold().replace("nano", "")
    assert 'href="viability.html"' in (pages / "index.html").read_text()
    before = done(home, "audit", "list", "--after", "200", "--limit", "999")
    nowhere = pages / "index.html" / "more"
    period = ("--from", "2026-01-01", "--to", "2026-01-31")
    kept = batchqc(home, "trend", "review", CODE, *period, "--out", nowhere, who=APPROVER)
    for one in (batchqc(home, "trend", "page", CODE, "--to", nowhere), kept):
        assert isinstance(one.exception, InvalidInput), one.output
        assert "cannot be written" in one.exception.message
    assert done(home, "audit", "list", "--after", "200", "--limit", "999") == before
    again = batchqc(home, "trend", "page", CODE, "--to", pages)
    assert isinstance(again.exception, Conflict)


def test_limits_and_phases_by_hand_and_what_is_wrong_is_told(home: Path):
    assert "No limit set" in done(home, "trend", "limits", *OF)
    told = done(home, "trend", "propose", *OF, *WHY, who=APPROVER)
    assert "Limit set 1 is proposed" in told
    assert "rules 1, 2, 3, 5: one false alarm in 117 lots on average" in told
    assert "nobody yet" in done(home, "trend", "limits", *OF)
    shown = done(home, "trend", "limits", *OF, "1")
    assert "complement cube root" in shown
    assert "UCM-P4-T2" in shown
    for arguments, error in (
        (("approve", *OF, "1", *WHY), Conflict),  # who proposed it
        (("approve", *OF, "7", *WHY), NotFound),
        (("propose", *OF, *WHY, "--exclude", "UCM-P4-T2"), InvalidInput),
        (("propose", *OF, *WHY, "--exclude", "UCM-P4-T2=Pump failed"), NotEstimable),
        (("propose", *OF, *WHY, "--rule", "9"), InvalidInput),
        (("propose", *OF, *WHY, "--scale", "root"), InvalidInput),
        (("propose", *OF, *WHY, "--phase", "5"), NotFound),
        (("phase", *OF, "NONE-1", *WHY), NotFound),
    ):
        wrong = batchqc(home, "trend", *arguments, who=APPROVER)
        assert isinstance(wrong.exception, error), (arguments, wrong.output, wrong.exception)
    denied = batchqc(home, "trend", "approve", *OF, "1", *WHY, who="an.tran")
    assert isinstance(denied.exception, NotPermitted)
    done(home, "trend", "approve", *OF, "1", *WHY, who=RELEASER)
    assert "nobody yet" not in done(home, "trend", "limits", *OF)
    begun = done(home, "trend", "phase", *OF, "UCM-P4-T2", "--reason", "New medium", who=APPROVER)
    assert "begins with lot UCM-P4-T2" in begun
    assert "New medium" in done(home, "trend", "show", *OF)
