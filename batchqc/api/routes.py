"""The routes of a noun or of a screen: what asking one takes is found when it is first asked.

FastAPI looks at every function with its parameters, bodies and answers when it is declared, and
once more when its router is included: two of three seconds of a start, for what is rarely asked.
Here a route knows its address and methods at once; its function is looked at by the first request
of it, by the description of the API, and by the tests. The routers stand under their prefix from
the first, and an application takes their routes as they are (``serve``).

A slash that is written ``%2F`` in an address is one of the part where it stands, as in the code of
a product; without that, the address would be of something else.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from json import JSONDecodeError, loads
from threading import RLock
from typing import Any, Final
from urllib.parse import unquote

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, compile_path, get_name
from starlette.types import Scope

from batchqc.api.lengths import TooLong, longer_texts

PREFIX: Final = "/api/v1"
_LOOKING: Final = RLock()
_SLASH: Final = "\ue000"
"""Stands for a slash inside a part while an address is matched; it is of no alphabet."""


class _Sent(Request):
    """A request whose JSON says each thing once, and no text at more length than is taken."""

    async def json(self) -> Any:
        """The body; where a member is given twice, whoever reads it may take either for meant.

        Raises:
            JSONDecodeError: it is no JSON, or an object names a member twice.
            TooLong: a text is.
        """
        content = loads(await self.body(), object_pairs_hook=_once_each)
        if found := tuple(longer_texts(content)):
            raise TooLong(found)
        return content


def _once_each(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        times = Counter(name for name, _ in members)
        twice = ", ".join(sorted(name for name, count in times.items() if count > 1))
        raise JSONDecodeError(f"given twice: {twice}", "", 0)
    return found


class LateRoute(APIRoute):
    """A route whose function is looked at when somebody asks what only that tells."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **told: Any) -> None:
        """As for ``APIRoute``; ``told`` is kept until it is needed."""
        self.path, self.endpoint = path, endpoint
        self.name = told.get("name") or get_name(endpoint)
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.methods = {method.upper() for method in told.get("methods") or ("GET",)}
        self._told = told

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As of ``APIRoute``; a slash that is written %2F parts nothing."""
        raw = bytes(scope.get("raw_path") or b"").upper()
        if b"%2F" not in raw:
            return super().matches(scope)
        written = scope["raw_path"].decode("ascii", "replace")
        path = unquote(written.replace("%2F", _SLASH).replace("%2f", _SLASH))
        match, found = super().matches({**scope, "path": path})
        told = found.get("path_params", {})
        return match, {**found, "path_params": {name: _slashed(told[name]) for name in told}}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As of ``APIRoute``, for a request that says each thing once."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            return await handle(_Sent(request.scope, request.receive))

        return handled

    def __getattr__(self, name: str) -> Any:
        """What is not there yet; the first who asks waits until all of it is."""
        with _LOOKING:
            told = self.__dict__.pop("_told", None)
            if told is not None:
                super().__init__(self.path, self.endpoint, **told)
        return object.__getattribute__(self, name)


def _slashed(part: Any) -> Any:
    return part.replace(_SLASH, "/") if isinstance(part, str) else part


class Routes(APIRouter):
    """The routes of one module, under the prefix that they are answered at."""

    def __init__(self, prefix: str = "", **told: Any) -> None:
        """As for ``APIRouter``."""
        super().__init__(prefix=prefix, route_class=LateRoute, **told)


def serve(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Let an application answer what routers do, each route as it is and not included anew."""
    for router in routers:
        app.router.routes.extend(router.routes)
