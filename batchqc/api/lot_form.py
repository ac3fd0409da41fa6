"""The blank form of a lot, to sign on paper while the system is down."""

from fastapi import Response

from batchqc.actions.evaluation import study
from batchqc.actions.lots import the_lot
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes

router = Routes(PREFIX, tags=["lots"], responses=PROBLEMS)


@router.get(
    "/lots/{lot}/form",
    summary="Blank form of a lot",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
def form(call: SignedIn, lot: str) -> Response:
    """One page: the lot as it stands, its gates, and room for signatures."""
    from batchqc.actions.lot_form import lot_form  # noqa: PLC0415 - ReportLab is slow to load

    door = call.door
    with call.reading() as session:
        case = study(session, door.archive, lot=the_lot(session, lot), now=door.now())
        data = lot_form(session, case, door.press)
    headers = {"Content-Disposition": f'inline; filename="{case.lot.id}_form.pdf"'}
    return Response(data, media_type="application/pdf", headers=headers)
