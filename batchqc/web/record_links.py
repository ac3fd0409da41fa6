"""From the key of a record to its page: what an entry of the audit trail speaks of is a link."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request
from starlette.routing import Match

#: Where records of a kind have a page; which pages there are, the routes say.
_PAGES: Final = {
    "lot": "/lots/{}", "person": "/administration/accounts/{}", "upload": "/uploads/{}",
    "certificate": "/certificates/{}", "donor": "/donors/{}", "investigation": "/investigations/{}",
    "deviation": "/deviations/{}", "specification_version": "/specifications/{}",
    "account_report": "/administration/account-reports/{}", "cell_bank": "/banks/{}",
    "look_back": "/look-backs/{}", "trail_sample": "/audit-trail/samples/{}",
}  # fmt: skip
_TRAIL: Final = "/audit-trail"


@dataclass(frozen=True, slots=True)
class RecordLink:
    """A record by its kind and its own key, its page or "", and its part of the audit trail."""

    kind: str
    name: str
    page: str
    trail: str

    @property
    def href(self) -> str:
        """Its page, else what was done with it."""
        return self.page or self.trail


def linker(request: Request) -> Callable[[str], RecordLink]:
    """What makes links of the keys of records; whether a kind has a page is looked up once."""
    known: dict[str, bool] = {}

    def link(key: str) -> RecordLink:
        kind, _, name = key.partition(":")
        page = _PAGES[kind].format(quote(name, safe="/")) if kind in _PAGES and name else ""
        if page and kind not in known:
            known[kind] = _is_page(request, _PAGES[kind].format("x"))
        trail = f"{_TRAIL}?{urlencode({'record': key})}"
        return RecordLink(kind.replace("_", " "), name, page if known.get(kind) else "", trail)

    return link


def _is_page(request: Request, path: str) -> bool:
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "root_path": ""}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
