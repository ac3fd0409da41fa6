"""Typing a result where there is none yet: of two people who do so at one moment one does."""

import hashlib

from batchqc.actions.entries import enter_result
from batchqc.actions.lots import the_lot
from batchqc.actions.permission import require
from batchqc.actions.uploads import UploadReport, hold_uploads
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.intake.typed import TypedResult, long_csv
from batchqc.records.transaction import Transaction
from batchqc.records.typed_lines import results_of_use
from batchqc.records.uploads import accepted_upload_of, newest_upload_of


def enter_first_result(
    tx: Transaction, archive: Archive, *, result: TypedResult, client: str
) -> UploadReport:
    """Receive a typed result as ``enter_result`` does, but not beside another one.

    Whoever sends their own again is answered with it. All others are told the same whatever they
    typed: what is on record may be hidden until its second entry.

    Raises:
        NotFound: there is no such lot.
        Conflict: BQC-ENT-013: a result stands, or waits for its second entry.
    """
    require(tx, Permission.UPLOAD_RESULTS)
    hold_uploads(tx)
    known = results_of_use(tx.session, [the_lot(tx.session, result.lot)])
    names = [one.analyte for one in result.analytes]
    again = [one for one in names if (result.sample, result.test, one) in known]
    if again and not _is_own(tx, hashlib.sha256(long_csv(result)).hexdigest()):
        raise Conflict(
            "BQC-ENT-013",
            f"{result.sample} has a result of {result.test} since: {', '.join(again)}",
            hint="Another result would be a retest, which an investigation authorises.",
        )
    return enter_result(tx, archive, result=result, client=client)


def _is_own(tx: Transaction, sha256: str) -> bool:
    if accepted_upload_of(tx.session, sha256) is None:
        return False
    return newest_upload_of(tx.session, sha256).uploaded_by == tx.actor.user_id
