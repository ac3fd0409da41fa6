"""Jobs of a house, worked off in the test's own process."""

from batchqc.actions.certificates import Press
from batchqc.actions.deliveries import Sender
from batchqc.actions.job_kinds import DOINGS
from batchqc.actions.job_runs import Workshop, do_job, open_numbers
from batchqc.documents.bundle_kit import Anchors
from batchqc.documents.posting import post
from tests.records.house import House


def workshop(house: House, press: Press | None, executor: str = "host:1") -> Workshop:
    """What the jobs of a house are done with."""
    return Workshop(
        house.engine,
        house.archive,
        press,  # type: ignore[arg-type]
        house.now,
        lambda: Anchors(b"root"),
        executor,
        Sender(lambda: b"k" * 43, post, house.now),
    )


def work_off(house: House, press: Press) -> None:
    """Try every open job once."""
    shop = workshop(house, press)
    for number in open_numbers(house.engine):
        do_job(shop, DOINGS, number)
