"""Every screen of uploads in every state."""

from collections.abc import Iterator

import pytest

from batchqc.actions.received import ReceivedFile
from batchqc.api.bodies import StatedBeside
from batchqc.web.waiting import Beside, key_of
from tests.records.house import ANA, LOT, alone, good, results, table
from tests.web.browsing import Visitor
from tests.web.conftest import Served, Server
from tests.web.looking import look_at
from tests.web.lots import BAD, add_bad_lot

_BESIDE = Beside(StatedBeside("", (), ()))
_ROW = {"lot_id": LOT, "sample_id": f"{LOT}-S01", **good("viability"), "comment": ""}
_ROWS = [{"value": "93,4", "analyst": "nobody"}, {"value": "\x01"}, *[{"value": "93.1"}] * 52]


def waiting(name: str, data: bytes) -> ReceivedFile:
    return ReceivedFile(name, len(data), data, "tests")


GOOD = waiting("good.csv", alone("kynurenine", lot=BAD, value="14.4", run_id="IDO-250524-01"))
WRONG = waiting(
    "wrong.csv",
    table([_ROW | one | {"replicate": str(n)} for n, one in enumerate(_ROWS, 1)])
    + b"a row,of its own\r\n",
)
AGAIN = waiting("again.csv", results())
WORKBOOK = waiting("workbook.csv", b"PK\x03\x04 no text at all")
WAITING = (GOOD, WRONG, AGAIN, WORKBOOK)


def preview(file: ReceivedFile) -> str:
    return f"/uploads/preview/{key_of(file, _BESIDE)}"


SCREENS = {
    "uploads": "/uploads",
    "uploads that are none": "/uploads?text=nothing+like+it",
    "an upload": "/uploads/U-2026-000001",
    "a refused upload": "/uploads/U-2026-000003",
    "no such upload": "/uploads/U-2026-000999",
    "new upload": f"/uploads/new?lots={LOT}",
    "a preview": preview(GOOD),
    "a preview that is refused": preview(WRONG),
    "every row of it": f"{preview(WRONG)}?rows=every&page=2",
    "a preview of what came before": preview(AGAIN),
    "a preview of what is no text": preview(WORKBOOK),
    "a preview that waits no more": "/uploads/preview/none",
}


@pytest.fixture(scope="module")
def ana(served: Served, server: Server) -> Iterator[Visitor]:
    house = served.house
    add_bad_lot(house)
    assert not house.upload(WRONG.data or b"", name="wrong.csv").accepted
    for file in WAITING:
        server.application.state.waiting.put(ANA, file=file, beside=_BESIDE, now=house.now())
    with served.visitor(ANA) as visitor:
        yield visitor


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS.keys())
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(ana: Visitor, path: str):
    look_at(ana, path)
