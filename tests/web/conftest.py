"""The pages as they are served, in Debian's Chromium: one house and one browser for a file."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, expect, sync_playwright
from pydantic import SecretStr

from batchqc.api.app import open_door
from batchqc.api.workshops import workshop_of
from batchqc.cli.worker import beside
from batchqc.documents.pki import PkiFiles
from batchqc.settings import Settings
from batchqc.web.app import Application
from batchqc.web.screens import create_pages
from batchqc.web.waiting import WaitingFiles
from tests.api.conftest import (  # noqa: F401 - fixtures
    SEAL_PASSPHRASE,
    application,
    log_key,
    seal,
)
from tests.databases import Databases
from tests.kinds import SQLITE
from tests.records.house import Clock, House, archive_of, furnish
from tests.web.browsing import CHROMIUM, FLAGS, Visitor

expect.set_options(timeout=30_000)  # six browsers on two cores are slow, and no defect


@dataclass(frozen=True)
class Served:
    """A house behind an address, and the browser to go there with."""

    house: House
    address: str
    browser: Browser

    def visitor(self, user_id: str = "", **options: object) -> Visitor:
        """Somebody with a browser of their own, signed in where there is a user id."""
        visitor = Visitor(self.browser, self.address, options)
        if user_id:
            visitor.come_signed_in(user_id)
        return visitor


#: The browser of this worker, while tests of this folder follow each other.
_RUNNING = ExitStack()
_STARTED: list[Browser] = []


@pytest.fixture(scope="module")
def browser() -> Browser:
    """One for many files: while it runs, no test of its thread may run a loop of its own."""
    if not _STARTED:
        playwright = _RUNNING.enter_context(sync_playwright())
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        _STARTED.append(_RUNNING.enter_context(found))
    return _STARTED[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop the browser before a file that does not begin with it: it may run a loop of its own."""
    try:
        return (yield)
    finally:
        if nextitem is None or not (nextitem.path == item.path or _browses(nextitem)):
            _STARTED.clear()
            _RUNNING.close()


def _browses(item: pytest.Item) -> bool:
    return "browser" in getattr(item, "fixturenames", ())


@dataclass(frozen=True)
class Server:
    """What serves whichever house is let in."""

    application: FastAPI
    address: str
    seal: PkiFiles
    log_key: Path

    @contextmanager
    def serving(self, house: House, browser: Browser) -> Iterator[Served]:
        """Serve a house, then what was served before."""
        settings = Settings(
            database=house.engine.url.render_as_string(hide_password=False),
            store=house.archive.root,
            seal=self.seal.seal_p12,
            seal_passphrase=SecretStr(SEAL_PASSPHRASE),
            log_key=self.log_key,
            waiting=house.archive.root.with_name("waiting"),
        )
        state = self.application.state
        before, state.door = state.door, open_door(settings, now=house.now)
        waiting, state.waiting = state.waiting, WaitingFiles(settings.waiting)
        try:
            shop = workshop_of(state.door)
            late = replace(shop, anchors=lambda: workshop_of(state.door).anchors())
            with beside(late):  # a test may change the settings of the door
                yield Served(house, self.address, browser)
        finally:
            state.door.engine.dispose()
            state.door, state.waiting = before, waiting


@pytest.fixture(scope="session")
def server(application: FastAPI, seal: PkiFiles, log_key: Path) -> Iterator[Server]:  # noqa: F811
    """Where API and pages are served, whichever house is behind them."""
    pages = create_pages(application)
    both = Application(application, lambda: pages)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    serving = uvicorn.Server(uvicorn.Config(both, log_level="critical", lifespan="off"))
    thread = Thread(target=serving.run, kwargs={"sockets": [listener]})
    thread.start()
    while not serving.started:
        time.sleep(0.005)
    try:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield Server(application, address, seal, log_key)
    finally:
        serving.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def served(
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
    prepare: Callable[[House], None],
    server: Server,
    browser: Browser,
) -> Iterator[Served]:
    """A house whose lot may be released, for all tests of a file, which change nothing of it."""
    with databases.copy(SQLITE, "house", furnish) as engine:
        house = House(engine, archive_of(tmp_path_factory.mktemp("web")), Clock(), prepare)
        house.ready()
        with server.serving(house, browser) as found:
            yield found


@pytest.fixture
def site(house: House, server: Server, browser: Browser) -> Iterator[Served]:
    """A house of its own for one test, on both kinds of database."""
    with server.serving(house, browser) as found:
        yield found
