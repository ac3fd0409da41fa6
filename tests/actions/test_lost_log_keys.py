"""A key of the log that was reported lost signs nothing any more that a verifier takes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from batchqc.actions.certificates import Press
from batchqc.actions.checkpoints import change_key
from batchqc.actions.witnessing import stamp_newest
from batchqc.core.checkpoints import Checkpoint
from batchqc.core.permissions import Permission
from batchqc.core.signed_notes import key_of
from batchqc.documents.certificate_check import check_all
from batchqc.documents.log_key import LogSigner, create_log_key, publish
from batchqc.documents.pki import PkiFiles
from batchqc.documents.timestamps import Service
from batchqc.documents.verifier.findings import Failed
from batchqc.documents.verifier.signed_log import genuine_note, read_log_keys, read_tree_head
from batchqc.records.log import key_lines, lost_keys
from tests.actions.test_certificate_proofs import (
    NUMBER,
    asked,
    checkpoint,
    issue,
    prove,
    said,
)
from tests.documents.test_certificate_check import failures
from tests.records.house import QA1, Clock, House
from tests.timestamp_service import TimestampService, timestamp_service

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[TimestampService]:
    with timestamp_service(tmp_path_factory.mktemp("tsa"), clock=lambda: clock.at) as found:
        yield found


def changed(house: House, press: Press, folder: Path, *, is_lost: bool) -> Press:
    """The press with a new key of the log; the old one signs the change unless it is lost."""
    old = press.log_key()
    new = create_log_key(folder / f"{house.now.at:%Y%m%d}-{is_lost}.key", name=old.key.name)
    with house.acting(QA1, Permission.KEEP_LOG) as tx:
        change_key(tx, new, old=None if is_lost else old, reason="A laptop was stolen")
    return replace(press, log_key=lambda: new)


def lines(house: House) -> str:
    with house.reading() as session:
        return "".join(f"{one}\n" for one in key_lines(session))


def head(signer: LogSigner, house: House, *, days: int) -> str:
    """A checkpoint that somebody signs with a key, dated so many days from now."""
    text = Checkpoint(signer.key.name, 7, b"r" * 32, "0" * 64, house.now.at + days * DAY).text
    return f"{text}\n{signer.line(text)}"


@pytest.mark.requirement("1.05", "5.10")
def test_a_lost_key_proves_nothing_by_itself_and_its_certificates_are_proven_anew(
    house: House, press: Press, pki: PkiFiles, tmp_path: Path
):
    house.ready()
    house.release()
    document = issue(house, press)
    before = prove(house, press)
    house.now.at += DAY
    newer = changed(house, press, tmp_path, is_lost=True)
    keys = lines(house)
    old = check_all(document, asked(house, press, pki, before, number=NUMBER, log_keys=keys))
    assert list(failures(old)) == ["log"]
    assert "reported lost" in said(old, "log")
    anew = check_all(
        document, asked(house, newer, pki, prove(house, newer), number=NUMBER, log_keys=keys)
    )
    assert failures(anew) == {}
    assert "at the latest" in said(anew, "time")  # and its time is that of the first checkpoint
    # Who holds the keys of before sees nothing of it, as nobody told them.
    assert failures(check_all(document, asked(house, press, pki, before))) == {}


@pytest.mark.requirement("5.10")
def test_what_was_stamped_before_the_loss_stays_proven(
    house: House,
    press: Press,
    pki: PkiFiles,
    service: TimestampService,
    clock: Clock,
    tmp_path: Path,
):
    house.ready()
    house.release()
    document = issue(house, press)
    clock.at = house.now.at
    stamps = Service(service.url, service.root)
    assert stamp_newest(house.engine, house.archive, stamps, clock=house.now)
    before = prove(house, press)
    house.now.at += DAY
    changed(house, press, tmp_path, is_lost=True)
    question = asked(
        house, press, pki, before, tsa_roots=service.root.read_bytes(), log_keys=lines(house)
    )
    assert failures(check_all(document, question)) == {}
    blind = check_all(document, replace(question, tsa_roots=b""))
    assert "no timestamp shows" in failures(blind)["log"]


@pytest.mark.requirement("1.05")
def test_no_checkpoint_statement_or_list_is_by_a_key_that_was_lost_by_then(
    house: House, press: Press, tmp_path: Path
):
    house.ready()
    checkpoint(house, press)
    house.now.at += DAY
    old, newer = press.log_key(), changed(house, press, tmp_path, is_lost=True)
    keys = read_log_keys(lines(house))
    assert read_tree_head(head(old, house, days=-1), keys).lost == house.now.at
    assert read_tree_head(head(newer.log_key(), house, days=1), keys).lost is None
    both = head(old, house, days=1)
    both += newer.log_key().line(both.rpartition("\n\n")[0] + "\n")
    assert read_tree_head(both, keys).lost is None
    listed = "batchqc/bundle/1\nab\n"
    undated = f"{listed}\n{old.line(listed)}"
    dated = f"batchqc/certificate-status/1\nat {house.now.at + DAY:%Y-%m-%dT%H:%M:%SZ}\n"
    for note in (head(old, house, days=1), undated, f"{dated}\n{old.line(dated)}"):
        with pytest.raises(Failed, match="reported lost on"):
            genuine_note(note, keys)


def test_a_key_that_handed_over_is_not_lost_and_lists_say_which_is(
    house: House, press: Press, tmp_path: Path
):
    house.ready()
    checkpoint(house, press)
    first = press.log_key().key
    publish(tmp_path, first)
    second = changed(house, press, tmp_path, is_lost=False)
    assert " lost " not in lines(house)
    house.now.at += DAY
    third = changed(house, second, tmp_path, is_lost=True)
    with house.reading() as session:
        assert [one.number for one in lost_keys(session).values()] == [3]
        told = key_lines(session)
    assert [" lost 2026-" in one for one in told] == [False, True, False]
    assert [key_of(one) for one in told] == [
        first, second.log_key().key, third.log_key().key,
    ]  # fmt: skip
    publish(tmp_path, second.log_key().key)
    for _ in range(2):
        publish(tmp_path, third.log_key().key, told=told)
    assert (tmp_path / "log.vkey").read_text().splitlines() == told
