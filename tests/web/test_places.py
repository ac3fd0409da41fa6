"""Which place of the main navigation a page is of, and where work leads."""

import pytest

from batchqc.core.open_work import Item, Work
from batchqc.web.navigation import PLACES
from batchqc.web.work import page_of


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "My work"), ("/reviews", "My work"), ("/corrections/C-2026-000001", "My work"),
        ("/jobs/JOB-2026-000001", "My work"),
        ("/lots/UCM-P1-T1/hold", "Lots"), ("/products", "Lots"),
        ("/deviations/dev-26-014", "Investigations"), ("/system-stops/new", "Investigations"),
        ("/quality-reviews", "Trends"), ("/look-backs/LB-2026-000001", "Donors"),
        ("/manual/new", "Uploads"), ("/certifications", "Lots"), ("/banks", "Donors"),
        ("/archive", "Certificates"),
    ],
)  # fmt: skip
def test_a_page_is_of_one_place(path: str, place: str):
    assert [one.name for one in PLACES if one.holds(path)] == [place]


def test_a_path_that_only_begins_alike_is_of_none():
    assert not any(one.holds("/lotsandlots") for one in PLACES)


@pytest.mark.parametrize("kind", [Work.CALIBRATION, Work.TRAINING, Work.WEBHOOK])
def test_work_of_no_lot_leads_to_its_register(kind: Work):
    item = Item(kind, "", "something ends", None, None, "")
    assert page_of(item).startswith("/administration/")
