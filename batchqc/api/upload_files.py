"""CSV files around an upload: the template to fill before it, the problems of it to mend after."""

from typing import Annotated

from fastapi import Query, Response

from batchqc.actions.annotations import annotated_upload
from batchqc.actions.entries import is_shown
from batchqc.actions.templates import Wanted, template_csv
from batchqc.actions.uploads import the_upload
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day
from batchqc.core.entries import HIDDEN
from batchqc.documents.csv_file import MEDIA_TYPE
from batchqc.errors import NotPermitted

router = Routes(PREFIX, tags=["uploads"], responses=PROBLEMS)

CSV_ANSWER = {"content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}


@router.get(
    "/uploads/template",
    summary="A CSV to fill: the open samples and tests of lots, of a day, or for a run",
    response_class=Response,
    responses={200: CSV_ANSWER},
)
def template(
    call: SignedIn,
    lot: Annotated[list[str] | None, Query(description="Id of a lot; may be repeated.")] = None,
    day: Annotated[
        Day | None, Query(description="Samples taken on that day at the site: YYYY-MM-DD.")
    ] = None,
    run: Annotated[str, Query(description="Fills run_id; needs its test.")] = "",
    test: Annotated[str, Query(description="Only this test.")] = "",
) -> Response:
    """The long contract, one row for each replicate that is still to be measured.

    What is asked for together narrows. Filled in and sent to POST /uploads, it is accepted.
    """
    wanted = Wanted(tuple(lot or ()), day, run, test)
    with call.reading() as session:
        data = template_csv(session, call.door.archive, wanted=wanted)
    return csv_answer(data, "template.csv")


@router.get(
    "/uploads/{number}/annotated",
    summary="The file with its problems beside its rows",
    response_class=Response,
    responses={200: CSV_ANSWER},
)
def annotated(call: SignedIn, number: str) -> Response:
    """The rows of an upload on record, each with what was wrong with it and what to do."""
    with call.reading() as session:
        upload = the_upload(session, number)
        if not is_shown(session, upload, call.person.user_id):
            raise NotPermitted("BQC-ENT-011", f"{upload.natural_key} is {HIDDEN}")
        data = annotated_upload(session, call.door.archive, upload)
        name = upload.natural_key
    return csv_answer(data, f"{name}_annotated.csv")


def csv_answer(data: bytes, name: str) -> Response:
    """A CSV to download."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name.replace("/", "-")}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, media_type=MEDIA_TYPE, headers=headers)
