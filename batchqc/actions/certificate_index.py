"""Carrying the certificates of before the index into it, and finding certificates in it."""

from dataclasses import dataclass
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.certificate_filing import file_certificate
from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.setup import own_site
from batchqc.actions.times import moments
from batchqc.core.certificate_terms import Kind, term, words_of
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput
from batchqc.records.certificate_index import not_indexed
from batchqc.records.certificate_search import Hit, Search, certificate_ids, hits
from batchqc.records.transaction import Transaction

Standing = Literal["issued", "pending", "void", "superseded", "withdrawn", ""]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person looks for; everything that is given holds together.

    ``text`` are words that the certificate says, whole ones, or beginnings where they end in ``*``.
    ``since`` and ``until`` are the first and last site-local day on which its number was given.
    """

    lot: str = ""
    product: str = ""
    donor: str = ""
    disposition: str = ""
    analyte: str = ""
    signer: str = ""
    text: str = ""
    status: Standing = ""
    since: date | None = None
    until: date | None = None
    newest_first: bool = False


def file_earlier(tx: Transaction, archive: Archive, *, limit: int) -> int:
    """File some of the certificates that the index lacks, the newest first; how many there were.

    Raises:
        IntegrityFailure: the content of one is missing or damaged.
    """
    tx.lock("certificate index")
    found = not_indexed(tx.session, limit=limit)
    for one in found:
        file_certificate(tx, one, content_of_certificate(archive, one))
    if found:
        keys = [found[-1].key, found[0].key]
        tx.audit("certificates indexed", about=keys, after={"certificates": len(found)})
    return len(found)


def find_certificates(session: Session, wanted: Wanted, *, after: str, limit: int) -> list[Hit]:
    """What is found, in the order of the numbers, behind the certificate ``after``, or "".

    Raises:
        NotFound: there is no certificate ``after``.
        InvalidInput: the text holds no word.
        Conflict: certificates of before the index are not in it yet.
    """
    search = _search_of(session, wanted)
    behind = the_certificate(session, after).id if after else 0
    found = hits(session, certificate_ids(session, search, after=behind, limit=limit))
    return found[::-1] if wanted.newest_first else found


def count_certificates(session: Session, wanted: Wanted, *, most: int) -> int:
    """How many are found, counted up to ``most``; it raises as the search does."""
    search = _search_of(session, wanted)
    return len(certificate_ids(session, search, after=0, limit=most))


def _search_of(session: Session, wanted: Wanted) -> Search:
    """The search, where the index can answer it."""
    search = _search(session, wanted)
    if (search.terms or search.words) and (lacking := not_indexed(session, limit=1)):
        raise Conflict(
            "BQC-CRT-051",
            f"the index lacks {lacking[0].natural_key} and what is older:"
            " a search would leave them out",
            hint="Run `batchqc certificate index` once.",
        )
    return search


def _search(session: Session, wanted: Wanted) -> Search:
    zone = ZoneInfo(own_site(session).time_zone)
    terms = tuple(term(kind, said) for kind in Kind if (said := getattr(wanted, kind)))
    words = tuple(word for part in wanted.text.split() for word in _words(part))
    if wanted.text and not words:
        raise InvalidInput(
            "BQC-CRT-052",
            f"“{wanted.text}” holds no word",
            hint="Type words of the certificate; * after the beginning of one.",
        )
    return Search(
        terms,
        words,
        wanted.status,
        *moments(wanted.since, wanted.until, zone),
        wanted.newest_first,
    )


def _words(part: str) -> list[str]:
    words = words_of(part)
    if words and part.endswith("*"):
        words[-1] += "*"
    return words
