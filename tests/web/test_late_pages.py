"""The pages are loaded by the first who asks for one, once, and nobody else waits for them."""

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from batchqc.api.app import create_app
from batchqc.settings import Settings
from batchqc.web.app import Application


@pytest.fixture
def api(tmp_path: Path) -> FastAPI:
    return create_app(Settings.in_folder(tmp_path))


def test_the_first_page_makes_them_once_and_the_api_never(api: FastAPI):
    made: list[int] = []
    go, begun = Event(), Event()

    def make() -> PlainTextResponse:
        made.append(1)
        begun.set()
        assert go.wait(10)
        return PlainTextResponse("a page")

    with TestClient(Application(api, make)) as http, ThreadPoolExecutor(3) as pool:
        assert http.get("/api/v1/nothing").status_code == 404
        assert made == []
        waiting = [pool.submit(http.get, "/somewhere") for _ in range(3)]
        assert begun.wait(10)
        assert http.get("/api/v1/nothing").status_code == 404  # while they are made
        go.set()
        answers = [one.result() for one in waiting]
    assert [one.text for one in answers] == ["a page"] * 3
    assert all("script-src 'self'" in one.headers["content-security-policy"] for one in answers)
    assert made == [1]


def test_pages_that_cannot_be_made_are_tried_again(api: FastAPI):
    made: list[int] = []

    def make() -> PlainTextResponse:
        made.append(1)
        if len(made) == 1:
            raise OSError("too many open files")
        return PlainTextResponse("a page")

    http = TestClient(Application(api, make), raise_server_exceptions=False)
    assert http.get("/").status_code == 500
    assert http.get("/").text == "a page"


@pytest.mark.parametrize(("before", "after"), [(0, 0), (7, 1)])
def test_what_they_load_stays_unsearched_where_the_rest_does(
    api: FastAPI, monkeypatch: pytest.MonkeyPatch, before: int, after: int
):
    """As at the start of ``batchqc serve``; in a process of others nothing is frozen."""
    frozen: list[int] = []
    monkeypatch.setattr(gc, "get_freeze_count", lambda: before)
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(1))
    http = TestClient(Application(api, lambda: PlainTextResponse("a page")))
    assert [http.get("/").text for _ in range(2)] == ["a page"] * 2
    assert len(frozen) == after
