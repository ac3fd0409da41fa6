"""Webhooks are told of every event in order, at least once, and by one process at a time."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial

import pytest

from batchqc.actions.deliveries import Attempt, Post, Sender, deliver_events
from batchqc.actions.webhooks import NewWebhook, end_webhook, register_webhook
from batchqc.core.events import TRIES
from batchqc.core.permissions import Permission
from batchqc.documents.posting import post
from batchqc.errors import Conflict, InvalidInput, NotFound, SigningUnavailable
from batchqc.records.events import events_after
from batchqc.records.transaction import reading
from tests.actions.state import counts, grown
from tests.documents.receiver import DIE, HANG, Receiver, receiving
from tests.records.house import ADM, LOT, QA1, House, results, signing
from tests.records.tampering import tamper

KEY = b"k" * 43


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def registered(house: House, receiver: Receiver, *kinds: str, name: str = "erp") -> str:
    with house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        return register_webhook(tx, NewWebhook(name, receiver.url, kinds), key=KEY)[1]


def sending(house: House, how: Post = post, key: bytes = KEY) -> Sender:
    return Sender(lambda: key, how, house.now)


def delivered(house: House) -> list[Attempt]:
    found = deliver_events(house.engine, sending(house, partial(post, seconds=1)))
    assert found is not None
    return found


def numbers(receiver: Receiver) -> list[int]:
    return [json.loads(body)["number"] for body in receiver.bodies]


def newest(house: House) -> int:
    with reading(house.engine) as session:
        return max(one.number for one in events_after(session, 0, limit=1000))


def test_a_release_is_told_once_in_order_and_signed(house: House, receiver: Receiver):
    secret = registered(house, receiver, "upload.*", "results.reviewed", "lot.*")
    house.ready()
    house.release()
    told = delivered(house)
    assert [one.outcome for one in told] == ["delivered"] * 5
    bodies = [json.loads(body) for body in receiver.bodies]
    assert [body["kind"] for body in bodies] == [
        "upload.accepted", "results.reviewed", "lot.reviewed_by_qc", "lot.audit_trail_reviewed",
        "lot.released",
    ]  # fmt: skip
    assert set(bodies[-1]["subjects"]) == {f"lot:{LOT}", "certificate:COA-2026-000001"}
    assert numbers(receiver) == sorted(numbers(receiver))
    for body, headers in zip(receiver.bodies, receiver.headers, strict=True):
        stamp, mac = headers["X-Batchqc-Signature"].split(",")
        signed = stamp.removeprefix("t=").encode() + b"." + body
        assert mac == f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
        assert headers["X-Batchqc-Delivery"] == json.loads(body)["id"]
    assert delivered(house) == []
    assert len(receiver.bodies) == 5
    assert house.verify().problems == ()


def test_no_event_tells_a_person_a_value_or_a_reason(house: House, receiver: Receiver):
    registered(house, receiver)
    house.upload(results(viability="93.41"))
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        from batchqc.actions.dispositions import reject_lot  # noqa: PLC0415 - only this test

        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1, "Bag was leaking"))
    assert delivered(house)
    for body in receiver.bodies:
        for secret in (b"93.41", b"leaking", QA1.encode(), b"person", b"signature"):
            assert secret not in body


@pytest.mark.parametrize("failure", [500, 302, HANG, DIE])
def test_what_is_not_taken_is_tried_again_later_and_what_follows_waits(
    house: House, receiver: Receiver, failure: int
):
    registered(house, receiver, "upload.*")
    house.upload(results())
    house.upload(results(viability="much"))
    receiver.answers = [failure]
    (failed,) = delivered(house)
    assert (failed.outcome, failed.number, len(receiver.bodies)) == ("failed", 1, 1)
    assert failed.detail
    assert delivered(house) == []  # not due yet
    house.now.at += timedelta(seconds=31)
    assert [(one.outcome, one.number) for one in delivered(house)] == [
        ("delivered", 2), ("delivered", 1),
    ]  # fmt: skip
    ids = [json.loads(body)["id"] for body in receiver.bodies]
    assert ids[0] == ids[1] != ids[2]


def test_after_the_last_try_it_is_given_up_with_an_alert_and_the_next_is_told(
    house: House, receiver: Receiver
):
    registered(house, receiver)
    house.upload(results())
    first = newest(house)
    receiver.answers = [500] * TRIES
    tried = []
    for _ in range(TRIES):
        tried += delivered(house)
        house.now.at += timedelta(hours=7)
    assert [one.outcome for one in tried] == ["failed"] * (TRIES - 1) + ["given up"]
    assert {one.event.number for one in tried} == {first}
    with reading(house.engine) as session:
        (alert,) = events_after(session, first, limit=9, kinds=["webhook.*"])
        assert alert.event.subjects == ("webhook:erp",)
    assert delivered(house) == []  # it is not told of itself
    house.upload(results(viability="much"))
    assert [one.outcome for one in delivered(house)] == ["delivered"]
    assert house.verify().problems == ()


def test_a_second_process_does_nothing_while_one_delivers(house: House, receiver: Receiver):
    registered(house, receiver)
    house.upload(results())
    meanwhile: list[object] = []

    def another() -> int:
        meanwhile.append(deliver_events(house.engine, sending(house)))
        return 200

    receiver.answers = [another]
    assert len(delivered(house)) == 1
    assert meanwhile == [None]
    assert len(receiver.bodies) == 1


def test_what_was_told_and_not_recorded_is_told_again_under_the_same_id(
    house: House, receiver: Receiver
):
    registered(house, receiver)
    house.upload(results())
    house.upload(results(viability="much"))

    def stopped(url: str, message: bytes, headers: Mapping[str, str]) -> str | None:
        problem = post(url, message, headers)
        if len(receiver.bodies) == 2:
            raise KeyboardInterrupt
        return problem

    with pytest.raises(KeyboardInterrupt):
        deliver_events(house.engine, sending(house, stopped))
    assert len(delivered(house)) == 2
    ids = [json.loads(body)["id"] for body in receiver.bodies]
    assert ids[:2] == ids[2:]


def test_more_than_a_portion_is_told_in_one_go(house: House, receiver: Receiver):
    registered(house, receiver, "upload.refused")
    for n in range(23):
        house.upload(results(viability=f"much {n}"))
    delivered(house)
    assert numbers(receiver) == sorted(set(numbers(receiver)))
    assert len(receiver.bodies) == 23


def test_an_ended_webhook_is_told_no_more_and_its_name_stays_taken(
    house: House, receiver: Receiver
):
    registered(house, receiver)
    with house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        end_webhook(tx, name="ERP", reason="The receiver is gone")
    house.upload(results())
    assert delivered(house) == []
    before = counts(house.engine)
    with pytest.raises(Conflict), house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        end_webhook(tx, name="erp", reason="The receiver is gone")
    with pytest.raises(Conflict):
        registered(house, receiver, name="Erp")
    with pytest.raises(NotFound), house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        end_webhook(tx, name="other", reason="The receiver is gone")
    assert grown(house.engine, before) == {}


def test_everything_wrong_with_a_webhook_is_said_at_once(house: House):
    new = NewWebhook("a/b", "http://erp.example/", ("lot.burnt", "lot.*"))
    with (
        pytest.raises(InvalidInput) as refused,
        house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx,
    ):
        register_webhook(tx, new, key=KEY)
    assert (refused.value.code, len(refused.value.reasons)) == ("BQC-EVT-001", 3)


def test_another_key_signs_nothing(house: House, receiver: Receiver):
    registered(house, receiver)
    house.upload(results())
    with pytest.raises(SigningUnavailable) as refused:
        deliver_events(house.engine, sending(house, key=b"x" * 43))
    assert refused.value.code == "BQC-EVT-007"
    assert receiver.bodies == []
    for table in ("webhook", "event", "delivery"):
        with house.engine.connect() as connection:
            held = connection.exec_driver_sql(f"SELECT * FROM {table}").all()  # noqa: S608
        assert KEY.decode() not in repr(held)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE event SET kind = 'lot.rejected' WHERE kind = 'lot.registered'", "is not what"),
        ("UPDATE event SET subjects = '[\"lot:OTHER-1\"]' WHERE number = 3", "is not what"),
        ("DELETE FROM event WHERE number = 3", "event 3 is missing"),
        ("UPDATE event SET entry_sha256 = 'x' WHERE number = 3", "follows from no entry"),
    ],
)
def test_a_changed_outbox_is_noticed(house: House, statement: str, told: str):
    tamper(house.engine, statement)
    assert any(told in problem for problem in house.verify().problems)
