"""Jobs: who may ask for what, and when a job that failed is tried again."""

from datetime import UTC, datetime, timedelta

from batchqc.core.jobs import ENDED, TRIES, WHO_ASKS, Kind, State, tried_again_at

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_the_wait_doubles_from_half_a_minute_on_and_then_it_is_given_up():
    waits = [tried_again_at(tries, NOW) for tries in range(1, TRIES)]
    seconds = [30, 60, 120, 240, 480, 960, 1920]
    assert waits == [NOW + timedelta(seconds=one) for one in seconds]
    assert tried_again_at(TRIES, NOW) is None


def test_somebody_may_ask_for_each_kind():
    assert set(WHO_ASKS) == set(Kind)


def test_what_is_queued_running_or_waiting_is_not_over():
    assert set(State) - ENDED == {State.QUEUED, State.RUNNING, State.WAITING}
