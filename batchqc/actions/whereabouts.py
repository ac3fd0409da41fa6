"""Where every container of a graph is: in storage at a place, at a site since a day, or given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from batchqc.core.canonical import Json
from batchqc.core.genealogy import NodeKind, kind_of
from batchqc.records.cell_banks import CellBank
from batchqc.records.containers import Container, containers_by, newest_events, status_of
from batchqc.records.genealogy import Graph, nodes_by, portions
from batchqc.records.registers import LotRow
from batchqc.records.rows_by import load_their, rows_by
from batchqc.records.shipments import Administration, ShippedContainer, administrations_of


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One container: of which lot or bank, how it stands, and where it went; "" is nowhere."""

    container: str
    of: str
    status: str
    shipment: str = ""
    site: str = ""
    shipped_on: str = ""
    recipient: str = ""
    administered_on: str = ""

    @property
    def content(self) -> dict[str, Json]:
        """For the frozen list."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """Where it is, for people."""
        said = [f"{self.container} of {self.of}: {self.status}"]
        if self.shipment:
            said.append(f"shipped to {self.site} on {self.shipped_on} with {self.shipment}")
        if self.recipient:
            said.append(f"given to {self.recipient} on {self.administered_on}")
        return "; ".join(said)


def whereabouts(graph: Graph, statuses: Mapping[str, str]) -> Iterator[Whereabouts]:
    """Where each container of a graph is, by its id; the newest shipment of each counts."""
    shipped: dict[int, ShippedContainer] = {}
    given: dict[int, Administration] = {}
    for row in sorted(graph.edges.values(), key=lambda one: one.id):
        if isinstance(row, ShippedContainer):
            shipped[row.container_id] = row
        elif isinstance(row, Administration):
            given[row.container_id] = row
    containers = (one for one in graph.nodes.values() if isinstance(one, Container))
    for one in sorted(containers, key=lambda container: container.folded):
        went, to = shipped.get(one.id), given.get(one.id)
        yield Whereabouts(
            container=one.container,
            of=one.source.key if one.source else "",
            status=statuses[one.key],
            shipment=went.shipment.natural_key if went else "",
            site=went.shipment.clinical_site.code if went else "",
            shipped_on=went.shipment.shipped_on if went else "",
            recipient=to.recipient.pseudonym if to else "",
            administered_on=to.administered_on if to else "",
        )


def since_then(
    session: Session, frozen: Mapping[str, Any], closed_at: datetime | None
) -> Iterator[dict[str, Json]]:
    """Containers of the lots and banks of a frozen list that were registered after it was frozen.

    Args:
        session: only read.
        frozen: what was found when a look-back began.
        closed_at: when it was closed; what was registered later is none of its doses.
    """
    known = {one["container"] for one in frozen["doses"]}
    made = (NodeKind.LOT, NodeKind.CELL_BANK)
    keys = [key for key, _ in frozen["nodes"] if kind_of(key) in made]
    for some in portions(keys):
        rows = nodes_by(session, some).values()
        for table, column in ((LotRow, Container.lot_id), (CellBank, Container.cell_bank_id)):
            ids = [one.id for one in rows if isinstance(one, table)]
            for one in rows_by(session, Container, column, ids):
                is_in = closed_at is None or one.registered_at <= closed_at
                if is_in and one.container not in known and one.source:
                    of = one.source.key
                    yield Whereabouts(one.container, of, "not registered then").content


def told_now(session: Session, frozen: Sequence[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Doses of a frozen list with how each stands now, and to whom it was given, if since then."""
    for some in portions(frozen):
        rows = {
            row.container: row for row in containers_by(session, [one["container"] for one in some])
        }
        ids = [row.id for row in rows.values()]
        newest = newest_events(session, ids)
        given = {one.container_id: one for one in administrations_of(session, ids)}
        load_their(session, given.values(), Administration.recipient)
        for one in some:
            row = rows.get(one["container"])
            if row is None:
                yield {**one, "status_now": ""}
                continue
            told = {**one, "status_now": status_of(newest.get(row.id)).value}
            if to := given.get(row.id):
                day = to.administered_on
                told |= {"recipient": to.recipient.pseudonym, "administered_on": day}
            yield told
