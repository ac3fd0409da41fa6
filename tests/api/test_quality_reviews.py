"""Quality reviews through the running server: made, listed, read, signed."""

import csv
import io

import pytest

from tests.api.conftest import Site, signed
from tests.records.house import AUD, PRODUCT, QA1, QA2

MAY = {"product": PRODUCT, "first": "2025-05-01", "last": "2025-05-31"}


@pytest.mark.requirement("9.01")
def test_a_review_is_made_once_for_a_key_read_by_all_and_signed(site: Site):
    keyed = {"Idempotency-Key": "the review of May"}
    made = site.send(QA1, "POST", "/quality-reviews", json=MAY, headers=keyed)
    assert made.status_code == 201, made.text
    again = site.send(QA1, "POST", "/quality-reviews", json=MAY, headers=keyed)
    assert again.json() == made.json()
    number, sha256 = made.json()["number"], made.json()["sha256"]
    listed = site.get(AUD, "/quality-reviews")
    assert [one["number"] for one in listed["items"]] == [number]
    detail = site.get(AUD, f"/quality-reviews/{number}")
    assert detail["content"]["period"] == {"first": "2025-05-01", "last": "2025-05-31"}
    document = site.send(AUD, "GET", f"/quality-reviews/{number}/pdf")
    assert document.headers["content-type"] == "application/pdf"
    assert document.content.startswith(b"%PDF")
    lots = site.send(AUD, "GET", f"/quality-reviews/{number}/tables/lots")
    header, *rows = csv.reader(io.StringIO(lots.content.decode("utf-8-sig")))
    assert header[0] == "Lot"
    assert len(rows) == 1
    absent = site.send(AUD, "GET", f"/quality-reviews/{number}/tables/none")
    assert (absent.status_code, absent.json()["code"]) == (404, "BQC-PQR-006")
    path = f"/quality-reviews/{number}/reading"
    wrong = site.send(QA2, "POST", path, json=signed(QA2, sha256=sha256) | {"password": "guess"})
    assert wrong.status_code == 403
    read = site.send(QA2, "POST", path, json=signed(QA2, sha256=sha256))
    assert (read.status_code, read.json()["read_by"]) == (201, QA2)
    future = site.send(QA1, "POST", "/quality-reviews", json=MAY | {"last": "2099-01-01"})
    assert (future.status_code, future.json()["code"]) == (422, "BQC-PQR-001")
