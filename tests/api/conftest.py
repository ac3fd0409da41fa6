"""The application as it runs: a real server on a real port, over a house on both databases."""

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from batchqc.api.app import create_app, open_door
from batchqc.documents.log_key import create_log_key
from batchqc.documents.pki import PkiFiles, PkiNames, create_pki
from batchqc.settings import Settings
from tests.cast import NOW
from tests.records.house import FIRST_PASSWORD, PASSWORD, House

SEAL_PASSPHRASE = "seal passphrase"
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Reading those that httpx knows takes longer than most tests, and nothing is encrypted here."""
SECRETS = tuple(one.encode() for one in (PASSWORD, FIRST_PASSWORD, SEAL_PASSPHRASE))


@dataclass
class Site:
    """A running server, the house behind it, and whoever is signed in."""

    house: House
    app: FastAPI
    http: httpx.Client
    keys: PkiFiles
    tokens: dict[str, str]

    def token(self, user_id: str) -> str:
        if user_id not in self.tokens:
            answer = self.http.post("/session", json={"user_id": user_id, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            self.tokens[user_id] = answer.json()["token"]
        return self.tokens[user_id]

    def send(self, user_id: str, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token(user_id)}"} | options.pop("headers", {})
        return self.http.request(method, path, headers=headers, **options)

    def get(self, user_id: str, path: str, **options: Any) -> Any:
        answer = self.send(user_id, "GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def seal(tmp_path_factory: pytest.TempPathFactory) -> PkiFiles:
    return create_pki(
        tmp_path_factory.mktemp("seal") / "pki",
        names=PkiNames("Lakeside", "Root", "Seal"),
        root_passphrase="root passphrase",
        seal_passphrase=SEAL_PASSPHRASE,
        crl_url="http://crl.example/root.crl",
        now=NOW - timedelta(days=1),
    )


@pytest.fixture(scope="session")
def log_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "log.key"
    create_log_key(path, name="lakeside/batchqc")
    return path


@pytest.fixture
def settings(house: House, seal: PkiFiles, log_key: Path, tmp_path: Path) -> Settings:
    return Settings(
        database=house.engine.url.render_as_string(hide_password=False),
        store=tmp_path / "store",
        seal=seal.seal_p12,
        seal_passphrase=SecretStr(SEAL_PASSPHRASE),
        log_key=log_key,
        upload_limit=1_000_000,
    )


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The application of every site: what it makes of its routes takes longer than most tests."""
    return create_app(Settings.in_folder(tmp_path_factory.mktemp("nowhere")))


@pytest.fixture(scope="session")
def address(application: FastAPI) -> Iterator[str]:
    """Where the application is served, whichever house is behind it."""
    # With its protocol named, asyncio switches Nagle's algorithm off: 40 ms less for each request.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="critical", lifespan="off"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def site(
    application: FastAPI, address: str, house: House, settings: Settings, seal: PkiFiles
) -> Iterator[Site]:
    app, app.state.door = application, open_door(settings, now=house.now)
    hooks = {"response": [no_secret]}
    try:
        with httpx.Client(
            base_url=address, timeout=60, event_hooks=hooks, verify=NO_AUTHORITIES
        ) as http:
            yield Site(house, app, http, seal, {})
    finally:
        app.state.door.engine.dispose()


def no_secret(answer: httpx.Response) -> None:
    """No answer whatever holds a password, in its body or its headers."""
    told = answer.read() + repr(answer.headers.raw).encode()
    assert not [secret for secret in SECRETS if secret in told]


def signed(user_id: str, **more: Any) -> dict[str, Any]:
    """Both components of a signature, the reason, and what else is sent with them."""
    return {"user_id": user_id, "password": PASSWORD, "reason": "Compared with raw data"} | more
