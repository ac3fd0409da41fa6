"""The reference deployment, as far as it runs without containers.

PostgreSQL as the least-privileged role, two server processes that share a store and a folder of
waiting files, and the proxy's shipped configuration in front of them.
"""

import json
import os
import re
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchqc.documents.component_key import create_component_key
from batchqc.documents.pki import PkiFiles
from batchqc.records.database import grant_runtime
from batchqc.web.security import COOKIE, form_token
from tests.api.conftest import SEAL_PASSPHRASE, log_key, seal  # noqa: F401 - fixtures
from tests.databases import RUNTIME_ROLE, Databases, as_role
from tests.kinds import POSTGRESQL
from tests.ports import free_ports
from tests.records.house import ANA, BEN, PASSWORD, Clock, House, archive_of, furnish, results
from tests.system.conftest import BATCHQC

SHIPPED = Path(__file__).parents[2] / "batchqc" / "guide" / "deployment"
METRICS = "a token of the metrics"


@dataclass
class Site:
    """Two servers by their processes and addresses, the proxy before them, and what they log."""

    house: House
    servers: list[subprocess.Popen[bytes]]
    addresses: list[str]
    proxy: str
    plain: str
    logs: list[Path]
    trust: ssl.SSLContext

    def __post_init__(self) -> None:
        self.http = httpx.Client(verify=self.trust, timeout=60)

    def page(self, address: str, session: str, path: str, **sent: Any) -> httpx.Response:
        """A page, or a form of a page, as the browser of a session asks for it."""
        headers = {"Cookie": f"{COOKIE}={session}", "Sec-Fetch-Site": "same-origin"}
        if not sent:
            return self.http.get(address + path, headers=headers)
        sent["data"] = {"token": form_token(session), **sent.get("data", {})}
        return self.http.post(address + path, headers=headers | {"Origin": address}, **sent)

    def enter(self, address: str, user_id: str) -> str:
        sent = {"user_id": user_id, "password": PASSWORD}
        answer = self.http.post(f"{address}/api/v1/session", json=sent)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])


@contextmanager
def running(*command: str | Path, log: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | more) as process,
    ):
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
                process.wait(30)


def answers(http: httpx.Client, address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        with suppress(httpx.TransportError):
            http.get(f"{address}/healthz")
            return
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    pytest.fail(f"{address} does not answer: {log.read_text()}")


def configured(folder: Path, ports: list[int], plain: int, secure: int) -> Path:
    """The shipped configuration of the proxy, with the addresses and paths of the test."""
    key, certificate = folder / "tls.key", folder / "tls.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-noenc", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    text = (SHIPPED / "nginx.conf").read_text()
    for shipped, own in (
        ("/tmp/nginx", f"{folder}/nginx"),  # noqa: S108 - what stands there
        ("api1:8000", f"127.0.0.1:{ports[0]}"), ("api2:8000", f"127.0.0.1:{ports[1]}"),
        ("listen 8080", f"listen 127.0.0.1:{plain}"),
        ("listen 8443", f"listen 127.0.0.1:{secure}"),
        ("/run/secrets/tls_certificate", str(certificate)), ("/run/secrets/tls_key", str(key)),
        ("/dev/stdout", str(folder / "access.log")),
    ):  # fmt: skip
        assert shipped in text
        text = text.replace(shipped, own)
    found = folder / "nginx.conf"
    found.write_text(text)
    return found


@pytest.fixture(scope="module")
def site(
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
    seal: PkiFiles,  # noqa: F811
    log_key: Path,  # noqa: F811
) -> Iterator[Site]:
    """The servers have the real clock, which is later than that of the house."""
    folder = tmp_path_factory.mktemp("topology")
    with ExitStack() as until, databases.copy(POSTGRESQL, "house", furnish) as engine:
        house = House(engine, archive_of(folder), Clock())
        grant_runtime(engine, RUNTIME_ROLE)
        create_component_key(folder / "components.key")
        (folder / "secrets").mkdir()
        own = as_role(engine, RUNTIME_ROLE).url.render_as_string(hide_password=False)
        for name, secret in (
            ("batchqc_database", own), ("batchqc_seal_passphrase", SEAL_PASSPHRASE),
            ("batchqc_metrics_token", METRICS),
        ):  # fmt: skip
            (folder / "secrets" / name).write_text(f"{secret}\n")
        given = {
            "BATCHQC_SECRETS": folder / "secrets", "BATCHQC_STORE": house.archive.root,
            "BATCHQC_SEAL": seal.seal_p12, "BATCHQC_LOG_KEY": log_key,
            "BATCHQC_COMPONENT_KEY": folder / "components.key", "BATCHQC_LOG_FORMAT": "json",
            "BATCHQC_WAITING": folder / "waiting",
        }  # fmt: skip
        env = {name: str(value) for name, value in given.items()}
        ports = free_ports(4)
        logs = [folder / "one.log", folder / "two.log"]
        serving = [
            until.enter_context(running(BATCHQC, "serve", "--port", str(port), log=log, **env))
            for port, log in zip(ports, logs, strict=False)
        ]
        conf = configured(folder, ports, *ports[2:])
        command = ("/usr/sbin/nginx", "-c", str(conf), "-g", "daemon off; master_process off;")
        proxy = until.enter_context(running(*command, log=folder / "proxy.log"))
        trust = ssl.create_default_context(cafile=str(folder / "tls.pem"))
        found = Site(
            house, serving, [f"http://127.0.0.1:{port}" for port in ports[:2]],
            f"https://127.0.0.1:{ports[3]}", f"http://127.0.0.1:{ports[2]}", logs, trust,
        )  # fmt: skip
        until.enter_context(found.http)
        for address, process, log in zip(found.addresses, serving, logs, strict=True):
            answers(found.http, address, process, log)
        answers(found.http, found.proxy, proxy, folder / "proxy.log")
        yield found


def test_both_servers_are_ready_and_the_proxy_keeps_that_and_their_metrics_inside(site: Site):
    for address in site.addresses:
        told = site.http.get(f"{address}/readyz")
        assert told.json()["status"] == "ready", told.text
        headers = {"Authorization": f"Bearer {METRICS}"}
        assert "batchqc_events_total" in site.http.get(f"{address}/metrics", headers=headers).text
        assert site.http.get(f"{address}/metrics").status_code == 401
    for path in ("readyz", "metrics"):
        assert site.http.get(f"{site.proxy}/{path}").status_code == 404
    assert site.http.get(f"{site.proxy}/healthz").json() == {"status": "alive"}


def test_who_signs_in_at_one_server_acts_at_the_other(site: Site):
    one, two = site.addresses
    token = {"Authorization": f"Bearer {site.enter(one, ANA)}"}
    assert site.http.get(f"{two}/api/v1/me", headers=token).json()["user_id"] == ANA
    assert site.http.delete(f"{two}/api/v1/session", headers=token).status_code == 204
    assert site.http.get(f"{one}/api/v1/me", headers=token).status_code == 401


def test_what_one_server_previews_the_other_one_records(site: Site):
    one, two = site.addresses
    ana, ben = site.enter(one, ANA), site.enter(two, BEN)
    files = {"file": ("release.csv", results(), "text/csv")}
    sent = site.page(one, ana, "/uploads/new", files=files)
    assert sent.status_code == 303, sent.text
    preview = sent.headers["location"]
    assert "release.csv" in site.page(two, ana, preview).text
    assert site.page(two, ben, preview).status_code == 404  # it is of another person
    recorded = site.page(two, ana, preview, data={"key": "pressed-once-1"})
    assert re.fullmatch(r"/uploads/U-\d{4}-000001\?did=recorded", recorded.headers["location"])
    again = site.page(one, ana, preview, data={"key": "pressed-once-1"})
    assert again.headers["location"] == recorded.headers["location"]  # done once


def test_a_server_that_is_killed_takes_no_request_with_it(site: Site):
    """Asked over the proxy before and after; what a client says of its address is not believed."""
    ana = site.enter(site.proxy, ANA)
    headers = {"Authorization": f"Bearer {ana}", "X-Forwarded-For": "203.0.113.9"}
    assert {site.http.get(f"{site.proxy}/api/v1/me", headers=headers).status_code
            for _ in range(8)} == {200}  # fmt: skip
    assert all('"route": "/api/v1/me"' in log.read_text() for log in site.logs)
    site.servers[0].send_signal(signal.SIGKILL)
    site.servers[0].wait()
    told = [site.http.get(f"{site.proxy}/api/v1/me", headers=headers) for _ in range(8)]
    assert {one.status_code for one in told} == {200}
    sent = site.http.post(
        f"{site.proxy}/api/v1/uploads?file=again.csv", content=results(viability="1"),
        headers=headers,
    )  # fmt: skip
    assert sent.status_code in {201, 422}, sent.text
    number = sent.json().get("number") or sent.json()["report"]["number"]
    found = site.http.get(f"{site.proxy}/api/v1/uploads/{number}", headers=headers)
    assert "127.0.0.1" in found.text
    assert "203.0.113.9" not in found.text


def test_over_http_the_proxy_leads_pages_to_https_and_programs_nowhere(site: Site):
    page = site.http.get(f"{site.plain}/lots", follow_redirects=False)
    assert page.status_code == 301
    assert page.headers["location"].startswith("https://")
    program = site.http.post(f"{site.plain}/api/v1/session", json={}, follow_redirects=False)
    assert program.status_code == 403
    assert "location" not in program.headers


def test_the_proxy_bounds_how_often_one_address_tries_to_prove_who_it_is(site: Site):
    logout = f"{site.proxy}/api/v1/session/single-sign-on/logout"
    told = [site.http.post(f"{site.proxy}/sign-in", data={}).status_code for _ in range(30)]
    assert told[0] != 429
    assert told.count(429) >= 5
    for path in ("unlock", "sign-in/provider", "api/v1/session", "api/v1/session/single-sign-on"):
        assert site.http.post(f"{site.proxy}/{path}", data={}).status_code == 429, path
    assert 429 not in {site.http.post(logout, data={}).status_code for _ in range(30)}
    assert site.http.get(f"{site.proxy}/sign-in").status_code == 200


def test_their_logs_are_lines_of_json_without_a_secret(site: Site):
    """The last test of the file: of everything that was done before it."""
    text = "".join(log.read_text() for log in site.logs)
    lines = [json.loads(line) for line in text.splitlines()]
    assert {"uvicorn.error", "batchqc.requests", "batchqc.trial"} <= {
        one["logger"] for one in lines
    }
    assert [one for one in lines if one["level"] == "error"] == []
    for secret in (PASSWORD, SEAL_PASSPHRASE, METRICS, "203.0.113.9"):
        assert secret not in text
