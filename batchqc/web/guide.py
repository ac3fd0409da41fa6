"""The guide of the version that runs: read by everybody, also by who cannot sign in."""

from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response

from batchqc.api.doors import Call, OpenDoor
from batchqc.api.routes import Routes
from batchqc.errors import BatchqcError, NotFound
from batchqc.web.calls import visit
from batchqc.web.guide_pages import FILES, contents, file_bytes, found_in, the_page
from batchqc.web.rendering import page
from batchqc.web.wording import _

router = Routes()

_DAY: Final = "private, max-age=86400"


def _perhaps(request: Request, door: OpenDoor) -> Call | None:
    """Who is signed in, where anybody is; a picture is no view of its own."""
    if request.url.path.rpartition(".")[2] in FILES:
        return None
    try:
        return visit(request, door)
    except BatchqcError:
        return None


Anybody = Annotated[Call | None, Depends(_perhaps)]


@router.get("/guide")
def guide(
    request: Request, call: Anybody, text: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """The contents, or what a word is found in."""
    del call  # it is in the frame
    return page(
        request, "guide.html", contents=contents(), text=text,
        found=found_in(text) if text.strip() else (),
    )  # fmt: skip


@router.get("/guide/{name:path}")
def guide_page(request: Request, call: Anybody, name: str) -> Response:
    """One page of it, or a file that a page shows."""
    del call
    if name.rpartition(".")[2] in FILES:
        data, kind = file_bytes(name)
        return Response(data, media_type=kind, headers={"Cache-Control": _DAY})
    found = the_page(name.removesuffix(".md"))
    if found is None:
        raise NotFound(
            "BQC-WEB-082", _('the guide has no page "%(name)s"') % {"name": name},
            hint=_("Look at its contents, or search in it."),
        )  # fmt: skip
    return page(request, "guide_page.html", guide=found, contents=contents(), text="")
