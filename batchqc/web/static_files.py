"""Style, script and icons: read once, compressed once, under an address that names their content.

The address holds a hash over all files, so that a browser keeps them for good and a new version has
new addresses.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import Request, Response

from batchqc.api.routes import Routes
from batchqc.errors import NotFound

router = Routes()

FOLDER: Final = Path(__file__).parent / "static"
_SERVED: Final = frozenset({".css", ".js", ".svg"})
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    media_type: str
    plain: bytes
    zipped: bytes


@cache
def assets() -> dict[str, Asset]:
    """Every served file by its path below ``static/``."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in _SERVED:
            data = path.read_bytes()
            kind = f"{mimetypes.types_map[path.suffix]}; charset=utf-8"
            name = path.relative_to(FOLDER).as_posix()
            found[name] = Asset(kind, data, gzip.compress(data, 9, mtime=0))
    return found


@cache
def digest() -> str:
    """The hash over names and contents of all files, for their address."""
    whole = hashlib.sha256()
    for name, asset in assets().items():
        whole.update(name.encode() + b"\0" + hashlib.sha256(asset.plain).digest())
    return whole.hexdigest()[:16]


def address(name: str) -> str:
    """Where a file is served; a name that there is not is an error of the template."""
    if name not in assets():
        raise KeyError(name)
    return f"/static/{digest()}/{name}"


@router.get("/static/{version}/{name:path}")
def file(request: Request, version: str, name: str) -> Response:
    """A file, compressed for who takes it."""
    found = assets().get(name)
    if found is None or version != digest():
        raise NotFound("BQC-WEB-002", f'there is no file "{name}" of this version')
    headers = {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.plain, headers=headers, media_type=found.media_type)
    zipped = headers | {"Content-Encoding": "gzip"}
    return Response(found.zipped, headers=zipped, media_type=found.media_type)


@router.get("/favicon.ico")
def favicon() -> Response:
    """The sign of the house."""
    return Response(assets()["icon.svg"].plain, media_type=assets()["icon.svg"].media_type)
