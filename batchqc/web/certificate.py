"""The page of a certificate: is it in force, who signed what, is it genuine, and what became of it.

The verifier looks at the stored document each time that the page is made.
"""

from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.certificate_data import FORMATS, DataFormat
from batchqc.actions.certificate_life import life_of
from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.looked_for import look_at_certificate
from batchqc.actions.renditions import facts_of
from batchqc.api import certificate_copies, certificate_data, renditions
from batchqc.api import certificates as api
from batchqc.api import verification as verifying
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission, is_permitted
from batchqc.errors import BatchqcError
from batchqc.records.certificate_renewals import renewals_of
from batchqc.records.certificate_search import hits
from batchqc.records.copies import copies_of
from batchqc.records.decisions import Certificate, issue_of
from batchqc.records.layouts import renditions_of
from batchqc.records.log import checkpoint_for, place_of
from batchqc.records.once import each_once
from batchqc.web.calls import Visit
from batchqc.web.certificate_checks import told
from batchqc.web.forms import NOTHING_SAID, said
from batchqc.web.lot_list import line_of
from batchqc.web.rendering import page

router = Routes()

_SIGNS: Final = {"PASS": "ok", "FAIL": "bad", "CANNOT_JUDGE": "open", None: "info"}


@router.get("/certificates/{number}")
def show(request: Request, call: Visit, number: str, did: str = "") -> Response:
    """The whole page."""
    with call.reading() as session:
        content = _content(session, call, number)
    return page(request, "certificate.html", did=did, **content)


@router.get("/certificates/{number}/proof")
def proof(call: Visit, number: str) -> Response:
    """Its proof from the log, as a file."""
    answer = api.proof(call, number)
    answer.headers["Content-Disposition"] = f'attachment; filename="{number}.proof.json"'
    return answer


@router.get("/certificates/{number}/data/{form}")
def data(call: Visit, number: str, form: DataFormat) -> Response:
    """What it says, in a format."""
    return certificate_data.data(call, number, form)


@router.get("/certificates/{number}/copies/{copy}/pdf")
def copy_pdf(call: Visit, number: str, copy: int) -> Response:
    """A copy on record."""
    return certificate_copies.copy_pdf(call, number, copy)


@router.get("/certificates/{number}/renditions/{layout}/{version}/pdf")
def rendition_pdf(call: Visit, number: str, layout: str, version: renditions.Version) -> Response:
    """A rendition on record."""
    return renditions.pdf(call, number, layout, version)


@each_once
def _content(session: Session, call: Call, number: str) -> dict[str, Any]:
    facts = _facts(session, call, the_certificate(session, number))
    return facts | _verification(session, call, facts)


def _facts(session: Session, call: Call, row: Certificate) -> dict[str, Any]:
    look_at_certificate(session, row)
    (hit,) = hits(session, [row.id])
    content = content_of_certificate(call.door.archive, row)
    replaced = content["supersedes"]
    issue = issue_of(session, row)
    place = place_of(session, issue.key) if issue else None
    return {
        "one": hit,
        "content": content,
        "signatures": content["signatures"],
        "lot": line_of(session, row.lot, now=call.door.now()),
        "lines": [(line, _SIGNS.get(line["verdict"], "open")) for line in content["lines"]],
        "changes": replaced.get("changes", []) if replaced else [],
        "replaced": replaced,
        "pending": content.get("pending", []),
        "issue": issue,
        "place": place,
        "checkpoint": checkpoint_for(session, place) if place else None,
        "life": life_of(session, row)[::-1],
        "copies": copies_of(session, row),
        "renditions": [facts_of(one) for one in renditions_of(session, row)],
        "renewals": renewals_of(session, row),
        "formats": [(one.value, ending) for one, (_, _, ending) in FORMATS.items()],
        "may_issue": is_permitted(call.person.roles, Permission.ISSUE_CERTIFICATE),
    }


def _verification(session: Session, call: Call, content: dict[str, Any]) -> dict[str, Any]:
    """What the verifier finds now, or why it cannot look."""
    if content["issue"] is None:
        return NOTHING_SAID.content | {"told": None}
    try:
        found = verifying.verified_on_record(session, call.door, content["one"].number)
    except BatchqcError as error:
        return said(error).content | {"told": None}
    return NOTHING_SAID.content | {"told": told(found)}
