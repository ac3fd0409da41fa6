"""What is asked for of several lots at once; each is signed for by itself."""

import zipfile
from io import BytesIO

import pytest

from tests.actions.state import counts, grown
from tests.api.conftest import Site, signed
from tests.api.test_journey import LOT_REQUEST
from tests.api.test_refusals import is_problem
from tests.records.house import ANA, AUD, LOT, QA1, QA2

TWO = ("MSC-26-0021", "MSC-26-0022")


def register(site: Site, *ids: str, **changes: str):
    lots = [{**LOT_REQUEST, "id": one, "samples": []} for one in ids]
    lots[-1] |= changes
    return site.send(ANA, "POST", "/lot-registrations", json={"lots": lots})


def test_several_lots_are_registered_each_as_by_itself(site: Site):
    answer = register(site, *TWO)
    assert answer.status_code == 201, answer.text
    one = answer.json()["items"][0]
    assert [shown["id"] for shown in answer.json()["items"]] == list(TWO)
    alone = register(site, "MSC-26-0023").json()["items"][0]
    differs = {"id", "registered_at"}
    assert {k: one[k] for k in one.keys() - differs} == {k: alone[k] for k in one.keys() - differs}
    for lot in TWO:
        told = site.get(AUD, f"/audit?subject=lot:{lot}&what=lot registered")["items"]
        assert [entry["entry"]["who"] for entry in told] == [ANA]


@pytest.mark.parametrize(
    ("ids", "changes", "refused"),
    [
        (TWO, {"product": "NO-SUCH"}, (404, "BQC-REG-010")),
        (TWO, {"donors": ["NO-SUCH"]}, (404, "BQC-REG-011")),
        ((TWO[0], TWO[0]), {}, (409, "BQC-REG-007")),
        (TWO, {"manufactured_on": "2099-01-01"}, (422, "BQC-REG-006")),
    ],
)
def test_several_lots_are_registered_or_none(site: Site, ids, changes, refused):
    site.token(ANA)
    before = counts(site.house.engine)
    is_problem(register(site, *ids, **changes), *refused)
    assert grown(site.house.engine, before) == {}


@pytest.mark.requirement("1.54")
def test_the_trails_of_several_lots_are_read_at_once_and_signed_one_by_one(site: Site):
    site.house.ready()
    register(site, TWO[0])
    read = site.get(QA2, f"/audit-reviews?lot={LOT}&lot={TWO[0]}")["items"]
    assert read == [site.get(QA2, f"/lots/{one}/audit-review") for one in (LOT, TWO[0])]
    is_problem(site.send(QA2, "GET", f"/audit-reviews?lot={LOT}&lot=X"), 404, "BQC-REG-012")
    for one in read:
        seen = {name: one[name] for name in ("last", "head")}
        answer = site.send(
            QA2, "POST", f"/lots/{one['lot']}/audit-review", json=signed(QA2, **seen)
        )
        assert answer.status_code == 201, answer.text


@pytest.mark.requirement("5.10")
def test_the_documents_of_several_certificates_come_as_they_were_sealed(site: Site):
    site.house.ready()
    site.house.release()
    number = "COA-2026-000001"
    asked = f"/certificate-documents?number={number}"
    is_problem(site.send(AUD, "GET", asked), 409, "BQC-CRT-031")
    assert site.send(QA1, "POST", f"/certificates/{number}/issue").status_code == 201
    answer = site.send(AUD, "GET", f"{asked}&number={number.lower()}")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(BytesIO(answer.content)) as file:
        assert file.testzip() is None
        assert file.namelist() == [f"{number}_{LOT}.pdf"]
        pdf = site.send(AUD, "GET", f"/certificates/{number}/pdf").content
        assert file.read(file.namelist()[0]) == pdf
    is_problem(site.send(AUD, "GET", f"{asked}&number=COA-2026-000009"), 404, "BQC-CRT-030")
