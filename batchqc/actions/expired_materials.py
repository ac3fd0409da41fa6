"""Lots in use that were measured with a material which the register says had expired."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from batchqc.actions.holds import hold_if_in_use
from batchqc.actions.lots import lock_lots
from batchqc.actions.register_remarks import of_every_lot, used_by
from batchqc.core.holds import Cause
from batchqc.core.laboratory import Register, Rule
from batchqc.core.lot_states import IN_USE
from batchqc.records.decisions import newest_dispositions
from batchqc.records.laboratory import Material, rule_of, series_of, uses_of
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import runs_in, runs_of


def hold_what_used(tx: Transaction, material: Material) -> None:
    """Hold every lot in use that came to rest on an expired material, where that is refused."""
    hold_expired(tx, material, _measured_with(tx.session, material))


def hold_expired(tx: Transaction, material: Material, lots: Iterable[LotRow]) -> None:
    """The same of some lots; each is held once for a material.

    Args:
        tx: of who recorded the material, or its use; it holds the lock of the rules.
        material: as it stands now.
        lots: that may have been measured with it.
    """
    session = tx.session
    if rule_of(session, Register.MATERIALS) is not Rule.REFUSE:
        return
    known = {one.id: one for one in lots}
    newest = newest_dispositions(session, list(known))
    in_use = [one for one in known.values() if newest.get(one.id) in IN_USE]
    for lot in lock_lots(tx, in_use):
        used = used_by(session, runs_of(session, lot))
        said = {one.doubt for key, one in used if key == material.folded and one.doubt}
        if said:
            reason = "; ".join(sorted(said))
            about = series_of(material.key)
            hold_if_in_use(tx, lot, cause=Cause.MATERIAL, reason=reason, about=about)


def _measured_with(session: Session, material: Material) -> list[LotRow]:
    """The lots of every run, in any of its versions, in which a material was used."""
    uses = {(one.upload_id, one.test, one.run): one.upload for one in uses_of(session, material)}
    runs = [
        run
        for (_, test, name), upload in uses.items()
        for run in runs_in(session, upload)
        if (run.test, run.run) == (test, name)
    ]
    return [run.lot for run in of_every_lot(session, runs)] if runs else []
