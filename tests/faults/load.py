"""Work of a laboratory that goes on through faults, and a ledger of all that was acknowledged.

Each request that changes something has a key of its own. One that gets no answer, or a failure of
the server, is sent again with the same key until it is answered: so it must be done once, whether
or not its first sending had arrived. The ledger lies outside of the system.
"""

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Self

import httpx

from tests.performance.peer_workload import ATTRIBUTES, PASSWORD, Client, one_lot

PEOPLE: Final = ("ana", "rev", "qa", "qa2")
_PATIENCE: Final = 240.0
"""Seconds until a request that is not answered counts as a loss."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An answer that said that something was done."""

    person: str
    key: str
    status: int
    body: str
    path: str
    at: float


@dataclass
class Ledger:
    """What was acknowledged; documents by their address with SHA-256; what should not have been.

    Of the certificates so many could not be sealed with their release, and were afterwards.
    """

    acts: list[Acknowledged] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    lots: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    resent: int = 0
    pending: int = 0
    is_given_up: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Worker(Client):
    """Somebody who does one lot after another until told to stop."""

    def __init__(self, address: str, name: str, ledger: Ledger, stop: threading.Event) -> None:
        super().__init__(address)
        self._name = name
        self._ledger = ledger
        self._stop = stop
        self._made = 0
        self._says_issued = False  # the answer before

    def sign_in(self, user_id: str) -> None:
        """As someone does at the beginning of a day."""
        sent = {"user_id": user_id, "password": PASSWORD}
        self.tokens[user_id] = self._answered("POST", "/session", json=sent).json()["token"]

    def send(self, user_id: str, method: str, path: str, **options: object) -> httpx.Response:
        """Send until it is answered; write down what the answer acknowledges."""
        self._made += 1
        key = f"fault-{self._name}-{self._made}"
        headers = {"Authorization": f"Bearer {self.tokens[user_id]}", "Idempotency-Key": key}
        answer = self._answered(method, path, headers=headers, **options)
        if "BQC-CRT-031" in answer.text:  # it was released, and could not be sealed then
            if self._says_issued:
                raise RuntimeError(f"{path} is pending, and was told to be issued")
            self._answered("POST", path.replace("/pdf", "/issue"), headers=headers)
            answer = self._answered(method, path, headers=headers, **options)
            self._ledger.pending += 1
        self._says_issued = '"status":"issued"' in answer.text
        self._write_down(user_id, method, path, key, answer)
        return answer

    def _answered(self, method: str, path: str, **options: object) -> httpx.Response:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                answer = self.http.request(method, path, **options)  # type: ignore[arg-type]
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    break
                said = f"{answer.status_code} {answer.text}"
            except httpx.TransportError as problem:
                said = repr(problem)
            if time.monotonic() > deadline or self._ledger.is_given_up:
                raise TimeoutError(f"{method} {path} was never answered: {said}")
            self._ledger.resent += 1
            time.sleep(0.2)
        if answer.is_error and "BQC-CRT-031" not in answer.text:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer

    def _write_down(
        self, person: str, method: str, path: str, key: str, answer: httpx.Response
    ) -> None:
        with self._ledger.lock:
            if method == "POST":
                act = Acknowledged(
                    person, key, answer.status_code, answer.text, path, time.monotonic()
                )
                self._ledger.acts.append(act)
            elif path.endswith("/pdf"):
                self._ledger.documents[path] = sha256(answer.content).hexdigest()

    def work(self, seed: int) -> None:
        """Do a lot, and others until told to stop; what goes wrong is a loss."""
        chance = random.Random(seed)  # noqa: S311 - the same work each time, nothing secret
        done = 0
        try:
            for person in PEOPLE:
                self.sign_in(person)
            while not done or not self._stop.is_set():
                done += 1
                lot = f"{self._name}-{done:04d}"
                at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # noqa: TID251
                one_lot(self, lot, _results(chance), at)
                with self._ledger.lock:
                    self._ledger.lots.append(lot)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is told
            with self._ledger.lock:
                self._ledger.wrong.append(f"{self._name}: {problem}")
        finally:
            self.http.close()


class Laboratory:
    """Several people at work at once."""

    def __init__(self, address: str, *, seed: int, workers: int) -> None:
        self.ledger = Ledger()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(
                target=Worker(address, f"F{seed}-{number}", self.ledger, self._stop).work,
                args=(seed * 1000 + number,),
            )
            for number in range(1, workers + 1)
        ]

    def __enter__(self) -> Self:
        """Let them work."""
        for one in self._threads:
            one.start()
        return self

    def wait_for(self, lots: int) -> None:
        """Until so many are done, or nobody works any more."""
        while len(self.ledger.lots) < lots and any(one.is_alive() for one in self._threads):
            time.sleep(0.02)

    def __exit__(self, problem: type[BaseException] | None, *_: object) -> None:
        """Each finishes the lot that is in hand, or after a problem gives up what is unanswered."""
        self._stop.set()
        self.ledger.is_given_up = problem is not None
        for one in self._threads:
            one.join()


def _results(chance: random.Random) -> dict[str, str]:
    found: dict[str, str] = {}
    for code, _, _, _, spread in ATTRIBUTES:
        match spread:
            case (float() | int() as mean, float() | int() as width):
                found[code] = f"{max(0, chance.gauss(mean, width / 4)):.2f}"
            case _:
                found[code] = str(spread)
    return found
