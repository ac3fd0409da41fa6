"""What the jobs of an installation are done with, by the process that does them.

Two containers may have the same host name, and their processes the same number: so the name of a
process ends by what no other one has.
"""

import os
import socket
from collections.abc import Callable
from datetime import datetime
from functools import partial

from batchqc.actions.deliveries import Sender
from batchqc.actions.job_runs import Workshop
from batchqc.api.doors import Door
from batchqc.clock import new_token
from batchqc.documents.bundle_kit import read_anchors
from batchqc.documents.posting import post
from batchqc.documents.webhook_key import read_key
from batchqc.settings import Settings


def workshop_of(door: Door) -> Workshop:
    """The workshop of an installation; its executor is this process."""
    return Workshop(
        door.engine,
        door.archive,
        door.press,
        door.now,
        lambda: read_anchors(door.settings.trust, door.settings.timestamp_root),
        f"{socket.gethostname()}:{os.getpid()}:{new_token()[:6]}",
        sender_of(door.settings, door.now),
    )


def sender_of(settings: Settings, now: Callable[[], datetime]) -> Sender:
    """What an installation sends messages to webhooks with."""
    send = partial(post, may_be_private=settings.webhook_private)
    return Sender(lambda: read_key(settings.webhook_key), send, now)
