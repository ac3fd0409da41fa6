"""Users of a loaded site, for locust: analysts, QA and auditors, signed in once.

Lots go from hand to hand: what analysts upload is reviewed, read and released by QA. Some wait for
each step when users begin, so that every step is done within a short time.
"""

import os
import sys
from collections import deque
from itertools import count
from pathlib import Path
from random import Random

from locust import HttpUser, constant, task
from requests import Response

sys.path.insert(0, str(Path(__file__).parents[2]))

from batchqc.cli import simulate_cast as cast
from batchqc.cli.simulate_cast import SimulatedLot, csv_of, drawn
from batchqc.clock import now

HOSTS = os.environ["LOAD_HOSTS"].split()
TOKENS = dict(one.split("=", 1) for one in os.environ["LOAD_TOKENS"].split())
LOTS = os.environ["LOAD_LOTS"].split()
FIRST = int(os.environ["LOAD_FIRST"])
_NUMBERS, _HOSTS = count(FIRST), count()
_CHANCE = Random(1)  # noqa: S311 - nothing secret
choice = _CHANCE.choice
UPLOADED = deque(os.environ["LOAD_UPLOADED"].split())
REVIEWED = deque(os.environ["LOAD_REVIEWED"].split())


class _Person(HttpUser):
    abstract = True
    wait_time = constant(0)

    def on_start(self) -> None:
        self.client.base_url = HOSTS[next(_HOSTS) % len(HOSTS)]

    def ask(self, who: str, name: str, path: str) -> Response:
        said = {"Authorization": f"Bearer {TOKENS[who]}"}
        return self.client.get(f"/api/v1{path}", name=name, headers=said)

    def tell(self, who: str, name: str, path: str, **body: object) -> Response:
        said = {"Authorization": f"Bearer {TOKENS[who]}"}
        return self.client.post(f"/api/v1{path}", name=f"write: {name}", headers=said, **body)

    def sign(self, who: str, name: str, path: str, **more: object) -> Response:
        signed = {"user_id": who, "password": cast.PASSWORD, "reason": "Measured under load"}
        return self.tell(who, name, path, json=signed | more)


class Analyst(_Person):
    """Registers donors and lots, uploads results, and looks at lots and uploads."""

    abstract = True

    @task(2)
    def whole_lot(self) -> None:
        at = now().replace(microsecond=0)
        token = f"{at:%y}-{next(_NUMBERS):06d}"
        one = SimulatedLot(token, at, drawn(_CHANCE, fails=False), cast.BEGUN)
        donor = {"code": one.donor, "tissue_source": cast.TISSUE}
        lot = {
            "id": one.lot, "product": one.product, "manufactured_on": at.date().isoformat(),
            "expires_on": f"{at.year + 2}-01-01", "donors": [one.donor],
            "samples": [{"id": f"{one.lot}-S01", "stage": "release", "container": "vial",
                         "taken_at": at.isoformat()}],
        }  # fmt: skip
        path, data = f"/donors/{one.donor}/eligibility", csv_of(one, at)
        if (
            self.tell(cast.OFFICER, "register donor", "/donors", json=donor)
            and self.sign(cast.OFFICER, "eligibility", path, eligible=True, basis="Screened")
            and self.tell(cast.ANALYST, "register lot", "/lots", json=lot)
            and self.tell(cast.ANALYST, "upload", f"/uploads?file={one.lot}.csv", data=data)
        ):
            UPLOADED.append(one.lot)

    @task(4)
    def uploads(self) -> None:
        self.ask(cast.ANALYST, "list: uploads", "/uploads")

    @task(2)
    def found(self) -> None:
        path = f"/lots?donor=DNR-{choice(LOTS)[4:]}"
        self.ask(cast.ANALYST, "search: lots by donor", path)


class Quality(_Person):
    """Reviews and releases lots, looks at lots as a whole, and for certificates."""

    abstract = True

    @task(2)
    def review(self) -> None:
        if UPLOADED:
            lot, who = UPLOADED.popleft(), cast.REVIEWER
            if self.sign(who, "review", f"/lots/{lot}/review") and self.sign(
                who, "QC review", f"/lots/{lot}/qc-review"
            ):
                REVIEWED.append(lot)

    @task(2)
    def release(self) -> None:
        if REVIEWED:
            lot = REVIEWED.popleft()
            path = f"/lots/{lot}/audit-review"
            read = self.ask(cast.READER, "audit trail of a lot to review", path)
            if not read.ok:
                return
            more = {name: read.json()[name] for name in ("last", "head")}
            if self.sign(cast.READER, "audit trail review", path, **more):
                path = f"/lots/{lot}/disposition"
                done = self.sign(cast.RELEASER, "release", path, decision="released")
                if done.ok:
                    number = done.json()["certificate"]["number"]
                    self.ask(cast.RELEASER, "certificate, as PDF", f"/certificates/{number}/pdf")

    @task(2)
    def lot(self) -> None:
        self.ask(cast.RELEASER, "lot", f"/lots/{choice(LOTS)}")

    @task(2)
    def certificates(self) -> None:
        path = f"/certificates?lot={choice(LOTS)}"
        self.ask(cast.RELEASER, "search: certificates of a lot", path)


class Auditor(_Person):
    """Reads the audit trail; each request is an entry of its own."""

    abstract = True

    @task(5)
    def trail(self) -> None:
        path = f"/audit?subject=lot:{choice(LOTS)}"
        self.ask(cast.AUDITOR, "audit: of a lot (and an entry)", path)


class Everyone(Analyst, Quality, Auditor):
    """Does a bit of everything, so that one alone does it all."""


class Writer(_Person):
    """Does nothing but write; in a run of its own."""

    @task
    def register(self) -> None:
        code = {"code": f"DNR-W{next(_NUMBERS)}", "tissue_source": cast.TISSUE}
        self.tell(cast.OFFICER, "alone: register donor", "/donors", json=code)
