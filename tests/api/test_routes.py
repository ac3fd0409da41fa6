"""Routes are looked at when somebody asks for them, once, and every one of them can be."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from batchqc.api.app import _NOUNS
from batchqc.api.routes import LateRoute, Routes, serve
from batchqc.web.screens import SCREENS


def nothing() -> None:
    """Wanted by an endpoint."""


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of the routes that are looked at, as often as they are."""
    seen: list[str] = []
    real = APIRoute.__init__

    def look(self: APIRoute, path: str, *given: Any, **told: Any) -> None:
        seen.append(path)
        real(self, path, *given, **told)

    monkeypatch.setattr(APIRoute, "__init__", look)
    return seen


@pytest.fixture
def app() -> FastAPI:
    routes = Routes("/under", tags=["ones"])

    @routes.get("/one/{number}", status_code=202, responses={404: {"description": "None"}})
    def one(number: int, wanted: Annotated[None, Depends(nothing)]) -> list[int]:
        return [number]

    @routes.post("/two", name="another")
    def two(number: int) -> int:
        return number

    made = FastAPI()
    serve(made, [routes])
    return made


def test_a_route_is_looked_at_by_the_first_request_of_it_alone(looked: list[str], app: FastAPI):
    late = [route for route in app.routes if isinstance(route, LateRoute)]
    assert [(one.path, one.name, one.methods) for one in late] == [
        ("/under/one/{number}", "one", {"GET"}), ("/under/two", "another", {"POST"}),
    ]  # fmt: skip
    http = TestClient(app)
    assert http.get("/elsewhere").status_code == 404
    assert http.delete("/under/two").status_code == 405
    assert looked == []
    for _ in range(2):
        answer = http.get("/under/one/3")
        assert (answer.status_code, answer.json()) == (202, [3])
    assert http.get("/under/one/x").status_code == 422
    assert looked == ["/under/one/{number}"]
    assert [str(one.url_path_for("another")) for one in late[1:]] == ["/under/two"]


def test_the_description_holds_what_a_route_says_of_itself(app: FastAPI):
    described = app.openapi()["paths"]
    assert set(described) == {"/under/one/{number}", "/under/two"}
    one = described["/under/one/{number}"]["get"]
    assert one["tags"] == ["ones"]
    assert one["operationId"] == "one_under_one__number__get"
    assert set(one["responses"]) == {"202", "404", "422"}


def test_many_who_ask_at_once_see_all_of_a_route_and_it_is_looked_at_once(looked: list[str]):
    routes = Routes()
    routes.add_api_route("/one", nothing)
    (route,) = routes.routes
    assert isinstance(route, LateRoute)
    together = Barrier(8)

    def ask(name: str) -> object:
        together.wait()
        return getattr(route, name)

    names = ["app", "dependant", "status_code", "tags"] * 2
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(ask, names))) == 8
    assert looked == ["/one"]


def test_what_no_route_has_this_one_has_not():
    routes = Routes()
    routes.add_api_route("/one", nothing)
    (route,) = routes.routes
    for _ in range(2):
        with pytest.raises(AttributeError, match="nothing_of_it"):
            getattr(route, "nothing_of_it")  # noqa: B009 - no such attribute, as a type checker sees


@pytest.mark.parametrize("module", [*_NOUNS, *SCREENS], ids=lambda one: one.__name__)
def test_every_route_can_be_looked_at(module: object):
    """Else the mistake of a declaration would be found by the first who asks."""
    router = getattr(module, "router")  # noqa: B009 - a module's
    assert router.routes
    for route in router.routes:
        assert isinstance(route, LateRoute)
        assert route.dependant.call is route.endpoint
