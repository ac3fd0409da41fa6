"""A house with something in every part of its administration, served with keys of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from batchqc.actions.account_reports import keep_account_report
from batchqc.actions.laboratory import register_instrument, register_material, register_training
from batchqc.actions.trail_checks import note_verification
from batchqc.actions.webhooks import NewWebhook, register_webhook
from batchqc.core.permissions import Permission
from batchqc.documents.component_key import create_component_key
from batchqc.documents.webhook_key import made_key
from tests.databases import Databases
from tests.kinds import SQLITE
from tests.records import trail_samples
from tests.records.house import ADM, ANA, QA1, Clock, House, archive_of, furnish
from tests.web.conftest import Served, Server

REPORT = "AR-2026-000001"
SAMPLE = "TS-2026-000001"
HOOK = "warehouse"


def administered(house: House, folder: Path) -> None:
    """Registers with rows, a report that waits for its review, a webhook, a verification."""
    day, soon, last = date(2026, 1, 2), date(2026, 6, 12), date(2027, 1, 2)
    with house.acting(QA1, Permission.KEEP_REGISTERS) as tx:
        for name, due in (("PTS-001", last), ("FAC-002", soon), ("VCB-001", date(2026, 5, 1))):
            register_instrument(
                tx, instrument=name, kind="Reader", calibrated_on=day, due_on=due, reason=""
            )
        register_material(tx, material="LAL-1", kind="kit", lot="L-7", expires_on=last, reason="")
        register_training(
            tx, person=ANA, method="SOP-QC-040", trained_on=day, expires_on=soon, reason=""
        )
    with house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        key = made_key(folder / "webhook.key", "a" * 43)
        register_webhook(tx, NewWebhook(HOOK, "https://erp.example/batchqc"), key=key)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        keep_account_report(tx, house.archive)
    assert trail_samples.draw(house)[0] == SAMPLE
    found = house.verify()
    with house.acting(QA1, Permission.READ) as tx:
        note_verification(tx, found)


@contextmanager
def administration(
    databases: Databases,
    folders: pytest.TempPathFactory,
    server: Server,
    browser: Browser,
) -> Iterator[Served]:
    """Such a house, behind an address; its keys lie in a folder of its own."""
    folder = folders.mktemp("administration")
    create_component_key(folder / "components.key")
    with (
        pytest.MonkeyPatch.context() as environment,
        databases.copy(SQLITE, "house", furnish) as engine,
    ):
        environment.setenv("BATCHQC_COMPONENT_KEY", str(folder / "components.key"))
        environment.setenv("BATCHQC_WEBHOOK_KEY", str(folder / "webhook.key"))
        house = House(engine, archive_of(folder), Clock())
        administered(house, folder)
        with server.serving(house, browser) as found:
            yield found
