"""The screens of typed results and of Annex 16, in every window."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from batchqc.actions.accounts import change_role
from batchqc.actions.annex16 import check_manufacture, transfer_to_stock
from batchqc.actions.dispositions import release_lot
from batchqc.core.annex16 import POINTS
from batchqc.core.permissions import Permission, Role
from batchqc.core.policies import Certifies, Policy
from tests.actions.test_later_decisions import policy
from tests.actions.typing_results import enter, try_to_verify
from tests.records.house import ADM, ANA, LOT, QA2, QA3, House, signing
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.looking import look_at
from tests.web.lots import add_lots

NEW, CERTIFIED = "MSC-26-0077", LOT
WAITS, DIFFERS = "U-2026-000002", "U-2026-000003"
OF = [f"{NEW}-S01:{one}" for one in ("STER:growth_14d", "FLOW:CD73", "FLOW:CD90")]
SCREENS = {
    "typed results": "/manual",
    "typed results that are none": "/manual?lot=none&state=verified",
    "an entry that waits": f"/manual/{WAITS}",
    "an entry that differs": f"/manual/{DIFFERS}",
    "a document of an entry": f"/manual/{WAITS}/document",
    "choosing a lot": "/manual/new",
    "a lot that is none": "/manual/new?lot=none",
    "choosing results": f"/manual/new?lot={NEW}",
    "typing results": f"/manual/new?{urlencode({'lot': NEW, 'of': OF}, doseq=True)}",
    "the three steps, done": f"/lots/{CERTIFIED}/annex16",
    "the three steps, to come": f"/lots/{NEW}/annex16",
    "the check of a lot that is not ready": f"/lots/{NEW}/annex16/check",
    "a transfer": f"/lots/{CERTIFIED}/annex16/transfer",
    "register of certifications": "/certifications",
}
OF_QA = {name for name, path in SCREENS.items() if "annex16" in path or "certif" in path}


def certify(house: House) -> None:
    """The three steps for the lot that is ready, by a policy that asks for them."""
    policy(house, Policy.QP_CERTIFIES, Certifies.EVERY_LOT)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=QA2, role=Role.QP, granted=True, reason="Named in the licence")
    house.read_trail()
    with house.acting(QA3, Permission.CHECK_LOT) as tx:
        answers = dict.fromkeys(POINTS, "Checked by QA, see the batch record")
        check_manufacture(tx, house.archive, lot=LOT, answers=answers, credentials=signing(QA3))
    with house.acting(QA2, Permission.CERTIFY_LOT) as tx:
        release_lot(tx, house.archive, lot=LOT, credentials=signing(QA2))
    with house.acting(QA3, Permission.CHECK_LOT) as tx:
        transfer_to_stock(tx, lot=LOT, credentials=signing(QA3))


@pytest.fixture(scope="module")
def laboratory(served: Served) -> Served:
    house = served.house
    certify(house)
    add_lots(house, NEW)
    typed = {"lot": NEW, "sample": f"{NEW}-S01", "analyst": ANA}
    assert enter(house, **typed).number == WAITS
    endotoxin = typed | {
        "test": "ENDO", "analyte": "endotoxin", "values": ("<0.05",), "unit": "EU/mL",
        "run": "ENDO-1", "method": "SOP-QC-040 v4", "instrument": "PTS-001",
    }  # fmt: skip
    assert enter(house, **endotoxin).number == DIFFERS
    try_to_verify(house, DIFFERS, "<0.5", unit="EU/mL")
    return served


@pytest.fixture(scope="module")
def ana(laboratory: Served) -> Iterator[Visitor]:
    with laboratory.visitor(ANA) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def qa(laboratory: Served) -> Iterator[Visitor]:
    with laboratory.visitor(QA3) as visitor:
        yield visitor


@pytest.mark.parametrize("name", sorted(SCREENS.keys() - OF_QA))
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(ana: Visitor, name: str):
    look_at(ana, SCREENS[name])


@pytest.mark.parametrize("name", sorted(OF_QA))
def test_so_is_a_screen_of_qa(qa: Visitor, name: str):
    look_at(qa, SCREENS[name])
