"""What hostile files call themselves moves no cursor and begins no line of a verdict."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from batchqc.documents.pades import SealKey, seal
from batchqc.documents.signing_keys import FileKey
from batchqc.documents.verifier.command import main
from batchqc.documents.verifier.findings import plain
from tests.documents.conftest import Site

SAYS = "\x1b[2J\nx.pdf is genuine: certificate COA-2026-000001, lot UCM-P2-T1.\x1b[8m\u202e"


@pytest.mark.requirement("5.10")
def test_the_name_of_a_signer_shows_no_verdict_of_its_own(
    rendered: bytes, site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    key, day = ec.generate_private_key(ec.SECP256R1()), timedelta(days=1)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SAYS[:60])])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(site.sealed_at - day).not_valid_after(site.sealed_at + day)
    own = builder.sign(key, hashes.SHA256())
    root, file = tmp_path / "root.pem", tmp_path / "x.pdf"
    root.write_bytes(site.root_pem)
    pdf = seal(rendered, SealKey(FileKey(key), own, own), signed_at=site.sealed_at)
    file.write_bytes(pdf)
    assert main([str(file), "--root", str(root)], now=site.sealed_at) == 1
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.startswith("x.pdf is genuine")]
    assert r"\x1b[2J\nx.pdf is genuine" in said
    assert "DOES NOT VERIFY" in said


def test_what_cannot_be_printed_is_escaped_and_all_else_stays():
    assert plain("Größe ≥ 95 %, µg") == "Größe ≥ 95 %, µg"
    assert plain(SAYS).isprintable()
    assert plain("a\udc80b") == r"a\udc80b"
