"""``batchqc log``, over a copy of the demonstration's records, and processes that sign at once."""

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batchqc.cli.demo_cast import APPROVER, PASSWORD
from batchqc.cli.main import app
from batchqc.core.signed_notes import key_of
from batchqc.documents.log_key import create_log_key
from batchqc.errors import (
    IntegrityFailure,
    InvalidInput,
    NotFound,
    NotPermitted,
    SigningUnavailable,
)
from batchqc.records.log import checkpoints_after
from tests.records.house import ANA, QA1, House
from tests.records.house import PASSWORD as OWN
from tests.system.conftest import BATCHQC
from tests.system.test_command_line import batchqc, refused


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


def done(home: Path, *arguments: str | Path, **more: str) -> str:
    found = batchqc(home, *arguments, **more)
    assert found.exit_code == 0, (found.output, found.exception)
    return found.output


def test_every_certificate_of_the_demonstration_is_proved_from_files_alone(
    home: Path, tmp_path: Path
):
    summary = json.loads((home / "summary.json").read_text())
    key = home / "trust" / "log.vkey"
    numbers = [
        Path(one["certificate"]).name.split("_")[0]
        for one in summary["lots"] if one["certificate"]
    ]  # fmt: skip
    assert numbers
    for number in numbers:
        proof = tmp_path / f"{number}.tlog-proof"
        done(home, "log", "prove", "--certificate", number, "--to", proof)
        said = done(home, "log", "verify", proof, f"{proof}.json", "--key", key)
        assert "signed" in said
    body = json.loads(Path(f"{proof}.json").read_text())
    assert body["what"] == "certificate issued"
    Path(f"{proof}.json").write_text(json.dumps(body))
    refused(
        batchqc(home, "log", "verify", proof, f"{proof}.json", "--key", key),
        IntegrityFailure, "BQC-LOG-016",
    )  # fmt: skip
    assert "entries verified" in done(home, "audit", "verify")


def test_the_daily_command_signs_and_drops_and_says_what_did_not_get_there(
    home: Path, tmp_path: Path
):
    witness = tmp_path / "witness"
    first = batchqc(home, "log", "checkpoint", BATCHQC_WITNESS=str(witness),
                    BATCHQC_TIMESTAMP_URL="http://127.0.0.1:9/tsa")  # fmt: skip
    error = refused(first, SigningUnavailable, "BQC-LOG-018")
    assert [one[:11] for one in error.reasons] == ["BQC-LOG-011", "BQC-LOG-009"]
    assert "A checkpoint of" in first.output
    witness.mkdir()
    (witness / "tile").touch()  # a share that cannot be written
    full = batchqc(home, "log", "checkpoint", BATCHQC_WITNESS=str(witness))
    assert "tile" in refused(full, SigningUnavailable, "BQC-LOG-018").reasons[0]
    (witness / "tile").unlink()
    said = done(home, "log", "checkpoint", BATCHQC_WITNESS=str(witness))
    assert f"{witness} holds the log of" in said
    assert done(home, "log", "witness", witness).split("log of")[1] == said.split("log of")[1]
    key = home / "trust" / "log.vkey"
    told = done(home, "audit", "verify", "--against", witness, "--key", key)
    assert "They extend the checkpoint" in told
    assert "the site's own" not in told
    assert "the site's own" in done(home, "audit", "verify", "--against", witness)
    refused(batchqc(home, "audit", "verify", "--against", tmp_path), NotFound, "BQC-LOG-009")
    witness.rename(tmp_path / "not mounted")
    witness.mkdir()
    empty = batchqc(home, "log", "checkpoint", BATCHQC_WITNESS=str(witness))
    (why,) = refused(empty, SigningUnavailable, "BQC-LOG-018").reasons
    assert why.startswith("BQC-LOG-020")
    refused(batchqc(home, "log", "witness", witness), IntegrityFailure, "BQC-LOG-020")
    assert list(witness.iterdir()) == []
    assert "holds the log of" in done(home, "log", "witness", witness, "--anew")
    assert "witness of the log begun anew" in done(home, "audit", "list", "--limit", "9999")
    assert "holds the log of" in done(home, "log", "checkpoint", BATCHQC_WITNESS=str(witness))


def test_two_checkpoints_are_shown_to_be_of_one_log_from_files_alone(home: Path, tmp_path: Path):
    key = home / "trust" / "log.vkey"
    old, new, proof = (tmp_path / name for name in ("old", "new", "proof"))
    done(home, "log", "show", "--to", old)
    size = old.read_text().split("\n")[1]
    assert size in done(home, "log", "list", "--limit", "200")
    done(home, "log", "checkpoint")
    done(home, "log", "show", "--to", new)
    done(home, "log", "consistency", size, "--to", proof)
    assert "nothing was changed" in done(home, "log", "extends", old, new, proof, "--key", key)
    turned = batchqc(home, "log", "extends", new, old, proof, "--key", key)
    refused(turned, InvalidInput, "BQC-LOG-017")
    lines = proof.read_text().split("\n")
    lines[2:-1] = reversed(lines[2:-1])
    lines[2] = "A" * 43 + "="
    proof.write_text("\n".join(lines))
    changed = batchqc(home, "log", "extends", old, new, proof, "--key", key)
    refused(changed, IntegrityFailure, "BQC-LOG-016")
    (tmp_path / "none.vkey").write_text("\n")
    keyless = batchqc(home, "log", "extends", old, new, proof, "--key", tmp_path / "none.vkey")
    refused(keyless, InvalidInput, "BQC-LOG-003")
    wrong = batchqc(home, "log", "prove", "--to", tmp_path / "p")
    refused(wrong, InvalidInput, "BQC-LOG-019")


def test_the_key_is_rolled_over_and_an_interrupted_change_is_taken_up(home: Path, tmp_path: Path):
    keys = home / "keys"
    every = home / "trust" / "log.vkey"
    change = ("log", "key", "-u", APPROVER, "--reason", "Every five years")
    first = (keys / "log.key").read_text()
    done(home, *change, typed=PASSWORD)
    second = (keys / "log.key").read_text()
    assert second != first
    old, new = (key_of(line) for line in every.read_text().splitlines())
    assert (keys / f"log.key.{old.key_id.hex()}").read_text() == first
    assert (keys / "log.key").stat().st_mode & 0o777 == 0o600
    for one in (old, new):  # who holds only one of them can verify the checkpoint of the change
        (tmp_path / "one").write_text(one.text)
        done(home, "log", "show", "--to", tmp_path / one.key_id.hex())
        against = ("audit", "verify", "--against", tmp_path / one.key_id.hex())
        assert "They extend" in done(home, *against, "--key", tmp_path / "one")

    # the change was committed, and the process ended before the file had its place
    (keys / "log.key").rename(keys / "log.key.next")
    (keys / "log.key").write_text(first)
    stale = refused(batchqc(home, "log", "checkpoint"), SigningUnavailable, "BQC-LOG-006")
    assert new.key_id.hex() in stale.message
    before = len(done(home, "log", "list").splitlines())
    (keys / f"log.key.{old.key_id.hex()}").unlink()
    done(home, *change, typed=PASSWORD)
    assert (keys / "log.key").read_text() == second
    assert len(done(home, "log", "list").splitlines()) == before
    done(home, "log", "checkpoint")

    (keys / "log.key").unlink()
    refused(batchqc(home, *change, typed=PASSWORD), SigningUnavailable, "BQC-LOG-006")
    done(home, *change, "--lost", typed=PASSWORD)
    told = every.read_text().splitlines()
    assert [" lost 20" in one for one in told] == [False, True, False]
    assert "entries verified" in done(home, "audit", "verify")


def test_processes_that_sign_at_once_sign_one_log(house: House, tmp_path: Path):
    key = tmp_path / "keys" / "log.key"
    key.parent.mkdir()
    create_log_key(key, name="lakeside/batchqc")
    environment = os.environ | {
        "BATCHQC_DATABASE": house.engine.url.render_as_string(hide_password=False),
        "BATCHQC_STORE": str(tmp_path / "store"),
        "BATCHQC_LOG_KEY": str(key),
    }

    def run(_: int) -> str:
        found = subprocess.run(
            [BATCHQC, "log", "checkpoint"], env=environment, capture_output=True, text=True,
            check=False, cwd=tmp_path,
        )  # fmt: skip
        return found.stdout + found.stderr

    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(run, range(3)))
    assert all("A checkpoint of" in one for one in told), told
    with house.reading() as session:
        assert len(checkpoints_after(session, 0, limit=9)) == 3
    assert house.verify().problems == ()


@pytest.mark.only_on("sqlite", "a command leaves its connection to the end of its process")
def test_an_installation_of_before_makes_its_first_key(house: House, tmp_path: Path):
    key = tmp_path / "site" / "keys" / "log.key"
    key.parent.mkdir(parents=True)
    environment = {
        "BATCHQC_DATABASE": house.engine.url.render_as_string(hide_password=False),
        "BATCHQC_STORE": str(tmp_path / "store"),
        "BATCHQC_LOG_KEY": str(key),
        "BATCHQC_TRUST": str(tmp_path / "for" / "auditors"),
    }

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, input=f"{OWN}\n", env=environment)

    refused(run("log", "checkpoint"), SigningUnavailable, "BQC-LOG-006")
    made = run("log", "key", "-u", QA1, "--reason", "The log begins")
    assert made.exit_code == 0, made.output
    assert run("log", "checkpoint").exit_code == 0
    every = tmp_path / "for" / "auditors" / "log.vkey"
    (name,) = (key_of(line).name for line in every.read_text().splitlines())
    assert name == "lakeside-cell-therapy/batchqc"
    denied = run("log", "key", "-u", ANA, "--reason", "Not for analysts")
    assert isinstance(denied.exception, NotPermitted)
