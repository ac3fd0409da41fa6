"""Finding certificates among very many by what the index holds, and by how they stand.

What is rare leads: of each term, and of the words, the index gives some certificates; where it
gives fewer than were asked for, these are all, and only they are looked at. Where everything is
common, the certificates are gone through in their order: a page of them is soon full.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal, cast

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    column,
    exists,
    func,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session, aliased

from batchqc.core.certificate_terms import Term
from batchqc.records.among import among
from batchqc.records.certificate_index import LEXEMES, CertificateTerm, CertificateText
from batchqc.records.conditional import CertificateWithdrawal, counts_no_more
from batchqc.records.decisions import Certificate, CertificateIssue, DispositionRow, public_number
from batchqc.records.registers import LotRow, Product, Site

#: What is on so many certificates is common.
FEW: Final = 2000
_AT_ONCE: Final = 500
#: The index of words on SQLite.
_WORDS: Final = table("certificate_words", column("rowid", Integer))


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; everything that is given holds together.

    ``words`` are whole ones, or beginnings where they end in ``*``; ``since`` and ``until`` are
    moments at which the number was given; ``status`` is ``issued``, ``pending``, ``void``,
    ``superseded`` or ``withdrawn``, and "" is any. Where the newest is first, what is behind one
    was given before it.
    """

    terms: tuple[Term, ...] = ()
    words: tuple[str, ...] = ()
    status: str = ""
    since: datetime | None = None
    until: datetime | None = None
    newest_first: bool = False


def certificate_ids(
    session: Session, wanted: Search, *, after: int, limit: int, few: int = FEW
) -> list[int]:
    """The ids of what is found, in their order, behind one of them; at most ``limit``.

    What is on fewer than ``few`` certificates is rare.
    """
    rare, common, words = _sorted(session, wanted, few)
    conditions = list(_conditions(wanted))
    if rare is None:
        query, place = _led(common, words, conditions)
        query = query.where(*_behind(place, after, wanted))
        return list(session.scalars(query.order_by(_ordered(place, wanted)).limit(limit)))
    places = (one for one in rare if not after or (one < after) is wanted.newest_first)
    found, left = list[int](), sorted(set(places) - {after}, reverse=wanted.newest_first)
    while left and len(found) < limit:
        some, left = left[:_AT_ONCE], left[_AT_ONCE:]
        query = _with(select(Certificate.id), Certificate.id, common, words).where(*conditions)
        query = query.where(Certificate.id.in_(some))
        found += session.scalars(query.order_by(_ordered(Certificate.id, wanted)))
    return found[:limit]


def _behind(place: Any, after: int, wanted: Search) -> Iterator[ColumnElement[bool]]:
    if after:
        yield place < after if wanted.newest_first else place > after


def _ordered(place: Any, wanted: Search) -> Any:
    return place.desc() if wanted.newest_first else place


def _sorted(
    session: Session, wanted: Search, few: int
) -> tuple[set[int] | None, list[Term], tuple[str, ...]]:
    """What has all that is rare, where anything is; and the terms and words that are common."""
    rare, common = None, list[Term]()
    for one in wanted.terms:
        some = _some(session, _of_term(one), few)
        rare, common = (rare, [*common, one]) if some is None else (_both(rare, some), common)
    if wanted.words and (some := _some(session, _of_words(session, wanted.words), few)) is not None:
        return _both(rare, some), common, ()
    return rare, common, wanted.words


def _some(session: Session, query: Select[Any], few: int) -> set[int] | None:
    """All that a query gives, where these are few; of very many nothing is fetched."""
    counted = select(func.count()).select_from(query.limit(few).subquery())
    if not few or (session.scalar(counted) or 0) >= few:
        return None
    return set(session.scalars(query))


def _both(some: set[int] | None, others: set[int]) -> set[int]:
    return others if some is None else some & others


def _of_term(one: Term) -> Select[Any]:
    return select(CertificateTerm.certificate_id).where(
        CertificateTerm.kind == one.kind, CertificateTerm.value == one.value
    )


def _of_words(session: Session, words: Iterable[str]) -> Select[Any]:
    """What the index of words gives; the words hold letters and digits only."""
    said = [(word.removesuffix("*"), word.endswith("*")) for word in words]
    if session.get_bind().dialect.name == "postgresql":
        asked = " & ".join(f"'{word}'{':*' if begins else ''}" for word, begins in said)
        found = text(f"{LEXEMES} @@ CAST(:asked AS tsquery)").bindparams(asked=asked)
        return select(CertificateText.certificate_id).where(found)
    asked = " AND ".join(f'"{word}"{" *" if begins else ""}' for word, begins in said)
    matches = literal_column("certificate_words").op("MATCH")(asked)  # of a column it is not asked
    return select(_WORDS.c.rowid).where(matches)


def _led(
    terms: list[Term], words: Iterable[str], conditions: list[ColumnElement[bool]]
) -> tuple[Select[Any], Any]:
    """A query that goes through what has the first term, or through all, and its id."""
    query, place = select(Certificate.id), cast("Any", Certificate.id)
    if terms:
        query, place = _of_term(terms[0]), CertificateTerm.certificate_id
        if conditions:
            query = query.join(Certificate, Certificate.id == place)
    return _with(query.where(*conditions), place, terms[1:], words), place


def _with(
    query: Select[Any], place: Any, terms: Iterable[Term], words: Iterable[str]
) -> Select[Any]:
    """The query, with what else is to stand on each that it goes through.

    Asked of each one, in a query of its own: a planner that knew better would hash them all.
    """
    for one in terms:
        other = aliased(CertificateTerm)
        mine = (other.kind == one.kind, other.value == one.value, other.certificate_id == place)
        query = query.where(select(other.kind).where(*mine).scalar_subquery().is_not(None))
    if words:
        text_of = select(CertificateText.words).where(CertificateText.certificate_id == place)
        said: ColumnElement[str] = " " + text_of.scalar_subquery() + " "
        query = query.where(*(_says(said, word) for word in words))
    return query


def _says(said: ColumnElement[str], word: str) -> ColumnElement[bool]:
    part = f" {word.removesuffix('*')}" if word.endswith("*") else f" {word} "
    return said.contains(part, autoescape=True)


@dataclass(frozen=True, slots=True)
class Hit:
    """A certificate that was found, and how it stands.

    ``supersedes`` and ``superseded_by`` are public numbers, or ""; ``document_sha`` is "" while it
    is not issued.
    """

    number: str
    lot: str
    product: str
    disposition: str
    reserved_at: datetime
    content_sha: str
    document_sha: str
    supersedes: str
    superseded_by: str
    withdrawn: str

    @property
    def status(self) -> Literal["issued", "pending", "void"]:
        """Whether it is sealed, waits for its seal, or never gets one."""
        if self.document_sha:
            return "issued"
        return "void" if self.superseded_by or self.withdrawn else "pending"


def _number(of: Any) -> tuple[Any, Any]:
    return of.year, of.number


@cache
def _hits() -> Select[Any]:
    earlier, newer = aliased(Certificate), aliased(Certificate)
    return (
        select(
            *_number(Certificate),
            LotRow.lot,
            Product.code,
            DispositionRow.disposition,
            Certificate.reserved_at,
            Certificate.content_sha,
            CertificateIssue.document_sha,
            *_number(earlier),
            *_number(newer),
            CertificateWithdrawal.reason,
            Site.series,
        )
        .join(Site, Site.id == Certificate.site_id)
        .join(LotRow, LotRow.id == Certificate.lot_id)
        .join(Product, Product.id == LotRow.product_id)
        .join(DispositionRow, DispositionRow.id == Certificate.disposition_id)
        .outerjoin(CertificateIssue, CertificateIssue.certificate_id == Certificate.id)
        .outerjoin(earlier, earlier.id == Certificate.supersedes_id)
        .outerjoin(newer, newer.supersedes_id == Certificate.id)
        .outerjoin(CertificateWithdrawal, CertificateWithdrawal.certificate_id == Certificate.id)
        .where(among(Certificate.id, "ids"))
        .order_by(Certificate.id)
    )


def hits(session: Session, ids: Iterable[int]) -> list[Hit]:
    """Certificates by their ids, oldest first."""
    return [
        Hit(
            public_number(series, year, number),
            lot,
            product,
            disposition,
            at,
            content,
            document or "",
            public_number(series, *old) if all(old) else "",
            public_number(series, *new) if all(new) else "",
            withdrawn or "",
        )
        for (
            year, number, lot, product, disposition, at, content, document, *links,
            withdrawn, series,
        ) in session.execute(_hits(), {"ids": list(ids)})
        for old, new in ((links[:2], links[2:]),)
    ]  # fmt: skip


def _conditions(wanted: Search) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield Certificate.reserved_at >= wanted.since
    if wanted.until is not None:
        yield Certificate.reserved_at < wanted.until
    is_issued = exists().where(CertificateIssue.certificate_id == Certificate.id)
    match wanted.status:
        case "issued":
            yield is_issued
        case "pending":
            yield from (~is_issued, ~counts_no_more())
        case "void":
            yield from (~is_issued, counts_no_more())
        case "superseded":
            newer = aliased(Certificate)
            replaced = select(newer.supersedes_id).where(newer.supersedes_id.is_not(None))
            yield Certificate.id.in_(replaced)
        case "withdrawn":
            yield Certificate.id.in_(select(CertificateWithdrawal.certificate_id))
        case _:
            pass
