"""Clinical sites: where doses go. A changed address is a new version; the earlier ones stay."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not, refuse_all
from batchqc.actions.signing import check_reason
from batchqc.core.identifiers import code_problem, fold, line_problem
from batchqc.core.permissions import Permission
from batchqc.records.shipments import ClinicalSite, site_by
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewSite:
    """A clinical site, or a new version of it with its reason."""

    code: str
    name: str
    address: str
    contact: str
    reason: str = ""


def register_clinical_site(tx: Transaction, new: NewSite) -> ClinicalSite:
    """Register a clinical site, or what is so of it from now on.

    Raises:
        InvalidInput: with everything that is wrong.
    """
    require(tx, Permission.SHIP)
    tx.lock(f"clinical_site:{fold(new.code)}")
    before = site_by(tx.session, new.code)
    if before is not None or new.reason:
        check_reason(new.reason)
    texts = {"the name": new.name, "the address": new.address, "the contact": new.contact}
    problems = [code_problem(new.code), *(line_problem(what, one) for what, one in texts.items())]
    if "/" in new.code:
        problems.append('the code of a site holds no "/"')
    refuse_all("BQC-GEN-015", "the site cannot be registered", [one for one in problems if one])
    row = ClinicalSite(
        code=before.code if before else new.code,
        folded=fold(new.code),
        number=before.number + 1 if before else 1,
        name=new.name.strip(),
        address=new.address.strip(),
        contact=new.contact.strip(),
        reason=new.reason,
        registered_by=tx.actor.user_id,
        registered_at=tx.now,
    )
    tx.add(row)
    tx.audit("clinical site registered", rows=[row], reason=new.reason)
    return row


def the_clinical_site(session: Session, code: str) -> ClinicalSite:
    """The newest version of a clinical site, or NotFound."""
    return found_or_not(site_by(session, code), "BQC-GEN-016", f"there is no clinical site {code}")
