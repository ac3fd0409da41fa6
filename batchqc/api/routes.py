"""The routes of a noun or of a screen: what asking one takes is found when it is first asked.

FastAPI looks at every function with its parameters, bodies and answers when it is declared, and
once more when its router is included: two of three seconds of a start, for what is rarely asked.
Here a route knows its address and methods at once; its function is looked at by the first request
of it, by the description of the API, and by the tests. The routers stand under their prefix from
the first, and an application takes their routes as they are (``serve``).
"""

from collections.abc import Callable, Iterable
from threading import RLock
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name

PREFIX: Final = "/api/v1"
_LOOKING: Final = RLock()


class LateRoute(APIRoute):
    """A route whose function is looked at when somebody asks what only that tells."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **told: Any) -> None:
        """As for ``APIRoute``; ``told`` is kept until it is needed."""
        self.path, self.endpoint = path, endpoint
        self.name = told.get("name") or get_name(endpoint)
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.methods = {method.upper() for method in told.get("methods") or ("GET",)}
        self._told = told

    def __getattr__(self, name: str) -> Any:
        """What is not there yet; the first who asks waits until all of it is."""
        with _LOOKING:
            told = self.__dict__.pop("_told", None)
            if told is not None:
                super().__init__(self.path, self.endpoint, **told)
        return object.__getattribute__(self, name)


class Routes(APIRouter):
    """The routes of one module, under the prefix that they are answered at."""

    def __init__(self, prefix: str = "", **told: Any) -> None:
        """As for ``APIRouter``."""
        super().__init__(prefix=prefix, route_class=LateRoute, **told)


def serve(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Let an application answer what routers do, each route as it is and not included anew."""
    for router in routers:
        app.router.routes.extend(router.routes)
