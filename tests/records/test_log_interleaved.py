"""Two who sign a checkpoint at the same moment sign one log, one after the other."""

from sqlalchemy import select

from batchqc.documents.log_key import LogSigner
from batchqc.records.log import CheckpointRow
from tests.actions.test_checkpoints import sign
from tests.records.house import House
from tests.records.interleaving import DONE, interleaved, taken_out


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
