"""``batchqc trend review`` as a person runs it, over the records of a house."""

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batchqc.cli.main import app
from batchqc.errors import Conflict, InvalidInput
from tests.records.house import PASSWORD, PRODUCT, QA1, QA2, House

REVIEW = ("trend", "review", PRODUCT, "--from", "2025-05-01", "--to", "2025-05-31", "--out")


def batchqc(house: House, *arguments: str | Path, typed: str = "") -> Result:
    places = {
        "BATCHQC_DATABASE": house.engine.url.render_as_string(hide_password=False),
        "BATCHQC_STORE": str(house.archive.root),
        "COLUMNS": "300",
    }
    return CliRunner().invoke(app, [*map(str, arguments)], input=typed, env=places)


OWN = "the connection of a command ends with its process, and here it runs in that of the test"


@pytest.mark.requirement("9.01")
@pytest.mark.only_on("sqlite", OWN)
def test_a_review_is_written_with_its_data_kept_and_signed(house: House, tmp_path: Path):
    done = batchqc(house, *REVIEW, tmp_path / "one")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "It is not kept" in done.output
    data = (tmp_path / "one" / "review.json").read_bytes()
    content = json.loads(data)
    files = {one.name for one in (tmp_path / "one").iterdir()}
    tables = {f"{one['name']}.csv" for one in (*content["tables"], *content["annex"])}
    assert files == {"review.pdf", "review.json", *tables}
    again = batchqc(house, *REVIEW, tmp_path / "one")
    assert isinstance(again.exception, Conflict)
    kept = batchqc(house, *REVIEW, tmp_path / "two", "--user", QA1, typed=f"{PASSWORD}\n")
    assert kept.exit_code == 0, (kept.output, kept.exception)
    for name in files:
        one, two = (tmp_path / folder / name for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes(), name
    sha256 = hashlib.sha256(data).hexdigest()
    assert sha256 in kept.output
    number = kept.output.split("Kept as ")[1].split(",")[0]
    sign = ("trend", "sign-review", number, sha256, "--user", QA2, "--reason", "Nothing follows")
    assert f"{number} is signed as read." in batchqc(house, *sign, typed=f"{PASSWORD}\n").output


@pytest.mark.only_on("sqlite", OWN)
def test_days_to_come_and_days_that_are_none_are_refused_before_anything_is_written(
    house: House, tmp_path: Path
):
    for last, code in (("2999-01-01", "BQC-PQR-001"), ("soon", "BQC-SPC-018")):
        asked = ("trend", "review", PRODUCT, "--from", "2025-05-01", "--to", last, "--out")
        refused = batchqc(house, *asked, tmp_path / "none").exception
        assert isinstance(refused, InvalidInput)
        assert refused.code == code
    assert not (tmp_path / "none").exists()
