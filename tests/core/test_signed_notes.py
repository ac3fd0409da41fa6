"""Notes, keys, checkpoints and proofs as texts: taken as they were written, and in no other way."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from batchqc.core.checkpoints import (
    Checkpoint,
    Consistency,
    Inclusion,
    entry_leaf,
    read_checkpoint,
    read_consistency,
    read_inclusion,
)
from batchqc.core.signed_notes import NoteKey, key_of, lost_line, note_of, signature_line
from batchqc.errors import IntegrityFailure, InvalidInput

#: The example of the Go module golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
    "otpRZb6KE6RyyBwJnAM=\n"
)
#: Of the checksum database of Go.
SUM_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

AT = datetime(2026, 6, 1, 12, 0, 0, 5, UTC)
CHECKPOINT = Checkpoint("site/log", 3, bytes(range(32)), "ab" * 32, AT)
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
OWN = NoteKey("site/log", SIGNER.public_key().public_bytes_raw())


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def signed(text: str) -> str:
    return text + "\n" + signature_line(OWN, SIGNER.sign(text.encode()))


def test_the_note_of_the_reference_implementation_is_signed_by_its_key():
    assert note_of(GO_NOTE).signed_by([key_of(SUM_KEY), key_of(GO_KEY)], verify) == (
        key_of(GO_KEY),
    )


@pytest.mark.parametrize("text", [GO_KEY, SUM_KEY])
def test_a_key_is_written_as_it_was_read(text: str):
    assert key_of(f"{text}\n").text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        GO_KEY.replace("c74f", "c74e"),
        GO_KEY.replace("PeterNeumann", "Peter Neumann"),
        GO_KEY.replace("PeterNeumann", ""),
        GO_KEY + "A",
        GO_KEY.replace("+ARpc", "+AhpC"),
        "x+00000000+AQ==",
        "x+00000000+\u00e9",
    ],
)
def test_what_is_no_key_is_refused(text: str):
    with pytest.raises(InvalidInput, match="is not the key of a log"):
        key_of(text)


def test_the_line_of_a_lost_key_is_read_as_the_key():
    line = lost_line(GO_KEY, "2026-11-24T10:00:00.000000Z")
    assert line == f"{GO_KEY} lost 2026-11-24T10:00:00.000000Z"
    assert key_of(line) == key_of(GO_KEY)


def test_who_holds_no_key_of_a_note_is_told_whose_it_is():
    with pytest.raises(IntegrityFailure, match=r"it names PeterNeumann \(c74f20a3\)"):
        note_of(GO_NOTE).signed_by([key_of(SUM_KEY)], verify)


def test_a_changed_note_is_not_genuine():
    with pytest.raises(IntegrityFailure, match="does not hold"):
        note_of(GO_NOTE.replace("your", "our")).signed_by([key_of(GO_KEY)], verify)


def test_a_bad_signature_of_a_known_key_spoils_a_note_that_another_known_key_signed():
    key = Ed25519PrivateKey.from_private_bytes(b"1" * 32).public_key()
    other = NoteKey("site/log", key.public_bytes_raw())
    note = note_of(signed(CHECKPOINT.text) + signature_line(other, bytes(64)))
    assert note.signed_by([OWN], verify) == (OWN,)
    with pytest.raises(IntegrityFailure, match="does not hold"):
        note.signed_by([OWN, other], verify)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text\n",
        "text\n\n",
        "\n\n\u2014 a AAAAAAAA\n",
        GO_NOTE[:-1],
        GO_NOTE + "\n",
        GO_NOTE + "- PeterNeumann AAAAAAAA\n",
        GO_NOTE + "\u2014 PeterNeumann AAAA\n",
        GO_NOTE + "\u2014 PeterNeumann AAAA\u00e9\n",
        GO_NOTE + "\u2014 Peter+Neumann AAAAAAAA\n",
        GO_NOTE.replace("\n", "\r\n"),
        GO_NOTE.replace("your", "\x00our", 1),
    ],
)
def test_what_is_no_note_is_refused(text: str):
    with pytest.raises(InvalidInput, match="not a signed note"):
        note_of(text)


def test_a_checkpoint_is_read_as_it_was_written():
    assert CHECKPOINT.text == (
        "site/log\n3\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        f"audit-head {'ab' * 32}\nsigned-at 2026-06-01T12:00:00.000005Z\n"
    )
    found, note = read_checkpoint(signed(CHECKPOINT.text))
    assert found == CHECKPOINT
    assert note.signed_by([OWN], verify) == (OWN,)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n3\n", "\n03\n"),
        ("\n3\n", "\n+3\n"),
        ("\n3\n", "\n0\n"),
        ("\n3\n", "\n-3\n"),
        ("\n3\n", "\n\u0663\n"),
        ("\n3\n", "\n3\n3\n"),
        ("AAEC", "AAE"),
        ("AAEC", ""),
        ("AAEC", "\u00e9"),
        ("audit-head ", "head "),
        ("000005Z", "000005+00:00"),
        ("000005Z", "000005"),
        ("signed-at ", ""),
        ("2026-06-01T12:00:00.000005Z", "0001-01-01T00:00:00+14:00"),  # before all years in UTC
    ],
)
def test_a_checkpoint_in_other_words_is_none(old: str, new: str):
    with pytest.raises(InvalidInput, match="not a checkpoint"):
        read_checkpoint(signed(CHECKPOINT.text.replace(old, new)))


def test_proofs_are_read_as_they_were_written():
    inclusion = Inclusion(7, (bytes(32), CHECKPOINT.root), signed(CHECKPOINT.text))
    assert inclusion.text.startswith("c2sp.org/tlog-proof@v1\nindex 7\nAAAA")
    assert read_inclusion(inclusion.text) == inclusion
    assert read_inclusion(replace(inclusion, hashes=()).text).hashes == ()
    consistency = Consistency(3, 5, (bytes(32),))
    assert read_consistency(consistency.text) == consistency
    assert read_consistency(replace(consistency, hashes=()).text).hashes == ()


@pytest.mark.parametrize(
    "text", ["", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1\nindex 07\n\nx",
             "c2sp.org/tlog-proof@v1\nindex x\n\nx", "c2sp.org/tlog-proof@v1\nindex 7\nAA==\n\nx",
             "c2sp.org/tlog-proof@v1\nindex 7\n\u00e9\n\nx"]
)  # fmt: skip
def test_what_is_no_proof_of_an_entry_is_refused(text: str):
    with pytest.raises(InvalidInput, match="not a proof of an entry"):
        read_inclusion(text)


@pytest.mark.parametrize(
    "text", ["", "batchqc/log-consistency/1\n", "batchqc/log-consistency/1\n3\n",
             "batchqc/log-consistency/1\n3 05\n", "batchqc/log-consistency/1\n3 5\nAA==\n",
             "batchqc/log-consistency/1\n3 5\nAAA\n"]
)  # fmt: skip
def test_what_is_no_proof_of_consistency_is_refused(text: str):
    with pytest.raises(InvalidInput, match="not a proof that a log extends another"):
        read_consistency(text)


def test_the_leaf_of_an_entry_is_the_hash_of_zero_and_its_hash():
    assert entry_leaf("00" * 32).hex() == (
        "7f9c9e31ac8256ca2f258583df262dbc7d6f68f2a03043d5c99a4ae5a7396ce9"
    )


def test_what_is_no_hash_has_a_leaf_of_its_own():
    assert entry_leaf("aside") not in {entry_leaf(""), entry_leaf("as"), entry_leaf("00" * 32)}
