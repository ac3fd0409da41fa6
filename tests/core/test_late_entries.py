"""What was signed on paper is entered in a stop of the system only, and in an order that can be."""

from datetime import UTC, datetime, timedelta

import pytest

from batchqc.core.late_entries import (
    Paper,
    Stop,
    instant,
    late_problems,
    overlap_problems,
    stop_problems,
)
from batchqc.core.signatures import Meaning, Signing

BEGAN = datetime(2026, 5, 30, 8, tzinfo=UTC)
ENDED = BEGAN + timedelta(days=1)
NOW = BEGAN + timedelta(days=2)
STOP = Stop(1, BEGAN, ENDED, frozenset({"qa1"}))
INSIDE = "2026-05-30T12:00:00+02:00"  # 10:00 in UTC


def problems(
    at: str = INSIDE,
    *,
    form: str = "F-12",
    signer: str = "qa2",
    stops: tuple[Stop, ...] = (STOP,),
    **rests_on: datetime,
) -> tuple[str, ...]:
    return late_problems(
        Paper(at, form), signer=signer, now=NOW, stops=stops, rests_on=rests_on
    )  # fmt: skip


@pytest.mark.requirement("1.40")
@pytest.mark.parametrize("at", [INSIDE, "2026-05-30T08:00:00Z", "2026-05-31T08:00:00.000Z"])
def test_what_was_signed_within_a_stop_can_be_entered(at: str):
    assert problems(at, sampled=BEGAN) == ()


@pytest.mark.requirement("1.40")
@pytest.mark.parametrize("at", ["2026-05-30T07:59:59.999999Z", "2026-05-31T08:00:00.000001Z"])
def test_what_was_signed_outside_of_every_stop_cannot(at: str):
    assert problems(at) == (f"{at} lies in no stop of the system that ended",)


def test_a_stop_whose_end_is_not_known_covers_nothing():
    (said,) = problems(stops=(Stop(1, BEGAN, None, frozenset()),))
    assert "lies in no stop" in said


def test_who_recorded_the_stop_enters_nothing_that_only_this_stop_covers():
    (said,) = problems(signer="qa1")
    assert said == "qa1 recorded stop 1, and does not enter what happened in it"
    other = Stop(2, BEGAN, ENDED, frozenset({"qa2"}))
    assert problems(signer="qa1", stops=(STOP, other)) == ()


@pytest.mark.requirement("1.62")
def test_everything_that_is_wrong_is_told_at_once():
    late = NOW + timedelta(hours=1)
    said = problems(late.isoformat(), form=" ", reviewed=late + timedelta(1), sampled=BEGAN)
    assert [one.split(" ")[0] for one in said] == ["name", *[late.isoformat()] * 3]
    assert said[1].endswith("lies in the future")
    assert "is before reviewed" in said[3]


@pytest.mark.parametrize("form", ["", "  ", "F\n12", "x" * 201])
def test_a_form_is_named_in_one_line(form: str):
    assert len(problems(form=form)) == 1
    assert len(problems("yesterday", form=form)) == 2


@pytest.mark.parametrize(
    "text",
    ["", "2026-05-30", "2026-05-30T12:00:00", "2026-05-30T12:00:00-00:00", "20260530T120000Z",
     "2026-02-30T12:00:00Z", "2026-05-30 12:00:00Z", "2026-05-30T12:00Z", "2026-05-30T12:00:00Zx"],
)  # fmt: skip
def test_a_time_says_its_offset_and_exists(text: str):
    assert instant(text) is None
    (said,) = problems(text)
    assert said.startswith(f'"{text}" is not a time')


def test_a_stop_has_times_that_can_be():
    early, late = BEGAN.isoformat(), ENDED.isoformat()
    assert stop_problems(early, "", now=NOW) == ()
    assert stop_problems(early, late, now=NOW) == ()
    assert len(stop_problems(late, early, now=NOW)) == 1
    assert len(stop_problems(early, early, now=NOW)) == 1
    assert len(stop_problems("monday", "tuesday", now=NOW)) == 2
    assert len(stop_problems("monday", late, now=NOW)) == 1
    assert len(stop_problems(early, late, now=BEGAN)) == 1
    assert len(stop_problems(late, early, now=BEGAN - timedelta(1))) == 3


def test_stops_do_not_overlap_and_may_touch():
    def overlaps(began: datetime, ended: datetime | None, other: Stop = STOP) -> int:
        told = overlap_problems(began.isoformat(), ended.isoformat() if ended else "", [other])
        assert all("stop 1 is of the same time: 2026-05-30T08:00:00+00:00 to " in one
                   for one in told)  # fmt: skip
        return len(told)

    hour = timedelta(hours=1)
    assert overlaps(ENDED, ENDED + hour) == overlaps(ENDED, None) == 0
    assert overlaps(BEGAN - hour, BEGAN) == 0
    assert overlaps(ENDED - hour, ENDED + hour) == overlaps(ENDED - hour, None) == 1
    assert overlaps(BEGAN - hour, BEGAN + hour) == overlaps(BEGAN - hour, None) == 1
    assert overlaps(BEGAN - hour, ENDED + hour) == 1
    going_on = Stop(1, BEGAN, None, frozenset())
    assert overlaps(NOW, None, going_on) == overlaps(NOW, NOW + hour, going_on) == 1
    assert overlaps(BEGAN - hour, BEGAN, going_on) == 0
    (said,) = overlap_problems(NOW.isoformat(), "", [going_on])
    assert said.endswith("to an end that is not on record")


@pytest.mark.requirement("1.15")
def test_the_hash_of_a_signature_covers_its_paper_and_nothing_where_there_is_none():
    def sha256(**paper: str) -> str:
        return Signing(
            user_id="qa1", name="Q", role="QA", meaning=Meaning.HELD, reason="why", at=NOW,
            record="lot:L", record_sha256="0", **paper,
        ).sha256  # fmt: skip

    plain = sha256()
    assert plain == "714a40e027c7b5f7b6c834579a30bd9a49c374d1fb51ccab1207a60f08306727"  # as ever
    hashes = {
        plain, sha256(happened_at=INSIDE), sha256(paper="F"), sha256(happened_at=INSIDE, paper="F"),
    }  # fmt: skip
    assert len(hashes) == 4
