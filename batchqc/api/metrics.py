"""Counters for Prometheus, of one process: requests, refusals, the pool, events and what waits.

Each process answers for itself, on its own port. What is of the database (``batchqc_events``,
``batchqc_waiting``) every process tells alike: take the largest, not the sum. Labels are templates
of routes, codes and kinds out of closed lists: never a lot, a person or anything that was typed.
"""

import hmac
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from fastapi import Depends, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from batchqc import __version__
from batchqc.actions.key_work import states_of_seal
from batchqc.api.doors import Door, OpenDoor
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import Routes
from batchqc.api.watching import Seen
from batchqc.errors import NotFound, NotSignedIn
from batchqc.records.events import events_by_kind, untold
from batchqc.records.open_work import pending_certificates, waiting_corrections
from batchqc.records.transaction import reading

router = Routes(tags=["operation"])

_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BEARER: Final = HTTPBearer(auto_error=False, description="`BATCHQC_METRICS_TOKEN`.")

# When each counter began is what the start of the process tells. All but this call is typed.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types


class Metrics:
    """What one process counted since it started."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "batchqc_request_seconds",
            "Requests by route and method, and how long each took.",
            ("route", "method"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._answers = Counter(
            "batchqc_answers", "Answers by route, method and status.",
            ("route", "method", "status"), registry=self.registry,
        )  # fmt: skip
        self._refusals = Counter(
            "batchqc_refusals", "Refusals and errors by code, as the guide explains them.",
            ("code",), registry=self.registry,
        )  # fmt: skip
        ProcessCollector(registry=self.registry)

    def count(self, seen: Seen) -> None:
        """Count a request that was answered."""
        self._requests.labels(seen.route, seen.method).observe(seen.seconds)
        self._answers.labels(seen.route, seen.method, str(seen.status)).inc()
        if seen.refusal:
            self._refusals.labels(seen.refusal).inc()


class Now(Collector):
    """How an installation is at the moment that it is asked."""

    def __init__(self, door: Door) -> None:
        """Of the installation behind ``door``."""
        self._door = door

    def collect(self) -> Iterator[Metric]:
        """The version, the pool, and what the database says where it answers."""
        yield _gauge("batchqc_build", "The version that runs.", "version", {__version__: 1})
        pool = self._door.engine.pool
        if isinstance(pool, QueuePool):
            states = {"in use": pool.checkedout(), "idle": pool.checkedin()}
            told = "Connections to the database; each one in use has a transaction open."
            yield _gauge("batchqc_connections", told, "state", states)
        try:
            told_by_database = list(self._of_database())
        except SQLAlchemyError:
            told_by_database = []  # the next sample is all that is known then
        yield from self._of_seal()
        up = GaugeMetricFamily("batchqc_database_up", "Whether the database answers.")
        up.add_metric([], bool(told_by_database))
        yield from (up, *told_by_database)

    def _of_seal(self) -> Iterator[Metric]:
        """Until when the site can seal; nothing where the seal cannot be opened here."""
        now = self._door.now()
        states = states_of_seal(self._door.press, now)
        if states:
            told = "Days until the seal, the root or its list ends; 0: nothing can be sealed now."
            left = GaugeMetricFamily("batchqc_seal_days", told)
            left.add_metric([], min(one.days(now) for one in states))
            yield left

    def _of_database(self) -> Iterator[Metric]:
        with reading(self._door.engine) as session:
            kinds = events_by_kind(session)
            waiting = {
                "certificates to be sealed": len(pending_certificates(session)),
                "corrections to be decided": len(waiting_corrections(session)),
                "events to be told to webhooks": untold(session),
            }
        events = CounterMetricFamily(
            "batchqc_events", "What happened, by kind of event, whoever did it.", labels=["kind"]
        )
        for kind, many in kinds.items():
            events.add_metric([kind], many)
        yield events
        yield _gauge("batchqc_waiting", "What waits.", "what", waiting)


def _gauge(name: str, told: str, label: str, values: Mapping[str, int]) -> Metric:
    found = GaugeMetricFamily(name, told, labels=[label])
    for one, value in values.items():
        found.add_metric([one], value)
    return found


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=PROBLEMS,
    summary="Counters of this process, for Prometheus",
)
def metrics(
    request: Request,
    door: OpenDoor,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Response:
    """For who has the token of the settings; no session opens it, and it opens no session."""
    token = door.settings.metrics_token
    if token is None:
        raise NotFound(
            "BQC-API-023",
            "this installation has no metrics",
            hint="Set BATCHQC_METRICS_TOKEN, 16 characters or more.",
        )
    given = bearer.credentials if bearer else ""
    if not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
        raise NotSignedIn(
            "BQC-API-024",
            "the token of the metrics is wrong, or missing",
            hint="Send BATCHQC_METRICS_TOKEN as a bearer token.",
        )
    now = CollectorRegistry()
    now.register(Now(door))
    counted: Metrics = request.app.state.metrics
    text = generate_latest(counted.registry) + generate_latest(now)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
