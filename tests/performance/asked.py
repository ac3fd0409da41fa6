"""What people ask a site for and do: every list, search, page and act, as who may, with its SQL."""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine, event

from batchqc.cli import simulate_cast as cast
from batchqc.cli.simulate_cast import SimulatedLot, csv_of, drawn
from batchqc.clock import now
from batchqc.settings import Settings
from batchqc.web.app import create_application

_MATRIX: Final = Path(__file__).parents[1] / "compliance" / "role_matrix.toml"
#: They are no question to the records, or need something that a simulated site has not.
_NOT_ASKED: Final = {"/health", "/openapi.json", "/docs", "/log/inclusion", "/log/consistency",
              "/audit-reviews", "/certificate-documents"}  # fmt: skip
#: What reads everything, because that is what it is for.
WHOLE: Final = {"/audit/verification", "/audit/recheck"}
_API: Final = (
    "/lots/{lot}", "/lots/{lot}/readiness", "/lots/{lot}/results", "/lots/{lot}/holds",
    "/audit-reviews?lot={lot}", "/certificate-documents?number={certificate}",
    "/lots/{lot}/audit-review", "/lots/{lot}/form", "/lots/{lot}/containers",
    "/lots/{lot}/doses", "/lots/{lot}/criteria/viab/sources", "/donors/{donor}",
    "/donors/{donor}/evaluation", "/donors/{donor}/records", "/uploads/{upload}",
    "/uploads/{upload}/annotated", "/uploads/{upload}/file", "/uploads/{upload}/cells/2/value",
    "/certificates/{certificate}", "/certificates/{certificate}/pdf",
    "/certificates/{certificate}/data", "/certificates/{certificate}/proof",
    "/certificates/{certificate}/lines/viab/sources", "/status/{certificate}",
    "/genealogy/lot:{lot}/trace", "/lots?text={middle}", "/lots?after={lot}", "/lots?donor={donor}",
    "/certificates?lot={lot}", "/certificates?donor={donor}", "/certificates?analyte=viab",
    "/certificates?text=viability", "/uploads?lot={lot}", "/certificates?signer=sim.releaser",
    "/certificates?status=issued",
    "/audit?subject=lot:{lot}", "/audit?who=sim.analyst", "/audit?what=lot%20released",
    "/audit?after={place}", "/events?after={place}",
)  # fmt: skip
#: Pages; what begins with "?" is another look at the list before it.
_PAGES: Final = (
    "/", "/lots", "/lots?text={middle}", "/lots?after={lot}", "/lots?order=lot", "/lots?order=made",
    "/lots?order=made-back&after={lot}", "/lots?order=expires", "/lots?order=expires-back",
    "/lots/{lot}", "/lots/{lot}/review", "/lots/{lot}/audit-review", "/lots/{lot}/genealogy",
    "/uploads", "/uploads?order=oldest", "/uploads/{upload}", "/certificates",
    "/certificates?order=oldest", "/certificates/{certificate}", "/donors",
    "/donors?order=code-back", "/donors/{donor}", "/reviews", "/investigations",
    "/investigations?order=newest", "/investigations/patterns", "/audit-trail",
    "/audit-trail?order=oldest", "/audit-trail/{place}",
    "/audit-trail?record=lot:{lot}", "/find?q={lot}", "/products",
    "/specifications", "/manual", "/corrections", "/deviations", "/certifications", "/banks",
    "/look-backs", "/quality-reviews", "/exports", "/archive", "/administration",
    "/administration/accounts", "/system-stops", "/verify",
)  # fmt: skip
#: The series of a product is drawn from every lot of it.
TRENDS: Final = (
    "/api/v1/trends", "/api/v1/trends/SIM-MSC", "/api/v1/trends/SIM-MSC/viab", "/trends",
    "/trends/SIM-MSC/viab", "/api/v1/lots/{lot}/trends", "/api/v1/lots/{lot}/review",
)  # fmt: skip
Act = Callable[[], object]
WHO: Final = (cast.RELEASER, cast.AUDITOR, cast.ADMIN, cast.OFFICER, cast.ANALYST, cast.AUTHOR)


def questions() -> Iterator[str]:
    """Every address, with names of what it speaks of in braces."""
    routes = tomllib.loads(_MATRIX.read_text())["routes"]
    lists = [
        one.removeprefix("GET ") for one in routes if one.startswith("GET ") and "{" not in one
    ]
    yield from (f"/api/v1{one}" for one in lists if one not in _NOT_ASKED | WHOLE)
    yield from (f"/api/v1{one}" for one in _API)
    yield from _PAGES
    yield from (one for one in TRENDS if f"/api/v1{one}" not in lists)


@dataclass
class Site:
    """A running application over a simulated site, people signed in, and the names of things."""

    client: TestClient
    names: dict[str, str]
    tokens: dict[str, str]
    said: list[tuple[str, Any]] = field(default_factory=list)
    who: dict[str, str] = field(default_factory=dict)

    def get(self, question: str) -> int:
        """Ask as somebody who may; the status of the answer. ``said`` is the SQL of it."""
        path = question.format_map(self.names)
        status = 403
        for person in [self.who[question]] if question in self.who else WHO:
            if person not in self.tokens:
                continue
            self.said.clear()
            headers = {"Authorization": f"Bearer {self.tokens[person]}"}
            if not path.startswith("/api/"):
                headers = {"Cookie": self.tokens[f"page {person}"]}
            answer = self.client.get(path, headers=headers, follow_redirects=False)
            status = answer.status_code
            if status not in {401, 403}:
                self.who[question] = person
                break
        return status

    def post(self, person: str, path: str, **options: Any) -> Any:
        """Do something by the API.

        Raises:
            RuntimeError: it was refused.
        """
        self.said.clear()
        headers = {"Authorization": f"Bearer {self.tokens[person]}"}
        answer = self.client.post(f"/api/v1{path}", headers=headers, **options)
        if answer.is_error:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


@contextmanager
def opened(settings: Settings) -> Iterator[Site]:
    """A simulated site, served in this process."""
    settings = settings.model_copy(update={"seal_passphrase": SecretStr(cast.PASSWORD)})
    said: list[tuple[str, Any]] = []

    def listen(*arguments: Any) -> None:
        said.append((arguments[2], arguments[3]))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        with TestClient(create_application(settings), base_url="https://testserver") as client:
            tokens = {}
            for person in (*WHO, cast.REVIEWER, cast.READER):
                who = {"user_id": person, "password": cast.PASSWORD}
                answer = client.post("/api/v1/session", json=who)
                if answer.is_error:
                    continue  # an auditor is appointed for a time
                tokens[person] = answer.json()["token"]
                page = client.post(
                    "/sign-in", data=who | {"next": "/"}, follow_redirects=False,
                    headers={"Sec-Fetch-Site": "same-origin"},
                )  # fmt: skip
                tokens[f"page {person}"] = page.headers["set-cookie"].partition(";")[0]
                client.cookies.clear()
            site = Site(client, {}, tokens, said)
            site.names = names(site)
            yield site
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


def names(site: Site) -> dict[str, str]:
    """Of things in the middle of the records: a lot that was released, and what belongs to it."""
    headers = {"Authorization": f"Bearer {site.tokens[cast.RELEASER]}"}

    def ask(path: str) -> Any:
        return site.client.get(f"/api/v1{path}", headers=headers).json()

    found = ask("/certificates?limit=8")["items"]
    lot = found[-1]["lot"]
    token = lot.removeprefix("SIM-")
    upload = ask(f"/uploads?lot={lot}")["items"][0]["number"]
    return {
        "lot": lot, "donor": f"DNR-{token}", "certificate": found[-1]["number"], "upload": upload,
        "middle": token[3:], "place": "150",
    }  # fmt: skip


def new_number() -> int:
    """Of a lot that is not there yet: a site may be kept, and measured again."""
    return 100_000 + int(now().timestamp()) % 800_000


def acts(site: Site, number: int) -> Iterator[tuple[str, Act]]:
    """The life of a lot of a new product, over the API, act by act."""
    at = now().replace(microsecond=0)
    values = drawn(Random(number), fails=False)  # noqa: S311 - nothing secret
    one = SimulatedLot(f"{at:%y}-{number:06d}", at, values, cast.BEGUN)
    signed = {"password": cast.PASSWORD, "reason": "Measured on simulated records"}

    def post(person: str, path: str, **options: object) -> Act:
        return lambda: site.post(person, path, **options)

    def sign(person: str, path: str, **more: object) -> Act:
        return post(person, path, json=signed | {"user_id": person} | more)

    donor = {"code": one.donor, "tissue_source": cast.TISSUE}
    yield "register donor", post(cast.OFFICER, "/donors", json=donor)
    path = f"/donors/{one.donor}/eligibility"
    yield "determine eligibility", sign(cast.OFFICER, path, eligible=True, basis="Screened")
    lot = {
        "id": one.lot, "product": one.product, "manufactured_on": at.date().isoformat(),
        "expires_on": f"{at.year + 2}-01-01", "donors": [one.donor],
        "samples": [{"id": f"{one.lot}-S01", "stage": "release", "container": "vial",
                     "taken_at": at.isoformat()}],
    }  # fmt: skip
    yield "register lot", post(cast.ANALYST, "/lots", json=lot)
    path = f"/uploads?file={one.lot}.csv"
    yield "upload 40 results", post(cast.ANALYST, path, content=csv_of(one, at))
    yield "review results", sign(cast.REVIEWER, f"/lots/{one.lot}/review")
    yield "QC review of the lot", sign(cast.REVIEWER, f"/lots/{one.lot}/qc-review")
    path = f"/lots/{one.lot}/audit-review"
    headers = {"Authorization": f"Bearer {site.tokens[cast.READER]}"}
    read = site.client.get(f"/api/v1{path}", headers=headers).json()
    yield "audit trail review", sign(cast.READER, path, last=read["last"], head=read["head"])
    path = f"/lots/{one.lot}/disposition"
    yield "release and certificate", sign(cast.RELEASER, path, decision="released")


def asked(site: Site, wanted: Sequence[str]) -> dict[str, list[tuple[str, Any]]]:
    """The SQL of each question; of those that were answered 200."""
    found = {}
    for question in wanted:
        if site.get(question) == 200:
            found[question] = list(site.said)
    return found
