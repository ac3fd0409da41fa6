"""What a version would do to past lots: the kept report, and another one when somebody asks for it.

It is worked out as a job; the page that asked leads there.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.specifications import the_version
from batchqc.api import jobs
from batchqc.api import specification_tools as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.permissions import WHO_MAY, Permission, is_permitted
from batchqc.documents.archive import Archive
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import BatchqcError, NotFound
from batchqc.records.history import basis_of_impact
from batchqc.records.specifications import ImpactReport, SpecificationVersion, reports_of
from batchqc.web.calls import OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, said
from batchqc.web.jobs import led_to
from batchqc.web.rendering import page

router = Routes()

Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
Shown = Annotated[int, Query(ge=50, le=5000, description="How many lots.")]
_STEP: Final = 50
_COLUMNS: Final = (
    "lot", "manufactured_on", "disposition", "judged_by", "before", "after", "criteria",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """A report with its data; it is not current once anything that it hangs on came since."""

    report: ImpactReport
    content: Mapping[str, Any]
    is_current: bool

    @property
    def by_criterion(self) -> list[tuple[str, str, str, int]]:
        """How many lots change for each criterion, from what to what."""
        counted = Counter(
            (criterion, was, would)
            for lot in self.content["changed"]
            for criterion, _results, was, would in lot["criteria"]
        )
        return [(*key, count) for key, count in sorted(counted.items())]


def kept(session: Session, archive: Archive, row: SpecificationVersion) -> Kept | None:
    """The newest report of a version, if there is one."""
    reports = reports_of(session, row)
    if not reports:
        return None
    content = json.loads(archive.get(reports[-1].content_sha))
    is_current = (content["basis"], content["sha256"]) == (basis_of_impact(session), row.sha256)
    return Kept(reports[-1], content, is_current)


@router.get("/specifications/{specification}/{version}/impact")
def impact(
    request: Request, call: Visit, specification: str, version: Version, shown: Shown = _STEP
) -> Response:
    """The newest report, or that there is none."""
    return _page(request, call, (specification, version), shown=shown)


@router.post("/specifications/{specification}/{version}/impact")
def assess(
    request: Request, call: Visit, form: OwnForm, specification: str, version: Version
) -> Response:
    """Have it worked out anew and kept; no verdict is changed."""
    call.person.acting(Permission.REPORT_IMPACT)  # before the work, which is long
    try:
        sent = built(jobs.ImpactAsked, {"specification": specification, "version": version})
        accepted = jobs.ask_impact(keyed(call, form), sent)
    except BatchqcError as error:
        return _page(request, call, (specification, version), shown=_STEP, told=said(error))
    return led_to(request, accepted)


@router.get("/specifications/{specification}/{version}/impact.pdf")
def impact_pdf(call: Visit, specification: str, version: Version) -> Response:
    """The report as a document."""
    found = api.impact_pdf(call, specification, version)
    name = f"impact-{specification}-v{version}.pdf"
    found.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return found


@router.get("/specifications/{specification}/{version}/impact.csv")
def impact_csv(call: Visit, specification: str, version: Version) -> Response:
    """Every lot that would change, one a line."""
    with call.reading() as session:
        found = kept(session, call.door.archive, the_version(session, specification, version))
    if found is None:
        raise NotFound("BQC-SPC-019", f"{specification} v{version} has no impact report")
    rows = [
        (
            *(str(one[name]) for name in _COLUMNS[:-1]),
            "; ".join(f"{name}: {was} to {would}" for name, _, was, would in one["criteria"]),
        )
        for one in found.content["changed"]
    ]
    return csv_answer(csv_bytes([_COLUMNS, *rows]), f"impact-{specification}-v{version}.csv")


def _page(
    request: Request,
    call: Call,
    of: tuple[str, int],
    *,
    shown: int,
    told: Said = NOTHING_SAID,
) -> Response:
    with call.reading() as session:
        row = the_version(session, *of)
        found = kept(session, call.door.archive, row)
        return page(
            request,
            "specification_impact.html",
            status=told.status,
            row=row,
            impact=found,
            shown=shown,
            more=shown + _STEP,
            may=is_permitted(call.person.roles, Permission.REPORT_IMPACT),
            who=sorted(WHO_MAY[Permission.REPORT_IMPACT]),
            **told.content,
        )
