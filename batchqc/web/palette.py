"""What the search box finds while one types: lots, each a link."""

from typing import Final

from fastapi import Request, Response

from batchqc.api.routes import Routes
from batchqc.records.lists import LotsWanted
from batchqc.records.lot_lines import Sought
from batchqc.web.calls import Visit
from batchqc.web.lot_list import lines
from batchqc.web.rendering import page

router = Routes()

_FEW: Final = 8


@router.get("/find")
def find(request: Request, call: Visit, text: str = "") -> Response:
    """The first lots whose id or product has this in it."""
    with call.reading() as session:
        sought = Sought(LotsWanted(text=text.strip()[:100]), limit=_FEW)
        found, more = lines(session, sought, now=call.door.now()) if text.strip() else ([], "")
    return page(request, "find.html", found=found, more=bool(more), text=text)
