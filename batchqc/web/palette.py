"""What the search box finds while one types: records and lots, each a link."""

from typing import Final

from fastapi import Request, Response

from batchqc.api.routes import Routes
from batchqc.records.lists import LotsWanted
from batchqc.records.lot_lines import Sought
from batchqc.web.calls import Visit
from batchqc.web.found_records import records_like
from batchqc.web.lot_list import lines
from batchqc.web.rendering import page

router = Routes()

_FEW: Final = 8


@router.get("/find")
def find(request: Request, call: Visit, text: str = "") -> Response:
    """Records of this number or name, and the first lots whose id or product has it in it."""
    wanted = text.strip()[:100]
    with call.reading() as session:
        sought = Sought(LotsWanted(text=wanted), limit=_FEW)
        found, more = lines(session, sought, now=call.door.now()) if wanted else ([], "")
        records = records_like(session, wanted)
    return page(request, "find.html", found=found, more=bool(more), records=records, text=text)
