"""The life of certificates on the command line, over a copy of the demonstration."""

import shutil
from pathlib import Path

import pytest

from batchqc.cli.demo_cast import ANALYST, RELEASER
from batchqc.errors import Conflict, NotFound, NotPermitted
from tests.documents.external import pages_of, run
from tests.system.test_laboratory_commands import batchqc, done

RELEASED, WAITS = "UCM-P1-T1", "UCM-P1-T2"


@pytest.fixture(scope="module")
def home(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demo, tmp_path_factory.mktemp("certificates") / "site")


def numbers_of(home: Path, lot: str) -> list[str]:
    """The certificates of a lot, oldest first."""
    lines = done(home, "certificate", "list").splitlines()
    return [line.split()[0] for line in lines if lot in line.split()]


@pytest.mark.requirement("5.07")
def test_the_whole_life_of_a_certificate_is_shown(home: Path):
    first, second = numbers_of(home, "SIM-26-001")
    told = done(home, "certificate", "show", first)
    assert "Conclusion: PRELIMINARY." in told
    assert f"Status: superseded by {second}\n" in told
    (withdrawn,) = numbers_of(home, "SIM-26-002")
    assert "Status: withdrawn: sterility fails" in done(home, "certificate", "show", withdrawn)
    events = [line.split("│")[1].strip() for line in told.splitlines() if line[:2] == "20"]
    assert events == ["reserved", "issued", "superseded"]
    assert second in told.splitlines()[-1]
    latest = done(home, "certificate", "show", second)
    assert "Status: issued\n" in latest
    assert f"It says otherwise than {first}:" in latest
    assert "Pending" in latest


@pytest.mark.requirement("5.07")
def test_a_copy_is_printed_for_somebody_and_shown_in_the_life(home: Path, tmp_path: Path):
    number, path = numbers_of(home, RELEASED)[0], tmp_path / "copy.pdf"
    copy = ("certificate", "copy", number, "--for", "Regional Hospital", "--to", path)
    assert isinstance(batchqc(home, *copy, who=ANALYST).exception, NotPermitted)
    assert f"Copy 1 of {number} is written" in done(home, *copy, who=RELEASER)
    assert isinstance(batchqc(home, *copy, who=RELEASER).exception, Conflict)
    assert all("COPY" in page for page in pages_of(path))
    assert done(home, "certificate", "show", number).count("copied") == 1
    assert "Regional Hospital" in done(home, "certificate", "show", number)
    for other in (("get", number), ("prove", number), ("renewed", number), ("verifier",)):
        refused = batchqc(home, "certificate", *other, "--to", path).exception
        assert isinstance(refused, Conflict)
        assert refused.code == "BQC-CSV-001"
    run("qpdf", "--check", path)
    unknown = ("certificate", "show", "COA-2026-000099")
    assert isinstance(batchqc(home, *unknown).exception, NotFound)


def test_a_draft_is_written_before_the_decision_and_not_after_it(home: Path, tmp_path: Path):
    path = tmp_path / "draft.pdf"
    told = done(home, "lot", "draft-certificate", WAITS, "--to", path)
    assert f"It is a draft of lot {WAITS} (quarantine)." in told
    assert all("DRAFT" in page for page in pages_of(path))
    decided = ("lot", "draft-certificate", RELEASED, "--to", tmp_path / "none.pdf")
    assert isinstance(batchqc(home, *decided).exception, Conflict)
    assert not (tmp_path / "none.pdf").exists()


def test_the_public_address_is_a_policy_of_the_site(home: Path):
    assert "none | an https address" in done(home, "policy", "list")
