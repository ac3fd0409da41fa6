"""A row that nobody can read hides no other: it is told, and the rest is looked at."""

import pytest

from batchqc.actions.certificates import Press
from batchqc.core.soundness import Grade
from tests.actions.test_doctor import found_in
from tests.records.house import LOT, House
from tests.records.tampering import tamper

RUN = f"U-2026-000002/{LOT}/VIAB/VCB-250520-01"
UNREADABLE = {
    f"the measurements of assay_run:{RUN} are not as entry": (
        "UPDATE measurement SET measured_text = 'then'"
        " WHERE assay_run_id = (SELECT min(id) FROM assay_run WHERE test = 'VIAB')"
    ),
    "event 2 is not what entry": "UPDATE event SET subjects = '[' WHERE number = 2",
    "a row of the log cannot be read, and what follows it was not": (
        "UPDATE log_subtree SET level = -level WHERE level > 1"
    ),
    f"disposition:{LOT}/1 is not as entry": (
        "UPDATE disposition SET content_sha = (SELECT min(sha256) FROM upload WHERE accepted = 1)"
    ),
    "signature:S-2026-000004 (entry": "UPDATE signature SET meaning = 'seen' WHERE number = 4",
    f"hold_end:{LOT}/1 is not as entry": (
        "UPDATE hold_end SET content_sha = (SELECT min(content_sha) FROM impact_report)"
    ),
}


@pytest.mark.requirement("1.01", "1.05")
@pytest.mark.parametrize("said", UNREADABLE)
def test_what_cannot_be_read_is_named_and_so_is_the_rest(full_house: House, said: str):
    changed = "UPDATE certificate_copy SET recipient = 'Somebody else'"
    tamper(full_house.engine, UNREADABLE[said], changed)
    problems = full_house.verify().problems
    assert [one for one in problems if one.startswith(said)]
    assert [one for one in problems if one.startswith("certificate_copy:COA-2026-000001/1 is not")]


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE disposition SET disposition = 'set free'",
        "UPDATE disposed_object SET sha256 = 'none'",
    ],
)
def test_doctor_tells_of_what_it_cannot_read(full_house: House, press: Press, change: str):
    tamper(full_house.engine, change)
    where = [one.where for one in found_in(full_house, press) if one.grade is Grade.LOSS]
    assert "the audit trail and what it witnesses" in where
    assert "whether records agree" in where


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE person SET registered_at = 'then' WHERE user_id = 'ana'",
        "UPDATE audit_entry SET at = '' WHERE id = 20",
        "UPDATE person SET registered_at = '2026-13-01T12:00:00.000000Z' WHERE user_id = 'ana'",
        "UPDATE audit_entry SET at = '2026-02-30T12:00:00.000000Z' WHERE id = 20",
    ],
)
def test_a_moment_that_is_none_is_told_by_both(full_house: House, press: Press, change: str):
    tamper(full_house.engine, change)
    problems = full_house.verify().problems
    assert problems[0].startswith("a moment in ")
    assert problems[-1].startswith("nothing else was looked at: ")
    told = [one.what for one in found_in(full_house, press) if one.grade is Grade.LOSS]
    assert problems[0] in told
