"""Whether the index of certificates says what their frozen content says."""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
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


def _filed(session: Session, query: Any) -> dict[int, str]:
    """A hash of what is filed under each certificate, by its id."""
    rows = session.execute(query.order_by(query.selected_columns[0]))
    return {one: _digest(row[1:] for row in some) for one, some in groupby(rows, itemgetter(0))}


def _digest(rows: Iterable[Iterable[str]]) -> str:
    return sha256(repr(sorted(tuple(map(str, row)) for row in rows)).encode()).hexdigest()
