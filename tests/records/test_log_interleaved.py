"""Two who sign a checkpoint, or have it stamped, at the same moment: one comes after the other."""

from pathlib import Path

from sqlalchemy import select

from batchqc.actions.witnessing import stamp_newest
from batchqc.documents.log_key import LogSigner
from batchqc.documents.timestamps import Service
from batchqc.records.log import CheckpointRow, timestamps
from tests.actions.test_checkpoints import sign
from tests.records.house import House
from tests.records.interleaving import DONE, interleaved, taken_out
from tests.timestamp_service import timestamp_service


def test_who_signs_waits_for_who_signs(house: House, log_signer: LogSigner):
    sign(house, log_signer)
    with taken_out(house.engine, "transparency log"):
        both = interleaved(
            house, lambda own: sign(own, log_signer), lambda own: sign(own, log_signer)
        )
    assert both == (DONE, DONE)
    with house.reading() as session:
        sizes = [row.size for row in session.scalars(select(CheckpointRow))]
    assert len(set(sizes)) == 3
    assert house.verify().problems == ()


def test_who_has_a_checkpoint_stamped_waits_for_who_does(
    house: House, log_signer: LogSigner, tmp_path: Path
):
    sign(house, log_signer)
    with timestamp_service(tmp_path) as local, taken_out(house.engine, "checkpoint:"):
        service = Service(local.url, local.root)

        def stamp(own: House) -> bool:
            return stamp_newest(own.engine, own.archive, service, clock=own.now)

        assert interleaved(house, stamp, stamp) == (DONE, DONE)
    with house.reading() as session:
        assert len(timestamps(session)) == 1
    assert house.verify().problems == ()
