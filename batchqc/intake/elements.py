"""The one place where a file is read as its profile declares it."""

from batchqc.core.profiles import Profile
from batchqc.intake.table import Table, read_table


def read_export(data: bytes, profile: Profile | None = None) -> Table:
    """Read a file as its profile declares it. Every input has an outcome."""
    return read_table(data, profile)
