"""Database and store agree, at whichever step the process is killed; what was begun goes on."""

import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import func, select

from batchqc.actions.scrubs import ScrubWanted, scrub
from batchqc.actions.stored_names import not_named
from batchqc.documents.log_key import create_log_key
from batchqc.documents.pki import PkiFiles
from batchqc.records.decisions import Certificate, CertificateIssue, DispositionRow
from batchqc.records.log import CheckpointRow
from batchqc.records.transaction import SYSTEM
from batchqc.records.uploads import Upload
from tests.records.house import House, results
from tests.system.stopping import Step, Task, work

_PROCESSES = get_context("forkserver")
# With what an issue loads: else each of the many processes loads it anew.
_PROCESSES.set_forkserver_preload(
    ["tests.system.stopping", "batchqc.documents.coa_layout", "batchqc.documents.pades_signing"]
)

#: Whatever stores: before the name exists, after it, and when the store has answered.
STORE = (
    Step("FolderArchive._name", "documents/archive.py", "call"),
    Step("Path.hardlink_to", "pathlib.py"),
    Step("Putting.put", "documents/stored.py"),
)
#: The transaction: before anything is flushed, when all is written, and once it is committed.
COMMIT = (
    Step("Transaction.seal", "records/transaction.py", "call"),
    Step("Transaction.seal", "records/transaction.py"),
    Step("Session.commit", "orm/session.py"),
)
FREEZE = (Step("frozen_content", "certificate_content.py"), *STORE, *COMMIT)
ISSUE = (
    Step("render", "coa_layout.py", "call"),
    Step("render", "coa_layout.py"),
    Step("seal", "pades.py", count=1),
    Step("seal", "pades.py", count=2),
    *STORE,
    *COMMIT,
    Step("sign_checkpoint", "actions/checkpoints.py", "call"),
    Step("sign_checkpoint", "actions/checkpoints.py"),
    Step("Session.commit", "orm/session.py"),
)


@pytest.fixture
def task(house: House, tmp_path: Path, pki: PkiFiles) -> Callable[..., Task]:
    create_log_key(tmp_path / "log.key", name="lakeside/batchqc")
    return partial(
        Task,
        url=house.engine.url.render_as_string(hide_password=False),
        store=house.archive.root,
        seal=pki.seal_p12,
        log=tmp_path / "log.key",
        told=tmp_path / "told",
        clock=house.now,
    )


def done(task: Task, step: Step | None) -> bool:
    """Whether it was acknowledged; else it was killed at the step."""
    task.told.unlink(missing_ok=True)
    process = _PROCESSES.Process(target=work, args=(task, step))
    process.start()
    process.join(120)
    if step is not None:
        assert process.exitcode == -signal.SIGKILL, f"never came to {step}"
        assert not task.told.exists()
        return False
    assert process.exitcode == 0
    return task.told.exists()


def agree(house: House) -> None:
    """No row names what is not there, and the records are what the audit trail says."""
    assert house.verify().problems == ()


def count(house: House, table: type) -> int:
    with house.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.requirement("5.08", "1.32")
def test_a_certificate_is_issued_once_whatever_kills_the_process(
    house: House, task: Callable[..., Task]
):
    house.ready()
    release, issue = (replace(task(one), clock=house.now) for one in ("release", "issue"))
    for step in FREEZE:
        assert count(house, DispositionRow) == 0
        done(release, step)
        agree(house)
        assert count(house, DispositionRow) == count(house, Certificate)
    assert count(house, Certificate) == 1  # the last step was after the commit
    for step in ISSUE:
        done(issue, step)
        agree(house)
        assert count(house, CertificateIssue) == int(ISSUE.index(step) >= ISSUE.index(COMMIT[-1]))
    before = count(house, CheckpointRow)
    assert done(issue, None)
    assert (count(house, Certificate), count(house, CertificateIssue)) == (1, 1)
    assert count(house, CheckpointRow) == before == 1
    _orphans_are_listed(house)


@pytest.mark.requirement("11.01", "1.32")
def test_an_upload_is_accepted_once_whatever_kills_the_process(
    house: House, task: Callable[..., Task]
):
    upload = task("upload", data=results())
    for step in (*STORE, *COMMIT):
        assert count(house, Upload) == 0
        done(upload, step)
        agree(house)
    assert count(house, Upload) == 1
    assert done(upload, None)  # sent again, it is answered with what was accepted
    assert upload.told.read_text() == "U-2026-000001"
    assert count(house, Upload) == 1
    _orphans_are_listed(house)


def _orphans_are_listed(house: House) -> None:
    with house.reading() as session:
        stored = list(house.archive.names())
        unnamed = not_named(session, stored)
    *_, told = scrub(house.engine, house.archive, ScrubWanted(), actor=SYSTEM, clock=house.now)
    assert told.found == ()
    assert set(told.orphans) == unnamed
    assert set(told.leftovers) == {one.name for one in house.archive.root.glob(".incoming-*")}
    assert told.leftovers
    agree(house)
