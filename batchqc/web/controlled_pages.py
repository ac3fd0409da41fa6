"""Methods, profiles, layouts and donor panels: their lists, and each version as it is read."""

from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.specifications import site_day
from batchqc.api import renditions as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.effectivity import State
from batchqc.core.identifiers import fold
from batchqc.core.permissions import is_permitted
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.decisions import Certificate
from batchqc.records.registers import LotRow, Product
from batchqc.web.addresses import BLANK_IS_NONE, Address
from batchqc.web.calls import Visit
from batchqc.web.controlled import Detail, Kind, Line, numbered, told
from batchqc.web.controlled_kinds import KINDS, LISTED
from batchqc.web.rendering import page

router = Routes()

_AT_ONCE: Final = 50
_COLUMNS: Final = (
    "id", "version", "title", "about", "state", "effective", "imported_by", "approved_by", "sha256",
)  # fmt: skip
_FEW: Final = 20


class Listed(Address):
    """What the address of a list of versions asks for; ``page`` is from 1 on."""

    text: str = Field("", max_length=100)
    state: Annotated[State | None, BLANK_IS_NONE] = None
    order: str = Field("id", pattern="^(id|newest)$")
    page: int = Field(1, ge=1, le=10_000)

    def wanted(self, lines: list[Line]) -> list[Line]:
        """The lines that fit, in their order."""
        sought = fold(self.text)
        found = [
            one
            for one in lines
            if sought in fold(f"{one.reference}\n{one.title}\n{one.about}")
            and self.state in {None, one.state}
        ]
        if self.order == "newest":
            found.sort(key=lambda one: one.imported_at, reverse=True)
        return found

    def at(self, path: str, **changes: Any) -> str:
        """The address of the list of a kind with some changes, from its first page on."""
        query = self.query(**({"page": None} | changes))
        return f"/{path}?{query}" if query else f"/{path}"


@router.get("/{kind:document}")
def listed(request: Request, call: Visit, kind: str, asked: Annotated[Listed, Query()]) -> Response:
    """Every version of a kind."""
    found = _lines(call, kind, asked)
    begins = (asked.page - 1) * _AT_ONCE
    return page(
        request,
        "controlled_list.html",
        kind=KINDS[kind],
        path=f"/specifications/{kind}",
        asked=asked,
        lines=found[begins : begins + _AT_ONCE],
        total=len(found),
        more=asked.at(kind, page=asked.page + 1) if len(found) > begins + _AT_ONCE else "",
        states=list(State),
        is_filtered=bool(asked.text or asked.state),
        may_import=is_permitted(call.person.roles, KINDS[kind].importing),
    )


@router.get("/{kind:document}.csv")
def listed_csv(call: Visit, kind: str, asked: Annotated[Listed, Query()]) -> Response:
    """The same as CSV, every page of it."""
    rows = [
        (
            one.id, one.version, one.title, one.about, one.state.value,
            one.effective.isoformat() if one.effective else "", one.imported_by, one.approved_by,
            one.sha256,
        )
        for one in _lines(call, kind, asked)
    ]  # fmt: skip
    return csv_answer(csv_bytes([_COLUMNS, *rows]), f"{kind}.csv")


@router.get("/{kind:document}/{name:path}/{version}/file")
def file(call: Visit, kind: str, name: str, version: str) -> Response:
    """The file, byte for byte as it was imported."""
    with call.reading() as session:
        line = KINDS[kind].detail(session, call.door, name, version).line
        data = call.door.archive.get(line.sha256)
    headers = {
        "Content-Disposition": f'attachment; filename="{line.id}-v{line.version}.toml"',
    }
    return Response(data, media_type="application/toml", headers=headers)


@router.get("/layouts/{name}/{version}/preview")
def preview(call: Visit, name: str, version: str, certificate: str) -> Response:
    """How a certificate looks under a layout: marked as a draft, neither sealed nor stored."""
    found = api.preview(call, certificate, name, numbered(version))
    found.headers["Content-Disposition"] = f'inline; filename="{certificate}-preview.pdf"'
    return found


@router.get("/{kind:document}/{name:path}/{version}")
def read(
    request: Request, call: Visit, kind: str, name: str, version: str, did: str = ""
) -> Response:
    """One version, as who approves it reads it."""
    of = KINDS[kind]
    with call.reading() as session:
        found = of.detail(session, call.door, name, version)
        source = call.door.archive.get(found.line.sha256).decode("utf-8", "replace")
        certificates = _certificates(session, found) if kind == "layouts" else []
    return page(
        request,
        found.template,
        kind=of,
        path=f"/specifications/{kind}",
        found=found,
        source=source,
        certificates=certificates,
        did=told(of, found, did),
        **bar(call, of, found.line),
    )


def bar(call: Call, kind: Kind, line: Line) -> dict[str, Any]:
    """What the foot of a version's page offers: its next act, to who may do it."""
    act = kind.acts.get(line.state)
    may = act is not None and is_permitted(call.person.roles, act.permission)
    own = act is not None and act.name == "approval" and line.imported_by == call.person.user_id
    return {
        "act": act,
        "may_act": may and not own,
        "is_own": may and own,
        "may_import": is_permitted(call.person.roles, kind.importing),
    }


def _lines(call: Call, kind: str, asked: Listed) -> list[Line]:
    with call.reading() as session:
        return asked.wanted(list(LISTED[kind](session, site_day(session, call.door.now()))))


def _certificates(session: Session, found: Detail) -> list[str]:
    """The newest certificates under which a layout can be looked at."""
    query = select(Certificate).join(LotRow).join(Product).order_by(Certificate.id.desc())
    if found.product:
        query = query.where(Product.code == found.product)
    return [one.natural_key for one in session.scalars(query.limit(_FEW))]
