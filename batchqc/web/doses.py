"""The doses of a lot: every container, and where it is now."""

from collections import Counter
from typing import Final

from fastapi import Request, Response

from batchqc.actions.doses import doses_and_doubts
from batchqc.actions.lots import the_lot
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.shipments import sites_newest
from batchqc.web.calls import Visit
from batchqc.web.lot_list import line_of
from batchqc.web.rendering import page

router = Routes()

_COLUMNS: Final = (
    "container", "of", "status", "shipment", "site", "shipped_on", "recipient", "administered_on",
)  # fmt: skip


@router.get("/lots/{lot}/doses")
def doses(request: Request, call: Visit, lot: str) -> Response:
    """In storage, at which site since when, given to which pseudonym."""
    with call.reading() as session:
        row = the_lot(session, lot)
        found, doubts = doses_and_doubts(session, row, call.door.now())
        sites = {one.code: one.name for one in sites_newest(session)}
        state = line_of(session, row, now=call.door.now())
    return page(
        request,
        "source_doses.html",
        lot=row.lot,
        state=state,
        doses=found,
        doubts=doubts,
        sites=sites,
        counts=Counter(one.status.partition(",")[0] for one in found),
    )


@router.get("/lots/{lot}/doses.csv")
def doses_csv(call: Visit, lot: str) -> Response:
    """The same."""
    with call.reading() as session:
        row = the_lot(session, lot)
        found, _doubts = doses_and_doubts(session, row, call.door.now())
    rows = [tuple(str(one.content[name]) for name in _COLUMNS) for one in found]
    return csv_answer(csv_bytes([_COLUMNS, *rows]), f"{row.lot}-doses.csv")
