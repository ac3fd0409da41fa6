"""Where every container of a graph is: in storage at a place, at a site since a day, or given."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from batchqc.core.canonical import Json
from batchqc.records.containers import Container
from batchqc.records.genealogy import Graph
from batchqc.records.shipments import Administration, ShippedContainer


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
