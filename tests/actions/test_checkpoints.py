"""Checkpoints of the log: after each issue, signed once, of a log that only grows."""

# ruff: noqa: S608 - statements are made of our own names

import base64
import hashlib
import subprocess
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from batchqc.actions.certificates import Press, issue_certificate
from batchqc.actions.checkpoints import change_key, sign_checkpoint
from batchqc.actions.log_against import genuine
from batchqc.actions.log_proofs import prove_consistency, prove_entry, prove_record
from batchqc.core.checkpoints import Checkpoint, entry_leaf
from batchqc.core.merkle import is_consistent, is_included, over, root_of
from batchqc.core.permissions import Permission
from batchqc.documents.log_key import LogSigner, create_log_key, publish
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound, SigningUnavailable
from batchqc.records.audit import AuditEntry, all_links
from batchqc.records.log import newest_checkpoint
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.state import counts, grown
from tests.actions.test_certificates import NUMBER, issue
from tests.cast import NOW
from tests.records.house import ANA, QA1, House
from tests.records.interleaving import DONE, interleaved
from tests.records.tampering import tamper

ISSUE = f"certificate_issue:{NUMBER}"


def lost() -> LogSigner:
    raise SigningUnavailable("BQC-LOG-006", "no key")


def sign(house: House, signer: LogSigner) -> Checkpoint:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        return sign_checkpoint(tx, signer).checkpoint


def newest(house: House) -> tuple[str, Checkpoint]:
    with house.reading() as session:
        row = newest_checkpoint(session)
        assert row is not None
        return row.note, row.checkpoint


def released(house: House) -> None:
    house.ready()
    house.release()


def leaves(house: House) -> list[bytes]:
    with house.reading() as session:
        return [entry_leaf(link.entry_sha256) for link in all_links(session)]


def test_a_checkpoint_covers_every_issued_certificate_and_proves_it(
    house: House, press: Press, log_signer: LogSigner
):
    released(house)
    pdf = issue(house, press)
    note, said = newest(house)
    assert genuine(note, [log_signer.key]) == said
    assert said.root == root_of(said.size, over(leaves(house)))
    with house.reading() as session:
        proved = prove_record(session, ISSUE)
    assert base64.b64encode(proved.proof.hashes[0]).decode() in proved.proof.text
    assert hashlib.sha256(pdf).hexdigest() in proved.entry
    leaf = entry_leaf(hashlib.sha256(proved.entry.encode()).hexdigest())
    assert is_included(
        leaf, proved.sequence - 1, size=said.size, root=said.root, proof=proved.proof.hashes
    )
    assert house.verify().problems == ()


def test_a_certificate_that_is_asked_for_again_makes_no_checkpoint(house: House, press: Press):
    released(house)
    issue(house, press)
    before = counts(house.engine)
    without = replace(press, log_key=lost)
    assert issue(house, without) == issue(house, press)
    assert grown(house.engine, before) == {}


def test_openssl_verifies_the_signature_of_a_checkpoint(
    house: House, log_signer: LogSigner, tmp_path: Path
):
    sign(house, log_signer)
    note, _ = newest(house)
    body, _, line = note.rpartition("\n\n")
    publish(tmp_path / "trust", log_signer.key)
    key = tmp_path / "trust" / f"log-{log_signer.key.key_id.hex()}.pem"
    (tmp_path / "body").write_text(body + "\n")
    (tmp_path / "sig").write_bytes(base64.b64decode(line.split(" ")[2])[4:])
    command = [
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin",
        "-in", tmp_path / "body", "-sigfile", tmp_path / "sig",
    ]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.stdout == "Signature Verified Successfully\n"
    (tmp_path / "body").write_text(body.replace("\n", "0\n", 2) + "\n")
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode != 0


def test_a_checkpoint_in_the_name_of_another_log_is_not_genuine(log_signer: LogSigner):
    said = Checkpoint("elsewhere/log", 1, bytes(32), OTHER, NOW)
    note = f"{said.text}\n{log_signer.line(said.text)}"
    with pytest.raises(IntegrityFailure, match="elsewhere/log is no name of its keys"):
        genuine(note, [log_signer.key])


def test_without_the_key_of_the_log_a_certificate_stays_pending(house: House, press: Press):
    released(house)
    before = counts(house.engine)
    with pytest.raises(SigningUnavailable):
        issue(house, replace(press, log_key=lost))
    assert grown(house.engine, before) == {}


def test_with_another_key_than_the_one_on_record_nothing_is_signed(
    house: House, press: Press, log_signer: LogSigner, tmp_path: Path
):
    other = create_log_key(tmp_path / "log.key", name="lakeside/batchqc")
    released(house)
    sign(house, log_signer)
    before = counts(house.engine)
    with pytest.raises(SigningUnavailable, match=log_signer.key.key_id.hex()):
        issue(house, replace(press, log_key=lambda: other))
    with pytest.raises(SigningUnavailable):
        sign(house, other)
    assert grown(house.engine, before) == {}


def test_what_a_crash_left_without_a_checkpoint_has_one_when_it_is_asked_for_again(
    house: House, press: Press
):
    class PowerCut(Exception):
        pass

    looks = []

    def now() -> datetime:
        looks.append(1)
        if len(looks) == 2:
            raise PowerCut
        return house.now()

    released(house)
    with pytest.raises(PowerCut):
        issue_certificate(
            house.engine, house.archive, press, number=NUMBER, clock=now,
            actor=house.actor(QA1, Permission.ISSUE_CERTIFICATE),
        )  # fmt: skip
    with house.reading() as session:
        assert newest_checkpoint(session) is None
    issue(house, press)
    with house.reading() as session:
        assert prove_record(session, ISSUE).proof.hashes


def test_each_checkpoint_extends_those_before(house: House, log_signer: LogSigner):
    said = [sign(house, log_signer) for _ in range(4)]
    assert [two.size - one.size for one, two in pairwise(said)] == [2, 1, 1]
    with house.reading() as session:
        for one in said:
            found = prove_consistency(session, one.size)
            assert is_consistent((one.size, one.root), (said[-1].size, said[-1].root), found.hashes)
        assert prove_consistency(session, said[0].size, said[1].size).second == said[1].size
        with pytest.raises(Conflict):
            prove_consistency(session, said[1].size, said[0].size)
        with pytest.raises(NotFound):
            prove_consistency(session, 1)


def test_every_entry_is_proved_against_every_checkpoint_that_covers_it(
    house: House, log_signer: LogSigner
):
    first, second = sign(house, log_signer), sign(house, log_signer)
    found = leaves(house)
    with house.reading() as session:
        for said in (first, second):
            for index in range(said.size):
                proof = prove_entry(session, index + 1, size=said.size).proof
                assert is_included(
                    found[index], index, size=said.size, root=said.root, proof=proof.hashes
                )
        with pytest.raises(Conflict, match="does not cover"):
            prove_entry(session, first.size + 1, size=first.size)
        for missing in (0, second.size + 100):
            with pytest.raises(NotFound):
                prove_entry(session, missing)
        with pytest.raises(NotFound):
            prove_record(session, "lot:none")


def test_a_log_that_was_changed_proves_nothing(house: House, log_signer: LogSigner):
    first, second = sign(house, log_signer), sign(house, log_signer)
    tamper(house.engine, f"UPDATE log_subtree SET sha256 = '{OTHER}'")
    with house.reading() as session:
        for attempt in (
            lambda: prove_entry(session, second.size),
            lambda: prove_consistency(session, first.size),
        ):
            with pytest.raises(IntegrityFailure) as refused:
                attempt()
            assert refused.value.code == "BQC-LOG-016"


@pytest.mark.only_on("postgresql", "SQLite has one writer")
def test_who_writes_does_not_wait_for_who_signs_a_checkpoint(house: House, log_signer: LogSigner):
    def write(own: House) -> None:
        with own.alone(ANA) as tx:
            tx.audit("noted")

    assert interleaved(house, lambda own: sign(own, log_signer), write) == (DONE, DONE)
    with house.reading() as session:
        order = [
            row.what for row in session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()))
        ]
    assert order[:2] == ["checkpoint of the log signed", "key of the log put on record"]
    assert order[2] == "noted"
    assert house.verify().problems == ()


LATER = "(SELECT entry_sha256 FROM audit_link WHERE sequence > 20)"
OTHER = "ab" * 32
OF_LATER = f"(SELECT id FROM audit_entry WHERE sha256 IN {LATER})"
REWOUND = (
    f"DELETE FROM audit_subject WHERE entry_id IN {OF_LATER}",
    f"DELETE FROM audit_entry WHERE sha256 IN {LATER}",
    "DELETE FROM audit_link WHERE sequence > 20",
)
LAST = "(SELECT size FROM checkpoint)"
BROKEN = {
    "a log that was rolled back": REWOUND,
    "an entry that was changed": (
        f"UPDATE audit_link SET entry_sha256 = '{OTHER}' WHERE sequence = {LAST}",
    ),
    "a subtree that was changed": (f"UPDATE log_subtree SET sha256 = '{OTHER}'",),
    "a subtree that is no hash": ("UPDATE log_subtree SET sha256 = 'x'",),
    "a subtree that is gone": ("DELETE FROM log_subtree",),
}


@pytest.mark.parametrize("what", BROKEN)
def test_nothing_is_signed_and_no_certificate_issued_over(
    house: House, press: Press, log_signer: LogSigner, what: str
):
    released(house)
    sign(house, log_signer)
    tamper(house.engine, *BROKEN[what])
    before = counts(house.engine)
    with pytest.raises(IntegrityFailure) as refused:
        sign(house, log_signer)
    assert refused.value.code == "BQC-LOG-007"
    with pytest.raises(IntegrityFailure) as refused:
        issue(house, press)
    # with the end of the trail, what was decided is gone too: that is told first
    gone = what == "a log that was rolled back"
    assert refused.value.code == ("BQC-CRT-060" if gone else "BQC-LOG-007")
    assert grown(house.engine, before) == {}


class TestTheKey:
    """It is rolled over with a checkpoint that both keys sign."""

    def roll(
        self, house: House, new: LogSigner, old: LogSigner | None, reason: str = "Every five years"
    ) -> Checkpoint:
        with house.acting(QA1, Permission.KEEP_LOG) as tx:
            return change_key(tx, new, old=old, reason=reason).checkpoint

    def test_both_keys_sign_the_checkpoint_of_the_change(
        self, house: House, log_signer: LogSigner, tmp_path: Path
    ):
        new = create_log_key(tmp_path / "next", name="lakeside/batchqc")
        first = sign(house, log_signer)
        second = self.roll(house, new, log_signer)
        note, _ = newest(house)
        for signer in (log_signer, new):
            assert genuine(note, [signer.key]) == second
        third = sign(house, new)
        with pytest.raises(IntegrityFailure, match="none of the keys"):
            genuine(newest(house)[0], [log_signer.key])
        with house.reading() as session:
            assert prove_consistency(session, first.size).second == third.size
        with pytest.raises(SigningUnavailable):
            sign(house, log_signer)
        assert house.verify().problems == ()

    def test_a_lost_key_signs_nothing_and_who_holds_only_it_is_told(
        self, house: House, log_signer: LogSigner, tmp_path: Path
    ):
        new = create_log_key(tmp_path / "next", name="lakeside/batchqc")
        sign(house, log_signer)
        self.roll(house, new, None, "The server was stolen")
        with pytest.raises(IntegrityFailure, match=new.key.key_id.hex()):
            genuine(newest(house)[0], [log_signer.key])
        assert house.verify().problems == ()

    def test_another_name_a_wrong_old_key_and_no_reason_are_refused(
        self, house: House, log_signer: LogSigner, tmp_path: Path
    ):
        other = create_log_key(tmp_path / "other", name="elsewhere/batchqc")
        new = create_log_key(tmp_path / "next", name="lakeside/batchqc")
        sign(house, log_signer)
        before = counts(house.engine)
        with pytest.raises(Conflict, match="named lakeside/batchqc"):
            self.roll(house, other, log_signer)
        with pytest.raises(SigningUnavailable):
            self.roll(house, new, new)
        with pytest.raises(InvalidInput):
            self.roll(house, new, log_signer, " ")
        assert grown(house.engine, before) == {}
