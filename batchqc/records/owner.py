"""What only the owner of a database of PostgreSQL may do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from batchqc.errors import NotPermitted

_NO_RIGHT: Final = "42501"


@contextmanager
def as_owner(engine: Engine) -> Iterator[None]:
    """Tell in plain words that the role by which a database is opened lacks a right.

    Raises:
        NotPermitted: BQC-SYS-038.
    """
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != _NO_RIGHT:
            raise
        said = str(error.orig).strip().splitlines()[0]
        raise NotPermitted(
            "BQC-SYS-038",
            f"the role {engine.url.username or 'of this connection'} may not do this: {said}",
            hint="Nothing was changed. Do it as the owner of the database: BATCHQC_DATABASE"
            " names the role.",
        ) from error
