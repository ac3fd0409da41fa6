"""What verifiers are given may be anything: they say so in a line, and never end in a traceback."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, simplefilter

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from batchqc.documents.bundle.verify_bundle import main
from batchqc.documents.dossier_file import opened_dossier
from batchqc.documents.standalone import script
from batchqc.errors import IntegrityFailure, InvalidInput
from tests.documents.conftest import Site
from tests.documents.logged import own_log
from tests.documents.long_term import answered, timestamp_service

RSA: Final = bytes.fromhex("06092a864886f70d010101")
UNKNOWN: Final = bytes.fromhex("06092a864886f70d010102")
NAME = "chứng nhận 證書.pdf"


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_terminal_that_does_not_know_a_letter_stops_no_verdict(
    sealed: bytes, site: Site, tmp_path: Path, encoding: str
):
    """As on Windows, where what is sent to a file is in the code page of the machine."""
    files = {"verify.py": script(), NAME: sealed, "root.pem": site.root_pem}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    command = [sys.executable, "verify.py", NAME, "--root", "root.pem", "--at"]
    done = subprocess.run(
        [*command, site.sealed_at.isoformat()], cwd=tmp_path, capture_output=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"ch\u1ee9ng nh\u1eadn \u8b49\u66f8.pdf is genuine" in done.stdout


def test_a_number_of_days_that_is_none_is_not_understood(sealed: bytes, site: Site, tmp_path: Path):
    for name, data in {"verify.py": script(), "a.pdf": sealed, "root.pem": site.root_pem}.items():
        (tmp_path / name).write_bytes(data)
    command = [sys.executable, "verify.py", "a.pdf", "--root", "root.pem", "--late", "9" * 12]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.requirement("10.04")
@pytest.mark.parametrize(
    "lot",
    [
        [],
        5,
        {"lot": "L-1"},
        {"lot": "L-1", "certificates": 7},
        {"lot": "L-1", "folder": "lots/L-1", "certificates": [], "specifications": [{"file": 5}]},
    ],
    ids=["a list", "a number", "no certificates", "no list", "a name that is a number"],
)
def test_a_list_of_lots_that_is_none_fails_its_check(
    site: Site, tmp_path: Path, lot: Any, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "log.vkey").write_text(own_log(tmp_path).keys)
    (tmp_path / "root.pem").write_bytes(site.root_pem)
    folder = tmp_path / "bundle"
    (folder / "data/lots/L-1").mkdir(parents=True)
    (folder / "data/lots/L-1/audit.tsv").write_text("")
    (folder / "data/lots.jsonl").write_text(json.dumps(lot) + "\n")
    anchors = ["--root", str(tmp_path / "root.pem"), "--log-key", str(tmp_path / "log.vkey")]
    assert main([str(folder), *anchors]) == 1
    assert "NOT VERIFIED" in capsys.readouterr().out


@pytest.mark.requirement("10.04")
def test_a_timestamp_by_a_key_of_no_known_kind_fails_its_check(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Whoever makes a bundle puts in it what answers they like."""
    stamps = timestamp_service(since=site.sealed_at)
    der = stamps.certificate.public_bytes(Encoding.DER).replace(RSA, UNKNOWN)
    odd = replace(stamps, certificate=load_der_x509_certificate(der))
    folder = tmp_path / "bundle"
    checkpoints = folder / "data/log/checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / "000000000001.txt").write_bytes(b"x")
    (checkpoints / "000000000001.tsr").write_bytes(answered(odd, b"x", at=site.sealed_at))
    for name, data in (("root", site.root_pem), ("tsa-root", stamps.root.pem)):
        (tmp_path / f"{name}.pem").write_bytes(data)
    (tmp_path / "log.vkey").write_text(own_log(tmp_path).keys)
    files = {"--root": "root.pem", "--tsa-root": "tsa-root.pem", "--log-key": "log.vkey"}
    anchors = [one for key, file in files.items() for one in (key, str(tmp_path / file))]
    assert main([str(folder), *anchors]) == 1
    said = capsys.readouterr().out
    assert "000000000001.tsr: the key is neither ECDSA nor RSA" in said
    assert "NOT VERIFIED" in said


@pytest.mark.requirement("10.04")
def test_a_dossier_of_another_form_of_zip_or_without_end_is_none(tmp_path: Path):
    def packed(content: bytes) -> bytes:
        with zipfile.ZipFile(made := BytesIO(), "w") as file:
            file.writestr("batchqc-dossier/data/dossier.json", content)
        return made.getvalue()

    plain = packed(b"{}")
    version = plain.index(b"PK\x01\x02") + 6  # that whoever reads it needs
    later = plain[:version] + b"\xff" + plain[version + 1 :]
    for data in (later, packed(b'{"log_keys":' + b"[" * 100_000)):
        (tmp_path / "dossier.zip").write_bytes(data)
        with (
            pytest.raises(InvalidInput, match="is no dossier of a lot"),
            opened_dossier(tmp_path / "dossier.zip"),
        ):
            pass


@pytest.mark.requirement("10.04")
def test_a_dossier_in_which_a_name_stands_twice_is_refused(tmp_path: Path):
    """Of two files of one name, programs do not show the same one."""
    own, twice = own_log(tmp_path), "bundle.note"
    content = json.dumps({"log_keys": [own.keys]}).encode()
    listed = f"{sha256(content).hexdigest()}  data/dossier.json\n".encode()
    tags = f"{sha256(listed).hexdigest()}  manifest-sha256.txt\n".encode()
    text = f"batchqc/bundle/1\n{sha256(tags).hexdigest()}\nlot L\n"
    note = f"{text}\n{own.signer.line(text)}".encode()
    files = [
        (twice, b"another"), ("data/dossier.json", content), ("manifest-sha256.txt", listed),
        ("tagmanifest-sha256.txt", tags), (twice, note),
    ]  # fmt: skip
    path = tmp_path / "dossier.zip"
    for some in (files[1:], files):
        with zipfile.ZipFile(path, "w") as file, catch_warnings():
            simplefilter("ignore")
            for name, data in some:
                file.writestr(f"batchqc-dossier/{name}", data)
        if some is not files:
            with opened_dossier(path) as opened:
                assert opened.stored == []
    with pytest.raises(IntegrityFailure) as refused, opened_dossier(path):
        pass
    assert refused.value.reasons == (f"batchqc-dossier/{twice} is not listed, or is there twice",)
