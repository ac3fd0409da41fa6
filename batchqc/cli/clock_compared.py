"""What ``batchqc serve`` writes of the system's clock before it serves."""

from batchqc.actions.clock_evidence import record_clock
from batchqc.cli.workplace import Workplace
from batchqc.clock import evidence
from batchqc.errors import ClockDoubtful
from batchqc.records.transaction import SYSTEM, transaction


def compare_clock(place: Workplace, *, required: bool) -> None:
    """Record how the clock is kept.

    Raises:
        ClockDoubtful: BQC-SYS-032 it is required to be synchronised, and is not; that is recorded.
    """
    found = evidence()
    with transaction(place.engine, SYSTEM, place.now()) as tx:
        record_clock(tx, told=str(found), is_synchronised=found.is_synchronised)
    if required and not found.is_synchronised:
        raise ClockDoubtful(
            "BQC-SYS-032",
            f"BATCHQC_CLOCK_REQUIRED wants a synchronised clock: {found}",
            hint="Start a time service, such as chrony.",
        )
