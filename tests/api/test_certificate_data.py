"""What an issued certificate says, over HTTP."""

import pytest

from batchqc.actions.certificate_data import FORMATS
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.lots import the_lot
from batchqc.core.permissions import Permission
from tests.api.conftest import Site
from tests.api.test_refusals import is_problem
from tests.records.house import AUD, LOT, QA1

DATA = "/certificates/COA-2026-000001/data"


@pytest.mark.requirement("5.09")
def test_an_issued_certificate_is_told_in_each_format_and_a_pending_one_in_none(site: Site):
    house = site.house
    house.ready()
    house.release()
    is_problem(site.send(AUD, "GET", DATA), 409, "BQC-CRT-031")
    assert site.send(QA1, "POST", "/certificates/COA-2026-000001/issue").status_code == 201
    content = site.get(AUD, "/certificates/COA-2026-000001")["content"]
    for form, (make, media_type, ending) in FORMATS.items():
        answer = site.send(AUD, "GET", DATA, params={"format": form})
        assert answer.content == make(content)
        assert answer.headers["content-type"] == media_type
        assert f'"COA-2026-000001_{LOT}.{ending}"' in answer.headers["content-disposition"]
        assert answer.headers["certificate-counts"] == "yes"
    assert site.send(AUD, "GET", DATA).content == FORMATS["json"][0](content)
    is_problem(site.send(AUD, "GET", DATA, params={"format": "xml"}), 422, "BQC-API-001")
    is_problem(site.send(AUD, "GET", DATA.replace("1/", "2/")), 404, "BQC-CRT-030")
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        withdraw_certificate(tx, the_lot(tx.session, LOT), reason="Zu früh", about=f"lot:{LOT}")
    told = site.send(AUD, "GET", DATA).headers
    assert told["certificate-counts"] == "no, withdrawn"
