"""What the jobs of an installation are done with, by the process that does them."""

import os
import socket

from batchqc.actions.job_runs import Workshop
from batchqc.api.doors import Door
from batchqc.documents.bundle_kit import read_anchors


def workshop_of(door: Door) -> Workshop:
    """The workshop of an installation; its executor is this process."""
    settings = door.settings
    return Workshop(
        door.engine,
        door.archive,
        door.press,
        door.now,
        lambda: read_anchors(settings.trust, settings.timestamp_root),
        f"{socket.gethostname()}:{os.getpid()}",
    )
