"""``batchqc doctor``, ``backup``, ``restore`` and ``drill`` where the archive is in S3."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batchqc.cli.demo_cast import APPROVER, PASSWORD, RELEASER
from batchqc.cli.main import app
from batchqc.documents.archive import FolderArchive
from batchqc.documents.stores import open_archive
from batchqc.errors import IntegrityFailure
from tests.s3_server import BUCKET, REGION, SECRETS, client_of, s3_server
from tests.system.test_backup_commands import restore
from tests.system.test_command_line import refused

WHY = ("--reason", "The monthly drill")


def batchqc(*arguments: str | Path, who: str = "") -> Result:
    """A command in the environment of a server; ``who`` types the password."""
    user = ["--user", who] if who else []
    return CliRunner().invoke(
        app, [*map(str, arguments), *user], input=f"{PASSWORD}\n" if who else ""
    )


def done(*arguments: str | Path, who: str = "") -> str:
    result = batchqc(*arguments, who=who)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server: to start it takes longer than what is asked of it."""
    with s3_server(tmp_path_factory.mktemp("s3")) as address:
        yield address


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A place in the bucket that no other test knows."""
    return f"s3://{BUCKET}/{tmp_path.name}"


@pytest.fixture
def home(
    demo: Path, endpoint: str, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of the demonstration, whose files were carried into a bucket."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    site = shutil.copytree(demo, tmp_path / "site")
    kept = FolderArchive(site / "store")
    archive = open_archive(store, endpoint=endpoint, region=REGION)
    for name in kept.names():
        archive.put_stream(kept.chunks(name))
    shutil.rmtree(site / "store")
    given = {
        "SEAL_PASSPHRASE": PASSWORD, "STORE": store, "STORE_ENDPOINT": endpoint,
        "STORE_REGION": REGION, "DATABASE": f"sqlite:///{site / 'batchqc.db'}",
        "TRUST": str(site / "trust"),
    } | {
        f"{name}_KEY": str(site / "keys" / f"{name.lower()}.key") for name in ("LOG", "WEBHOOK")
    } | {"SEAL": str(site / "keys" / "seal.p12")}  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(f"BATCHQC_{name}", value)
    return site


@pytest.mark.requirement("1.32")
def test_a_site_whose_archive_is_in_s3_is_backed_up_restored_drilled_and_examined(
    home: Path, store: str, tmp_path: Path
):
    assert "Everything agrees." in done("doctor")
    backups, new = tmp_path / "backups", tmp_path / "new"
    told = done("backup", "--to", backups)
    assert f"{store} keeps their versions" in told
    assert not (backups / "store").exists()
    # What is decided later lies in the bucket, and in no backup of before.
    done("lot", "recall", "UCM-P1-T1", "--class", "II", "--scope", "Every dose", *WHY, who=RELEASER)
    done("drill", "--from", backups, *WHY, who=APPROVER)
    told = restore("--from", backups, "--to", new, "--root", home / "trust" / "root.pem")
    assert told.exit_code == 0, (told.output, told.exception)
    assert "Everything agrees." in told.output
    assert not (new / "store").exists()
    assert "Everything agrees." in done("doctor")


def test_what_is_gone_from_the_bucket_is_a_loss_to_doctor_and_to_a_drill(
    home: Path, endpoint: str, store: str, tmp_path: Path
):
    backups = tmp_path / "backups"
    done("backup", "--to", backups)
    client = client_of(endpoint)
    found = client.list_objects_v2(Bucket=BUCKET, Prefix=f"{store.rpartition('/')[2]}/")["Contents"]
    gone = next(one["Key"] for one in found if len(one["Key"].rpartition("/")[2]) == 64)
    client.delete_object(Bucket=BUCKET, Key=gone)
    error = refused(batchqc("doctor"), IntegrityFailure, "BQC-SYS-008")
    assert any(gone.rpartition("/")[2] in one for one in error.reasons)
    failed = batchqc("drill", "--from", backups, *WHY, who=APPROVER)
    error = refused(failed, IntegrityFailure, "BQC-BAK-012")
    assert any(gone.rpartition("/")[2] in one for one in error.reasons)
