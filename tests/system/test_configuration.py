"""The settings: each is described, secrets come from files, and what is wrong is refused."""

import os
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from batchqc.cli.configuration import reference
from batchqc.cli.demo_cast import PASSWORD
from batchqc.cli.main import app
from batchqc.errors import InvalidInput, NotFound
from batchqc.settings import LogFormat, Settings, read_settings
from tests.system.conftest import BATCHQC
from tests.system.test_walkthrough import FIRST, SITE

PAGE = Path(__file__).parents[2] / "batchqc" / "guide" / "configuration.md"
SECRET = "never to be told 7"


def test_the_page_of_the_guide_is_what_the_command_prints():
    """Type `batchqc configuration > batchqc/guide/configuration.md` where it aged."""
    done = subprocess.run(
        [BATCHQC, "configuration"], capture_output=True, text=True, check=True,
        env=os.environ | {"COLUMNS": "60"},
    )  # fmt: skip
    assert done.stdout == PAGE.read_text()


def test_every_setting_is_described_and_secrets_are_marked():
    rows = [line.split(" | ") for line in reference().splitlines() if line.startswith("| `")]
    assert [row[0].strip("| `") for row in rows] == [
        f"BATCHQC_{name.upper()}" for name in Settings.model_fields
    ]
    assert all(row[4].strip(" |") for row in rows)
    secret = {row[0].strip("| `") for row in rows if row[3].strip()}
    assert secret == {
        "BATCHQC_DATABASE", "BATCHQC_SEAL_PASSPHRASE", "BATCHQC_OIDC_SECRET",
        "BATCHQC_METRICS_TOKEN",
    }  # fmt: skip


def test_secrets_come_from_files_and_the_environment_counts_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "batchqc_seal_passphrase").write_text("of the file\n")
    (tmp_path / "batchqc_database").write_text("postgresql://batchqc:word@db/batchqc\n")
    (tmp_path / "batchqc_metrics_token").write_text("of the file, too\n")
    monkeypatch.setenv("BATCHQC_SECRETS", str(tmp_path))
    monkeypatch.setenv("BATCHQC_METRICS_TOKEN", "of the environment")
    monkeypatch.setenv("BATCHQC_LOG_FORMAT", "json")
    monkeypatch.setenv("BATCHQC_OIDC_ISSUER", "")
    found = read_settings()
    assert found.seal_passphrase == SecretStr("of the file")
    assert found.database == "postgresql://batchqc:word@db/batchqc"
    assert found.metrics_token == SecretStr("of the environment")
    assert found.log_format is LogFormat.JSON
    assert found.oidc_issuer == ""
    assert not [one for one in ("word", "of the") if one in repr(found)]
    assert read_settings(tmp_path).database == f"sqlite:///{tmp_path}/batchqc.db"


def test_settings_that_cannot_be_are_refused_all_at_once_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BATCHQC_METRICS_TOKEN", "short")
    monkeypatch.setenv("BATCHQC_UPLOAD_LIMIT", SECRET)
    monkeypatch.setenv("BATCHQC_LOG_FORMAT", SECRET)
    monkeypatch.setenv("BATCHQC_IDLE_MINUTES", "-1")
    monkeypatch.setenv("BATCHQC_SESSION_HOURS", "100000")
    with pytest.raises(InvalidInput) as refusal:
        read_settings()
    assert refusal.value.code == "BQC-SYS-020"
    assert [one.partition(":")[0] for one in refusal.value.reasons] == [
        "BATCHQC_UPLOAD_LIMIT", "BATCHQC_LOG_FORMAT", "BATCHQC_METRICS_TOKEN",
        "BATCHQC_IDLE_MINUTES", "BATCHQC_SESSION_HOURS",
    ]  # fmt: skip
    done = subprocess.run([BATCHQC, "work"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "BQC-SYS-020" in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr + repr(refusal.value.reasons)


@pytest.mark.parametrize(
    ("name", "value"),
    [("IDLE_MINUTES", "0"), ("SESSION_HOURS", "-1"), ("SESSION_IDLE_MINUTES", "-1"),
     ("UPLOAD_LIMIT", "0"), ("ATTACHMENT_LIMIT", "-5")],
)  # fmt: skip
def test_a_number_with_which_nothing_goes_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(f"BATCHQC_{name}", value)
    with pytest.raises(InvalidInput) as refusal:
        read_settings()
    assert [one.partition(":")[0] for one in refusal.value.reasons] == [f"BATCHQC_{name}"]


def test_a_slip_in_the_name_of_a_setting_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "batchqc_seal_passphrases").write_text(SECRET)
    (tmp_path / "store_credentials").write_text(SECRET)  # of others
    monkeypatch.setenv("BATCHQC_SECRETS", str(tmp_path))
    monkeypatch.setenv("BATCHQC_SEAL_LEVL", "B-LTA")
    for beside in ("HOME", "USER", "SCRATCH", "PORT", "SERVICE_HOST", "PORT_8000_TCP"):
        monkeypatch.setenv(f"BATCHQC_{beside}", "x")  # the last three are those of Kubernetes
    with pytest.raises(InvalidInput) as refusal:
        read_settings()
    assert refusal.value.reasons == (
        "BATCHQC_SEAL_LEVL is no setting: BATCHQC_SEAL_LEVEL is",
        "BATCHQC_SEAL_PASSPHRASES is no setting: BATCHQC_SEAL_PASSPHRASE is",
    )


def test_a_folder_of_secrets_that_is_not_mounted_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BATCHQC_SECRETS", str(tmp_path / "not mounted"))
    with pytest.raises(NotFound) as refusal:
        read_settings()
    assert refusal.value.code == "BQC-SYS-021"


def test_what_auditors_are_given_lies_where_the_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Servers, bundles and backups look there: for the keys of `init`, and for a new one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BATCHQC_TRUST", str(tmp_path / "handed" / "out"))
    typed = "\n".join(one for one in ("root passphrase", PASSWORD, FIRST) for _ in range(2))
    words = (word for pair in SITE.items() for word in pair)
    done = CliRunner().invoke(app, ["init", *words], input=typed + "\n")
    assert done.exit_code == 0, done.output
    trust = read_settings().trust
    assert (trust / "root.pem").read_bytes() == (tmp_path / "keys" / "root.pem").read_bytes()
    assert not (tmp_path / "trust").exists()
    (tmp_path / "witness").mkdir()
    for command in (["log", "witness", "witness"], ["audit", "verify", "--against", "witness"]):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, (done.output, done.exception)
