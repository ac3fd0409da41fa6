"""``batchqc potency``, over a copy of the demonstration's records."""

import csv
import re
import shutil
from pathlib import Path

import pytest

from batchqc.cli.demo_cast import APPROVER, AUTHOR
from batchqc.errors import Conflict, InvalidInput
from tests.plates import method_file, plate
from tests.system.test_command_line import IDO
from tests.system.test_laboratory_commands import batchqc, done

RUN = "UCM-P1-T2/IDO/IDO-260112-01"
WHY = ("--reason", "As the plate gives it")


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


def wells(folder: Path) -> Path:
    """A plate of the lot of the demonstration that lacks its IDO result."""
    (first,) = csv.DictReader(IDO.format(value="1").splitlines())
    method = {"method_id": "SOP-QC-030 v2"}
    file = folder / "plate.csv"
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, first)
        writer.writeheader()
        writer.writerows([first | one | method for one in plate(0.14)])
    return file


def fitted(home: Path, tmp_path: Path) -> tuple[str, str]:
    """A method is approved, a plate uploaded and fitted: number and value of the fit."""
    file = tmp_path / "m.toml"
    text = method_file("SOP-QC-030", analyte="kynurenine").decode()
    file.write_text(text.replace('\nunit = "%"', '\nunit = "µmol/L"'))
    done(home, "method", "import", file, who=AUTHOR)
    done(home, "method", "approve", "SOP-QC-030", "2", *WHY, who=APPROVER)
    received = done(home, "upload", wells(tmp_path), who="an.tran")
    upload = re.search(r"U-\d{4}-\d{6}", received)
    assert upload, received
    told = done(home, "potency", "fit", f"{upload[0]}/{RUN}", who="an.tran")
    found = re.search(r"batchqc potency declare (PF-\S+) --value (\S+)", told)
    assert found, told
    assert "reference ed50" in told
    assert "n: 36" in told
    return found[1], found[2]


def test_proposals_are_listed(home: Path):
    told = done(home, "potency", "templates").replace("\n", "")
    assert "pbmc-inhibition.toml" in told
    assert "vegf.toml" in told


def test_a_plate_is_fitted_declared_verified_and_refitted(home: Path, tmp_path: Path):
    assert "Nothing is fitted." in done(home, "potency", "list")
    number, value = fitted(home, tmp_path)
    assert "Fitted" in done(home, "potency", "show", number)
    assert "may be declared" in done(home, "potency", "list")
    wrong = ("potency", "declare", number, "--value", "99.9", "--unit", "µmol/L", *WHY)
    assert isinstance(batchqc(home, *wrong, who="an.tran").exception, InvalidInput)
    right = ("potency", "declare", number, "--value", value, "--unit", "µmol/L", *WHY)
    said = done(home, *right, who="an.tran")
    assert isinstance(batchqc(home, *right, who="an.tran").exception, Conflict)
    declared = re.search(r"(PD-\S+) is declared. Next: batchqc result verify (U-\S+)", said)
    assert declared, said
    second = ("result", "verify", declared[2], "--value", value, "--unit", "µmol/L", *WHY)
    assert "two people typed the same" in done(home, *second, who="chi.pham")
    same = "Every number is the same"
    assert same in done(home, "potency", "refit", declared[1])
    assert same in done(home, "potency", "refit", number)
    assert same in done(home, "potency", "refit")
    assert declared[1] in done(home, "potency", "list")
    assert value in done(home, "lot", "results", "UCM-P1-T2")
    assert batchqc(home, "spec", "recheck").exit_code == 0
    assert batchqc(home, "audit", "verify").exit_code == 0
