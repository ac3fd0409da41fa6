"""From a template to an answer: what every page shows around its content.

``page`` answers a whole page, ``fragment`` the part that htmx asked for. A template that names what
it was not given is an error, and everything is escaped.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from batchqc import __version__, clock
from batchqc.actions.setup import own_site
from batchqc.api.doors import Call, Door
from batchqc.records.base import Row
from batchqc.records.registers import Site, the_site
from batchqc.records.transaction import reading
from batchqc.web.addresses import part
from batchqc.web.navigation import FURTHER, places_of
from batchqc.web.numbers import number, room
from batchqc.web.pictures import icon, verdict
from batchqc.web.security import form_token
from batchqc.web.static_files import address
from batchqc.web.wording import counted, worded

ZONE: Final = "zone"
"""The cookie that names the viewer's time zone; where there is none, it is the site's."""
_ERROR: Final = "error.html"
NO_PROBLEMS: Final[Mapping[str, str]] = MappingProxyType({})
_SCOPES: Final = "scopes"
_DASHED: Final = re.compile(r"\d-\d")
_KNOWN: Final = frozenset(available_timezones())


class _Scope(Context):
    """What a template sees: it lets go of that by itself, without a collection of garbage.

    Templates, their macros and scopes hold each other, and with them all that a page told: at the
    page of a lot 1,700 objects that nobody needs any more.
    """

    def __init__(self, _of: Environment, parent: dict[str, Any], *rest: Any, **more: Any) -> None:
        super().__init__(_of, parent, *rest, **more)
        parent.get(_SCOPES, []).append(self)

    def let_go(self) -> None:
        """Forget everything, after the page is drawn."""
        self.parent = {}
        self.vars.clear()
        self.blocks.clear()


def page(request: Request, template: str, *, status: int = 200, **content: Any) -> HTMLResponse:
    """A whole page, in the frame of the person who is signed in, if there is one."""
    call: Call | None = getattr(request.state, "call", None)
    frame = _frame(request, call, is_error=template == _ERROR)
    made: list[_Scope] = []
    try:
        drawn = _environment().get_template(template).render(frame | content | {_SCOPES: made})
    finally:
        for scope in made:
            scope.let_go()
    return HTMLResponse(drawn, status, {"Vary": "HX-Request"})


def asks_for_part(request: Request) -> bool:
    """Whether a script asks for a part of a page."""
    return request.headers.get("hx-request") == "true"


def gone_to(request: Request, where: str) -> Response:
    """Lead on after something was done, so that a page that is loaded anew does nothing again."""
    if asks_for_part(request):
        return Response(status_code=204, headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


def _frame(request: Request, call: Call | None, *, is_error: bool) -> dict[str, Any]:
    """What surrounds the content; an error is told even where there is no site yet."""
    door: Door = request.app.state.door
    zone, ends_at = request.cookies.get(ZONE, ""), call.person.ends_at if call else None
    if call:
        site: Site | None = call.site
    else:
        with reading(door.engine) as session:
            site = the_site(session) if is_error else own_site(session)
    site_zone = site.time_zone if site else "UTC"
    return {
        "site": site.name if site else "",
        "site_zone": site_zone,
        "environment": door.settings.environment,
        "is_specimen": bool(site and site.specimen),
        "call": call,
        "places": places_of(call.person.roles) if call else (),
        "further": FURTHER,
        "path": request.url.path,
        "part": asks_for_part(request),
        "token": form_token(call.token) if call else "",
        "key": clock.new_token(),
        "zone": ZoneInfo(zone if zone in _KNOWN else site_zone),
        "now": door.now(),
        "seconds_left": int((ends_at - door.now()).total_seconds()) if ends_at else 0,
        "idle_seconds": door.settings.idle_minutes * 60,
        "version": __version__,
    }


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("batchqc.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.context_class = _Scope
    found.globals |= {
        "_": worded,
        "ngettext": counted,
        "asset": address,
        "drawn_icon": icon,
        "drawn_verdict": verdict,
    }
    found.filters |= {
        "brief": "{:.5g}".format, "day": day, "when": when, "number": number, "room": room,
        "part": part, "printed": printed, "signs": signs, "told": told,
    }  # fmt: skip
    return found


def day(found: date | str | None) -> str:
    """A date of the site: 20 Nov 2026."""
    read = date.fromisoformat(found) if isinstance(found, str) else found
    return f"{read.day} {read:%b %Y}" if read else ""


@pass_context
def when(context: Context, moment: datetime | None) -> Markup:
    """A moment in the viewer's zone, with UTC on hover."""
    if moment is None:
        return Markup("")
    local, utc = moment.astimezone(context["zone"]), moment.astimezone(UTC)
    return Markup('<time datetime="{}" title="{} UTC">{} {:%H:%M}</time>').format(
        utc.isoformat(timespec="seconds"), f"{utc:%Y-%m-%d %H:%M:%S}", day(local.date()), local
    )


def printed(moment: str) -> Markup:
    """A moment as a certificate prints it, ``2026-05-20 09:30 +0700``, with UTC on hover."""
    try:
        utc = datetime.strptime(moment, "%Y-%m-%d %H:%M %z").astimezone(UTC)
    except ValueError:  # of a file that says it in another way
        return escape(moment)
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        utc.isoformat(timespec="seconds"), f"{utc:%Y-%m-%d %H:%M}", moment
    )


@pass_context
def told(context: Context, text: str) -> Markup:
    """A sentence that the system wrote into a record, with its keys, moments and days in words.

    What it reads as on record stays there on hover; the audit trail shows that itself.
    """
    if ":" not in text and not _DASHED.search(text):
        return escape(text)  # most sentences hold none
    parts, at = [], 0
    for found in _found_in(text):
        parts += [escape(text[at : found.start()]), _in_words(context, found)]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


@lru_cache(maxsize=4096)  # of a lot the same sentences are read again and again
def _found_in(text: str) -> tuple[re.Match[str], ...]:
    return tuple(_told().finditer(text))


@cache
def _told() -> re.Pattern[str]:
    """A key of a record, a moment or a day, as sentences of the system have them."""
    kinds = "|".join(Row.metadata.tables)
    return re.compile(
        r"(?<![\w./:+-])(?:"
        r"(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))"
        rf"|(?P<day>\d{{4}}-\d\d-\d\d)|(?P<kind>{kinds}):(?P<name>[\w./-]*\w)"
        r")(?![\w/+-])"
    )


def _in_words(context: Context, found: re.Match[str]) -> Markup:
    read = found[0]
    try:
        if found["moment"]:
            return when(context, datetime.fromisoformat(read))
        words = day(read) if found["day"] else f"{found['kind'].replace('_', ' ')} {found['name']}"
    except ValueError:  # such as the 31st of February
        return escape(read)
    return Markup('<span title="{}">{}</span>').format(read, words)


def signs(text: str) -> str:
    """An acceptance as it is printed: ``>= 95 %`` as ≥ 95 %."""
    return text.replace(">=", "≥").replace("<=", "≤")
