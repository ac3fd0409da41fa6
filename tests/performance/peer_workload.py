"""The work that open peers were measured with: 200 lots x 15 results, over HTTP, to certificates.

    python tests/performance/peer_workload.py [lots [write]]

A real server process on SQLite; one client that works as a laboratory does with ten lots at a time:
register them with their samples, upload one file of their results, review them (signed by QC, then
by QA, each a series), release or reject each lot (signed), fetch the certificates. It runs twice:
as it is, and with passwords that cost nothing to check. Prints each figure with its limit and
whether it holds, beside the figures of the peers for the same work (on another machine with 2
cores), what each act takes, and writes it into the guide.
"""

import compileall
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from statistics import median
from unittest.mock import patch

import httpx
from argon2 import PasswordHasher
from pydantic import SecretStr
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from batchqc.actions import passwords
from batchqc.actions.accountability import change_password_and_accept
from batchqc.actions.approval import approve_specification
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.impact import assess_impact, keep_impact
from batchqc.actions.people import principal, register_person
from batchqc.actions.registers import register_donor, register_product
from batchqc.actions.setup import NewSite, create_site, register_first_administrator
from batchqc.actions.signing import Credentials
from batchqc.actions.specifications import (
    content_of,
    import_specification,
    submit_specification,
    the_version,
)
from batchqc.cli.workplace import Workplace
from batchqc.clock import now
from batchqc.core.accountability import STATEMENT
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.documents.log_key import create_log_key
from batchqc.documents.pki import PkiNames, create_pki
from batchqc.records.database import migrate
from batchqc.records.transaction import SYSTEM, Actor, reading, transaction
from batchqc.settings import Settings, bundled
from batchqc.web.app import create_application
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PASSWORD = "benchmark password 1"
PEOPLE = {
    "ana": (Role.ANALYST,),
    "rev": (Role.REVIEWER,),
    "spec": (Role.SPEC_AUTHOR,),
    "qa": (Role.QA,),
    "qa2": (Role.QA,),
    "donor": (Role.DONOR_OFFICER,),
}
# code, title, unit, acceptance, mean and standard deviation, or the word
ATTRIBUTES = (
    ("VIAB", "Viability (7-AAD)", "%", ">= 70", (92, 3)),
    ("VCC", "Viable cell concentration", "10*6/mL", "4 to 12", (8, 1)),
    ("CD73", "CD73 positive", "%", ">= 95", (98.5, 0.6)),
    ("CD90", "CD90 positive", "%", ">= 95", (99, 0.4)),
    ("CD105", "CD105 positive", "%", ">= 95", (97.8, 0.7)),
    ("CD45", "CD45 positive", "%", "<= 2", (0.6, 0.3)),
    ("CD34", "CD34 positive", "%", "<= 2", (0.5, 0.25)),
    ("CD14", "CD14 positive", "%", "<= 2", (0.4, 0.2)),
    ("CD19", "CD19 positive", "%", "<= 2", (0.3, 0.15)),
    ("HLADR", "HLA-DR positive", "%", "<= 2", (0.8, 0.3)),
    ("ENDO", "Endotoxin", "EU/mL", "<= 0.5", (0.12, 0.05)),
    ("STER", "Sterility", "", "no growth", "No growth"),
    ("MYCO", "Mycoplasma", "", "not detected", "Not detected"),
    ("POT", "Potency (IDO activity)", "%{ref}", "50 to 150", (100, 15)),
    ("PDL", "Population doubling level", "{PDL}", "<= 20", (13, 1.5)),
)
COLUMNS = (
    "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,measured_at,analyst,"
    "instrument_id,run_id,method_id,result_type,comment"
)
OUTSIDE = {
    "VIAB": "63.00", "VCC": "3.60", "CD73": "85.50", "CD90": "85.50", "CD105": "85.50",
    "CD45": "2.40", "CD34": "2.40", "CD14": "2.40", "CD19": "2.40", "HLADR": "2.40",
    "ENDO": "0.60", "STER": "Growth", "MYCO": "Detected", "POT": "45.00", "PDL": "24.00",
}  # fmt: skip
#: Lots of one file and of one look: about as many as a plate holds.
AT_ONCE = 10
PEERS = (
    "labtrack (FastAPI, SQLite; nothing is signed): 17.3 s, 6.9 requests a lot, 175 MiB, 3.4 s",
    "lims-core (Fastify, PostgreSQL): 186.8 s, 63 requests a lot, 251 MiB, 1.8 s",
    "SENAITE 2.6 (in process): 890 s, 639 MiB, 8 s",
    "kalenis-lims 5.0 (in process): 1,722 s, 207 MiB and LibreOffice, 1.7 s",
)


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    limit: float
    unit: str

    def __str__(self) -> str:
        verdict = "holds" if self.value <= self.limit else "DOES NOT HOLD"
        ratio = self.value / self.limit
        return (
            f"{self.name:<28} {self.value:8.2f} {self.unit:<9} limit {self.limit:6.1f}"
            f"  ratio {ratio:4.2f}  {verdict}"
        )


def specification() -> bytes:
    head = [
        'schema = "batchqc/specification/1"', 'id = "PEER-REL"', "version = 1",
        'product = "PEER"', 'stage = "release"', 'title = "Benchmark"', "effective = 2020-01-01",
        'rounding = "absolute"',
        "[vocabularies.growth]", "version = 1", '"no growth" = []', '"growth" = []',
        "[vocabularies.detection]", "version = 1", '"not detected" = []', '"detected" = []',
    ]  # fmt: skip
    for code, title, unit, accept, _ in ATTRIBUTES:
        words = {"STER": "growth", "MYCO": "detection"}.get(code)
        kind = f'vocabulary = "{words}"' if words else f'unit = "{unit}"'
        kind += '\nplausible = "0 to 200"' if unit == "%" else ""
        head += [
            f"[criteria.{code.lower()}]", f'title = "{title}"', 'category = "quantity"',
            f'test = "{code}"', f'analyte = "{code}"', f'method = "SOP-{code}"', kind,
            f'accept = "{accept}"',
        ]  # fmt: skip
    return "\n".join(head).encode()


def work(count: int) -> list[tuple[str, dict[str, str]]]:
    """Lots with their results; about 8 % carry one result out of specification."""
    chance = random.Random(20260101)  # noqa: S311 - the same lots each time, nothing secret
    lots = []
    for number in range(1, count + 1):
        results = {
            code: spread if isinstance(spread, str) else f"{max(0, chance.gauss(*spread)):.2f}"
            for code, _, _, _, spread in ATTRIBUTES
        }
        if chance.random() < 0.08:
            code = chance.choice(ATTRIBUTES)[0]
            results[code] = OUTSIDE[code]
        lots.append((f"MSC-26-{number:04d}", results))
    return lots


def set_up(  # noqa: PLR0915 - one step after another
    folder: Path,
    data: bytes = b"",
    name: str = "PEER-REL",
    product: str = "PEER",
    *,
    database: str = "",
) -> Settings:
    """A site with people, product, donor and an approved specification."""
    data = data or specification()
    settings = Settings.in_folder(folder)
    if database:
        settings = settings.model_copy(update={"database": database})
    place = Workplace.at(settings)
    migrate(place.engine, bundled("migrations"))
    with transaction(place.engine, SYSTEM, now()) as tx:
        create_site(tx, NewSite("Benchmark", "1 Way", "UTC", "COA"))
        register_first_administrator(tx, user_id="admin", name="Admin", password="first password 1")
        for user_id, roles in PEOPLE.items():
            register_person(
                tx, user_id=user_id, name=user_id.title(), roles=roles, password="first password 1"
            )
    for user_id in PEOPLE:
        with transaction(place.engine, Actor(user_id, "self"), now()) as tx:
            change_password_and_accept(
                tx, user_id=user_id, old="first password 1", new=PASSWORD, read=STATEMENT.sha256
            )
    create_pki(
        settings.seal.parent, names=PkiNames("Benchmark", "Root", "Seal"), root_passphrase="root",
        seal_passphrase=PASSWORD, crl_url="http://crl.example/root.crl", now=now(),
    )  # fmt: skip
    create_log_key(settings.log_key, name="benchmark/batchqc")

    def acting(user_id: str, permission: Permission) -> Actor:
        with reading(place.engine) as session:
            person = principal(session, user_id=user_id, time_zone="UTC", now=now())
            return person.acting(permission)

    with transaction(place.engine, acting("spec", Permission.IMPORT_SPECIFICATION), now()) as tx:
        import_specification(tx, place.archive, data=data, file="spec.toml")
        submit_specification(tx, place.archive, specification=name, version=1)
    with reading(place.engine) as session:
        draft = content_of(place.archive, the_version(session, name, 1))
        impact = assess_impact(session, place.archive, draft=draft)
    with transaction(place.engine, acting("spec", Permission.REPORT_IMPACT), now()) as tx:
        fonts = bundled("reports") / "fonts"
        seen = keep_impact(tx, place.archive, fonts=fonts, impact=impact).content_sha
    with transaction(place.engine, acting("qa", Permission.APPROVE_SPECIFICATION), now()) as tx:
        approved = approve_specification(
            tx, place.archive, specification=name, version=1, impact=seen,
            credentials=Credentials("qa", PASSWORD, "Benchmark"),
        )  # fmt: skip
        assert not isinstance(approved, Refusal), approved
    with transaction(place.engine, acting("qa", Permission.REGISTER_PRODUCT), now()) as tx:
        register_product(tx, code=product, name="Peer", form="Suspension", storage="-150 °C")
    with transaction(place.engine, acting("donor", Permission.REGISTER_DONOR), now()) as tx:
        register_donor(tx, code="DNR-0001", tissue_source="umbilical cord")
    with transaction(place.engine, acting("donor", Permission.DETERMINE_ELIGIBILITY), now()) as tx:
        determine_eligibility(
            tx, place.archive, NewDetermination("DNR-0001", "Screening file", eligible=True),
            credentials=Credentials("donor", PASSWORD, "Screened"),
        )  # fmt: skip
    place.engine.dispose()
    return settings


class Client:
    """Counts requests; one token for each person."""

    def __init__(self, address: str, http: httpx.Client | None = None) -> None:
        self.http = http or httpx.Client(base_url=f"{address}/api/v1", timeout=60)
        self.requests = 0
        self.tokens: dict[str, str] = {}

    def sign_in(self, user_id: str) -> None:
        answer = self.http.post("/session", json={"user_id": user_id, "password": PASSWORD})
        self.tokens[user_id] = answer.json()["token"]

    def send(self, user_id: str, method: str, path: str, **options: object) -> httpx.Response:
        self.requests += 1
        headers = {"Authorization": f"Bearer {self.tokens[user_id]}"}
        answer = self.http.request(method, path, headers=headers, **options)  # type: ignore[arg-type]
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer


def csv_of(lot: str, results: dict[str, str], at: datetime) -> bytes:
    lines = [COLUMNS]
    units = {code: unit for code, _, unit, _, _ in ATTRIBUTES}
    for code, value in results.items():
        lines.append(
            f"{lot},{lot}-S01,A1,{code},{code},1,{value},{units[code]},{at.isoformat()},ana,I-1,"
            f"R-{lot},SOP-{code},reportable,"
        )
    return ("\n".join(lines) + "\n").encode()


def register(client: Client, lot: str, at: datetime) -> None:
    day = at.date()
    client.send("ana", "POST", "/lots", json={
        "id": lot, "product": "PEER", "manufactured_on": day.isoformat(),
        "expires_on": (day + timedelta(days=700)).isoformat(), "donors": ["DNR-0001"],
        "samples": [{"id": f"{lot}-S01", "stage": "release", "container": "vial",
                     "taken_at": at.isoformat()}],
    })  # fmt: skip


def one_lot(client: Client, lot: str, results: dict[str, str], at: datetime) -> bool:
    """Whether it was released."""
    register(client, lot, at)
    client.send("ana", "POST", f"/uploads?file={lot}.csv", content=csv_of(lot, results, at))
    if any(results[code] == OUTSIDE[code] for code in OUTSIDE):  # what is open stops no rejection
        decision = {
            "decision": "rejected", "user_id": "qa", "password": PASSWORD,
            "reason": "Out of specification",
        }  # fmt: skip
        client.send("qa", "POST", f"/lots/{lot}/disposition", json=decision)
        return False
    signed = {"user_id": "rev", "password": PASSWORD, "reason": "Agrees with raw data"}
    client.send("rev", "POST", f"/lots/{lot}/review", json=signed)
    client.send("rev", "POST", f"/lots/{lot}/qc-review", json=signed)
    read = client.send("qa2", "GET", f"/lots/{lot}/audit-review").json()
    read = {name: read[name] for name in ("last", "head")}
    signed = {"user_id": "qa2", "password": PASSWORD, "reason": "Read what was selected"}
    client.send("qa2", "POST", f"/lots/{lot}/audit-review", json=signed | read)
    decision = {
        "decision": "released", "user_id": "qa", "password": PASSWORD,
        "reason": "Complies with specification",
    }  # fmt: skip
    answer = client.send("qa", "POST", f"/lots/{lot}/disposition", json=decision).json()
    number = answer["certificate"]["number"]
    pdf = client.send("qa", "GET", f"/certificates/{number}/pdf").content
    if not pdf.startswith(b"%PDF"):
        raise RuntimeError(f"{number} is no PDF")
    return True


def peak_mebibytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) / 1024


def serve(settings: Settings) -> tuple[subprocess.Popen[bytes], str, float]:
    """The server's process, its address, and the seconds until it answered.

    Modules are compiled before, as they are where it was installed.
    """
    compileall.compile_dir(ROOT / "batchqc", quiet=1)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    port = free_port()
    home = str(Path(settings.store).parent)
    began = time.perf_counter()
    process = subprocess.Popen(
        [Path(sys.executable).with_name("batchqc"), "--home", home, "serve", "--port", str(port)],
        env={**environment, "BATCHQC_SEAL_PASSPHRASE": PASSWORD},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    while time.perf_counter() - began < 60:
        try:
            httpx.get(f"{address}/api/v1/health", timeout=1).raise_for_status()
            return process, address, time.perf_counter() - began
        except httpx.HTTPError:
            time.sleep(0.02)
    raise RuntimeError("the server did not start")


class Metered(Client):
    """Keeps what each act took, in seconds and as a meter of the server says."""

    def __init__(self, meter: Callable[[], float], *way: object) -> None:
        super().__init__(*way)  # type: ignore[arg-type]  # an address, or a client
        self.meter = meter
        self.taken: dict[str, list[tuple[float, float]]] = {}

    def send(self, user_id: str, method: str, path: str, **options: object) -> httpx.Response:
        act = f"{method} {re.sub('MSC-[0-9-]+', '{lot}', path.partition('?')[0])}"
        sent = options.get("json")
        act += f" {sent['decision']}" if isinstance(sent, dict) and "decision" in sent else ""
        before, began = self.meter(), time.perf_counter()
        answer = super().send(user_id, method, path, **options)
        taken = (time.perf_counter() - began, self.meter() - before)
        self.taken.setdefault(act, []).append(taken)
        return answer


def some_lots(client: Client, lots: list[tuple[str, dict[str, str]]], at: datetime) -> int:
    """How many of them were released."""
    day = at.date()
    client.send("ana", "POST", "/lot-registrations", json={"lots": [{
        "id": lot, "product": "PEER", "manufactured_on": day.isoformat(),
        "expires_on": (day + timedelta(days=700)).isoformat(), "donors": ["DNR-0001"],
        "samples": [{"id": f"{lot}-S01", "stage": "release", "container": "vial",
                     "taken_at": at.isoformat()}],
    } for lot, _ in lots]})  # fmt: skip
    header, *_ = csv_of(*lots[0], at).splitlines()
    rows = [row for lot, results in lots for row in csv_of(lot, results, at).splitlines()[1:]]
    data = b"\n".join([header, *rows, b""])
    client.send("ana", "POST", f"/uploads?file={lots[0][0]}.csv", content=data)
    passed = [lot for lot, results in lots if all(results[one] != OUTSIDE[one] for one in OUTSIDE)]

    def signed(user_id: str, path: str, **more: object) -> httpx.Response:
        body = {"user_id": user_id, "password": PASSWORD, "reason": "Agrees with raw data"} | more
        return client.send(user_id, "POST", path, json=body)

    for lot in {lot for lot, _ in lots} - set(passed):  # what is open stops no rejection
        signed("qa", f"/lots/{lot}/disposition", decision="rejected")
    signed("rev", "/reviews", lots=passed)
    signed("rev", "/qc-reviews", lots=passed)
    asked = "&".join(f"lot={lot}" for lot in passed)
    shown = client.send("qa2", "GET", f"/audit-reviews?{asked}").json()["items"]
    read = [{name: one[name] for name in ("lot", "last", "head")} for one in shown]
    signed("qa2", "/audit-reviews", read=read)
    numbers = []
    for lot in passed:
        answer = signed("qa", f"/lots/{lot}/disposition", decision="released").json()
        numbers.append(answer["certificate"]["number"])
    asked = "&".join(f"number={number}" for number in numbers)
    documents = client.send("qa", "GET", f"/certificate-documents?{asked}").content
    with zipfile.ZipFile(BytesIO(documents)) as file:
        if not all(file.read(name).startswith(b"%PDF") for name in file.namelist()):
            raise RuntimeError("what was sent is no PDF")
        return len(file.namelist())


@dataclass(frozen=True)
class Run:
    """What one run of the work took."""

    seconds: float
    requests: int
    released: int
    memory: float
    cold: float
    taken: dict[str, list[tuple[float, float]]]


def work_through(client: Client, count: int) -> int:
    for user_id in ("ana", "rev", "qa", "qa2"):
        client.sign_in(user_id)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # noqa: TID251
    lots = work(count)
    groups = (lots[start : start + AT_ONCE] for start in range(0, count, AT_ONCE))
    return sum(some_lots(client, group, at) for group in groups)


def measure(count: int) -> Run:
    """The work over HTTP; the meter is the CPU time of the server, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        settings = set_up(Path(folder))
        process, address, cold = serve(settings)

        def cpu() -> float:
            tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
            return sum(int(one.read_text().split()[0]) for one in tasks) / 1e6

        try:
            client = Metered(cpu, address)
            began = time.perf_counter()
            released = work_through(client, count)
            seconds = time.perf_counter() - began
            memory = peak_mebibytes(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
    return Run(seconds, client.requests, released, memory, cold, client.taken)


def statements() -> dict[str, float]:
    """How many statements each act of some lots sends to the database, the median."""
    sent: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = set_up(Path(folder)).model_copy(update={"seal_passphrase": SecretStr(PASSWORD)})
        event.listen(Engine, "before_cursor_execute", lambda *told: sent.append(told[2]))
        with TestClient(create_application(settings), "http://localhost/api/v1") as http:
            client = Metered(lambda: len(sent), "", http)
            work_through(client, 2 * AT_ONCE)
    return {act: median(count for _, count in taken) for act, taken in client.taken.items()}


@contextmanager
def free_passwords() -> Iterator[None]:
    """Passwords that are set in this block cost as good as nothing to check."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with patch.object(passwords, "HASHER", cheap):
        yield


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    run = measure(count)
    with free_passwords():
        free, counted = measure(count), statements()
    limit = 17.3 * count / 200
    figures = [
        Figure(f"{count} lots x {len(ATTRIBUTES)} results", run.seconds, limit, "s"),
        Figure("without the cost of argon2", free.seconds, limit, "s"),
        Figure("requests per lot", run.requests / count, 5.0, ""),
        Figure("peak memory of the server", run.memory, 180.0, "MiB"),
        Figure("cold start", run.cold, 2.0, "s"),
    ]
    acts = [
        f"  {act:<42} {len(taken):5} {median(one for one, _ in taken) * 1e3:9.1f}"
        f" {median(one for _, one in taken):9.1f} {counted[act]:9.0f}"
        for act, taken in run.taken.items()
    ]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    lines = [
        *map(str, figures),
        f"{run.released} certificates, {count - run.released} lots rejected",
        "",
        "Acts: how often, then medians of ms, ms of CPU of the server, and statements of SQL:",
        *acts,
        "",
        "Peers, the same work (seconds, requests, peak memory, cold start):",
        *(f"  {one}" for one in PEERS),
    ]
    print("\n".join(lines))
    if count == 200 or "write" in sys.argv:
        measured = ROOT / "batchqc" / "guide" / "measured" / "peer_workload.md"
        title = f"# The peers' work: {count} lots x 15 results, over HTTP"
        when = (
            f"Measured {now():%Y-%m-%d} at commit {commit}, {os.cpu_count()} cores with a load of"
            f" {os.getloadavg()[2]:.0f}, by `tests/performance/peer_workload.py {count}`."
        )
        measured.write_text("\n".join([title, "", when, "", "```", *lines, "```", ""]))
    if any(figure.value > figure.limit for figure in figures):
        sys.exit(1)


if __name__ == "__main__":
    main()
