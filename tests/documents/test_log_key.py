"""The key of the log: made once, read as it was written, and published for those who verify."""

import base64
import subprocess
from pathlib import Path

import pytest

from batchqc.core.signed_notes import key_of
from batchqc.documents.log_key import (
    create_log_key,
    load_log_key,
    log_name,
    next_log_key,
    publish,
    put_in_place,
    verify_ed25519,
)
from batchqc.errors import Conflict, InvalidInput, SigningUnavailable

NAME = "site/batchqc"
#: The private key of the example of the Go module golang.org/x/mod/sumdb/note, and its public one.
GO = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n"
GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_a_key_is_read_as_it_was_written_and_by_its_owner_only(tmp_path: Path):
    path = tmp_path / "log.key"
    made = create_log_key(path, name=NAME)
    assert load_log_key(path).key == made.key
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict):
        create_log_key(path, name=NAME)
    line = made.line("text\n")
    assert line == load_log_key(path).line("text\n")
    assert line.startswith(f"\u2014 {NAME} ")


def test_a_key_of_the_reference_implementation_is_read(tmp_path: Path):
    (tmp_path / "key").write_text(GO)
    assert load_log_key(tmp_path / "key").key == key_of(GO_PUBLIC)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "x" * 101])
def test_a_log_is_not_named_so(tmp_path: Path, name: str):
    with pytest.raises(InvalidInput):
        create_log_key(tmp_path / "log.key", name=name)
    assert not (tmp_path / "log.key").exists()


@pytest.mark.parametrize(
    "text", ["", "PRIVATE+KEY+a", GO[:-5], GO.replace("c74f", "c74e"), GO.replace("AYEK", "!!!!")]
)
def test_what_is_no_key_signs_nothing(tmp_path: Path, text: str):
    path = tmp_path / "log.key"
    with pytest.raises(SigningUnavailable):
        load_log_key(path)
    path.write_text(text)
    with pytest.raises(SigningUnavailable):
        load_log_key(path)


def test_a_signature_is_of_its_message_and_its_key(tmp_path: Path):
    one = create_log_key(tmp_path / "one", name=NAME)
    other = create_log_key(tmp_path / "other", name=NAME)
    signature = base64.b64decode(one.line("text\n").split(" ")[2])[4:]
    assert verify_ed25519(one.key.public, b"text\n", signature)
    assert not verify_ed25519(other.key.public, b"text\n", signature)
    assert not verify_ed25519(one.key.public, b"Text\n", signature)
    assert not verify_ed25519(one.key.public, b"text\n", signature[:-1])


def test_the_next_key_takes_the_place_of_the_old_one_which_stays_beside_it(tmp_path: Path):
    path = tmp_path / "log.key"
    old = create_log_key(path, name=NAME)
    put_in_place(path)  # nothing waits
    new = next_log_key(path, name=NAME)
    assert next_log_key(path, name=NAME).key == new.key  # found again after a crash
    assert load_log_key(path).key == old.key
    put_in_place(path)
    assert load_log_key(path).key == new.key
    assert load_log_key(tmp_path / f"log.key.{old.key.key_id.hex()}").key == old.key


def test_public_keys_are_published_once_and_openssl_reads_them(tmp_path: Path):
    key = create_log_key(tmp_path / "log.key", name=NAME).key
    trust = tmp_path / "trust"
    assert publish(trust, key) == publish(trust, key)
    assert (trust / "log.vkey").read_text() == key.text + "\n"
    pem = trust / f"log-{key.key_id.hex()}.pem"
    done = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", pem, "-noout", "-text"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "ED25519 Public-Key" in done.stdout


def test_a_log_is_named_after_its_site():
    assert log_name("Lakeside Cell Therapy, Inc.") == "lakeside-cell-therapy-inc/batchqc"
    assert log_name("Тест") == "site/batchqc"
    assert len(log_name("long " * 100)) < 100
