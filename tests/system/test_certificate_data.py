"""Every certificate of the demonstration in every format, as the command writes it."""

import json
import re
from pathlib import Path

import pytest
from click.testing import Result
from fhir.resources.bundle import Bundle
from typer.testing import CliRunner

from batchqc.actions.certificate_data import FORMATS, DataFormat
from batchqc.cli.main import app
from batchqc.errors import Conflict, NotFound
from tests.documents.certificate_outputs import JSON_ONLY, carried_by, facts, left_to_json, named
from tests.documents.external import run, squeezed


def data(demo: Path, *arguments: str | Path) -> Result:
    command = ["--home", str(demo), "certificate", "data", *map(str, arguments)]
    return CliRunner().invoke(app, command)


@pytest.mark.requirement("5.08")
@pytest.mark.requirement("5.09")
def test_no_fact_of_a_certificate_is_lost_in_any_format(demo: Path, tmp_path: Path):
    published = sorted((demo / "certificates").glob("*.pdf"))
    assert len(published) == 9
    for path in published:
        number = path.name.partition("_")[0]
        frozen = data(demo, number).stdout_bytes
        embedded = tmp_path / f"{number}.json"
        run("pdfdetach", "-savefile", "certificate.json", "-o", embedded, path)
        assert frozen == embedded.read_bytes()
        content = json.loads(frozen)
        for form, (make, _, _) in FORMATS.items():
            assert data(demo, number, "--format", form).stdout_bytes == make(content)
        Bundle.model_validate_json(FORMATS[DataFormat.FHIR][0](content))
        for form in JSON_ONLY:
            told = carried_by(form, content)
            lost = [
                (named(way), value)
                for way, value in facts(content)
                if not isinstance(value, bool)
                and not left_to_json(form, named(way))
                and squeezed(str(value).replace("CANNOT_JUDGE", "CANNOT JUDGE")) not in told
                and squeezed(str(value)) not in told
            ]
            assert lost == [], (number, form)


def test_a_file_is_written_once_and_it_is_told_that_a_certificate_counts_no_more(
    demo: Path, tmp_path: Path
):
    file = tmp_path / "certificate.txt"
    done = data(demo, "COA-2026-000007", "--format", "text", "--to", file)
    assert done.exit_code == 0
    assert "COA-2026-000007 counts no more: superseded by COA-2026-000009." in done.stderr
    assert file.read_bytes() == data(demo, "COA-2026-000007", "--format", "text").stdout_bytes
    again = data(demo, "COA-2026-000007", "--to", file)
    assert isinstance(again.exception, Conflict)
    assert again.exception.code == "BQC-CSV-001"
    assert isinstance(data(demo, "COA-2026-000099").exception, NotFound)


@pytest.mark.requirement("10.06")
def test_certificates_of_the_demonstration_are_found(demo: Path):
    def found(*asked: str) -> list[str]:
        command = ["--home", str(demo), "certificate", "search", *asked]
        done = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.exception
        assert asked[-2:] != ("--limit", "2") or "--after COA-2026-000002" in done.stdout
        return re.findall(r"^COA-2026-00000(\d)", done.stdout, re.MULTILINE)

    assert found("--limit", "2") == ["1", "2"]
    assert found("wharton", "--signer", "giang.do", "--status", "issued") == [*"123456"]
    assert found("--status", "superseded") == ["7"]
    assert found("--lot", "sim-26-001", "--after", "COA-2026-000007") == ["9"]
    assert found("nowhere") == []
    done = CliRunner().invoke(app, ["--home", str(demo), "certificate", "index"])
    assert done.stdout == "0 certificates are filed; the index holds every certificate.\n"
