"""Days at the ends of the calendar are days, at sites east of Greenwich too."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from batchqc.actions.certificate_index import Wanted, find_certificates
from batchqc.actions.export_plan import Asked, wanted_by
from batchqc.actions.review_tables import Days
from batchqc.actions.times import midnight, moments
from batchqc.core.canonical import utc_text
from batchqc.core.quality_reviews import Period
from tests.records.house import House
from tests.records.tampering import tamper

EAST = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "America/Bogota", "Etc/GMT+12"])
def test_the_first_and_the_last_day_begin_at_a_moment(zone: str):
    for day in (date.min, date.max):
        assert utc_text(midnight(day, ZoneInfo(zone)))[:4] in {"0001", "9999"}


def test_who_asks_from_the_first_day_on_is_answered_at_a_site_in_the_east(house: House):
    tamper(house.engine, "UPDATE site SET time_zone = 'Asia/Ho_Chi_Minh'")
    with house.reading() as session:
        wanted = Wanted(since=date.min, until=date.max)
        assert find_certificates(session, wanted, after="", limit=5) == []
        asked = wanted_by(session, Asked(since=date.min, until=date.max))
        assert asked.since is not None
        assert utc_text(asked.since) < "0002"
    began, behind = moments(date.min, date.max, EAST)
    assert began is not None
    assert behind is None
    assert utc_text(began) < "0002"
    assert utc_text(Days.of(Period(date.min, date.max.replace(day=30)), EAST).begins) < "0002"
