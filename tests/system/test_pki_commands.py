"""``batchqc pki`` and ``batchqc certificate renew``, over a copy of the demonstration's records."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchqc.cli import lot
from batchqc.cli.demo import _ROOT_PASSPHRASE as ROOT
from batchqc.cli.demo_cast import ANALYST, APPROVER, PASSWORD
from batchqc.cli.workplace import Workplace
from batchqc.documents.pki_life import certificates_in
from batchqc.errors import (
    Conflict,
    IntegrityFailure,
    InvalidInput,
    NotPermitted,
    SigningUnavailable,
    StoreUnavailable,
)
from batchqc.records.transaction import SYSTEM
from batchqc.settings import Settings
from tests.documents.external import pdfsig
from tests.documents.leveling import extracted_from
from tests.system.conftest import BATCHQC
from tests.system.test_command_line import IDO, batchqc, refused
from tests.system.test_log_commands import done

TYPED = f"{PASSWORD}\n{ROOT}"
NUMBER = "COA-2026-000001"


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Iterator[dict[str, str]]:
    """What ``batchqc pki dev`` prints, while it runs as a process of its own."""
    folder = tmp_path_factory.mktemp("services") / "dev"
    site_list = demo / "keys" / "root.crl"
    command = [BATCHQC, "pki", "dev", folder, "--port", "0", "--site-list", site_list]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            lines = [process.stdout.readline().strip() for _ in range(4)]
            told = dict(line.split("=", 1) for line in lines[:3])
            told["list"] = lines[3].split()[-1]
            yield told
        finally:
            process.terminate()


def of(services: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in services.items() if name != "list"}


def key_command(home: Path, *arguments: str | Path) -> tuple[str | Path, ...]:
    root = home / "keys" / "root.p12"
    return ("pki", *arguments, "-u", APPROVER, "--reason", "As planned", "--root", root)


def test_a_certificate_is_renewed_with_the_services_to_try(
    home: Path, services: dict[str, str], nss: Path, tmp_path: Path
):
    found = of(services)
    assert NUMBER in done(home, "certificate", "due", "--within", "4000")
    assert "None is due." in done(home, "certificate", "due")
    assert "None is due." in done(home, "certificate", "renew", "--due", **found)
    said = done(home, "certificate", "renew", NUMBER, **found)
    assert re.search(rf"{NUMBER} proves itself until 20\d\d-", said)
    issued, longer = tmp_path / "issued.pdf", tmp_path / "longer.pdf"
    done(home, "certificate", "get", NUMBER, "--to", issued)
    done(home, "certificate", "renewed", NUMBER, "--to", longer)
    assert longer.read_bytes().startswith(issued.read_bytes())
    assert len(extracted_from(longer.read_bytes())) == 3
    assert pdfsig(longer, nss).count("Certificate is Trusted.") == 2
    assert "entries verified" in done(home, "audit", "verify")
    down = batchqc(home, "certificate", "renew", NUMBER, "COA-2026-000002",
                   **found | {"BATCHQC_TIMESTAMP_URL": "http://127.0.0.1:9/"})  # fmt: skip
    error = refused(down, SigningUnavailable, "BQC-CRT-037")
    assert [one.split(": ")[:2] for one in error.reasons] == [
        [number, "BQC-CRT-016"] for number in (NUMBER, "COA-2026-000002")
    ]
    refused(batchqc(home, "certificate", "renew"), InvalidInput, "BQC-CRT-036")
    refused(batchqc(home, "certificate", "renew", NUMBER, "--due"), InvalidInput, "BQC-CRT-036")


@pytest.mark.requirement("5.10")
def test_a_lot_is_released_while_the_service_is_down_and_its_certificate_waits_for_it(
    home: Path, services: dict[str, str], nss: Path, tmp_path: Path
):
    file, lot = tmp_path / "ido.csv", "UCM-P1-T2"
    file.write_text(IDO.format(value="13.0"))
    why = ("--reason", "As it should be")
    done(home, "upload", file, "-u", "an.tran", typed=PASSWORD)
    done(home, "lot", "review", lot, "-u", "chi.pham", *why, typed=PASSWORD)
    done(home, "lot", "qc-review", lot, "-u", "chi.pham", *why, typed=PASSWORD)
    done(home, "lot", "audit-review", lot, "-u", "em.ngo", *why, typed=PASSWORD)
    found = of(services)
    down = found | {"BATCHQC_TIMESTAMP_URL": "http://127.0.0.1:9/tsa"}
    said = done(home, "lot", "release", lot, "-u", "giang.do", *why, typed=PASSWORD, **down)
    number = re.search(r"Certificate (COA-\d{4}-\d{6}) is pending: BQC-CRT-016", said)
    assert number, said
    resume = ("certificate", "resume", "-u", "giang.do")
    waits = batchqc(home, *resume, typed=PASSWORD, **down)
    refused(waits, SigningUnavailable, "BQC-CRT-016")
    assert f"{number[1]} is issued." in done(home, *resume, typed=PASSWORD, **found)
    pdf = tmp_path / "certificate.pdf"
    done(home, "certificate", "get", number[1], "--to", pdf)
    assert pdfsig(pdf, nss).count("Certificate is Trusted.") == 2
    assert len(extracted_from(pdf.read_bytes())) == 3
    trust = ("--root", home / "trust" / "root.pem", "--tsa-root", found["BATCHQC_TIMESTAMP_ROOT"])
    told = done(home, "certificate", "verify", pdf, *trust, "--status")
    assert "records     on record it counts now" in told
    assert "entries verified" in done(home, "audit", "verify")


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize(
    "wrong", [StoreUnavailable("BQC-ARC-013", "the store does not answer"), OSError("full")]
)
def test_a_release_is_told_though_the_store_is_away_after_it(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: Exception,
    capsys: pytest.CaptureFixture[str],
):
    def refuse(*_: object, **__: object) -> bytes:
        raise wrong

    monkeypatch.setattr(lot, "issue_certificate", refuse)
    place = Workplace.at(Settings.in_folder(home))
    lot.seal(place, SYSTEM, "COA-2026-000009")
    assert f"Certificate COA-2026-000009 is pending: {wrong}" in capsys.readouterr().out


@pytest.mark.requirement("5.10")
def test_damage_behind_a_certificate_ends_a_release_with_its_status(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def refuse(*_: object, **__: object) -> bytes:
        raise IntegrityFailure("BQC-ARC-002", "the stored bytes have another hash")

    monkeypatch.setattr(lot, "issue_certificate", refuse)
    with pytest.raises(IntegrityFailure):
        lot.seal(Workplace.at(Settings.in_folder(home)), SYSTEM, "COA-2026-000009")
    assert "Certificate COA-2026-000009 is pending" in capsys.readouterr().out


def test_the_services_serve_the_list_of_the_site(home: Path, services: dict[str, str]):
    import httpx2  # noqa: PLC0415

    assert httpx2.get(services["list"]).content == (home / "keys" / "root.crl").read_bytes()


def test_the_states_of_keys_are_told_and_what_is_due_fails(home: Path, services: dict[str, str]):
    told = done(home, "pki", "status", **of(services))
    assert told.count(" ok") == 5
    assert "timestamp service" in told
    (home / "keys" / "root.crl").unlink()
    error = refused(batchqc(home, "pki", "status"), SigningUnavailable, "BQC-PKI-004")
    assert len(error.reasons) == 4


def test_a_seal_is_revoked_and_a_new_one_takes_its_place(home: Path):
    keys = home / "keys"
    old = certificates_in(keys / "seal.p12", PASSWORD)
    said = done(home, *key_command(home, "revoke"), typed=TYPED)
    assert "2 certificates are revoked" in said
    error = refused(batchqc(home, "pki", "status"), SigningUnavailable, "BQC-PKI-004")
    assert all("revoked on" in one for one in error.reasons)
    refused(batchqc(home, *key_command(home, "revoke"), typed=TYPED), Conflict, "BQC-PKI-007")
    done(home, *key_command(home, "renew-seal", "--kind", "RSA-3072"), typed=TYPED)
    new = certificates_in(keys / "seal.p12", PASSWORD)
    assert not {one.serial_number for one in old} & {one.serial_number for one in new}
    assert " ok" in done(home, "pki", "status")
    done(home, *key_command(home, "crl"), typed=TYPED)
    assert "revocation list 4" in done(home, "pki", "status")
    assert sorted(one.name for one in keys.glob("root*.crl")) == [
        "root-1.crl", "root-2.crl", "root-3.crl", "root.crl",
    ]  # fmt: skip
    assert "entries verified" in done(home, "audit", "verify")


def test_keys_are_kept_by_qa_with_the_root_only(home: Path):
    before = {one: one.read_bytes() for one in (home / "keys").iterdir()}
    wrong = f"{PASSWORD}\nnot the passphrase"
    command = key_command(home, "renew-seal")
    refused(batchqc(home, *command, typed=wrong), SigningUnavailable, "BQC-PKI-005")
    analyst = [(ANALYST if one == APPROVER else one) for one in command]
    refused(batchqc(home, *analyst, typed=TYPED), NotPermitted, "BQC-ACC-002")
    why = key_command(home, "revoke", "--because", "bad mood")
    refused(batchqc(home, *why, typed=TYPED), InvalidInput, "BQC-PKI-010")
    certify = key_command(home, "certify")
    refused(batchqc(home, *certify, typed=TYPED), InvalidInput, "BQC-PKI-011")
    assert {one: one.read_bytes() for one in (home / "keys").iterdir()} == before


def test_a_key_in_a_token_is_certified_from_the_command_line(home: Path, tmp_path: Path):
    import pkcs11  # noqa: PLC0415
    from pkcs11.util.ec import encode_named_curve_parameters  # noqa: PLC0415

    module = "/usr/lib/softhsm/libsofthsm2.so"
    folder = tmp_path / "tokens"
    folder.mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {folder}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
        pins = ["--pin", PASSWORD, "--so-pin", "5678"]
        label = ["softhsm2-util", "--init-token", "--free", "--label", "site"]
        subprocess.run([*label, *pins], check=True, capture_output=True)
        pkcs11.lib(module).reinitialize()
        with (
            pkcs11.lib(module)
            .get_token(token_label="site")
            .open(rw=True, user_pin=PASSWORD) as session
        ):
            curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
            parameters.generate_keypair(label="seal", store=True)
        token = {"BATCHQC_TOKEN_MODULE": module, "BATCHQC_TOKEN_LABEL": "site"}
        refused(
            batchqc(home, *key_command(home, "renew-seal"), typed=TYPED, **token),
            InvalidInput, "BQC-PKI-009",
        )  # fmt: skip
        (home / "keys" / "seal.p12").rename(home / "keys" / "away.p12")
        certify = key_command(home, "certify", "--crl-url", "http://crl.example/root.crl")
        said = done(home, *certify, typed=TYPED, **token)
        assert "holds the certificates of the key seal" in said
        assert " ok" in done(home, "pki", "status", **token)


def test_the_folder_of_services_belongs_to_its_port_and_a_port_to_one_program(
    tmp_path: Path, services: dict[str, str]
):
    folder = Path(services["BATCHQC_TIMESTAMP_ROOT"]).parent
    port = services["BATCHQC_TIMESTAMP_URL"].split(":")[2].split("/")[0]
    for place, wanted, why in ((folder, "0", "was made for port"), (tmp_path / "new", port, port)):
        told = subprocess.run(
            [BATCHQC, "pki", "dev", place, "--port", wanted],
            capture_output=True, text=True, check=False, env=os.environ, cwd=tmp_path, timeout=60,
        )  # fmt: skip
        assert told.returncode == 2
        assert "BQC-PKI-003" in told.stderr
        assert why in told.stderr
