"""One entry of the audit trail: its bytes, its place in the chain, its proof; and verification."""

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.log_proofs import Proved, prove_entry
from batchqc.api import audit as api
from batchqc.api.routes import Routes
from batchqc.api.shapes import LARGEST
from batchqc.errors import BatchqcError, NotFound
from batchqc.records.audit import AuditEntry, AuditLink
from batchqc.records.audit_lines import link_at
from batchqc.records.log import newest_checkpoint
from batchqc.web.calls import OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, said
from batchqc.web.record_links import linker
from batchqc.web.rendering import gone_to, page
from batchqc.web.trail_entries import entry_line, shortened
from batchqc.web.trail_state import state_of_trail
from batchqc.web.wording import _

router = Routes()


@router.get("/audit-trail/verification")
def verification(request: Request, call: Visit, did: str = "") -> Response:
    """What the last verification found, and the form for another one."""
    return _verification(request, call, did=did)


@router.post("/audit-trail/verification")
def verify(request: Request, call: Visit, form: OwnForm) -> Response:
    """Compare every record with the audit trail now, and put on record what was found."""
    try:
        api.verify_on_record(keyed(call, form))
    except BatchqcError as error:
        return _verification(request, call, said(error))
    return gone_to(request, "/audit-trail/verification?did=verified")


def _verification(
    request: Request, call: Visit, told: Said = NOTHING_SAID, did: str = ""
) -> Response:
    with call.reading() as session:
        state = state_of_trail(session)
    return page(
        request, "audit_verification.html", status=told.status, state=state, did=did, **told.content
    )


@router.get("/audit-trail/{sequence}")
def entry(request: Request, call: Visit, sequence: int) -> Response:
    """Everything of one entry; what is wrong with it is said."""
    with call.reading() as session:
        link, found = _found(session, sequence)
        shown = entry_line(link, found) if found else None
        proof, why_not = _proof(session, sequence)
        newest = state_of_trail(session).newest
    to = linker(request)
    return page(
        request,
        "audit_entry.html",
        link=link,
        entry=shown,
        text=found.text if found else "",
        about=[to(key) for key in shown.subjects] if shown else [],
        records=[(to(key), sha256) for key, sha256 in shown.records.items()] if shown else [],
        proof=proof,
        why_not=why_not,
        newest=newest,
        shortened=shortened,
    )


@router.get("/audit-trail/{sequence}/entry.json")
def entry_bytes(call: Visit, sequence: int) -> Response:
    """The canonical bytes, over which the hash is computed."""
    with call.reading() as session:
        _link, found = _found(session, sequence)
        if found is None:
            raise _missing(sequence)
        return _file(found.text, f"entry-{sequence}.json", "application/json")


@router.get("/audit-trail/{sequence}/proof")
def proof_file(call: Visit, sequence: int) -> Response:
    """The proof against the newest checkpoint, as `batchqc log verify` reads it."""
    with call.reading() as session:
        found = prove_entry(session, min(sequence, LARGEST))
    return _file(found.proof.text, f"entry-{sequence}.tlog-proof", "text/plain; charset=utf-8")


def _proof(session: Session, sequence: int) -> tuple[Proved | None, str]:
    """The proof, or why there is none."""
    newest = newest_checkpoint(session)
    if newest is None or newest.size < sequence:
        return None, _("No checkpoint covers this entry yet.")
    try:
        return prove_entry(session, sequence), ""
    except BatchqcError as error:
        return None, error.message


def _found(session: Session, sequence: int) -> tuple[AuditLink, AuditEntry | None]:
    found = link_at(session, sequence) if 0 < sequence <= LARGEST else None
    if found is None:
        raise _missing(sequence)
    return found


def _missing(sequence: int) -> NotFound:
    return NotFound(
        "BQC-WEB-080",
        _("the audit trail has no entry %(sequence)s") % {"sequence": sequence},
        hint=_("Look at the newest entries of the audit trail."),
    )


def _file(text: str, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, headers=headers, media_type=kind)
