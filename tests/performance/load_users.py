"""Users of a loaded site, for locust: analysts, QA and auditors, each signed in once."""

import os
from itertools import count
from random import Random

from locust import HttpUser, constant, task

HOSTS = os.environ["LOAD_HOSTS"].split()
TOKENS = dict(one.split("=", 1) for one in os.environ["LOAD_TOKENS"].split())
LOTS = os.environ["LOAD_LOTS"].split()
_NUMBERS = count(1)
_HOSTS = count()
_RUN = os.environ["LOAD_RUN"]
choice = Random(1).choice  # noqa: S311 - nothing secret


class _Person(HttpUser):
    abstract = True
    wait_time = constant(0)
    who = ""

    def on_start(self) -> None:
        self.client.base_url = HOSTS[next(_HOSTS) % len(HOSTS)]
        self.client.headers["Authorization"] = f"Bearer {TOKENS[self.who]}"

    def ask(self, name: str, path: str) -> None:
        self.client.get(f"/api/v1{path}", name=name)


class Analyst(_Person):
    """Registers donors, and looks at lots and uploads."""

    weight = 3
    who = "sim.officer"

    @task(2)
    def register(self) -> None:
        code = {"code": f"DNR-L{_RUN}-{next(_NUMBERS)}", "tissue_source": "umbilical cord"}
        self.client.post("/api/v1/donors", json=code, name="write: register donor")

    @task(2)
    def uploads(self) -> None:
        self.ask("list: uploads", "/uploads")

    @task(1)
    def found(self) -> None:
        self.ask("search: lots by donor", f"/lots?donor=DNR-{choice(LOTS)[4:]}")


class Quality(_Person):
    """Looks at lots as a whole, and for certificates."""

    weight = 3
    who = "sim.releaser"

    @task(2)
    def lot(self) -> None:
        self.ask("lot", f"/lots/{choice(LOTS)}")

    @task(2)
    def certificates(self) -> None:
        self.ask("search: certificates of a lot", f"/certificates?lot={choice(LOTS)}")

    @task(1)
    def empty(self) -> None:
        self.ask("health", "/health")


class Auditor(_Person):
    """Reads the audit trail; each request is an entry of its own."""

    weight = 2
    who = "sim.auditor"

    @task
    def trail(self) -> None:
        self.ask("audit: of a lot (and an entry)", f"/audit?subject=lot:{choice(LOTS)}")


class Writer(_Person):
    """Does nothing but write; in a run of its own."""

    who = "sim.officer"

    @task
    def register(self) -> None:
        code = {"code": f"DNR-W{_RUN}-{next(_NUMBERS)}", "tissue_source": "umbilical cord"}
        self.client.post("/api/v1/donors", json=code, name="writers alone: register donor")
