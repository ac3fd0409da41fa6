"""The blank form of a lot: printed before a stop of the system, signed on paper during it."""

from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.certificates import Press
from batchqc.actions.evaluation import LotCase
from batchqc.actions.setup import own_site
from batchqc.documents.lot_form import LotForm, form_document
from batchqc.records.audit import newest_link


def lot_form(session: Session, case: LotCase, press: Press) -> bytes:
    """The form as PDF bytes: the lot as it stands, its gates, and room for signatures."""
    site, link = own_site(session), newest_link(session)
    printed = case.so_far.now.astimezone(ZoneInfo(site.time_zone))
    form = LotForm(
        title=f"Blank form: lot {case.lot.id}",
        facts=(
            ("Site", site.name),
            ("Lot, product", f"{case.lot.id}, {case.lot.product}"),
            ("Made, last usable day", f"{case.lot.manufactured_on}, {case.lot.expires_on}"),
            ("Disposition when printed", ", ".join((case.disposition, *case.overlays))),
            ("Specification", case.version.reference),
            ("Donors", ", ".join(one.code for one in case.facts.donors)),
            ("Printed", f"{printed:%Y-%m-%d %H:%M %z}, {site.time_zone}"),
            ("Audit trail when printed", f"{link.sequence}, {link.sha256}" if link else "empty"),
        ),
        gates=[(gate.name, gate.is_open, gate.reasons) for gate in case.gates],
    )
    return form_document(form, fonts=press.fonts)
