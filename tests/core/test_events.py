"""Events: what they tell, who is told, how a message is signed and when it is tried again."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batchqc.core.components import Component
from batchqc.core.events import (
    KINDS,
    MOST_SUBJECTS,
    TRIES,
    Event,
    due_again,
    is_last,
    is_wanted,
    kind_of,
    kind_problem,
    named,
    signature_of,
    webhook_secret,
)
from batchqc.core.lot_states import Disposition

AT = datetime(2026, 2, 3, 4, 5, 6, 789, UTC)
EVENT = Event(7, "lot.released", AT, ("lot:MSC-1", "webhook:own"), 0, 41, "ab" * 32)
PACKAGE = Path(__file__).parents[2] / "batchqc"


def test_an_event_tells_which_records_and_not_what_is_in_them():
    told = json.loads(EVENT.message)
    assert told == {
        "type": "batchqc/event/1", "id": "ab" * 32, "number": 7, "kind": "lot.released",
        "at": "2026-02-03T04:05:06.000789Z", "subjects": ["lot:MSC-1", "webhook:own"], "more": 0,
        "entry": {"sequence": 41, "sha256": "ab" * 32},
    }  # fmt: skip


def test_people_sessions_and_signatures_are_not_named():
    keys = ["signature:S-2026-000001", "lot:A-1", "person:ana", "attempt:ana/3", "lot:A-1"]
    assert named([*keys, "role_change:ana/1", "donor:D-1"]) == (("lot:A-1", "donor:D-1"), 0)


def test_of_very_many_records_the_first_are_named_and_the_rest_counted():
    subjects, more = named(f"lot:A-{n}" for n in range(MOST_SUBJECTS + 3))
    assert (len(subjects), more) == (MOST_SUBJECTS, 3)


def test_every_action_with_an_event_is_one_that_the_code_records():
    written = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    written = re.sub(r"KINDS: Final.*?\n}", "", written, flags=re.DOTALL)
    made = {f"lot {one}" for one in Disposition}
    made |= {f"{one.word} refused, locked" for one in Component}  # of two words
    assert [one for one in KINDS if f'"{one}"' not in written and one not in made] == []
    locked = {kind_of(f"{one.word} refused, locked") for one in Component}
    assert locked == {"account.refused_while_locked"}
    assert kind_of("lot released") == "lot.released"
    assert kind_of("signed in") is None


def test_a_kind_is_asked_for_alone_or_by_its_group():
    assert kind_problem("lot.released") is None
    assert kind_problem("lot.*") is None
    for wrong in ("lot", "lot.burnt", "nothing.*", "*", ".*", "LOT.*"):
        assert kind_problem(wrong) is not None, wrong


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ((), True),
        (("lot.released",), True),
        (("lot.*",), True),
        (("lot.rejected", "donor.*"), False),
    ],
)
def test_a_webhook_is_told_what_it_asked_for(kinds: tuple[str, ...], *, told: bool):
    assert is_wanted(EVENT, kinds, "webhook:other") is told
    assert is_wanted(EVENT, kinds, "webhook:own") is False


def test_a_signature_binds_the_moment_and_the_message():
    secret = b"f" * 64
    told = signature_of(secret, AT, b'{"a":1}')
    seconds = str(int(AT.timestamp()))
    mac = hmac.new(secret, seconds.encode() + b'.{"a":1}', hashlib.sha256).hexdigest()
    assert told == f"t={seconds},v1={mac}"
    assert signature_of(secret, AT + timedelta(seconds=1), b'{"a":1}') != told
    assert signature_of(secret, AT, b'{"a":2}').partition(",")[2] != told.partition(",")[2]


def test_each_webhook_has_a_secret_of_its_own():
    one, other = webhook_secret(b"k" * 32, "webhook:a"), webhook_secret(b"k" * 32, "webhook:b")
    assert len({one, other, webhook_secret(b"l" * 32, "webhook:a")}) == 3
    assert re.fullmatch("[0-9a-f]{64}", one)


def test_the_wait_doubles_up_to_six_hours_and_the_twentieth_try_is_the_last():
    assert due_again(0, None) is None
    waits = [(due_again(n, AT) or AT) - AT for n in range(1, TRIES)]
    assert waits[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert waits[-1] == timedelta(hours=6)
    assert [is_last(n) for n in (TRIES - 1, TRIES)] == [False, True]
