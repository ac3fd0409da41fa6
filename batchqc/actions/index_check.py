"""Whether the index of certificates says what their frozen content says."""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from sqlite3 import DatabaseError
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.certificate_terms import terms_of, words_said
from batchqc.documents.archive import Archive
from batchqc.errors import BatchqcError
from batchqc.records.certificate_index import CertificateTerm, CertificateText
from batchqc.records.decisions import Certificate, DispositionRow


def index_problems(session: Session, archive: Archive) -> Iterator[str]:
    """What is wrong with the index; certificates that are older than all of it are none of it.

    Content that cannot be read, and what the index refers to, are checked elsewhere.
    """
    of_term = CertificateTerm.certificate_id
    terms = _filed(session, select(of_term, CertificateTerm.kind, CertificateTerm.value))
    words = _filed(session, select(CertificateText.certificate_id, CertificateText.words))
    oldest = min((*terms, *words), default=None)
    query = select(Certificate, DispositionRow.content_sha).join(
        DispositionRow, DispositionRow.id == Certificate.disposition_id
    )
    for one, decision in session.execute(query.order_by(Certificate.id)):
        mine = terms.pop(one.id, ""), words.pop(one.id, "")
        if oldest is None or one.id < oldest:
            continue
        try:
            content = json.loads(archive.get(one.content_sha))
            disposition = json.loads(archive.get(decision))["disposition"]
        except BatchqcError:
            continue
        if mine != (_digest(terms_of(content, disposition)), _digest([(words_said(content),)])):
            yield f"the index does not say of {one.key} what its content says"
    if extra := len({*terms, *words}):
        yield f"the index holds {extra} certificates that are not there"
    yield from _word_problems(session)


def _word_problems(session: Session) -> Iterator[str]:
    """Whether SQLite's index of words, which a search goes by, holds the words that are filed."""
    if session.get_bind().dialect.name != "sqlite":
        return
    try:
        found = dict(_searched(session.connection().connection.driver_connection))
    except DatabaseError:
        yield "the index of words is damaged"
        return
    filed = select(CertificateText.certificate_id, CertificateText.words)
    for one, words in session.execute(filed.execution_options(yield_per=500)):
        if found.pop(one, 0) != sum(map(hash, words.split())):
            key = session.get_one(Certificate, one).key
            yield f"the index of words does not say of {key} what is filed"
    if found:
        yield f"the index of words holds {len(found)} certificates that are not there"


def _searched(connection: Any) -> Iterator[tuple[int, int]]:
    """The sum of the hashes of the words that a search finds each certificate by, by its id."""
    connection.execute(
        "CREATE VIRTUAL TABLE temp.searched USING fts5vocab(main, certificate_words, instance)"
    )
    try:
        found = dict[int, int]()
        for word, one in connection.execute("SELECT term, doc FROM temp.searched"):
            found[one] = found.get(one, 0) + hash(word)
        yield from found.items()
    finally:
        connection.execute("DROP TABLE temp.searched")


def _filed(session: Session, query: Any) -> dict[int, str]:
    """A hash of what is filed under each certificate, by its id."""
    rows = session.execute(query.order_by(query.selected_columns[0]))
    return {one: _digest(row[1:] for row in some) for one, some in groupby(rows, itemgetter(0))}


def _digest(rows: Iterable[Iterable[str]]) -> str:
    return sha256(repr(sorted(tuple(map(str, row)) for row in rows)).encode()).hexdigest()
