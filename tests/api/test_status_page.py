"""The public status page, copies, drafts and the life of certificates, over HTTP."""

from io import BytesIO
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from tests.api.conftest import Site, signed
from tests.api.test_refusals import is_problem
from tests.api.test_seal import RELEASE
from tests.records.house import ANA, AUD, LOT, QA1, QA2

NUMBER = "COA-2026-000001"


def release(site: Site) -> str:
    """Release the lot: the hash of the content of its certificate."""
    site.house.ready()
    answer = site.send(QA1, "POST", RELEASE, json=signed(QA1, decision="released"))
    assert answer.status_code == 201, answer.text
    return str(site.get(AUD, f"/certificates/{NUMBER}")["content_sha256"])


def asked(site: Site, number: str, sha256: str) -> httpx.Response:
    """The status, as a stranger asks for it."""
    address = str(site.http.base_url).removesuffix("/api/v1/")
    with httpx.Client() as stranger:
        return stranger.get(f"{address}/status/{number}", params={"sha256": sha256})


def recall(site: Site) -> None:
    body = signed(QA2, decision="recalled", particulars={"class": "II", "scope": "Every dose"})
    assert site.send(QA2, "POST", RELEASE, json=body).status_code == 201


@pytest.mark.requirement("5.07")
def test_whoever_holds_a_certificate_sees_how_it_stands_without_signing_in(site: Site):
    sha256 = release(site)
    told = asked(site, NUMBER, sha256)
    today = site.house.study().facts.today.isoformat()
    assert told.json() == {
        "certificate": NUMBER, "status": "issued", "is_specimen": False, "issued_on": today,
        "withdrawn_on": None, "superseded_on": None, "superseded_by": None,
        "superseded_by_status": None,
    }  # fmt: skip
    recall(site)
    assert asked(site, NUMBER, sha256).json()["withdrawn_on"] == today


@pytest.mark.requirement("5.07")
def test_everybody_else_gets_one_answer_whether_there_is_such_a_number_or_not(site: Site):
    sha256 = release(site)
    questions = [
        (NUMBER, ""), (NUMBER, "0" * 64), (NUMBER, sha256[:63]), ("COA-2026-000002", sha256),
        ("COA-2026-000002", ""), ("x", "x"), ("<script>", "<script>"),
    ]  # fmt: skip
    answers = [asked(site, *one) for one in questions]
    assert {one.status_code for one in answers} == {404}
    assert len({(one.text, one.headers["content-type"]) for one in answers}) == 1
    is_problem(answers[0], 404, "BQC-CRT-047")


def test_the_code_on_paper_leads_to_the_page(site: Site):
    address = str(site.http.base_url).removesuffix("/api/v1/")
    body = signed(QA2, value="https://coa.lakeside.example")
    answer = site.send(QA2, "POST", "/policies/public address", json=body)
    assert answer.status_code == 201, answer.text
    sha256 = release(site)
    document = site.send(AUD, "GET", f"/certificates/{NUMBER}/pdf").content
    whole = PdfReader(BytesIO(document)).root_object["/StructTreeRoot"]["/K"]
    figures = [one.get_object() for one in whole["/K"] if one.get_object()["/S"] == "/Figure"]
    link = str(figures[0]["/Alt"]).removeprefix("QR code: ")
    assert link == f"https://coa.lakeside.example/status/{NUMBER}?sha256={sha256}"
    with httpx.Client() as stranger:
        found = stranger.get(link.replace("https://coa.lakeside.example", address))
    assert found.json()["status"] == "issued"


@pytest.mark.requirement("5.07")
def test_a_superseded_certificate_leads_to_the_one_that_counts(site: Site):
    site.house.ready()
    site.house.release()
    house = site.house
    sha256 = site.get(AUD, f"/certificates/{NUMBER}")["content_sha256"]
    tag = site.send(AUD, "GET", f"/certificates/{NUMBER}").headers["etag"]
    replace(house)
    told = asked(site, NUMBER, sha256).json()
    assert (told["status"], told["superseded_by"]) == ("superseded", "COA-2026-000002")
    newer, _, known = told["superseded_by_status"].partition("?sha256=")
    assert asked(site, newer, known).json()["status"] == "pending"
    again = site.send(AUD, "GET", f"/certificates/{NUMBER}", headers={"If-None-Match": tag})
    assert again.status_code == 200
    life = again.json()["life"]
    assert [one["what"] for one in life] == ["reserved", "withdrawn", "superseded", "void"]
    assert life[-2]["about"] == "COA-2026-000002"
    changes = site.get(AUD, "/certificates/COA-2026-000002")["content"]["supersedes"]["changes"]
    assert all(set(one) == {"what", "before", "after"} for one in changes)


def replace(house: Any) -> None:
    """A late failure withdraws the certificate; what settles it reserves another."""
    from tests.actions.test_letting_go import go, settled  # noqa: PLC0415 - only this test needs it

    settled(house)
    go(house)


@pytest.mark.requirement("5.07")
def test_a_copy_is_printed_by_qa_once_for_each_key(site: Site):
    release(site)
    path, body = f"/certificates/{NUMBER}/copies", {"recipient": "Regional Hospital"}
    key = {"Idempotency-Key": "copy-00001"}
    made = site.send(QA1, "POST", path, json=body, headers=key)
    assert made.status_code == 201
    assert made.json()["number"] == 1
    assert site.send(QA1, "POST", path, json=body, headers=key).json() == made.json()
    pdf = site.send(ANA, "GET", made.json()["pdf"])
    assert pdf.headers["content-type"] == "application/pdf"
    assert "Copy 1 for Regional Hospital" in PdfReader(BytesIO(pdf.content)).pages[0].extract_text()
    is_problem(site.send(ANA, "GET", f"{path}/2/pdf"), 404, "BQC-CRT-046")
    is_problem(site.send(ANA, "POST", path, json=body), 403, "BQC-ACC-002")
    is_problem(site.send(QA1, "POST", path, json={"recipient": ""}), 422, "BQC-CRT-045")


def test_a_draft_is_printed_by_whoever_may_read(site: Site):
    site.house.ready()
    pdf = site.send(ANA, "GET", f"/lots/{LOT}/draft-certificate")
    assert pdf.status_code == 200
    assert pdf.headers["content-disposition"] == f'inline; filename="DRAFT_{LOT}.pdf"'
    assert "DRAFT" in PdfReader(BytesIO(pdf.content)).pages[0].extract_text()
    site.house.release()
    is_problem(site.send(ANA, "GET", f"/lots/{LOT}/draft-certificate"), 409, "BQC-CRT-044")
