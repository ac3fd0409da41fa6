"""How a certificate would look under a layout: marked as a draft, neither sealed nor stored."""

from datetime import datetime

from sqlalchemy.orm import Session

from batchqc.actions.certificates import Press, the_certificate
from batchqc.actions.layouts import layout_content, the_layout
from batchqc.actions.renditions import Under, complete_content, rendition_content
from batchqc.core.certificate_layouts import laid_out
from batchqc.documents.archive import Archive


def preview_document(
    session: Session,
    archive: Archive,
    press: Press,
    *,
    wanted: Under,
    now: datetime,
) -> bytes:
    """How a certificate looks under a version of a layout, approved or not: marked, not sealed.

    Raises:
        NotFound: there is no such certificate or version.
        Conflict: with every reason why there is no such rendition.
    """
    from batchqc.documents.coa_layout import render  # noqa: PLC0415 - only who looks pays for it
    from batchqc.documents.coa_marks import DRAFT, Marked  # noqa: PLC0415 - as above

    certificate = the_certificate(session, wanted.number)
    row = the_layout(session, wanted.layout, wanted.version)
    taken = layout_content(session, archive, row)
    if taken.recipient:
        content = rendition_content(session, archive, certificate, layout=taken, now=now)
    else:
        content = laid_out(complete_content(archive, certificate), taken)
    says = (("preview_says", {"layout": taken.reference}),)
    return render(content, fonts=press.fonts, marked=Marked((DRAFT,), says))
