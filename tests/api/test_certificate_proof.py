"""The proof of a certificate over HTTP."""

import json

from batchqc.documents.certificate_check import check_all
from batchqc.documents.verifier.case import Question
from tests.api.conftest import Site
from tests.records.house import AUD, LOT, QA1


def test_the_proof_of_a_certificate_is_had_beside_it(site: Site):
    site.house.ready()
    site.house.release()
    (number,) = [one["number"] for one in site.get(AUD, f"/certificates?lot={LOT}")["items"]]
    early = site.send(AUD, "GET", f"/certificates/{number}/proof")
    assert (early.status_code, early.json()["code"]) == (409, "BQC-CRT-031")
    issued = site.send(QA1, "POST", f"/certificates/{number}/issue")
    assert issued.status_code == 201, issued.text
    pdf = site.send(AUD, "GET", f"/certificates/{number}/pdf").content
    answer = site.send(AUD, "GET", f"/certificates/{number}/proof")
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.content)["type"] == "batchqc/certificate-proof/1"
    (key,) = site.get(AUD, "/log/keys")["items"]
    question = Question(
        site.keys.root_pem.read_bytes(),
        site.house.now.at,
        lot=LOT,
        proofs=(answer.content,),
        log_keys=key["vkey"],
    )
    outcomes = {one.name: one.outcome for one in check_all(pdf, question).checks}
    assert {outcomes[name] for name in ("log", "time", "status", "pages")} == {"ok"}
    none = site.send(AUD, "GET", "/certificates/COA-2026-999999/proof")
    assert none.status_code == 404
