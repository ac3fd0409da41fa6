"""One version of a specification as QA reads it, and what changed since another."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.specifications import content_of, the_version
from batchqc.api.routes import Routes
from batchqc.core.findings import findings
from batchqc.core.specifications import Specification
from batchqc.documents.spec_lint import PlacedFinding, lint_specification
from batchqc.records.specification_lines import lots_bound
from batchqc.records.specifications import SpecificationVersion
from batchqc.web.addresses import BLANK_IS_NONE
from batchqc.web.calls import Visit
from batchqc.web.controlled import told
from batchqc.web.controlled_pages import bar
from batchqc.web.kind_of_specification import SPECIFICATIONS, detail
from batchqc.web.rendering import page
from batchqc.web.specification_changes import changes_of, line_by_line, version_before
from batchqc.web.specification_impact import kept
from batchqc.web.specification_reading import by_category

router = Routes()

Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/specifications/{specification}/{version}")
def specification(
    request: Request, call: Visit, specification: str, version: Version, did: str = ""
) -> Response:
    """What passes, where it turns, what is doubtful, and who stands for it."""
    with call.reading() as session:
        row = the_version(session, specification, version)
        found = detail(session, call.door, specification, str(version))
        content = content_of(call.door.archive, row)
        source = call.door.archive.get(row.sha256)
        before = version_before(session, row)
        return page(
            request,
            "specification.html",
            kind=SPECIFICATIONS,
            row=row,
            found=found,
            content=content,
            groups=by_category(content),
            doubts=_doubts(content, source, row.file),
            source=source.decode("utf-8", "replace"),
            lots=lots_bound(session, [row]).get(row.id, 0),
            versions=_versions(session, row),
            changes=changes_of(call.door.archive, before, row) if before else None,
            impact=kept(session, call.door.archive, row),
            did=told(SPECIFICATIONS, found, did),
            **bar(call, SPECIFICATIONS, found.line),
        )


@router.get("/specifications/{specification}/{version}/differences")
def differences(
    request: Request,
    call: Visit,
    specification: str,
    version: Version,
    against: Annotated[int | None, Query(ge=1, le=2**31 - 1), BLANK_IS_NONE] = None,
) -> Response:
    """Every change in words, stricter or looser, then the files line by line."""
    archive = call.door.archive
    with call.reading() as session:
        row = the_version(session, specification, version)
        other = (
            the_version(session, specification, against)
            if against
            else version_before(session, row)
        )
        return page(
            request,
            "specification_differences.html",
            row=row,
            other=other,
            against=against,
            versions=[one for one in _versions(session, row) if one.id != row.id],
            changes=changes_of(archive, other, row) if other else None,
            lines=line_by_line(archive, other, row) if other else [],
        )


def _doubts(content: Specification, source: bytes, file: str) -> Sequence[PlacedFinding]:
    """What is doubtful, with its lines; the file is read again only where there is something."""
    return lint_specification(source, file=file).findings if findings(content) else ()


def _versions(session: Session, row: SpecificationVersion) -> list[SpecificationVersion]:
    """Every version of the same specification, the newest first."""
    query = (
        select(SpecificationVersion)
        .where(SpecificationVersion.specification == row.specification)
        .order_by(SpecificationVersion.version.desc())
    )
    return list(session.scalars(query))
