"""The whole qualification of an installation: every check of the protocol, in its order."""

from collections.abc import Iterator, Sequence

from batchqc.cli.qualification import cases, place, software, vectors
from batchqc.cli.qualification.backups import Backups
from batchqc.cli.qualification.lots import Lots
from batchqc.cli.qualification.protocol import Result, perform, protocol
from batchqc.cli.qualification.rights import Rights
from batchqc.cli.qualification.scratch import scratch
from batchqc.cli.qualification.sealed import Sealed
from batchqc.cli.qualification.signing import Signing
from batchqc.cli.qualification.trail import Trail
from batchqc.cli.workplace import Workplace


def qualify(own: Workplace, *, databases: Sequence[str] = ()) -> Iterator[Result]:
    """Every check with its finding, one after the other.

    Args:
        own: the installation; nothing of it is changed.
        databases: empty databases for the scratch installation, where they are given.
    """
    checks = protocol()
    with scratch(own, databases=databases) as other:
        parts = (Lots, Rights, Signing, Trail, Sealed)
        doings = software.doings() | place.doings(own) | other.doings() | vectors.doings()
        for part in parts:
            doings |= part(other.story).doings()
        doings |= Backups(other).doings()
        yield from perform(checks, doings | cases.doings(checks))
