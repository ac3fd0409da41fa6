"""What the API answers, as a page that asks nothing of another site.

A viewer that is loaded from elsewhere would run on the address of the pages, with their session.
The page has no script; all of it is in ``openapi.json``, for tools and viewers of one's own.
"""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from batchqc.api.routes import PREFIX, Routes

router = Routes(PREFIX, include_in_schema=False)

_STYLE: Final = (
    ":root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}"
    "body{max-width:68rem;margin:2rem auto;padding:0 1rem}"
    "h2{margin:2rem 0 .25rem;font-size:1.1rem;text-transform:capitalize}"
    "table{width:100%;border-collapse:collapse}"
    "th,td{padding:.3rem .75rem .3rem 0;text-align:left;vertical-align:top;"
    "border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent)}"
    "th{width:55%;font-weight:400;overflow-wrap:anywhere}code{font-size:.9em}"
    "p{max-width:44rem}@media(max-width:40rem){th,td{display:block;width:auto}}"
)
_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'"
)


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Every address with what it is for; nobody needs to sign in."""
    described = request.app.openapi()
    info = described["info"]
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])} API'
        '</title><meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><main><h1>{escape(info['title'])} {escape(info['version'])}: the"
        f" API</h1><p>{escape(info['description'])}</p><p>Shapes, fields and answers stand in"
        ' <a href="openapi.json">openapi.json</a>.</p>'
        f"{''.join(_sections(described))}</main></html>",
        headers={"Content-Security-Policy": POLICY},
    )


def _sections(described: dict[str, Any]) -> Iterator[str]:
    """A table for each noun, in the order in which they are described."""
    rows: dict[str, list[str]] = {}
    for path, operations in described["paths"].items():
        for method, one in operations.items():
            (noun,) = one.get("tags", ["other"])[:1]
            rows.setdefault(noun, []).append(
                f"<tr><th scope='row'><code>{method.upper()} {escape(path)}</code></th>"
                f"<td>{escape(one.get('summary', ''))}</td></tr>"
            )
    for noun, found in rows.items():
        yield f"<h2>{escape(noun)}</h2><table>{''.join(found)}</table>"
