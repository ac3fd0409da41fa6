"""Text that would run: in HTML, in a template, in SQL, in a spreadsheet, in a header, in a path.

First it is put on record wherever text is free, and everything that can be looked at is looked at:
every page, every CSV, every list of the API. Then every place of every address, every parameter and
every field of every form is filled with it. It stays text: nothing of it is evaluated, no tag of it
stands in a page, no cell begins like a formula, nothing answers 500, and no table is touched.
"""

import csv
import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any, Final
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from batchqc.actions.corrections import request_correction
from batchqc.actions.deviations import NewDeviation, keep_deviation
from batchqc.actions.laboratory import register_instrument, register_material
from batchqc.actions.lots import NewLot, register_lot
from batchqc.actions.people import register_person
from batchqc.actions.registers import register_product
from batchqc.core.deviations import State
from batchqc.core.permissions import Permission, Role
from batchqc.core.quantities import parse_amount
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import FolderArchive
from batchqc.documents.pki import PkiFiles
from batchqc.records.transaction import SYSTEM, transaction
from tests.api.conftest import (  # noqa: F401 - fixtures
    SEAL_PASSPHRASE,
    application,
    log_key,
    seal,
)
from tests.api.hostile import EVALUATED, HOSTILE, sizes
from tests.cast import MADE_ON, NOW
from tests.compliance.test_permissions_of_routes import HOLDERS, enter
from tests.databases import Databases
from tests.kinds import SQLITE
from tests.records.full_house import full_copy
from tests.records.house import (
    ADM,
    DONOR,
    EXPIRES_ON,
    LOT,
    PASSWORD,
    PRODUCT,
    QA1,
    Clock,
    House,
    signing,
    terms,
)
from tests.tiers import LONG
from tests.web.test_pages_by_role import FORMS, OWN, STRANGERS, TYPED, Pages, filled, opened, routes

TAG: Final = "<img src=x"
PARAMETERS: Final = (
    "after", "q", "text", "who", "about", "product", "status", "sort", "next", "lot", "from", "to",
    "show", "record", "meaning", "kind", "state", "word", "tab", "filter", "order", "what", "code",
)  # fmt: skip


@pytest.fixture(scope="module")
def pages(
    databases: Databases,
    shared_archive: FolderArchive,
    application: FastAPI,  # noqa: F811
    seal: PkiFiles,  # noqa: F811
    log_key: Any,  # noqa: F811
) -> Iterator[Pages]:
    """A house in which hostile text stands wherever somebody may type what they like."""
    keys = {
        "seal": seal.seal_p12, "seal_passphrase": SecretStr(SEAL_PASSPHRASE), "log_key": log_key,
    }  # fmt: skip
    with full_copy(databases, SQLITE, shared_archive) as engine:
        house = House(engine, shared_archive, Clock(NOW + timedelta(days=1)))
        type_everywhere(house)
        with opened(application, house, **keys) as found:
            found.tokens |= {who: enter(house, who) for who in HOLDERS.values() if who != "qp"}
            yield found


def type_everywhere(house: House) -> None:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        register_product(tx, code="HOSTILE", name=HOSTILE, form=HOSTILE, storage=HOSTILE)
        register_instrument(
            tx, instrument="HOSTILE", kind=HOSTILE, calibrated_on=MADE_ON, due_on=EXPIRES_ON,
            reason="",
        )  # fmt: skip
        register_material(
            tx, material="HOSTILE", kind="kit", lot=HOSTILE, expires_on=EXPIRES_ON, reason=""
        )
        register_lot(tx, NewLot("MSC-26-0666", PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,)))
        request_correction(
            tx, subject="lot:MSC-26-0666", field="expires_on", after="2027-05-17", reason=HOSTILE
        )
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(
            tx, user_id="hostile", name=HOSTILE, roles=[Role.QA], password="a first password 1",
            terms=terms(Role.QA),
        )  # fmt: skip
    with house.acting(QA1, Permission.KEEP_DEVIATIONS) as tx:
        for number, link in enumerate((HOSTILE, "javascript:alert(1)")):
            one = NewDeviation(
                f"DEV-HOSTILE-{number}", HOSTILE, link, State.OPEN, blocking=True, lots=(LOT,)
            )
            kept = keep_deviation(tx, deviation=one, credentials=signing(QA1, HOSTILE))
            assert not isinstance(kept, Refusal)


def runs(where: str, answer: Any) -> list[str]:
    """What of an answer would run at who reads it."""
    found = []
    kind = answer.headers.get("content-type", "")
    if answer.status_code == 500:
        found.append("answers 500")
    is_page = kind.startswith("text/html")
    if is_page and re.search(f'{TAG}|(href|src|action)="?javascript:', answer.text):
        found.append("has a tag or a link that runs")
    if kind.startswith("text/csv"):
        cells = [cell for row in csv.reader(StringIO(answer.text, newline="")) for cell in row]
        found += [cell for cell in cells if re.match(r"[=+\-@\t\r]", cell) and not number(cell)]
    if EVALUATED in answer.text:
        found.append("is evaluated")
    return [f"{where}: {one}" for one in found]


def number(cell: str) -> bool:
    return parse_amount(cell) is not None


def test_what_is_on_record_runs_on_no_page_and_in_no_csv(pages: Pages):
    wrong, shown, in_csv = [], 0, 0
    for route in routes("GET"):
        who = ADM if route.path.startswith("/administration") else QA1
        answer = pages.ask(who, "GET", filled(route.path))
        wrong += runs(route.path, answer)
        shown += "&lt;img src=x" in answer.text
        in_csv += answer.headers.get("content-type", "").startswith("text/csv") and (
            "'=1337*1337" in answer.text
        )
    assert wrong == []
    assert shown >= 8  # else nothing of it was looked at
    assert in_csv >= 3


def test_what_stands_in_an_address_or_a_form_runs_nowhere_and_touches_no_table(pages: Pages):
    before, wrong = sizes(pages.house), []
    everything = "&".join(f"{name}={quote(HOSTILE, safe='')}" for name in PARAMETERS)
    in_path = re.compile(r"{\w+(?::\w+)?}")
    for at, route in enumerate(routes("GET")):
        who = ADM if route.path.startswith("/administration") else QA1
        asked = [f"{filled(route.path)}?{everything}"]
        asked += [
            f"{filled(route.path)}?{name}={quote(HOSTILE, safe='')}" for name in ("after", "q")
        ]
        if in_path.search(route.path):
            asked.append(in_path.sub(quote(HOSTILE, safe=""), route.path))
        for path in asked if LONG else asked[at % len(asked) :][:1]:
            wrong += runs(path[:200], pages.ask(who, "GET", path))
    own = (OWN | STRANGERS) - {"/sign-out", "/lock", "/unlock", "/sign-in"}
    for path in (*FORMS, *sorted(own)):
        typed = dict.fromkeys((*TYPED, "sha256", "field", "after", "title"), HOSTILE)
        line = FORMS.get(path, "")
        who = ADM if "/administration" in path or "/people" in line else QA1
        wrong += runs(path, pages.send(who, filled(path), typed | {"password": PASSWORD}))
    assert wrong == []
    after = sizes(pages.house)
    assert {name for name in before if after[name] < before[name]} == set()
