"""Who signed which version of a kind of document: one query for all of them."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from batchqc.records.signatures import SignatureRow


def signatures_by_version(
    session: Session,
    version_id: InstrumentedAttribute[int],
    signature_id: InstrumentedAttribute[int],
) -> Mapping[int, SignatureRow]:
    """The signature of each version that has one, by the version's id.

    Args:
        session: only read.
        version_id: of a table of signed steps, what was signed.
        signature_id: of the same table, the signature.
    """
    query = select(version_id, SignatureRow).join(SignatureRow, SignatureRow.id == signature_id)
    return dict(session.execute(query).all())
