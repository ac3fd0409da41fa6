"""Lists that people look through from their newest row on."""

from pathlib import Path

from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.webhooks import NewWebhook, register_webhook
from batchqc.core.permissions import Permission
from batchqc.documents.log_key import LogSigner
from batchqc.documents.webhook_key import made_key
from batchqc.records.events import Delivery, deliveries_before, webhook_by
from batchqc.records.log import checkpoints_before
from tests.records.house import ADM, QA1, House


def test_deliveries_stand_with_the_newest_attempt_first(house: House, tmp_path: Path):
    with house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        key = made_key(tmp_path / "webhook.key", "a" * 43)
        hook, _secret = register_webhook(tx, NewWebhook("erp", "https://erp.example/x"), key=key)
        other, _secret = register_webhook(tx, NewWebhook("lims", "https://lims.example"), key=key)
        made = [(hook, 8, 1), (hook, 8, 2), (other, 8, 1), (hook, 9, 1)]
        rows = [
            Delivery(
                webhook=one, event_number=event, number=number, outcome="failed", detail="",
                at=tx.now,
            )
            for one, event, number in made
        ]  # fmt: skip
        tx.add(*rows)
        tx.audit("told", rows=rows)
    with house.reading() as session:
        found = webhook_by(session, "erp")
        assert found is not None
        for before, right in (
            ((0, 0), [(9, 1), (8, 2), (8, 1)]), ((9, 1), [(8, 2), (8, 1)]), ((8, 2), [(8, 1)]),
            ((8, 1), []),
        ):  # fmt: skip
            shown = deliveries_before(session, found, *before, limit=5)
            assert [(one.event_number, one.number) for one in shown] == right
        assert len(deliveries_before(session, found, 0, 0, limit=2)) == 2


def test_checkpoints_stand_with_the_newest_first(house: House, log_signer: LogSigner):
    sizes = []
    for _ in range(3):
        with house.acting(QA1, Permission.KEEP_LOG) as tx:
            sizes.append(sign_checkpoint(tx, log_signer).size)
    with house.reading() as session:
        assert [one.size for one in checkpoints_before(session, 0, limit=9)] == sizes[::-1]
        assert [one.size for one in checkpoints_before(session, sizes[2], limit=1)] == [sizes[1]]
