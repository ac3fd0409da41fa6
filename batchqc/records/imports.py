"""Lots that came from another instance, with their part of its audit trail.

The links of that trail are here from its beginning to where the dossier was made, and the trail of
this instance goes on behind them. Of the entries, only those of the lot are here.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from batchqc.records.base import Row


class DossierImport(Row):
    """A lot dossier that was imported: of which site and log, and how far its trail goes.

    ``content_sha`` names what the dossier says of itself, ``dossier_sha`` the file, both in the
    store; ``log_keys`` are lines; ``head`` is the link at ``entries``.
    """

    __tablename__ = "dossier_import"

    number: Mapped[int] = mapped_column(unique=True)
    lot: Mapped[str]
    site: Mapped[str]
    log_keys: Mapped[str]
    entries: Mapped[int]
    head: Mapped[str]
    content_sha: Mapped[str]
    dossier_sha: Mapped[str]
    reason: Mapped[str]
    imported_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """Its number."""
        return str(self.number)


def imports(session: Session) -> Sequence[DossierImport]:
    """Every import, in its order; an instance takes one."""
    return session.scalars(select(DossierImport).order_by(DossierImport.number)).all()
