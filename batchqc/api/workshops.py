"""What the jobs of an installation are done with, by the process that does them."""

import os
import socket

from batchqc.actions.job_runs import Workshop
from batchqc.api.doors import Door
from batchqc.documents.bundle_kit import read_anchors


def workshop_of(door: Door) -> Workshop:
    """The workshop of an installation; its executor is this process."""
    return Workshop(
        door.engine,
        door.archive,
        door.press,
        door.now,
        lambda: read_anchors(door.settings.trust, door.settings.timestamp_root),
        f"{socket.gethostname()}:{os.getpid()}",
    )
