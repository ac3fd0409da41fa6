"""The entries of the audit trail that witness the rows of a lot, by one statement.

Some are asked for all that is told of a record. Of a donor every lot tells something, of a person
every account: of these only what bears on the lot is asked for.
"""

from collections.abc import Iterable, Sequence
from functools import cache

from sqlalchemy import Select, bindparam, select, union_all
from sqlalchemy.orm import Session, aliased

from batchqc.records.among import among
from batchqc.records.audit import AuditEntry, AuditSubject, filed_under


def entries_about_any(
    session: Session,
    subjects: Iterable[str],
    *,
    but: tuple[Iterable[str], str],
    only: tuple[Iterable[str], Iterable[str]],
) -> Sequence[AuditEntry]:
    """Every entry that speaks of one of some records, or of further ones.

    Args:
        session: only read.
        subjects: keys of records of which everything counts.
        but: keys of records of which one action does not count, and that action.
        only: keys of records of which only some actions count, and those.
    """
    asked: dict[str, object] = {"subjects": sorted(subjects)}
    asked |= {"but_of": sorted(but[0]), "but": but[1]}
    asked |= {"only_of": sorted(only[0]), "only": sorted(only[1])}
    return session.scalars(_about_any(), asked).all()


@cache
def _about_any() -> Select[AuditEntry]:
    told = aliased(AuditEntry)
    but, only = (
        filed_under(name).join(told, told.id == AuditSubject.entry_id)
        for name in ("but_of", "only_of")
    )
    found = union_all(
        filed_under("subjects"),
        but.where(told.what != bindparam("but")),
        only.where(among(told.what, "only")),
    )
    return select(AuditEntry).where(AuditEntry.id.in_(found))
